"""A message taken apart for the checks: headers, parts, text, tree. It reads anything and raises for nothing.

Read with the standard library, not with our own writer's rules, so that writer and judge do not share their mistakes.
"""

import email
import email.errors
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from functools import cached_property
from typing import NamedTuple

import lxml.etree
import lxml.html

from newsletter.mail.dkim import LookUp, parse_tags

ERROR, WARNING, NOTE = "error", "warning", "note"
_HIDDEN = re.compile(r"display\s*:\s*none|max-height\s*:\s*0|mso-hide\s*:\s*all").search
_INVISIBLE = re.compile(r"[\s\u034f\u200b-\u200f\u00ad\ufeff\u2007]+")


Value = str | int | float


class Fault(NamedTuple):
    """`template` says what is wrong and how to mend it; it is a label of newsletter.locale, filled with `values`."""

    level: str
    where: str
    template: str
    values: tuple[tuple[str, Value], ...]


def fault(level: str, where: str, template: str, **values: Value) -> Fault:
    """One fault. `template` is written out at the call: tests read it there to see that every one is translated."""
    return Fault(level, where, template, tuple(sorted(values.items())))


class Said(NamedTuple):
    """An item as it was to be said: `words` is all the text that came with it, title included."""

    title: str
    url: str
    words: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message taken apart, and what the caller knows it should be. Nothing here changes."""

    raw: bytes
    from_domain: str | None = None
    rcpt: str | None = None
    subject: str | None = None
    mail_from: str | None = None
    key: LookUp | None = None
    now: datetime | None = None
    language: str | None = None
    postal: str | None = None  # "" when none is set, None when it is not to be compared
    items: tuple[Said, ...] = ()

    @cached_property
    def head(self) -> bytes:
        """The header block without the empty line that ends it."""
        return self.raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in self.raw else b"\n\n")[0]

    @cached_property
    def body(self) -> bytes:
        return self.raw[len(self.head) :]

    @cached_property
    def fields(self) -> list[tuple[str, bytes]]:
        """(name in lower case, value as sent with its folds); the name is "" where a line is no header."""
        split = (line.partition(b":") for line in re.split(rb"\r?\n(?![ \t])", self.head))
        return [(name.decode("latin-1").lower() if colon else "", value) for name, colon, value in split]

    def all(self, name: str) -> list[bytes]:
        """The values of every header of that name, unfolded."""
        return [re.sub(rb"\r?\n(?=[ \t])", b"", value).strip() for found, value in self.fields if found == name]

    def get(self, name: str) -> str:
        """The first value of that name, unfolded, or ""."""
        return next((value.decode("latin-1") for value in self.all(name)), "")

    @cached_property
    def signature(self) -> dict[str, str]:
        """The tags of the first DKIM signature; empty when unsigned."""
        return next((parse_tags(value) for value in self.all("dkim-signature")), {})

    @cached_property
    def bulk(self) -> bool:
        """True for list mail. A letter caused by a person's own step is Auto-Submitted and names no list (RFC 3834)."""
        return bool(self.all("list-id") or self.all("list-unsubscribe") or not self.all("auto-submitted"))

    @cached_property
    def tree(self) -> Message:
        return email.message_from_bytes(self.raw)

    @cached_property
    def leaves(self) -> list[Message]:
        return [part for part in self.tree.walk() if not part.is_multipart()]

    @cached_property
    def modern(self) -> EmailMessage | None:
        """Read by the standard library's newer parser, the second opinion; None where it gives up."""
        try:
            return email.message_from_bytes(self.raw, policy=email.policy.default)
        except Exception:  # it raises IndexError, AttributeError and others on odd headers
            return None

    @cached_property
    def html(self) -> str:
        return self._decoded("text/html")

    @cached_property
    def text(self) -> str:
        return self._decoded("text/plain")

    @cached_property
    def page(self) -> lxml.html.HtmlElement | None:
        """The HTML part as a tree, or None without one."""
        if not self.html.strip():
            return None
        try:
            parser = lxml.html.HTMLParser(encoding="utf-8")
            return lxml.html.document_fromstring(self.html.encode("utf-8", "replace"), parser=parser)
        except lxml.etree.LxmlError:
            return None

    @cached_property
    def visible(self) -> str:
        """What a reader of the HTML part can see or hear, in one line."""
        if self.page is None:
            return ""
        found = self.page.xpath("//body//text()[not(ancestor::style or ancestor::script or ancestor::title)]")
        return " ".join(" ".join(map(str, found)).split())

    @cached_property
    def preheader(self) -> str | None:
        """The words hidden at the top for the inbox, without the blanks that push the rest away; None without any."""
        hidden = next((node for node in self.elements("//body//*[@style]") if _HIDDEN(node.get("style", ""))), None)
        words = "" if hidden is None else _INVISIBLE.sub(" ", hidden.text_content()).strip()
        return words or None

    @cached_property
    def subject_read(self) -> str:
        """The subject as a reader sees it; "" where it cannot be decoded."""
        try:
            return str(make_header(decode_header(self.get("subject"))))
        except (ValueError, LookupError, email.errors.MessageError):
            return ""

    @cached_property
    def links(self) -> list[str]:
        """Where the web links of the HTML part lead, in order."""
        return [link.get("href", "") for link in self.elements("//a[starts-with(@href, 'http')]")]

    def elements(self, path: str) -> list[lxml.html.HtmlElement]:
        """The elements of the HTML part on an XPath."""
        if self.page is None:
            return []
        return [node for node in self.page.xpath(path) if isinstance(node, lxml.html.HtmlElement)]

    def _decoded(self, kind: str) -> str:
        part = next((leaf for leaf in self.leaves if leaf.get_content_type() == kind), None)
        return decoded(part) if part is not None else ""


def decoded(part: Message) -> str:
    """A text part as text; what cannot be decoded becomes U+FFFD."""
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    try:
        return octets.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):  # a charset nobody knows, or no name of one at all
        return octets.decode("utf-8", "replace")


def cut(text: str, most: int) -> str:
    """What of `text` a program shows that has room for `most` characters; it cuts anywhere."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


Check = Callable[[Seen], Iterator[Fault]]
