"""Which articles tell the same story. Pure: given what is known of the recent ones, says what a new one belongs to.

Three rules, the surest first: a near-copy (4-word runs contained), an equal title on the same day, the same telling words
(TF-IDF). Must never join two of a series (week 12 and week 13), two languages, or what staff have told apart; of one
source, which knows what is news to it, only copies are joined.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from heapq import nlargest

from newsletter.collect.identity.keys import title_key
from newsletter.collect.stories.series import apart, numbers_of
from newsletter.collect.stories.words import DATED, Words, containment, cosine, heaviest_shared, plain_cosine
from newsletter.model import ArticleId, SourceId, StoryId, StoryRule

COPY_WITHIN = timedelta(days=14)
SAME_WITHIN = timedelta(days=3)
COPY = 0.7
# Mean cosine to all articles of a story. Pairs score F1 .94 at any threshold from .14 to .20 (312 articles); a high one
# of them, because joining wrongly hides news. The mean keeps stories from growing along chains: P .89 against .87.
SAME = 0.18
# The same without names: 95 of 100 pairs of one story have .11 and more, different news of one institute .09 and less.
PLAIN = 0.10
TITLE_ALIKE = 0.1  # two institutes' "Thông báo tuyển sinh năm 2026" of one day are two notices
_FIGURES_SHARED = 0.5  # of the poorer text: copies keep their figures, another week's form has others
_WORDS_OF_A_TITLE = 4
_HEAVY = 32  # terms by which candidates are found
_WORTH = 0.04  # cosine over those terms alone, from which the whole is worth computing
_MOST = 30  # of each kind are compared: one story's articles are few, and a phrase of the house stands in thousands
_NAME = 1 << 31  # marks a term of the packed vector that holds a name


@dataclass(frozen=True, kw_only=True)  # no slots: what is unpacked is kept
class Told:
    """An article that was compared. `vector` and `runs` as packed by `pack`; `day` as the source gave it, or None."""

    article_id: ArticleId
    story_id: StoryId
    source_id: SourceId
    named: bool  # given by name: its "source" is a folder or a desk, which may hold many voices
    moment: datetime
    day: str | None
    title: str
    vector: bytes
    runs: bytes
    figures: bytes

    @cached_property
    def terms(self) -> dict[int, float]:
        return {term & ~_NAME: weight for term, weight in unpacked_vector(self.vector)}

    @cached_property
    def names(self) -> frozenset[int]:
        return frozenset(term & ~_NAME for term, _ in unpacked_vector(self.vector) if term & _NAME)

    @cached_property
    def sketch(self) -> tuple[int, ...]:
        return unpacked(self.runs)

    @property
    def heavy(self) -> list[tuple[int, float]]:
        """The terms by which it is found, and their weights; unpacks no more than these."""
        return [(term & ~_NAME, weight) for term, weight in unpacked_vector(self.vector[: 8 * _HEAVY])]

    @cached_property
    def all_figures(self) -> frozenset[int]:
        return frozenset(unpacked(self.figures))

    @cached_property
    def numbers(self) -> frozenset[tuple[str, str]]:
        return numbers_of(self.title)

    @cached_property
    def title_of_day(self) -> str | None:
        key = title_key(self.title)
        return f"{self.day} {key}" if self.day and key.count(" ") >= _WORDS_OF_A_TITLE - 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`other`: the most alike article of the story. `score`: containment or cosine. `shared`: what both say, as term ids."""

    other: Told
    rule: StoryRule
    score: float
    shared: tuple[int, ...] = ()


_SUREST = (StoryRule.COPY, StoryRule.TITLE, StoryRule.SIMILAR)


