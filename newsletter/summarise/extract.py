"""One to three whole sentences of an article that tell its news. Must never cut, change or re-order a sentence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.summarise import rank
from newsletter.summarise import sets as sets_of
from newsletter.summarise.clean import body, holds_credit
from newsletter.summarise.patterns import has_injection, has_markup
from newsletter.summarise.rank import Sentences
from newsletter.summarise.salience import PAIR_SIGNS, WORD_SIGNS
from newsletter.summarise.sentences import Span, is_balanced, split_line
from newsletter.summarise.sets import SET_SIGNS
from newsletter.summarise.weights import Weights, trained
from newsletter.summarise.words import dense, is_foreign

MAX_CHARS = 350
MIN_CHARS = 160  # below this a digest item looks empty; a shorter text gives what it has
HARD_MAX = 450  # a lone sentence may run this long when the lead paragraph has no shorter one
SENTENCES_READ = 60  # of a very long article; news is told early
SHORTEST_SENTENCE = 25  # characters of an alphabet; one of Chinese or Japanese says what three of them say

_WHOLE = re.compile(r"(?:[.!?…][\"”“’»')\]]*|[。！？][”」』）]*)$")
_STRAY_MARK = re.compile(r"[\"”»]\s+")
# A line of a list that was cut to fit: "…hậu quả bão,...", "Trao quà cho bà con...".
_TEASER = re.compile(r"[,;:]\s*(?:\.\.\.|…)$|^.{,60}\.\.\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """The sentences of a text that may be printed, in order, and which of them open a paragraph."""

    spans: Sequence[Span]
    openings: Sequence[bool]


def extract(title: str, text: str, language: str, max_chars: int = MAX_CHARS) -> list[Span]:
    """Spans of 1 to 3 whole sentences of `text` in document order, joined by spaces at most `max_chars` long.

    Between `least(max_chars)` and `max_chars` characters when the text allows. When no sentence fits: the shortest of
    the lead paragraph up to `longest(max_chars)`, else nothing. `language`: primary subtag.
    """
    found = readable(text, language)
    if not found.spans:
        return []
    if all(span.end - span.start > max_chars for span in found.spans):
        lead = _lead_paragraph(found)
        shortest = min(lead, key=lambda span: span.end - span.start)
        return [shortest] if shortest.end - shortest.start <= longest(max_chars) else []
    weights = trained(WORD_SIGNS, PAIR_SIGNS, SET_SIGNS)
    sentences = rank.measure(
        [span.of(text) for span in found.spans], found.openings, title=title, language=language, weights=weights
    )
    return [found.spans[index] for index in best_set(sentences, max_chars, weights)]


def readable(text: str, language: str) -> Readable:
    """At most SENTENCES_READ sentences that are whole, long enough to say something, and fit to be printed."""
    spans: list[Span] = []
    openings: list[bool] = []
    suspect = has_markup(text) or holds_credit(text)  # else no sentence of it can be
    for part in body(text):
        split = split_line(text, part.start, part.end, language=language)
        usable = [
            span
            for span in (_without_stray_mark(text, span) for span in split)
            if _usable(span.of(text), suspect=suspect) and not is_foreign(span.of(text), language)
        ]
        spans += usable
        openings += [at == 0 for at in range(len(usable))]
        if len(spans) >= SENTENCES_READ:
            break
    return Readable(spans=spans[:SENTENCES_READ], openings=openings[:SENTENCES_READ])


def least(max_chars: int) -> int:
    """The shortest summary worth showing in a room of `max_chars`: MIN_CHARS in MAX_CHARS, in proportion below."""
    return min(MIN_CHARS, round(max_chars * MIN_CHARS / MAX_CHARS))


def longest(max_chars: int) -> int:
    """How long a lone sentence, or a publisher's own words, may be. A smaller room than usual is a layout's: all it has."""
    return HARD_MAX if max_chars >= MAX_CHARS else max_chars


def best_set(sentences: Sentences, max_chars: int, weights: Weights) -> tuple[int, ...]:
    """The indexes, ascending, of the set of sentences that scores best within `max_chars`."""
    sets = sets_of.fitting(sentences, least=least(max_chars), most=max_chars)
    scores = dict(zip(sets.members, sets_of.signs(sentences, sets) @ weights.sets, strict=True))
    best = max(scores, key=scores.__getitem__)
    echoed = sentences.echoes.intersection(best)
    if not echoed or sentences.results.intersection(best):
        return best
    # A sentence that says the title again is joined by what came of it, or at least by something new.
    fuller = [members for members in scores if echoed <= set(members)]
    telling = [members for members in fuller if sentences.results.intersection(members)]
    if not telling and len(best) > 1:
        return best
    return max(telling or [m for m in fuller if len(m) > 1] or [best], key=scores.__getitem__)


def _lead_paragraph(found: Readable) -> Sequence[Span]:
    ends = [at for at, opens in enumerate(found.openings) if opens and at > 0]
    return found.spans[: ends[0]] if ends else found.spans


def _without_stray_mark(text: str, span: Span) -> Span:
    """A quotation mark with a space behind it opens nothing; it closed the sentence before and slipped."""
    slipped = _STRAY_MARK.match(text, span.start, span.end)
    return Span(slipped.end(), span.end) if slipped and not is_balanced(span.of(text)) else span


def _usable(sentence: str, *, suspect: bool) -> bool:
    return (
        len(sentence) + 2 * dense(sentence) >= SHORTEST_SENTENCE
        and bool(_WHOLE.search(sentence))
        and not _TEASER.search(sentence)
        and not (suspect and (holds_credit(sentence) or has_markup(sentence)))
        and not has_injection(sentence)
    )
