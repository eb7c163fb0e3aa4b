"""Labels, dates and numbers; and that no label is left without a translation."""

import io
import re
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from newsletter.locale import available, format_date, format_datetime_in, format_number, labels

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS = {**DEFAULT_KEYWORDS, "fault": (3,)}  # fault(level, where, template): see newsletter/mail/inspected.py
PLACES = (
    "templates",
    "newsletter/web",
    "newsletter/compose",
    "newsletter/mail",
    "newsletter/approve.py",
    "newsletter/track",
    "newsletter/notify",
    "newsletter/readers",
)


def _used() -> dict[str, str]:
    """Every msgid in templates, pages and code → where it stands. Folders that do not exist are passed over."""
    found: dict[str, str] = {}
    for place in PLACES:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            method = {".py": "python", ".j2": babel_extract, ".html": babel_extract}.get(file.suffix)
            if method is None or not file.is_file():
                continue
            content = io.BytesIO(file.read_bytes())
            for line, message, *_rest in extract(method, content, keywords=KEYWORDS):
                msgid = message if isinstance(message, str) else message[0]
                found.setdefault(msgid, f"{file.relative_to(ROOT)}:{line}")
    return found


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_label_in_use_has_its_translation(language: str) -> None:
    used = _used()
    assert len(used) > 40
    missing = {msgid: place for msgid, place in used.items() if msgid not in labels(language).messages}
    assert not missing, f"not in newsletter/locale/{language}.po: {missing}"


def test_the_catalogues_hold_the_same_labels_and_the_same_values() -> None:
    places = re.compile(r"\{\w+\}")
    catalogues = {name: labels(name).messages for name in available()}
    assert set(catalogues) == {"vi", "en"}
    assert catalogues["vi"].keys() == catalogues["en"].keys()
    for msgid, forms in catalogues["vi"].items():
        for form in (*forms, *catalogues["en"][msgid]):
            assert set(places.findall(form)) == set(places.findall(msgid)), msgid


@pytest.mark.parametrize("name", ["vi", "en"])
def test_no_label_is_fuzzy_or_twice_in_its_catalogue(name: str) -> None:
    raw = files("newsletter.locale").joinpath(f"{name}.po").read_bytes()
    assert b"fuzzy" not in raw
    msgids = [line for line in raw.splitlines() if line.startswith(b"msgid ")]
    assert len(msgids) == len(set(msgids))
    assert len(read_po(io.BytesIO(raw), locale=name)) == len(msgids) - 1


@pytest.mark.parametrize(
    ("day", "style", "expected"),
    [
        (date(2026, 11, 23), "full", "Thứ Hai, 23/11/2026"),
        (date(2026, 11, 24), "inside", "thứ Ba, 24/11/2026"),
        (date(2026, 11, 22), "inside", "Chủ nhật, 22/11/2026"),
        (date(2026, 2, 5), "date", "05/02/2026"),
        (date(2026, 12, 5), "short", "05/12"),
    ],
)
def test_vietnamese_dates_follow_the_decree(day: date, style: str, expected: str) -> None:
    assert format_date(day, "vi", style) == expected
    assert format_date(day, "vi-VN", style) == expected


@pytest.mark.parametrize(
    ("style", "expected"),
    [("full", "Monday, 23 November 2026"), ("date", "23 November 2026"), ("short", "23 Nov")],
)
def test_english_dates(style: str, expected: str) -> None:
    assert format_date(date(2026, 11, 23), "en", style) == expected


@pytest.mark.parametrize("language", ["de", "ja", "ar", "zh-Hant", "xx", ""])
@pytest.mark.parametrize("style", ["full", "inside", "date", "short"])
def test_another_language_has_its_own_dates_and_english_words(language: str, style: str) -> None:
    assert format_date(date(2026, 11, 23), language, style)
    assert labels(language).gettext("Unsubscribe") == "Unsubscribe"
    assert labels(language).direction == ("rtl" if language == "ar" else "ltr")


def test_an_unknown_date_style_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown date style"):
        format_date(date(2026, 11, 23), "vi", "long")


def test_a_moment_is_told_in_its_zone() -> None:
    moment = datetime(2026, 11, 23, 1, 5, tzinfo=UTC)
    assert format_datetime_in(moment, "Asia/Ho_Chi_Minh", "vi") == "Thứ Hai, 23/11/2026, 08:05"
    assert format_datetime_in(moment, "America/New_York", "en") == "Sunday, 22 November 2026, 20:05"
    with pytest.raises(ValueError, match="without a zone"):
        format_datetime_in(moment.replace(tzinfo=None), "UTC", "vi")


def test_numbers_and_plurals_follow_the_language() -> None:
    assert format_number(1234.5, "vi") == "1.234,5"
    assert format_number(1234.5, "en") == "1,234.5"
    assert labels("vi").ngettext("{n} story", "{n} stories", 1234) == "1.234\u00a0tin"
    assert labels("en").ngettext("{n} story", "{n} stories", 1) == "1 story"
    assert labels("en").ngettext("{n} story", "{n} stories", 2) == "2 stories"
    assert labels("vi").ngettext("{n} goose", "{n} geese", 2) == "2 geese"


def test_a_value_is_never_read_as_a_pattern() -> None:
    assert labels("vi").gettext("In {newsletter}", newsletter="{n} {newsletter.__class__}") == (
        "Trong {n} {newsletter.__class__}"
    )
    with pytest.raises(KeyError):
        labels("vi").gettext("In {newsletter}")
