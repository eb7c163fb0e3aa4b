"""Which one to three sentences of an article tell its news together: every set that fits, weighed by its signs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from newsletter.summarise.arrays import Floats, Integers, np
from newsletter.summarise.rank import SENTENCE_SIGNS, Sentences, sign

MOST_SENTENCES = 3
POOL, LEAD = 9, 5  # so many best sentences, and so many first ones, may enter a set
EXPECTED = (25, 40, 60, 100)  # words of a summary by which overlap is judged: a standfirst has 36, a long blurb 80

_LENGTH = ("length", "length squared", "alone", "three")
_OVERLAP = tuple(f"{kind} of {words}" for kind in ("words", "pairs") for words in EXPECTED)
_OWN = (
    *_OVERLAP, "share of words", "share of pairs", "words a word", "pairs a word", *_LENGTH, "titled", "central", "alike",
    "holds first", "early", "last", "in a row", "gap", "unsupported", "opens unsupported", "start", "opening length",
    "opening titled", "first leans",
)  # fmt: skip
SET_SIGNS = (
    *_OWN,
    *(f"mean {name}" for name in SENTENCE_SIGNS),
    *(f"{name}, Vietnamese" for name in _OWN),  # standfirsts have 158 letters there, blurbs in English 358
    *(f"{name}, untitled" for name in _LENGTH),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """Sets of sentences that fit a budget. Rows of `members` and `chosen` go together."""

    members: Sequence[tuple[int, ...]]  # sentence indexes, ascending
    chosen: Floats  # sets x sentences: 1 where the sentence is a member
    lengths: Floats  # characters, joined by spaces


def fitting(sentences: Sentences, *, least: int, most: int) -> Sets:
    """The sets worth weighing, of the likely and the first sentences: `least` to `most` characters long, and standing
    by themselves, as far as any are: a reader who meets "However, he …" or the end of a quotation without what came
    before it is lost. May be none.
    """
    pool = _pool(sentences, most)
    patterns, members = _patterns(len(pool))
    chosen = np.zeros((len(patterns), len(sentences.texts)))
    chosen[:, pool] = patterns
    lengths = chosen @ sentences.lengths + chosen.sum(1) - 1
    # No mark left open by one sentence may meet a mark of another: together they would quote what nobody said.
    fits = (lengths <= most) & ~((chosen @ sentences.unbalanced > 0) & (chosen @ sentences.marked > 1))
    unwanted = sentences.halves + sentences.signs[:, sign("attendance")]
    whole = (chosen @ unwanted == 0) & (_lacking(sentences, chosen) == 0)
    standing, long_enough = fits & whole, fits & (lengths >= least)
    kept = np.flatnonzero(next((mask for mask in (standing & long_enough, standing, long_enough) if mask.any()), fits))
    named = [tuple(int(pool[at]) for at in members[index]) for index in kept.tolist()]
    return Sets(members=named, chosen=chosen[kept], lengths=lengths[kept])


def _lacking(sentences: Sentences, chosen: Floats) -> Floats:
    """How many members of each set lean on a sentence before them that the set leaves out."""
    needed = chosen[:, 1:] * sentences.leaning[1:] * (1 - chosen[:, :-1])
    return np.asarray(needed.sum(1), float)


def signs(sentences: Sentences, sets: Sets) -> Floats:
    """Sets x SET_SIGNS."""
    own = np.array(_own(sentences, sets), float).T
    weight = sets.chosen * sentences.lengths
    means = (weight / weight.sum(1, keepdims=True)) @ sentences.signs
    by_language = own * (sentences.language == "vi")
    untitled = own[:, [_OWN.index(name) for name in _LENGTH]] * (not sentences.words.titled)
    return np.concatenate([own, means, by_language, untitled], 1)


def _pool(sentences: Sentences, max_chars: int) -> Integers:
    fits = np.flatnonzero(sentences.lengths <= max_chars)
    likely = 0.8 / (1 + 0.6 * fits) + 0.9 * sentences.to_title[fits] + 2.0 * sentences.to_centre[fits]
    best = fits[np.argsort(-likely, kind="stable")[:POOL]]
    return np.union1d(best, fits[fits < LEAD])


@cache
def _patterns(size: int) -> tuple[Floats, Sequence[tuple[int, ...]]]:
    """Every choice of one to three of `size`, as rows of 0 and 1 and as indexes."""
    members = [pick for count in range(1, MOST_SENTENCES + 1) for pick in combinations(range(size), count)]
    rows = np.zeros((len(members), size))
    for row, pick in zip(rows, members, strict=True):
        row[list(pick)] = 1
    return rows, members


def _own(sentences: Sentences, sets: Sets) -> list[Floats]:
    words = sentences.words
    said = ((sets.chosen @ (words.counts > 0)) > 0) @ sentences.said
    pairs = ((sets.chosen @ words.pairs) > 0) @ sentences.pairs_said
    used, size = sets.chosen @ words.counts.sum(1), sets.chosen.sum(1)
    first = np.array([members[0] for members in sets.members])
    last = np.array([members[-1] for members in sets.members])
    between = last - first + 1 - size
    alike, spread = _alike(sentences, sets, size)
    length, lack = sets.lengths / 100, _lacking(sentences, sets.chosen)
    leans = sentences.leaning[first]
    return [
        *(2 * said / (used + words_expected) for words_expected in EXPECTED),
        *(2 * pairs / (used + words_expected) for words_expected in EXPECTED),
        said / sentences.said.sum(),
        pairs / max(float(sentences.pairs_said.sum()), 1e-9),
        said / used,
        pairs / used,
        length,
        length**2 / 4,
        size == 1,
        size == MOST_SENTENCES,
        sets.chosen @ sentences.to_title / spread,
        sets.chosen @ sentences.to_centre / spread,
        alike,
        first == 0,
        1 / (1 + first),
        np.minimum(last, 20) / 10,
        between == 0,
        np.minimum(between, 10) / 10,
        lack,
        leans * (first > 0),
        np.minimum(first, 5) / 5,
        sentences.signs[first, sign("length")],
        sentences.to_title[first],
        leans * (first == 0),
    ]


def _alike(sentences: Sentences, sets: Sets, size: Floats) -> tuple[Floats, Floats]:
    """Likeness of the two members most alike, and the length of the sum of the members' unit vectors."""
    within = (sets.chosen @ sentences.likeness * sets.chosen).sum(1)
    ends = np.array([(members[0], members[len(members) // 2], members[-1]) for members in sets.members])
    a, b, c = ends.T
    pairs = sentences.likeness
    return np.maximum(np.maximum(pairs[a, b], pairs[b, c]), pairs[a, c]), np.sqrt(size + within)
