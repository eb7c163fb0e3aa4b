"""A query's text into tokens (pure). Positions count the characters of the text as it was typed, from 1."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from subscribers.errors import SegmentFault

MAX_LENGTH = 4_000  # characters of a query
MAX_TEXT = 200  # of one text in it


class Sort(StrEnum):
    WORD = "word"  # a field's name or a word of the grammar, in lower case
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    sort: Sort
    value: str  # of a text: what stands between the quotes, in NFC
    position: int
    raw: str = ""  # as typed

    @property
    def shown(self) -> str:
        """What an error quotes of it."""
        return self.raw if len(self.raw) <= 30 else self.raw[:29] + "…"


_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|“[^”]*”)"""
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?![\w-]))"
    r"|(?P<number>-?\d{1,20}(?:\.\d{1,20})?(?![\w.]))"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),])",
    re.DOTALL,
)
_BLANK = re.compile(r"\s*")


def tokens(text: str) -> list[Token]:
    """The tokens, an END behind them. Raises SegmentFault for a sign no query has, an open quote, or too long a text."""
    if len(text) > MAX_LENGTH:
        what = f"a segment has at most {MAX_LENGTH:,} characters"
        raise SegmentFault("long", what, position=MAX_LENGTH + 1)
    made: list[Token] = []
    at = _BLANK.match(text, 0).end()  # type: ignore[union-attr]  # it matches nothing, too
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unreadable(text, at)
        made.append(_token(found, at + 1))
        at = _BLANK.match(text, found.end()).end()  # type: ignore[union-attr]
    return [*made, Token(Sort.END, "", len(text) + 1)]


def _token(found: re.Match[str], position: int) -> Token:
    sort, raw = Sort(str(found.lastgroup)), found[0]
    if sort is Sort.TEXT:
        return Token(sort, _text(raw, position), position, raw)
    value = raw.lower() if sort is Sort.WORD else "!=" if raw == "<>" else raw
    return Token(sort, value, position, raw)


def _text(raw: str, position: int) -> str:
    inside = raw[1:-1] if raw[0] == "“" else re.sub(r"\\(.)", r"\1", raw[1:-1], flags=re.DOTALL)
    text = unicodedata.normalize("NFC", inside)
    if len(text) > MAX_TEXT or not text.isprintable():
        what = f"a text has at most {MAX_TEXT} characters and stands on one line"
        raise SegmentFault("text", what, position=position)
    return text


def _unreadable(text: str, at: int) -> SegmentFault:
    if text[at] in '"“':
        return SegmentFault("quote", "a text begins here and has no closing quote", position=at + 1)
    return SegmentFault("sign", f"{text[at]!r} cannot stand here", position=at + 1, found=text[at])
