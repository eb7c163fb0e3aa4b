"""Marks the places of per-reader values in a rendering, so that one compiled issue serves every reader.

A marker is ASCII letters and digits only: Jinja's autoescape, MJML, the CSS inliner and URL encoding leave it as it is.
It carries a nonce derived from the site's secret and the mailing, so nothing an article says can imitate one. A value
put in place of a marker is never searched for markers again.

Two more kinds of marks serve readers who chose topics (mail/segments.py): where a segment begins and ends, and numbers
that count items. In HTML a segment's marks are comments: the only thing that may stand between MJML's blocks and
between the rows of a table, and that mrml and css-inline leave where it is.
"""

import hashlib
import html as html_module
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from newsletter.errors import BadInput

_CODES = {
    "subscriber_name": "NAME",
    "subscriber_first_name": "FIRST",
    "subscriber_email": "EMAIL",
    "unsubscribe_url": "LEAVE",
    "preferences_url": "PREFS",
    "confirm_url": "CONFIRM",
    "subscribed_since": "SINCE",
    "subscriber_timezone": "ZONE",
}
_FIELDS = {code: field for field, code in _CODES.items()}
FIELDS = tuple(_CODES)

ATTRIBS = "attribs."  # begins the field of an attribute: `attribs.city`
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")  # of a declared attribute; in a marker Z stands for _
NONCE_LENGTH = 16  # 64 bits in hexadecimal: beyond guessing, short in a template


class Slot(NamedTuple):
    """A place where the value of `field` goes."""

    field: str


class Begin(NamedTuple):
    """A segment begins: for readers who get one of these items, or, when none is named, for those who get all.

    Items are numbered from 0 in reading order.
    """

    items: tuple[int, ...]


class End(NamedTuple):
    """The segment begun last ends."""


class Count(NamedTuple):
    """How many of the items first … last - 1 a reader gets; in words when `phrase` is the number of one (mail/segments)."""

    first: int
    last: int
    phrase: int | None = None


Piece = str | Slot | Begin | End | Count


def make_nonce(secret: bytes, mailing_id: str) -> str:
    """The nonce of one mailing: 16 hexadecimal characters, the same on every call."""
    key = hashlib.sha256(secret).digest()
    return hashlib.blake2s(mailing_id.encode(), key=key, person=b"markers", digest_size=NONCE_LENGTH // 2).hexdigest()


def marker(nonce: str, field: str) -> str:
    """The text that stands for `field` in a rendering: one of FIELDS, or `attribs.` and an attribute's name.

    Raises BadInput for an unknown field.
    """
    if field in _CODES:
        return _mark(nonce, _CODES[field])
    slug = field.removeprefix(ATTRIBS)
    if slug == field or not _SLUG.fullmatch(slug):
        raise BadInput(f"there is no per-reader value named {field!r}", hint="use one of " + ", ".join(FIELDS))
    return _mark(nonce, "A" + slug.replace("_", "Z"))


def places(text: str, nonce: str) -> int:
    """How many markers a text has that was cut already (mail.segments)."""
    return text.count(f"QqX{nonce}X")


def segment_marks(nonce: str, items: Sequence[int], *, html: bool) -> tuple[str, str]:
    """What stands before and behind a segment for readers who get one of `items`; none: for those who get all."""
    begin, end = _mark(nonce, "B" + "x".join(map(str, items))), _mark(nonce, "E")
    return (f"<!--{begin}-->", f"<!--{end}-->") if html else (begin, end)


def count_mark(nonce: str, count: Count) -> str:
    """The text that stands for a number of items, alone or in the words of a phrase."""
    return _mark(nonce, f"C{count.first}x{count.last}" + ("" if count.phrase is None else f"x{count.phrase}"))


def split(text: str, nonce: str) -> list[Piece]:
    """`text` as literals, slots and marks in order; empty literals are left out."""
    pieces: list[Piece] = []
    start = 0
    for found in _pattern(nonce).finditer(text):
        if found.start() > start:
            pieces.append(text[start : found.start()])
        pieces.append(_read(found[1] or found[2]))
        start = found.end()
    return [*pieces, text[start:]] if start < len(text) else pieces


def fill(text: str, nonce: str, values: Mapping[str, str], html: bool) -> str:
    """`text` with each marker replaced by its value, escaped if `html`. Raises BadInput for a missing value.

    A rendering with segments is cut first (segments.cut_rendering).
    """
    escape = html_module.escape if html else str
    return "".join(
        escape(value_of(values, part.field)) if isinstance(part, Slot) else str(part) for part in split(text, nonce)
    )


def value_of(values: Mapping[str, str], field: str) -> str:
    """The value of `field`. Raises BadInput when the reader has none: a mail with a hole in it must not leave.

    Attributes alone may be absent: then nothing stands there.
    """
    if field.startswith(ATTRIBS):
        return values.get(field, "")
    try:
        return values[field]
    except KeyError:
        raise BadInput(
            f"the text uses {field}, which this reader has no value for",
            hint="give the value, or leave it out of the design",
        ) from None


def _mark(nonce: str, code: str) -> str:
    return f"QqX{nonce}X{code}qQ"


def _read(code: str) -> Piece:
    if code in _FIELDS:
        return Slot(_FIELDS[code])
    if code[0] == "A":
        return Slot(ATTRIBS + code[1:].replace("Z", "_"))
    if code == "E":
        return End()
    numbers = tuple(map(int, code[1:].split("x"))) if len(code) > 1 else ()
    return Begin(numbers) if code[0] == "B" else Count(*numbers)


@lru_cache(maxsize=64)
def _pattern(nonce: str) -> re.Pattern[str]:
    mark, segment = f"QqX{re.escape(nonce)}X", r"B(?:\d+(?:x\d+)*)?|E"
    codes = "|".join([*_FIELDS, "A[a-z][a-z0-9Z]*", segment, r"C\d+x\d+(?:x\d+)?"])
    return re.compile(f"<!--{mark}({segment})qQ-->|{mark}({codes})qQ")
