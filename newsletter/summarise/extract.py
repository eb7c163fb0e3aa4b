"""One to three whole sentences of an article that tell its news. Must never cut, change or re-order a sentence."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from newsletter.summarise import rank
from newsletter.summarise.clean import body, holds_credit
from newsletter.summarise.patterns import has_injection, has_markup
from newsletter.summarise.sentences import Span, has_quotation_mark, split_line

MAX_CHARS = 350
MIN_CHARS = 160  # below this a digest item looks empty; a shorter text gives what it has
HARD_MAX = 450  # a lone sentence may run this long when the lead paragraph has no shorter one
MOST_SENTENCES = 3
SENTENCES_READ = 60  # of a very long article; news is told early
POOL, LEAD = 7, 3  # so many best sentences, and so many first ones, may enter a set
SHORTEST_SENTENCE = 25

_WHOLE = re.compile(r"(?:[.!?…][\"”“’»')\]]*|[。！？][”」』）]*)$")

WEIGHTS = {"mean": 1.0, "centre": 0.9, "title": 0.5, "alike": -0.5, "fill": 0.6, "leaning": -0.2, "result": 0.3}


def extract(title: str, text: str, language: str, max_chars: int = MAX_CHARS) -> list[Span]:
    """Spans of 1 to 3 whole sentences of `text` in document order, joined by spaces at most `max_chars` long.

    Between MIN_CHARS and `max_chars` characters when the text allows. When no sentence fits: the shortest of the lead
    paragraph up to HARD_MAX, else nothing. `language`: BCP 47.
    """
    by_paragraph = [
        [span for span in split_line(text, part.start, part.end, language=language) if _usable(span.of(text))]
        for part in body(text)
    ]
    spans = [span for spans in by_paragraph for span in spans][:SENTENCES_READ]
    if not spans:
        return []
    if all(span.end - span.start > max_chars for span in spans):
        lead = next(spans for spans in by_paragraph if spans)
        shortest = min(lead, key=lambda span: span.end - span.start)
        return [shortest] if shortest.end - shortest.start <= HARD_MAX else []
    sentences = rank.Sentences([span.of(text) for span in spans], title)
    return [spans[index] for index in best_set(sentences, max_chars)]


def _usable(sentence: str) -> bool:
    """Whole, long enough to say something, and fit to be printed."""
    return (
        len(sentence) >= SHORTEST_SENTENCE
        and bool(_WHOLE.search(sentence))
        and not holds_credit(sentence)
        and not has_markup(sentence)
        and not has_injection(sentence)
    )


def best_set(sentences: rank.Sentences, max_chars: int) -> tuple[int, ...]:
    """The indexes, ascending, of the set of sentences that scores best within `max_chars`."""
    search = _Search(sentences, rank.scores(sentences), max_chars)
    sets = list(search.sets())
    # A reader who meets the news at "However, he …" is lost: such an opening is taken only when there is no other.
    standing = [indexes for indexes in sets if not search.lacks_support(indexes, indexes[0])] or sets
    long_enough = [indexes for indexes in standing if search.length(indexes) >= min(MIN_CHARS, max_chars)]
    best = max(long_enough or standing, key=search.score)
    larger = [indexes for indexes in standing if set(best) < set(indexes)]
    # A lone sentence that only says the title again is joined by what adds most.
    return max(larger, key=search.score) if larger and set(best) <= search.sentences.echoes else best


@dataclass(frozen=True, slots=True)
class _Search:
    """Sets of sentences of one article, and how good each would be as its summary."""

    sentences: rank.Sentences
    values: Sequence[float]
    max_chars: int

    def sets(self) -> Iterator[tuple[int, ...]]:
        fitting = [index for index, text in enumerate(self.sentences.texts) if len(text) <= self.max_chars]
        best = sorted(fitting, key=lambda index: -self.values[index])[:POOL]
        pool = sorted({*best, *(index for index in fitting if index < LEAD)})
        for size in range(1, MOST_SENTENCES + 1):
            for indexes in combinations(pool, size):
                if self.length(indexes) <= self.max_chars and self.quotes_stay_apart(indexes):
                    yield indexes

    def length(self, indexes: tuple[int, ...]) -> int:
        return sum(len(self.sentences.texts[index]) for index in indexes) + len(indexes) - 1

    def quotes_stay_apart(self, indexes: tuple[int, ...]) -> bool:
        """No mark left open by one sentence may meet a mark of another: together they would quote what nobody said."""
        marked = [index for index in indexes if has_quotation_mark(self.sentences.texts[index])]
        return len(marked) < 2 or not any(index in self.sentences.unbalanced for index in marked)

    def lacks_support(self, indexes: tuple[int, ...], index: int) -> bool:
        """A sentence that leans on the one before it, which is not in the set."""
        return index > 0 and index - 1 not in indexes and rank.leans(self.sentences.texts[index])

    def adds_result(self, indexes: tuple[int, ...]) -> bool:
        """Beside a sentence that says the title again stands one that tells what came of it."""
        echoed = self.sentences.echoes.intersection(indexes)
        return bool(echoed) and any(
            rank.tells_result(self.sentences.texts[index]) for index in indexes if index not in echoed
        )

    def score(self, indexes: tuple[int, ...]) -> float:
        sentences, length = self.sentences, self.length(indexes)
        pairs = [sentences.likeness(one, other) for one, other in combinations(indexes, 2)]
        norm = math.sqrt(len(indexes) + 2 * sum(pairs))
        signs = {
            "mean": sum(self.values[index] * len(sentences.texts[index]) for index in indexes) / length,
            "centre": sum(sentences.to_centre[index] for index in indexes) / norm,
            "title": sum(sentences.to_title[index] for index in indexes) / norm,
            "alike": max(pairs, default=0.0),
            "fill": length / self.max_chars,
            "result": float(self.adds_result(indexes)),
            "leaning": sum(self.lacks_support(indexes, index) for index in indexes),
        }
        return sum(WEIGHTS[name] * value for name, value in signs.items())
