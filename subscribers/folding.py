"""How texts are compared: composed (NFC), without regard to capitals; marks count, because ma, má and mạ are three words.

One rule in three places: Python, SQLite and Postgres. Neither database knows Vietnamese capitals by itself (SQLite's lower
is ASCII only, Postgres's depends on the locale it was made with), so a text is sought by a pattern that names the letters:
`Huế` is GLOB '[Hh][Uu][Ếế]' and ~ '^[Hh][Uu][Ếế]$'.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, literal


class How(StrEnum):
    EQUALS = "="
    CONTAINS = "contains"
    STARTS = "starts with"
    ENDS = "ends with"


def folded(text: str) -> str:
    """Equal for texts that are compared as equal. Letter by letter, so it is as long as the NFC text."""
    return "".join([_low(sign) for sign in unicodedata.normalize("NFC", text)])


def _low(sign: str) -> str:
    low = sign.lower()
    return low if len(low) == 1 and sign <= "\uffff" else sign


def matches(text: str, how: How, sought: str) -> bool:
    """The rule in Python, for values that are at hand."""
    whole, part = folded(text), folded(sought)
    match how:
        case How.EQUALS:
            return whole == part
        case How.CONTAINS:
            return part in whole
        case How.STARTS:
            return whole.startswith(part)
        case How.ENDS:
            return whole.endswith(part)


def like(dialect: str, column: ColumnElement[Any], how: How, sought: str) -> ColumnElement[bool]:
    """The rule in SQL, for a column or expression of NFC text."""
    text = unicodedata.normalize("NFC", sought)
    if how is How.EQUALS and all(len(_twins().get(_low(sign), "")) < 2 for sign in text):
        return column == literal(text)
    if dialect == "postgresql":
        before, after = "" if how in (How.CONTAINS, How.ENDS) else "^", "" if how in (How.CONTAINS, How.STARTS) else "$"
        return column.op("~", is_comparison=True)(literal(before + _pattern(text, r"\^$.|?*+()[]{}", "\\{}") + after))
    before, after = "*" if how in (How.CONTAINS, How.ENDS) else "", "*" if how in (How.CONTAINS, How.STARTS) else ""
    return column.op("GLOB", is_comparison=True)(literal(before + _pattern(text, "*?[", "[{}]") + after))


def _pattern(text: str, special: str, escape: str) -> str:
    parts = []
    for sign in text:
        twins = _twins().get(_low(sign), sign)
        parts.append(f"[{twins}]" if len(twins) > 1 else escape.format(sign) if sign in special else sign)
    return "".join(parts)


@lru_cache(maxsize=1)
def _twins() -> Mapping[str, str]:
    """Letter → all that are folded to it. Of the basic plane: beyond it no living script has capitals in daily use."""
    found: dict[str, list[str]] = defaultdict(list)
    for code in range(0x41, 0x10000):
        if not 0xD800 <= code < 0xE000 and _low(sign := chr(code)) != sign:
            found[_low(sign)].append(sign)
    return {low: "".join([*capitals, low]) for low, capitals in found.items()}
