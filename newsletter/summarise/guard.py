"""The gate every summary passes, whoever wrote it: nothing may be said that the article does not say.

It compares figures, names and quotations; it cannot prove that a sentence relates them rightly, so extraction stays the
default. Pure: it must never repair a summary, only judge it.
"""

import re
from collections.abc import Iterable, Sequence, Set
from itertools import pairwise

from newsletter.model import SummaryOrigin, Verdict
from newsletter.summarise import figures as facts
from newsletter.summarise.patterns import has_injection, has_markup, speaks_as_machine
from newsletter.summarise.sentences import quoted
from newsletter.summarise.words import VIETNAMESE_SHARE, function_words, primary, tokens, vietnamese_share, vocabulary

SHORTEST, LONGEST = 40, 450  # characters
SMALL_FIGURE = 3  # characters; a longer figure is rare enough to be known by itself
SCRIPT_READ = 500  # characters of the source that show its script
LEAST_OVERLAP = 0.6  # share of a summary's words that stand in the source; another article's summary has 0.1 to 0.5

_WHOLE = re.compile(r"(?:[.!?…][\"”“’»')\]]*|[。！？][”」』）]*)$")
_CUT = re.compile(r"(?:\.\.\.|…|\[\s*(?:\.\.\.|…)\s*\]|\(\s*(?:\.\.\.|…)\s*\)|&hellip;)[\s\"”’»]*$")
SHORTEST_QUOTATION = 8  # characters; below it marks stand for irony or a work's title
KANA_SHARE = 20  # one kana to so many Chinese characters makes a text Japanese
_SCRIPTS = {
    "latin": re.compile("[a-zà-ɏḀ-ỿ]+", re.I),
    "han": re.compile("[\u3400-\u9fff]+"),
    "kana": re.compile("[\u3040-\u30ff]+"),
    "hangul": re.compile("[\uac00-\ud7af]+"),
    "cyrillic": re.compile("[\u0400-\u04ff]+"),
    "thai": re.compile("[\u0e00-\u0e7f]+"),
    "arabic": re.compile("[\u0600-\u06ff]+"),
    "greek": re.compile("[\u0370-\u03ff]+"),
}
# Counted in almost every article, so that they tell no figure from another.
_UNITS = "người năm ngày tháng tuổi lần tuần giờ phút people years year days months ans personnes"
_COUNTED = frozenset(_UNITS.split())
# Capitalised by grammar or calendar, not because they name someone.
_GRAMMAR = """
monday tuesday wednesday thursday friday saturday sunday
january february march april may june july august september october november december
ông bà anh chị theo tại trong i the a an in on at this these le la les l un une der die das di pada
"""
_NO_NAMES = frozenset(_GRAMMAR.split())


def check(
    summary: str, *, title: str, standfirst: str | None, text: str, language: str | None, origin: SummaryOrigin
) -> Verdict:
    """Judge `summary` against the article as published (title, standfirst and body).

    Reasons read "kind" or "kind: what was found"; kinds: length, unfinished, markup, injection, machine, script,
    language, figure, name, quotation, overlap. A standfirst is itself a source: its facts are not checked. An edit by
    staff may end as it likes and use its own words, but not its own figures, names or quotations.
    """
    source = "\n".join(part for part in (title, standfirst, text) if part)
    reasons = _form(summary, origin) + _tongue(summary, source, language)
    if origin is not SummaryOrigin.STANDFIRST:
        reasons += _facts(summary, source, primary(language, source))
    if (
        origin in (SummaryOrigin.EXTRACT, SummaryOrigin.MODEL)
        and overlap(facts.fold(summary), facts.fold(source)) < LEAST_OVERLAP
    ):
        reasons.append("overlap")
    return Verdict(ok=not reasons, reasons=tuple(reasons))


def is_whole(summary: str) -> bool:
    """Ends with a closing mark, and not with the dots of a text that was cut."""
    return bool(_WHOLE.search(summary)) and not _CUT.search(summary)


def _form(summary: str, origin: SummaryOrigin) -> list[str]:
    whole = {
        SummaryOrigin.STANDFIRST: is_whole(summary),
        SummaryOrigin.HUMAN: True,
    }.get(origin, bool(_WHOLE.search(summary)))  # an article's own sentence may end in "…"
    findings = {
        f"length: {len(summary)}": not SHORTEST <= len(summary) <= LONGEST,
        "unfinished": not whole,
        "markup": has_markup(summary),
        "injection": has_injection(summary),
        "machine": speaks_as_machine(summary) and origin is SummaryOrigin.MODEL,
    }
    return [reason for reason, found in findings.items() if found]


def _tongue(summary: str, source: str, language: str | None) -> list[str]:
    if _script(summary) != _script(source[:SCRIPT_READ]):
        return ["script"]
    expected = primary(language, source)
    vietnamese = vietnamese_share(summary) > VIETNAMESE_SHARE
    # Someone may declare "vi" for a text that carries no marks at all; then its summary has none either.
    if vietnamese != (expected == "vi") and (vietnamese or vietnamese_share(source) > VIETNAMESE_SHARE):
        return ["language"]
    counts = function_words(summary)
    other = max((count for code, count in counts.items() if code != expected), default=0)
    known = counts[expected] or expected in function_words(source)
    return ["language"] if known and other >= 4 and other > 3 * counts[expected] else []


