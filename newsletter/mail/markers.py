"""Marks the places of per-reader values in a rendering, so that one compiled issue serves every reader.

A marker is ASCII letters and digits only: Jinja's autoescape, MJML, the CSS inliner and URL encoding leave it as it is.
It carries a nonce derived from the site's secret and the mailing, so nothing an article says can imitate one. A value
put in place of a marker is never searched for markers again.
"""

import hashlib
import html as html_module
import re
from collections.abc import Mapping
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
}
_FIELDS = {code: field for field, code in _CODES.items()}
FIELDS = tuple(_CODES)

NONCE_LENGTH = 16  # 64 bits in hexadecimal: beyond guessing, short in a template


class Slot(NamedTuple):
    """A place where the value of `field` goes."""

    field: str


def make_nonce(secret: bytes, mailing_id: str) -> str:
    """The nonce of one mailing: 16 hexadecimal characters, the same on every call."""
    key = hashlib.sha256(secret).digest()
    return hashlib.blake2s(mailing_id.encode(), key=key, person=b"markers", digest_size=NONCE_LENGTH // 2).hexdigest()


def marker(nonce: str, field: str) -> str:
    """The text that stands for `field` (one of FIELDS) in a rendering. Raises BadInput for an unknown field."""
    if field not in _CODES:
        raise BadInput(f"there is no per-reader value named {field!r}", hint="use one of " + ", ".join(FIELDS))
    return f"QqX{nonce}X{_CODES[field]}qQ"


def split(text: str, nonce: str) -> list[str | Slot]:
    """`text` as literals and slots in order; empty literals are left out."""
    pieces = _pattern(nonce).split(text)
    return [Slot(_FIELDS[piece]) if at % 2 else piece for at, piece in enumerate(pieces) if piece]


def fill(text: str, nonce: str, values: Mapping[str, str], html: bool) -> str:
    """`text` with each marker replaced by its value, escaped if `html`. Raises BadInput for a missing value."""
    escape = html_module.escape if html else str
    return "".join(
        escape(value_of(values, part.field)) if isinstance(part, Slot) else part for part in split(text, nonce)
    )


def value_of(values: Mapping[str, str], field: str) -> str:
    """The value of `field`. Raises BadInput when the reader has none: a mail with a hole in it must not leave."""
    try:
        return values[field]
    except KeyError:
        raise BadInput(
            f"the text uses {field}, which this reader has no value for",
            hint="give the value, or leave it out of the design",
        ) from None


@lru_cache(maxsize=64)
def _pattern(nonce: str) -> re.Pattern[str]:
    return re.compile(f"QqX{re.escape(nonce)}X({'|'.join(_FIELDS)})qQ")
