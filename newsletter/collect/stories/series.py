"""Which one of a series a title speaks of: "lần thứ 4", "tuần 13", "No. 5", "22/10". Pure.

Two announcements of one form differ in nothing but such a number, so it outweighs any likeness of words. Counts of things
("3 người chết") are no such numbers: they change while a story goes on.
"""

import re
import unicodedata

_SMALL = {
    "nhất": 1, "một": 1, "nhì": 2, "hai": 2, "ba": 3, "tư": 4, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "tám": 8,
    "chín": 9, "mười": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10,
}  # fmt: skip
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    ("january", "jan"), ("february", "feb"), ("march",), ("april", "apr"), ("june", "jun"), ("july", "jul"),
    ("august", "aug"), ("september", "sep"), ("october", "oct"), ("november", "nov"), ("december", "dec"),
)  # fmt: skip
_NAMED = {
    **{word: ("day", str(at)) for at, word in enumerate(_DAYS, 1)},
    **{word: ("month", names[0]) for names in _MONTHS for word in names},
}
_KINDS = {"no": "số", "week": "tuần", "day": "ngày", "year": "năm", "quarter": "quý", "khoá": "khóa", "vol": "volume"}
# 22/10, 22.10.2026, "sáng 22-10"; never 3.5 of "3.5 triệu" or the score 2-1
_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
_DATE = re.compile(
    rf"(?<![\d/.-]){_DAY}/{_MONTH}(?!\d)(?:/\d{{4}})?|(?<![\d/.-]){_DAY}[.-]{_MONTH}[.-]\d{{4}}(?!\d)"
    rf"|\b(?:ngày|sáng|trưa|chiều|tối|đêm)\s+{_DAY}[.-]{_MONTH}(?![\d.-])",
    re.I,
)
_ROMAN = re.compile(r"[IVX]{1,6}")
_COUNTED = re.compile(
    r"\b(lần thứ|lần|tuần|số|ngày|tháng|năm|quý|kỳ|khóa|khoá|đợt|vòng|tập|phần|bài|chương|thứ"
    r"|week|no|issue|day|part|round|volume|vol|quarter|chapter|episode|session|year)\.?\s*([0-9]{1,4}|[^\W\d_]+)\b",
    re.I,
)
_SUFFIXED = re.compile(r"\b(\d{1,3})(?:st|nd|rd|th)\b")


def numbers_of(title: str) -> frozenset[tuple[str, str]]:
    """(kind, number) of each place in a series: ("tuần", "12"), ("date", "22/10"), ("edition", "4")."""
    text = unicodedata.normalize("NFC", title)
    found: set[tuple[str, str]] = set()
    for date in _DATE.finditer(text):
        day, month = (int(part) for part in date.groups() if part)
        found.add(("date", f"{day}/{month}"))
    text = _DATE.sub(" ", text)
    for kind, word in _COUNTED.findall(text):
        number = _number(word)
        if number is not None:
            kind = kind.casefold()
            found.add(("edition" if kind in ("lần thứ", "lần") else _KINDS.get(kind, kind), number))
    text = text.casefold()
    found |= {("edition", number) for number in _SUFFIXED.findall(text)}
    for word in re.findall(r"[^\W\d_]+", text):
        if word in _ORDINALS:
            found.add(("edition", str(_ORDINALS.index(word) + 1)))
        elif word in _NAMED:
            found.add(_NAMED[word])
    return frozenset(found)


def _number(word: str) -> str | None:
    if word.isdigit():
        return str(int(word))
    if word.casefold() in _SMALL:
        return str(_SMALL[word.casefold()])
    return word if _ROMAN.fullmatch(word) else None


def apart(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Whether both name the same kind of number and share none of it: the third workshop and the fourth."""
    kinds = {kind for kind, _ in one} & {kind for kind, _ in other}
    return any(
        {n for k, n in one if k == kind}.isdisjoint({n for k, n in other if k == kind}) for kind in sorted(kinds)
    )
