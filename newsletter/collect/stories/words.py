"""The words of an article that tell its story: which they are, how often, and how much each says. Pure.

A Vietnamese word is one to three syllables with spaces between them, so pairs of neighbouring syllables stand for words;
cutting words with a segmenter gained nothing (F1 84 against 87 on 316 articles). Terms are kept as 31-bit hashes, so that a
comparison needs neither the texts nor a vocabulary.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

_SYLLABIC = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f"  # written without spaces: by character
_PIECE = re.compile(rf"\d+(?:[.,:/]\d+)*%?|[{_SYLLABIC}]|[^\W\d_{_SYLLABIC}]+|[.!?…:;\n\"“”]")
_RUN = 4  # words in a shingle: Broder 1997; different articles then share at most .58, usually none
_SKETCH = 512  # shingles kept of an article: the smallest hashes, so two sketches are of the same kinds of places
_READ = 20_000  # characters: ten pages tell what a text is about
_NAME, _TITLE = 0.5, 0.5  # what a name, and what a word of the title, weighs more


DATED = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`terms`: term -> its weight before it is known how common it is. `names`: those of them that hold a name.

    `runs`: sketch of the 4-word runs, ascending. `figures`: hashes of the numbers in the text, days ("22/10") with the
    bit DATED. `spelt`: hash -> the term in letters, for telling why.
    """

    terms: Mapping[int, float]
    names: frozenset[int]
    runs: tuple[int, ...]
    figures: frozenset[int]
    spelt: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies:
    """In how many documents of a language each term was seen so far."""

    documents: int
    of: Mapping[int, int]


def term_id(term: str) -> int:
    """31 bits, so that it fits a signed column; of 200,000 terms about ten share their id with another."""
    return zlib.crc32(term.encode()) & 0x7FFFFFFF


def words(text: str) -> Iterator[tuple[str, bool]]:
    """Words in lower case, and whether each is written as a name: a capital that no beginning of a sentence explains."""
    begins = True
    for piece in _PIECE.findall(unicodedata.normalize("NFC", text)):
        if piece[0].isalnum():
            yield piece.lower(), piece[0].isupper() and not begins
            begins = False
        else:
            begins = True


def read(title: str, text: str) -> Words:
    """What comparing needs of an article. `text` with its standfirst, where that stands apart."""
    heading = [word for word, _ in words(title)]
    body = list(words(text[:_READ]))
    everything = [*heading, *(word for word, _ in body)]
    names = {word for word, named in [*words(title), *body] if named}
    first = {*heading, *_pairs(heading)}
    counts = Counter([*everything, *_pairs(everything)])
    terms: dict[int, float] = {}
    spelt: dict[int, str] = {}
    naming: set[int] = set()
    for term, count in counts.items():
        parts = term.split(" ")
        share = sum(part in names for part in parts) / len(parts)
        at = term_id(term)
        terms[at] = (1 + math.log(count)) * (1 + _NAME * share) * (1 + _TITLE * (term in first))
        spelt[at] = term
        if share:
            naming.add(at)
    plain = [word for word, _ in body]
    return Words(
        terms=terms,
        names=frozenset(naming),
        runs=_sketch(plain),
        figures=frozenset(term_id(word) | DATED * ("/" in word) for word in plain if word[0].isdigit()),
        spelt=spelt,
    )


def _pairs(found: list[str]) -> list[str]:
    return [f"{one} {next_}" for one, next_ in pairwise(found)]


def _sketch(found: list[str]) -> tuple[int, ...]:
    runs = {zlib.crc32(" ".join(found[at : at + _RUN]).encode()) for at in range(len(found) - _RUN + 1)}
    # spread once more: the order of plain CRCs follows the last letters
    return tuple(sorted((run * 2_654_435_761) & 0xFFFFFFFF for run in runs)[:_SKETCH])


def containment(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Share of the shorter text's runs that stand in the longer, 0 to 1; 0 when too few are left to tell.

    Compared up to the largest hash that both sketches surely hold (bottom-k sketches, Broder 1997).
    """
    if not one or not other:
        return 0.0
    limit = min(sketch[-1] if len(sketch) == _SKETCH else 1 << 32 for sketch in (one, other))
    here, there = {run for run in one if run <= limit}, {run for run in other if run <= limit}
    least = min(len(here), len(there))
    return len(here & there) / least if least >= _FEWEST_RUNS else 0.0


_FEWEST_RUNS = 8  # two notes of a line each may well share half their words


# ---------------------------------------------------------------- how much a term says


@cache
def common(language: str) -> tuple[int, Mapping[int, int]]:
    """(documents, term -> in how many of them) of ordinary news, for words in 20 or more; (0, {}) where none is packaged.

    It stands in until an installation has seen articles of its own: without it the first hundred stories are told apart
    by function words.
    """
    path = files(__package__).joinpath("common", f"{language}.txt")
    if not path.is_file():
        return 0, {}
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    known: dict[int, int] = {}
    for line in lines:
        count, *listed = line.split(" ")
        known |= {term_id(word): int(count) for word in listed}
    return int(first), known


def weighed(terms: Mapping[int, float], frequencies: Frequencies, language: str) -> dict[int, float]:
    """TF-IDF of length 1, heaviest first. `frequencies` counts the article itself."""
    before, usual = common(language)
    documents = frequencies.documents + before + 1
    weights = {
        term: weight
        * max(math.log(documents / (frequencies.of.get(term, 0) + usual.get(term, 1 if before else 0) + 1)), _LEAST)
        for term, weight in terms.items()
    }
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {term: weights[term] / length for term in sorted(weights, key=lambda term: (-weights[term], term))}


_LEAST = 0.02  # a word that stands everywhere still says a little, so that no article is without weight


def cosine(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Of two vectors of length 1; 1 for the same words, 0 for no common one."""
    less, more = sorted((one, other), key=len)
    return sum(weight * more[term] for term, weight in less.items() if term in more)


def plain_cosine(one: Mapping[int, float], other: Mapping[int, float], names: Set[int]) -> float:
    """The cosine of what is left without names: neighbouring institutes share those in all their news."""
    here = {term: weight for term, weight in one.items() if term not in names}
    there = {term: weight for term, weight in other.items() if term not in names}
    lengths = math.sqrt(sum(w * w for w in here.values()) * sum(w * w for w in there.values()))
    return cosine(here, there) / lengths if lengths else 0.0


def heaviest_shared(one: Mapping[int, float], other: Mapping[int, float], limit: int) -> Iterable[int]:
    shared = sorted((term for term in one if term in other), key=lambda term: -one[term] * other[term])
    return shared[:limit]
