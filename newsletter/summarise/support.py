"""Which sentence of the article stands behind each sentence of its summary: what an editor puts side by side. Pure.

Words that were taken as they stand have an exact place. For a model's or a person's words it is the sentence that shares
most with them: a help for the eye, marked as such, and never a proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from newsletter.model import Article, SummarySentence
from newsletter.summarise.sentences import split
from newsletter.summarise.words import function_words, primary, tokens

LEAST = 0.34  # share of a summary sentence's content that its source sentence must hold; below it says something else
MOST_READ = 400  # sentences of a very long article


class Match(StrEnum):
    EXACT = "exact"  # the same words stand there
    NEAREST = "nearest"  # the sentence that shares most with it
    NONE = "none"  # nothing comes near


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """`place`: text, standfirst or title. `start`, `end` count code points of the article text (None outside it)."""

    sentence: str
    match: Match
    source: str = ""
    place: str = ""
    start: int | None = None
    end: int | None = None
    share: float = 1.0  # of the sentence's content found in the source sentence


def supports(article: Article) -> tuple[Support, ...]:
    """One for each sentence of the article's summary, in its order; empty without a summary."""
    if article.summary is None:
        return ()
    told = [_exact(sentence, article) for sentence in article.summary.sentences]
    if all(told):
        return tuple(filter(None, told))
    candidates = _candidates(article)
    return tuple(
        found or _nearest(sentence.text, candidates)
        for found, sentence in zip(told, article.summary.sentences, strict=True)
    )


def _exact(sentence: SummarySentence, article: Article) -> Support | None:
    """Where its words stand as they are: at the place that was kept, or, after a correction, anywhere."""
    text, words = article.text, sentence.text
    start, end = sentence.start, sentence.end
    if start is not None and end is not None and " ".join(text[start:end].split()) == " ".join(words.split()):
        return Support(sentence=words, match=Match.EXACT, source=text[start:end], place="text", start=start, end=end)
    if (at := text.find(words)) >= 0:
        return Support(sentence=words, match=Match.EXACT, source=words, place="text", start=at, end=at + len(words))
    for place, part in (("standfirst", article.standfirst), ("title", article.title)):
        if words in " ".join((part or "").split()):
            return Support(sentence=words, match=Match.EXACT, source=words, place=place)
    return None


def _candidates(article: Article) -> Sequence[Support]:
    language = primary(article.language, article.text)
    spans = split(article.text, language)[:MOST_READ]
    standfirst = article.standfirst or ""
    outside = [("title", article.title), *(("standfirst", span.of(standfirst)) for span in split(standfirst, language))]
    return [
        *(
            Support(
                sentence="",
                match=Match.NEAREST,
                source=span.of(article.text),
                place="text",
                start=span.start,
                end=span.end,
            )
            for span in spans
        ),
        *(Support(sentence="", match=Match.NEAREST, source=part, place=place) for place, part in outside if part),
    ]


def _nearest(sentence: str, candidates: Sequence[Support]) -> Support:
    wanted = _content(sentence)
    scored = [(len(wanted & _content(one.source)) / max(len(wanted), 1), -at) for at, one in enumerate(candidates)]
    share, at = max(scored, default=(0.0, 0))
    if share < LEAST:
        return Support(sentence=sentence, match=Match.NONE, share=share)
    best = candidates[-at]
    return Support(
        sentence=sentence,
        match=Match.NEAREST,
        source=best.source,
        place=best.place,
        start=best.start,
        end=best.end,
        share=share,
    )


def _content(text: str) -> frozenset[str]:
    """Words that carry news, and neighbouring pairs of all words: Vietnamese syllables say little alone."""
    words = tokens(text)
    pairs = (f"{one} {two}" for one, two in pairwise(words))
    return frozenset([*(word for word in words if not function_words(word)), *pairs])
