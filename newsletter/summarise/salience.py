"""How likely a summary is to say each word, and each pair of neighbouring words, of an article. Pure.

Two small logistic models over signs that hold for any language: where the word stands, how often, in the title, how
rare it is elsewhere. It must never know a word by itself: what is learnt are weights of signs, not vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from newsletter.summarise.arrays import Floats, Integers, np
from newsletter.summarise.weights import Frequencies, Weights

WORD_SIGNS = (
    "always", "times", "spread", "first seen", "place seen", "in opening", "in title", "in title and spread", "rare",
    "rare and spread", "rare in title", "rare in opening", "listed", "figure", "figure in title", "length",
    "spread, untitled", "first seen, untitled", "rare here",
)  # fmt: skip
PAIR_SIGNS = (
    "always", "left", "right", "lesser", "product", "spread", "in title", "in title and spread", "first seen",
    "place seen", "in opening", "left rare and spread", "right rare and spread",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What stands where. Sentences are rows; words and pairs are columns in the order they first appear."""

    counts: Floats  # sentences x words: how often
    pairs: Floats  # sentences x pairs: 1 where the pair stands
    ends: Integers  # pairs x 2: the words of each pair
    title: Floats  # words: 1 where the title holds it
    title_pairs: Floats
    rarity: Floats  # words: 0 (in every article) to 1 (in none of them)
    titled: bool
    word_signs: Floats  # words x WORD_SIGNS


def read(sentences: Sequence[Sequence[str]], title: Sequence[str], known: Frequencies) -> Words:
    """Signs of every word of `sentences` (token lists, at least one token in all). `known`: of the text's language."""
    places: dict[str, int] = {}
    flat = np.array([places.setdefault(word, len(places)) for word in chain(*sentences)], dtype=np.int64)
    rows = np.repeat(np.arange(len(sentences)), [len(words) for words in sentences])
    counts = _table(rows, flat, len(sentences), len(places))
    inside = rows[1:] == rows[:-1]
    keys, which = np.unique((flat[:-1] * len(places) + flat[1:])[inside], return_inverse=True)
    pairs = np.minimum(_table(rows[1:][inside], which, len(sentences), len(keys)), 1.0)
    named = [places.get(word, -1) for word in title]
    wanted = [a * len(places) + b for a, b in pairwise(named) if a >= 0 and b >= 0]
    in_title = np.zeros(len(places))
    in_title[[at for at in named if at >= 0]] = 1
    vocabulary = list(places)
    rarity, listed = known.rarity(vocabulary)
    return Words(
        counts=counts,
        pairs=pairs,
        ends=np.stack([keys // len(places), keys % len(places)], 1),
        title=in_title,
        title_pairs=_standing(keys, wanted),
        rarity=rarity,
        titled=bool(title),
        word_signs=_word_signs(vocabulary, counts, in_title, (rarity, listed), titled=bool(title)),
    )


def _table(rows: Integers, columns: Integers, height: int, width: int) -> Floats:
    cells = np.bincount(rows * width + columns, minlength=height * width)
    return cells.reshape(height, width).astype(float)


def _standing(keys: Integers, wanted: Sequence[int]) -> Floats:
    """1 for each of `keys`, ascending, that is wanted."""
    found = np.zeros(len(keys))
    for key in wanted:
        at = int(np.searchsorted(keys, key))
        if at < len(keys) and keys[at] == key:
            found[at] = 1
    return found


def _word_signs(
    vocabulary: Sequence[str], counts: Floats, title: Floats, known: tuple[Floats, Floats], *, titled: bool
) -> Floats:
    rarity, listed = known
    present = counts > 0
    sentences = len(counts)
    spread, first = present.sum(0), present.argmax(0)
    log_spread, opening = np.log(spread), present[0]
    figure = np.array([word[0].isdigit() for word in vocabulary], float)
    columns = [
        np.ones(len(vocabulary)),
        np.log(counts.sum(0)),
        log_spread / np.log(sentences + 1),
        1 / (1 + first),
        first / max(sentences - 1, 1),
        opening,
        title,
        title * np.log(spread + 1),
        rarity,
        rarity * log_spread,
        rarity * title,
        rarity * opening,
        listed,
        figure,
        figure * title,
        np.minimum([len(word) for word in vocabulary], 10) / 10,
        0 * log_spread if titled else np.log(spread + 1),
        0 * log_spread if titled else 1 / (1 + first),
        np.log(1 + sentences / spread),
    ]
    return np.array(columns, float).T


def pair_signs(words: Words, said: Floats) -> Floats:
    """Pairs x PAIR_SIGNS. `said`: how likely each word is to be said."""
    left, right = words.ends[:, 0], words.ends[:, 1]
    odds = np.log(said / (1 - said))
    present = words.pairs > 0
    log_spread, first = np.log(np.maximum(present.sum(0), 1)), present.argmax(0)
    columns = [
        np.ones(len(left)),
        odds[left],
        odds[right],
        np.minimum(odds[left], odds[right]),
        said[left] * said[right],
        log_spread,
        words.title_pairs,
        words.title_pairs * log_spread,
        1 / (1 + first),
        first / max(len(present) - 1, 1),
        first == 0,
        words.rarity[left] * log_spread,
        words.rarity[right] * log_spread,
    ]
    return np.array(columns, float).T


def likely(signs: Floats, weights: Floats) -> Floats:
    """Probabilities, kept off 0 and 1 so that their odds stay finite."""
    return np.clip(1 / (1 + np.exp(-np.clip(signs @ weights, -30, 30))), 1e-6, 1 - 1e-6)


def said(words: Words, weights: Weights) -> tuple[Floats, Floats]:
    """How likely a summary is to say each word and each pair."""
    single = likely(words.word_signs, weights.words)
    return single, likely(pair_signs(words, single), weights.pairs)
