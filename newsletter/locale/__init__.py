"""Labels, dates and numbers in the reader's language: the only place that knows how a language writes them.

Catalogues are the .po files beside this file, read once per language at run time. An article's own words are never
translated; only what we write around them is. Vietnamese dates follow Decree 30/2020: the weekday's number word is
capitalised ("thứ Hai", "Chủ nhật"), days and months always have two digits.
"""

import gettext as plurals
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel import dates as babel_dates
from babel import numbers as babel_numbers
from babel.messages.pofile import read_po

DEFAULT = "en"
DATE_STYLES = ("full", "inside", "date", "short")
_WEEKDAYS_VI = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of one language. A msgid without a translation is shown as it stands."""

    language: str
    messages: Mapping[str, tuple[str, ...]]
    plural: Callable[[int], int]

    def gettext(self, msgid: str, **values: object) -> str:
        """The label with each `{name}` replaced by `values[name]`; raises KeyError for a missing value.

        Values are put in as they are and never read again as a pattern: a title may hold braces.
        """
        return _fill(self.messages.get(msgid, (msgid,))[0], values)

    def ngettext(self, singular: str, plural: str, n: int, **values: object) -> str:
        """The form for `n`, with `{n}` written as the language writes numbers."""
        forms = self.messages.get(singular)
        chosen = forms[self.plural(n)] if forms else (singular if n == 1 else plural)
        return _fill(chosen, {"n": self.format_number(n), **values})

    def format_date(self, value: date | datetime, style: str = "full") -> str:
        return format_date(value, self.language, style)

    def format_days(self, first: date, last: date) -> str:
        return format_days(first, last, self.language)

    def format_number(self, value: float) -> str:
        return format_number(value, self.language)

    def format_datetime_in(self, value: datetime, zone: str) -> str:
        return format_datetime_in(value, zone, self.language)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the `dir` attribute."""
        return "rtl" if babel_locale(self.language).text_direction == "rtl" else "ltr"


def labels(language: str) -> Labels:
    """The labels for a BCP 47 tag: the exact catalogue, else its first part's, else English.

    Dates and numbers follow `language` even where the words fall back to English.
    """
    return _labels(language.strip() or DEFAULT)


@cache
def _labels(language: str) -> Labels:
    messages, plural = _catalogue(catalogue_name(language))
    return Labels(language=language, messages=messages, plural=plural)


def available() -> tuple[str, ...]:
    """The languages that have a catalogue."""
    return tuple(sorted(entry.name[:-3] for entry in files(__package__).iterdir() if entry.name.endswith(".po")))


def catalogue_name(language: str) -> str:
    base = re.split(r"[-_]", language)[0].lower()
    return base if base in available() else DEFAULT


@cache
def _catalogue(name: str) -> tuple[Mapping[str, tuple[str, ...]], Callable[[int], int]]:
    with files(__package__).joinpath(f"{name}.po").open("rb") as handle:
        catalogue = read_po(handle, locale=name)
    messages: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        given = message.string if isinstance(message.string, tuple | list) else (message.string,)
        forms = tuple(form for form in given if form)
        if message.id and len(forms) == len(given):  # a half-translated plural counts as untranslated
            messages[message.id if isinstance(message.id, str) else message.id[0]] = forms
    return messages, plurals.c2py(catalogue.plural_expr)


def _fill(text: str, values: Mapping[str, object]) -> str:
    return _PLACE.sub(lambda place: str(values[place[1]]), text)


@cache
def babel_locale(language: str) -> Locale:
    """Babel's locale for a BCP 47 tag; English for one it does not know."""
    try:
        return Locale.parse(language, sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT)


def format_date(value: date | datetime, language: str, style: str = "full") -> str:
    """A day as the language writes it; the weekday is computed, never typed.

    full: "Thứ Hai, 23/11/2026", "Monday, 23 November 2026" (at the start of a line). inside: the same within a
    sentence, "thứ Hai, …". date: "23/11/2026", "23 November 2026". short: "23/11", "23 Nov".
    Raises ValueError for another style. A datetime counts by its own zone: convert it first.
    """
    if style not in DATE_STYLES:
        raise ValueError(f"unknown date style {style!r}; known: {', '.join(DATE_STYLES)}")
    day = value.date() if isinstance(value, datetime) else value
    locale = babel_locale(language)
    if locale.language == "vi":
        return _vietnamese_date(day, style)
    if locale.language == "en":
        pattern = {"date": "d MMMM y", "short": "d MMM"}.get(style, "EEEE, d MMMM y")
        return babel_dates.format_date(day, pattern, locale)
    if style == "short":
        return babel_dates.format_skeleton("MMMd", day, locale=locale)
    return babel_dates.format_date(day, "long" if style == "date" else "full", locale)


def format_days(first: date, last: date, language: str) -> str:
    """A span of days, what both ends share said once: "15–21/11/2026", "28/11–04/12/2026"; "15–21 November 2026".

    Other languages as CLDR writes an interval. The same day twice is that day.
    """
    if first == last:
        return format_date(last, language, "date")
    locale = babel_locale(language)
    same_year, same_month = first.year == last.year, (first.year, first.month) == (last.year, last.month)
    if locale.language == "vi":
        begin = f"{first:%d}" if same_month else f"{first:%d/%m}" if same_year else format_date(first, language, "date")
        return f"{begin}–{format_date(last, language, 'date')}"
    if locale.language == "en":
        pattern = "d" if same_month else "d MMMM" if same_year else "d MMMM y"
        begin = babel_dates.format_date(first, pattern, locale)
        return f"{begin}{'–' if same_month else ' – '}{format_date(last, language, 'date')}"
    return babel_dates.format_interval(first, last, "yMMMMd", locale=locale)


def _vietnamese_date(day: date, style: str) -> str:
    if style == "short":
        return f"{day:%d/%m}"
    if style == "date":
        return f"{day:%d/%m}/{day.year}"
    weekday = _WEEKDAYS_VI[day.weekday()]
    weekday = weekday if style == "inside" else weekday[0].upper() + weekday[1:]
    return f"{weekday}, {day:%d/%m}/{day.year}"


def format_datetime_in(value: datetime, zone: str, language: str) -> str:
    """A moment in an IANA zone, with its weekday and 24-hour time: "Thứ Hai, 23/11/2026, 08:00".

    Raises ValueError for a naive time and zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    if value.tzinfo is None:
        raise ValueError(f"time without a zone: {value.isoformat()}")
    local = value.astimezone(ZoneInfo(zone))
    return f"{format_date(local, language, 'full')}, {local:%H:%M}"


def format_number(value: float, language: str) -> str:
    """1234.5 is "1.234,5" in Vietnamese and "1,234.5" in English."""
    return babel_numbers.format_decimal(value, locale=babel_locale(language))


def format_plain(value: float, language: str) -> str:
    """The same without parting thousands, for numbers that may be years: 2019.5 is "2019,5" in Vietnamese."""
    return babel_numbers.format_decimal(value, format="0.###############", locale=babel_locale(language))
