"""Writing messages, for all adapters: JSON, mailboxes in two pieces, and what must not be read as a template. Pure."""

import base64
import json
import re
from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any

from newsletter.errors import TransportDown
from newsletter.mail.compile import Parts

# Headers that most providers write themselves and refuse from others.
OWN_HEADERS = frozenset({"message-id"})
_STYLE = re.compile(r"(<style\b.*?</style\s*>)", re.IGNORECASE | re.DOTALL)


def encoded(value: object) -> bytes:
    """JSON without blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def joined(pieces: Iterable[bytes]) -> bytes:
    """A JSON list of values that are encoded already."""
    return b"[" + b",".join(pieces) + b"]"


def mailbox(text: str) -> tuple[str, str]:
    """(name, address) of a mailbox as Parts write it; the name may be empty."""
    if text[-1:] != ">":
        return "", text
    head, _, address = text.rpartition(" <")
    if head.startswith('"'):
        return parseaddr(f"{head} <a@b>")[0], address[:-1]
    return head, address[:-1]


def entry(text: str, *, name: str = "name", email: str = "email") -> dict[str, str]:
    """A mailbox as an object; without a name no empty one."""
    shown, address = mailbox(text)
    return {email: address, name: shown} if shown else {email: address}


def basic(user: str, password: str) -> str:
    """An Authorization value (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def extra_headers(parts: Parts, *, without: frozenset[str] = OWN_HEADERS) -> dict[str, str]:
    return {name: value for name, value in parts.headers if name.lower() not in without}


def refuse_pictures(parts: Parts, provider: str) -> None:
    """Raises TransportDown: every reader's message has them, so a person must choose, and nobody may fail for it."""
    if parts.inline:
        raise TransportDown(
            "this provider takes no pictures inside a message",
            where=provider,
            hint='set images = "hosted" in the newsletter, or another transport',
        )


def literal_html(html: str, openings: Iterable[str]) -> str:
    """The HTML whose openings of a template language are written so that a browser shows them and the provider sees none.

    Outside of styles the first sign becomes a character reference; inside, where there are none, a blank is put behind it,
    which CSS does not mind.
    """
    opening = _opening(openings)
    parts = _STYLE.split(html)
    for at, part in enumerate(parts):
        parts[at] = opening.sub(lambda m: f"{m[0]} " if at % 2 else f"&#{ord(m[0])};", part)  # noqa: B023
    return "".join(parts)


def literal_text(text: str, openings: Iterable[str], variable: str) -> str:
    """Text in which the first sign of each opening is fetched from a variable that holds that sign: its value is not read

    again as a template.
    """
    return _opening(openings).sub(lambda _: variable, text)


def _opening(openings: Iterable[str]) -> re.Pattern[str]:
    """The first sign of any opening: "{" before "{" or "%"."""
    return re.compile("|".join(f"{re.escape(one[0])}(?={re.escape(one[1:])})" for one in openings))


def attachments(parts: Parts, **names: str) -> list[dict[str, Any]]:
    """The pictures as objects; `names` say under which key which of name, media_type, content, content_id stands."""
    return [{key: getattr(inline, field) for field, key in names.items()} for inline in parts.inline]