@dataclass
class Window:
    """The recent articles of one language, found by the few terms and runs that say most."""

    by_term: dict[int, list[tuple[Told, float]]] = field(default_factory=lambda: defaultdict(list))
    by_run: dict[int, list[Told]] = field(default_factory=lambda: defaultdict(list))
    by_title: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    stories: dict[StoryId, dict[ArticleId, Told]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, told: Told) -> None:
        for term, weight in told.heavy:
            self.by_term[term].append((told, weight))
        for run in unpacked(told.runs[: 4 * _HEAVY]):
            self.by_run[run].append(told)
        if told.title_of_day:
            self.by_title[told.title_of_day].append(told)
        self.stories[told.story_id][told.article_id] = told

    def match(self, new: Told, told_apart: Set[ArticleId] = frozenset()) -> Match | None:
        """The story `new` belongs to, by the surest rule and the highest score; None when it is the first to tell one."""
        best: Match | None = None
        for other in self._candidates(new):
            found = compare(new, other)
            if found is None or not self._fits(new, found, told_apart):
                continue
            if best is None or _rank(found) < _rank(best):
                best = found
        return best

    def _candidates(self, new: Told) -> list[Told]:
        worth: dict[ArticleId, float] = defaultdict(float)
        seen: dict[ArticleId, Told] = {}
        for term, weight in new.terms.items():
            for other, its in self.by_term.get(term, ()):
                worth[other.article_id] += weight * its
                seen[other.article_id] = other
        likely = nlargest(_MOST, (at for at in seen if worth[at] >= _WORTH), key=worth.__getitem__)
        found = {at: seen[at] for at in likely}
        runs = Counter(other.article_id for run in new.sketch for other in self.by_run.get(run, ()))
        copies = {at for at, _ in runs.most_common(_MOST)} - found.keys()
        if copies:
            others = (other for run in new.sketch for other in self.by_run.get(run, ()))
            found |= {other.article_id: other for other in others if other.article_id in copies}
        found |= {other.article_id: other for other in self.by_title.get(new.title_of_day or "", ())}
        found.pop(new.article_id, None)
        return list(found.values())

    def _fits(self, new: Told, found: Match, told_apart: Set[ArticleId]) -> bool:
        members = self.stories[found.other.story_id]
        if any(other in told_apart for other in members):
            return False
        if found.rule is not StoryRule.SIMILAR:
            return True
        others = [told for at, told in members.items() if at != new.article_id]
        return sum(cosine(new.terms, told.terms) for told in others) / len(others) >= SAME


def _rank(match: Match) -> tuple[int, float, datetime, str]:
    return _SUREST.index(match.rule), -match.score, match.other.moment, match.other.article_id


def compare(new: Told, other: Told) -> Match | None:
    """How these two tell one story, or None. Symmetric but for which is named."""
    gap = abs(new.moment - other.moment)
    if gap > COPY_WITHIN or apart(new.numbers, other.numbers):
        return None
    one_voice = new.source_id == other.source_id and not (new.named and other.named)
    held = containment(new.sketch, other.sketch)
    if held >= COPY and _figures_kept(new.all_figures, other.all_figures, all_of_one=one_voice):
        return Match(other=other, rule=StoryRule.COPY, score=held)
    if one_voice or gap > SAME_WITHIN:
        return None
    alike = cosine(new.terms, other.terms)
    same_title = new.title_of_day is not None and new.title_of_day == other.title_of_day
    rule = StoryRule.TITLE if same_title and alike >= TITLE_ALIKE else StoryRule.SIMILAR
    if rule is StoryRule.SIMILAR:
        if alike < SAME or held >= COPY:  # a form filled in anew is no story retold
            return None
        if plain_cosine(new.terms, other.terms, new.names | other.names) < PLAIN:
            return None
    return Match(other=other, rule=rule, score=alike, shared=tuple(heaviest_shared(new.terms, other.terms, 5)))


def _figures_kept(one: frozenset[int], other: frozenset[int], *, all_of_one: bool) -> bool:
    """Whether these are the figures of one text: a day in common, if both name days; and of the poorer text's figures
    all stand in the other within one source, half of them across."""
    days = [{figure for figure in figures if figure & DATED} for figures in (one, other)]
    if all(days) and days[0].isdisjoint(days[1]):
        return False
    least = min(len(one), len(other))
    return not least or len(one & other) >= least * (1 if all_of_one else _FIGURES_SHARED)


def why(match: Match, spelt: Mapping[int, str]) -> str:
    """One line for `why ARTICLE`."""
    if match.rule is StoryRule.COPY:
        return f"{match.score:.0%} of the shorter text's 4-word runs stand in both"
    words = ", ".join(dict.fromkeys(spelt[term] for term in match.shared if term in spelt))
    start = "the same title on the same day" if match.rule is StoryRule.TITLE else "the same telling words"
    return f"{start} (likeness {match.score:.2f}: {words})" if words else f"{start} (likeness {match.score:.2f})"


# ---------------------------------------------------------------- as bytes, for a row


def pack(words: Words, vector: Mapping[int, float]) -> tuple[bytes, bytes, bytes]:
    """(vector, runs, figures), little-endian: pairs of uint32 (with its mark) and float32, heaviest first;
    uint32 each, ascending."""
    flat = [part for term, weight in vector.items() for part in (term | _NAME * (term in words.names), weight)]
    return struct.pack(f"<{'If' * len(vector)}", *flat), packed(words.runs), packed(sorted(words.figures))


def packed(ids: Iterable[int]) -> bytes:
    listed = tuple(ids)
    return struct.pack(f"<{len(listed)}I", *listed)


def unpacked(raw: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(raw) // 4}I", raw)


def unpacked_vector(raw: bytes) -> list[tuple[int, float]]:
    return list(struct.iter_unpack("<If", raw))
