"""Which summary an article gets: the publisher's own standfirst, else whole sentences of the text. Pure.

Every summary ends at a sentence end of its source. It must never shorten, join or reword a sentence.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from newsletter.model import Summary, SummaryOrigin, SummarySentence, Verdict
from newsletter.summarise import guard
from newsletter.summarise.clean import is_boilerplate, without_dateline
from newsletter.summarise.extract import MAX_CHARS, extract, longest
from newsletter.summarise.sentences import split
from newsletter.summarise.words import primary, tokens

NEW_WORDS = 4  # a standfirst with fewer words that the title lacks is the title again


def summarise(
    *, title: str, text: str, standfirst: str | None = None, language: str | None, max_chars: int = MAX_CHARS
) -> Summary | None:
    """The summary of an article, its sentences with their places in `text`, and the guard's verdict.

    `language`: BCP 47, or None to guess. None: there is no text, or no title either. A summary whose verdict is not ok must be
    held, not sent.
    """
    tongue = primary(language, text or title)
    said = from_standfirst(title=title, text=text, standfirst=standfirst, language=tongue, max_chars=max_chars)
    if said is not None and said.guard.ok:
        return said
    found = from_text(title=title, text=text, standfirst=standfirst, language=tongue, max_chars=max_chars)
    return found or _title_alone(title, text)


def _title_alone(title: str, text: str) -> Summary | None:
    """The title in place of a summary, never ok: a text of captions without one whole sentence waits for a person."""
    if not title.strip() or not text.strip():
        return None
    written = unicodedata.normalize("NFC", " ".join(title.split()))
    return Summary(
        text=written,
        origin=SummaryOrigin.EXTRACT,
        sentences=(SummarySentence(text=written, origin="title"),),
        guard=Verdict(ok=False, reasons=("title: no sentence of the text can stand alone",)),
    )


def from_standfirst(*, title: str, text: str, standfirst: str | None, language: str, max_chars: int) -> Summary | None:
    """The standfirst as a summary, or None when it is cut, boilerplate or the title again.

    One that is too long gives its leading whole sentences.
    """
    told = without_dateline(" ".join((standfirst or "").split()))
    parts = [span.of(told) for span in split(told, language)]
    parts = [part for part in parts if not is_boilerplate(part)]
    if not parts or not guard.is_whole(parts[-1]) or repeats_title(" ".join(parts), title):
        return None
    if len(" ".join(parts)) > longest(max_chars):
        parts = _leading(parts, max_chars)
    if not parts or not guard.is_whole(parts[-1]):
        return None
    sentences = tuple(SummarySentence(text=part, origin="standfirst") for part in parts)
    return _judged(
        sentences, SummaryOrigin.STANDFIRST, title=title, text=text, standfirst=standfirst, language=language
    )


def from_text(*, title: str, text: str, standfirst: str | None, language: str, max_chars: int) -> Summary | None:
    """Whole sentences of the text as a summary, or None when none can stand."""
    spans = extract(title, text, language, max_chars)
    if not spans:
        return None
    sentences = tuple(
        SummarySentence(text=span.of(text), origin="text", start=span.start, end=span.end) for span in spans
    )
    return _judged(sentences, SummaryOrigin.EXTRACT, title=title, text=text, standfirst=standfirst, language=language)


def judge_edit(edit: Summary, *, title: str, standfirst: str | None, text: str, language: str | None) -> Summary:
    """A summary written by staff with a fresh verdict against the article as it now stands."""
    verdict = guard.check(
        edit.text, title=title, standfirst=standfirst, text=text, language=language, origin=SummaryOrigin.HUMAN
    )
    return replace(edit, guard=verdict)


def joined(sentences: Iterable[str]) -> str:
    """Sentences as one line: with a space between them, but none behind the full stop of a script that has no spaces."""
    return " ".join(sentences).replace("。 ", "。")


def repeats_title(standfirst: str, title: str) -> bool:
    """Does the standfirst say (nearly) nothing but the title?"""
    return len(set(tokens(standfirst)) - set(tokens(title))) < NEW_WORDS


def _leading(parts: Sequence[str], max_chars: int) -> list[str]:
    taken: list[str] = []
    for part in parts:
        if len(" ".join([*taken, part])) > max_chars:
            break
        taken.append(part)
    return taken


def _judged(
    sentences: tuple[SummarySentence, ...],
    origin: SummaryOrigin,
    *,
    title: str,
    text: str,
    standfirst: str | None,
    language: str,
) -> Summary:
    written = unicodedata.normalize("NFC", joined(" ".join(sentence.text.split()) for sentence in sentences))
    verdict = guard.check(written, title=title, standfirst=standfirst, text=text, language=language, origin=origin)
    return Summary(text=written, origin=origin, sentences=sentences, guard=verdict)