def _script(text: str) -> str:
    """The script most letters are of; Japanese mixes two, and what holds some kana is Japanese."""
    counts = {name: sum(map(len, letters.findall(text))) for name, letters in _SCRIPTS.items()}
    most = max(counts, key=counts.__getitem__)
    return "kana" if most == "han" and counts["kana"] * KANA_SHARE >= counts["han"] else most


def _facts(summary: str, source: str, language: str) -> list[str]:
    folded, against = facts.fold(summary), facts.fold(source)
    return (
        [f"figure: {raw}" for raw in unsupported_figures(folded, against, language)]
        + [f"name: {name}" for name in unsupported_names(folded, against, language)]
        + [f"quotation: {quote[:40]}" for quote in unsupported_quotations(folded, against)]
    )


def unsupported_figures(summary: str, source: str, language: str) -> list[str]:
    """Figures of `summary` that `source` does not hold beside the same word. Both texts folded.

    A small figure stands somewhere in almost every article, so one of up to SMALL_FIGURE characters must also keep a
    neighbour: the word before it, or after it, stands within two words on that side in the source. A longer one speaks
    for itself.
    """
    claimed = [*facts.figures(summary), *facts.plainly_spelled(summary, language)]
    if not claimed:
        return []
    held = _Held()
    held.add(facts.figures(source))
    doubted = [figure for figure in claimed if not _supported(figure, held)]
    if doubted:  # numbers and dates in words are dearer to find, and seldom needed
        held.add_dates(facts.spoken_dates(source))
        held.add(facts.spelled(source, language))
    return [figure.raw for figure in doubted if not _supported(figure, held)]


class _Held:
    """The figures of a source: what stands around each, and which follow one another."""

    def __init__(self) -> None:
        self.around: dict[str, set[str]] = {}
        self.in_a_row: set[tuple[str, str]] = set()

    def add(self, figures: Iterable[facts.Figure]) -> None:
        before = ""
        for figure in figures:
            for key in (figure.key, *figure.parts, *filter(None, [figure.scaled])):
                self.around.setdefault(key, set()).update(figure.around)
            for key in facts.date_keys(figure.parts) if "/" in figure.key else ():
                self.around.setdefault(key, set())
            self.in_a_row.update(pairwise([before, *(figure.parts or [figure.key])]))
            before = figure.parts[-1] if figure.parts else figure.key

    def add_dates(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.around.setdefault(key, set())
            self.in_a_row.update(pairwise(key.split("/")))

    def joins(self, parts: Sequence[str]) -> bool:
        """Do the parts of a date, time, range or result follow one another here? The year may stand elsewhere."""
        pair, rest = parts[:2], parts[2:]
        return tuple(pair) in self.in_a_row and all(part in self.around for part in rest)


def _supported(figure: facts.Figure, held: _Held) -> bool:
    if figure.scaled and figure.scaled in held.around:
        return True
    if figure.key not in held.around:
        return bool(figure.parts) and held.joins(figure.parts)
    after = facts.marks((), [figure.after])
    if figure.scaled and len(figure.after) > 1 and not after & held.around[figure.key]:
        return False  # "1,2 tỷ" is not "1,2 triệu"
    beside = facts.marks([figure.before], ()) | after
    if len(figure.key) > SMALL_FIGURE or figure.parts or not beside:
        return True
    kept = figure.around & held.around[figure.key]
    # "4 người" stands beside "6 người" in every report of an accident: there a second word must agree.
    return bool(beside & kept) and (figure.after not in _COUNTED or len(kept) > 1)


def unsupported_names(summary: str, source: str, language: str) -> list[str]:
    """Capitalised runs of `summary` with a word that `source` does not hold. Both texts folded.

    Outside Vietnamese an ending may differ (Indonesia's, Indonesian); an acronym of words in the source is allowed.
    """
    present = vocabulary(source)
    doubted = [(name, missing) for name in facts.names(summary) if (missing := _missing(name, present))]
    if not doubted:
        return []
    stems = {word[: facts.STEM] for word in present if len(word) >= facts.STEM} if language != "vi" else set()
    initials = "".join(word[0] for word in re.findall(r"\w+", source)).upper()

    def excused(word: str) -> bool:
        return (len(word) >= 5 and word[: facts.STEM] in stems) or (
            len(word) >= 2 and word.upper() in summary and word.upper() in initials
        )

    return [name for name, missing in doubted if not all(excused(word) for word in missing)]


def _missing(name: str, present: Set[str]) -> list[str]:
    words = (word for word in tokens(name) if word not in present and word not in _NO_NAMES)
    return [word for word in words if not word[0].isdigit()]


def unsupported_quotations(summary: str, source: str) -> list[str]:
    """Quotations of `summary` whose words `source` does not hold in that order. Both texts folded."""
    quotations = [quote for quote in quoted(summary) if len(quote.strip()) >= SHORTEST_QUOTATION]
    said = f" {' '.join(tokens(source))} " if quotations else ""
    return [quote for quote in quotations if f" {' '.join(tokens(quote))} " not in said]


def overlap(summary: str, source: str) -> float:
    """Share of the words of `summary` that occur in `source`, 0 to 1."""
    present, used = vocabulary(source), tokens(summary)
    return sum(word in present for word in used) / max(len(used), 1)
