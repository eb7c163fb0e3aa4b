"""Compiles a rendering once and splices it per reader into a message ready to send.

Everything that is the same for all readers is encoded and folded at compile time; a message is the join of those
bytes and a few encoded values (tests/benchmarks/bench_build.py has the figures). What readers of the same topics share
(their cut) is put together once, of literals that are encoded once. The Message-ID, the Date and the boundary depend
only on the mailing and the delivery, so a retry sends the very same message and receivers can drop a double.
"""

import functools
import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache, partial
from types import MappingProxyType
from typing import NamedTuple, ParamSpec, TypeVar

from newsletter.clock import aware
from newsletter.errors import BadInput
from newsletter.mail import headers, segments
from newsletter.mail.dkim import Signer
from newsletter.mail.encoding import Encoder, Part, Unfit, octets_of
from newsletter.mail.inline import Inline, inlines, named_in, related
from newsletter.mail.markers import Slot, split, value_of
from newsletter.model import Image, Rendering
from subscribers import Address, reveal

Given = ParamSpec("Given")
Written = TypeVar("Written")

_LONGEST_TRACE = 62
_TRACE = re.compile(r"[A-Za-z0-9._-]{1,62}").fullmatch  # "b." before it makes at most 64 octets (RFC 5321 4.5.3.1.1)
_URL = re.compile(r"https?://[!#-;=?-~]+").fullmatch  # printable ASCII without blanks, quotes and angle brackets

_MOST_CHOICES = 4_096  # sets of topics whose items are remembered
_MOST_CUTS = 256  # of a digest of 60 items: 4 MB, as they share their literals

_ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all messages of a mailing share beside the rendering."""

    from_name: str
    from_address: str  # ASCII, our own sender address
    date: datetime  # aware; fixed when the mailing starts, so retries carry the same Date
    domain: str  # right-hand side of the Message-ID
    pictures: str | None = None  # that of the Content-IDs, as the rendering writes them; None: the same
    reply_to: str | None = None
    bounce_domain: str | None = None  # None: bounces go to from_address
    list_id: tuple[str, str] | None = None  # (name, id), RFC 2919: "weekly.news.example.org"
    list_unsubscribe_mailto: str | None = None  # "mailto:..." or an address; {token}: the end of the unsubscribe_url
    one_click: bool = False  # RFC 8058: the reader's unsubscribe_url answers a bare POST
    feedback_id: str | None = None  # at most four fields joined by colons, the sender last
    auto_submitted: bool = False  # RFC 3834
    precedence_bulk: bool = False
    archived_at: str | None = None  # RFC 5064


class Reader(NamedTuple):
    """One person of one mailing. `message_id_token` is the trace token; `values` belong to markers.FIELDS.

    One for every message: a frozen dataclass takes five times as long to make (3.2 to 0.6 µs).
    """

    to: Address
    message_id_token: str
    name: str | None = None
    unsubscribe_url: str | None = None
    values: Mapping[str, str] = MappingProxyType({})
    topics: tuple[str, ...] = ()  # those they chose; none: they get everything

    def __repr__(self) -> str:
        return f"<Reader {self.message_id_token} to {self.to}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A message in pieces, for providers that take JSON. Mailboxes are Unicode text: `Tên <name@example.org>`."""

    from_: str
    to: str = field(repr=False)
    reply_to: str | None
    subject: str
    headers: list[tuple[str, str]]  # those the provider does not write itself: Message-ID, List-*, ...
    html: str = field(repr=False)
    text: str = field(repr=False)
    inline: tuple[Inline, ...] = ()  # pictures that the HTML names by cid:


def compile_message(
    rendering: Rendering, frame: Frame, *, nonce: str, signer: Signer | None = None, images: Sequence[Image] = ()
) -> "Compiled":
    """Prepare `rendering` for any number of readers, with the pictures it embeds.

    Raises BadInput for a header that cannot be written.
    """
    return Compiled(
        rendering, frame, nonce=nonce, signer=signer, inline=inlines(images, frame.pictures or frame.domain)
    )


class _Cut(NamedTuple):
    """What readers of the same topics share."""

    content: tuple[list[str | Slot], list[str | Slot]]  # text, HTML
    opening: bytes
    text: Part
    middle: bytes
    markup: Part
    closing: bytes
    inline: tuple[Inline, ...]  # the pictures that its HTML shows


class Compiled:
    """One rendering of one mailing, encoded. Safe to share between threads: what splicing adds are finished cuts."""

    def __init__(
        self, rendering: Rendering, frame: Frame, *, nonce: str, signer: Signer | None, inline: tuple[Inline, ...] = ()
    ) -> None:
        self.frame, self.signer, self._inline = frame, signer, inline
        self.subject = [piece for piece in split(_nfc(rendering.subject), nonce) if isinstance(piece, str | Slot)]
        self._rendering = rendering
        self._text, self._html = split(_nfc(rendering.text), nonce), split(_nfc(rendering.html), nonce)
        for where, pieces in (("text", self._text), ("HTML", self._html)):
            segments.checked(pieces, rendering.segments, where)
        whole = self._content(None)
        self.fields = tuple(dict.fromkeys(part.field for one in whole for part in one if isinstance(part, Slot)))
        self.wanted = frozenset(self.fields).union(p.field for p in self.subject if isinstance(p, Slot))
        self._encoders = Encoder(whole[0], self.fields), Encoder(whole[1], self.fields)
        boundary = _boundary(rendering)
        self._boundary = boundary
        self._kept = lru_cache(_MOST_CHOICES)(partial(segments.kept_items, rendering.segments))
        self._cuts = lru_cache(_MOST_CUTS)(self._cut)
        self._from = headers.address_header("From", frame.from_name, frame.from_address)
        plain_subject = all(isinstance(part, str) for part in self.subject)
        self._subject = headers.text_header("Subject", _joined(self.subject, {}, _as_it_is)) if plain_subject else None
        extras = _extra_headers(frame)
        self._shared = _shared_headers(frame, boundary, extras)
        self.extras = [_unfolded(line) for line in extras]
        mailto = frame.list_unsubscribe_mailto
        self._leave_by_mail = f"<mailto:{mailto.removeprefix('mailto:')}>" if mailto else ""
        self._end_of_id = f"@{frame.domain}>"

    def serves(self, topics: tuple[str, ...]) -> bool:
        """Whether anything is in it for a reader of these topics: False means that no message is to be sent."""
        kept = self._kept(topics)
        return kept is None or bool(kept)

    def splice(self, reader: Reader) -> "Message":
        """The message for one reader. Raises BadInput for a value that cannot be written or is missing."""
        return Message(self, reader)

    def head(self, message: "Message", *, utf8: bool = False) -> list[bytes]:
        """The header block of one message, to be joined, each field ending in CRLF, unsigned."""
        reader = message.reader
        return [
            self._from,
            f"Message-ID: {message.message_id}\r\n".encode(),
            headers.address_header("To", reader.name, reveal(message.rcpt), utf8=utf8),
            self._subject or headers.text_header("Subject", message.subject),
            self._leaving(reader.unsubscribe_url),
            self._shared,
        ]

    def body(self, message: "Message", *, eight_bit: bool = False) -> list[bytes]:
        """The body for one reader, to be joined."""
        plain, escaped = octets_of(message.values, self.fields)
        cut = self._cuts(self._kept(message.reader.topics), eight_bit)
        try:
            text, markup = cut.text.pieces(plain), cut.markup.pieces(escaped)
        except Unfit:
            return self.body(message)
        return [cut.opening, *text, cut.middle, *markup, cut.closing]

    def cut(self, topics: tuple[str, ...], *, eight_bit: bool = False) -> _Cut:
        """What readers of these topics share; made once for each set of items, however many choose it."""
        return self._cuts(self._kept(topics), eight_bit)

    def _cut(self, kept: segments.Kept, eight_bit: bool) -> _Cut:
        content = self._content(kept)
        text, markup = (e.part(c, eight_bit=eight_bit) for e, c in zip(self._encoders, content, strict=True))
        inline = named_in("".join(piece for piece in content[1] if isinstance(piece, str)), self._inline)
        before, behind = related(self._boundary, inline)
        opening = b"--" + self._boundary + b"\r\n" + _part_head("plain", text)
        middle = b"\r\n--" + self._boundary + b"\r\n" + before + _part_head("html", markup)
        closing = behind + b"\r\n--" + self._boundary + b"--\r\n"
        return _Cut(content, opening, text, middle, markup, closing, inline)

    def _content(self, kept: segments.Kept) -> tuple[list[str | Slot], list[str | Slot]]:
        """Text and HTML for readers who get the items `kept`. What all get is one literal, or it would be 60."""
        parts = []
        for pieces, markup in ((self._text, False), (self._html, True)):
            left = segments.cut(pieces, kept, segments.counting(self._rendering, kept, markup=markup))
            parts.append(segments.joined(left) if kept is None else left)
        return parts[0], parts[1]

    def leave_pairs(self, reader: Reader) -> list[tuple[str, str]]:
        """List-Unsubscribe and its one-click companion (RFC 8058), for providers that take header pairs."""
        value = self._leave_value(reader.unsubscribe_url)
        pairs = [("List-Unsubscribe", value)] if value else []
        return [*pairs, _ONE_CLICK] if self.frame.one_click else pairs

    def _leave_value(self, url: str | None) -> str:
        """`<https:...>, <mailto:...>` in this order (RFC 2369), or "" when the mailing has neither."""
        if url is None:
            if self.frame.one_click:
                raise BadInput("one-click unsubscribing needs an unsubscribe URL", where="List-Unsubscribe")
            return "" if "{token}" in self._leave_by_mail else self._leave_by_mail
        if not _URL(url):
            raise BadInput("the unsubscribe address is no plain URL", where="List-Unsubscribe")
        if not self._leave_by_mail:
            return f"<{url}>"
        return f"<{url}>, {self._leave_by_mail.replace('{token}', url.rsplit('/', 1)[1])}"

    def _leaving(self, url: str | None) -> bytes:
        """The List-Unsubscribe field of one reader, folded only behind its comma."""
        value = self._leave_value(url)
        if len(value) > headers.LINE - len("List-Unsubscribe: ") and (self._leave_by_mail or len(value) > 900):
            return headers.raw_header("List-Unsubscribe", value, ",")
        return f"List-Unsubscribe: {value}\r\n".encode() if value else b""

    def message_id(self, trace: str) -> str:
        if not (trace.isalnum() and trace.isascii() and len(trace) <= _LONGEST_TRACE) and not _TRACE(trace):
            raise BadInput("the trace token cannot stand in a Message-ID")
        return f"<{trace}{self._end_of_id}"


def _or_bad_input(write: Callable[Given, Written]) -> Callable[Given, Written]:
    """Whatever goes wrong with one reader's message is a fault of that message: the others are sent."""

    @functools.wraps(write)
    def wrapped(*args: Given.args, **kwargs: Given.kwargs) -> Written:
        try:
            return write(*args, **kwargs)
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(f"this message cannot be written: {type(error).__name__}") from error

    return wrapped


class Message:
    """One message for one person. Shows no address when printed."""

    __slots__ = ("_compiled", "mail_from", "message_id", "rcpt", "reader", "values")

    def __init__(self, compiled: Compiled, reader: Reader) -> None:
        self._compiled, self.reader, self.rcpt = compiled, reader, reader.to
        frame = compiled.frame
        self.message_id = compiled.message_id(reader.message_id_token)
        bounces = frame.bounce_domain
        self.mail_from = f"b.{reader.message_id_token}@{bounces}" if bounces else frame.from_address
        self.values = reader.values
        if reader.unsubscribe_url is not None and "unsubscribe_url" not in reader.values:
            self.values = {**reader.values, "unsubscribe_url": reader.unsubscribe_url}

    def __repr__(self) -> str:
        return f"<Message {self.message_id} to {self.rcpt}>"

    @property
    def subject(self) -> str:
        return _joined(self._compiled.subject, self.values, _as_it_is)

    @_or_bad_input
    def mime(self, *, eight_bit: bool = False, utf8: bool = False) -> bytes:
        """The whole message, CRLF line ends, signed if compiled with a signer. It needs no dot-stuffing.

        `eight_bit`: for a peer that offers 8BITMIME. Parts whose lines allow it are then not encoded: a Vietnamese
        digest weighs 0.74 of base64. `utf8`: the way can carry an address that is not ASCII (SMTPUTF8, RFC 6531; a file);
        without it such an address is BadInput.
        """
        compiled = self._compiled
        pieces, body = compiled.head(self, utf8=utf8), compiled.body(self, eight_bit=eight_bit)
        if compiled.signer is None:
            return b"".join([*pieces, b"\r\n", *body])
        head, octets = b"".join(pieces), b"".join(body)
        return b"".join((compiled.signer.sign(head, octets, canonical=not eight_bit), head, b"\r\n", octets))

    @_or_bad_input
    def parts(self) -> Parts:
        """The same content for a provider that builds the MIME message itself."""
        compiled, frame = self._compiled, self._compiled.frame
        cut = compiled.cut(self.reader.topics)
        text, markup = cut.content
        return Parts(
            from_=headers.mailbox_text(frame.from_name, frame.from_address),
            to=headers.mailbox_text(self.reader.name, reveal(self.rcpt)),
            reply_to=frame.reply_to,
            subject=headers.clean("Subject", self.subject),
            headers=[("Message-ID", self.message_id), *compiled.leave_pairs(self.reader), *compiled.extras],
            html=_joined(markup, self.values, html.escape),
            text=_joined(text, self.values, _as_it_is),
            inline=cut.inline,
        )


def _shared_headers(frame: Frame, boundary: bytes, extras: Sequence[bytes]) -> bytes:
    date = f"Date: {format_datetime(aware(frame.date))}\r\n".encode()
    reply_to = headers.address_header("Reply-To", None, frame.reply_to) if frame.reply_to else b""
    one_click = headers.raw_header(*_ONE_CLICK) if frame.one_click else b""
    content_type = b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n'
    return b"".join((one_click, date, reply_to, *extras, b"MIME-Version: 1.0\r\n", content_type))


def _extra_headers(frame: Frame) -> list[bytes]:
    """The optional headers that providers do not know of and must be handed."""
    lines = [headers.named_header("List-Id", *frame.list_id)] if frame.list_id else []
    plain = (
        ("Archived-At", f"<{frame.archived_at}>" if frame.archived_at else None),
        ("Feedback-ID", frame.feedback_id),
        ("Auto-Submitted", "auto-generated" if frame.auto_submitted else None),
        ("Precedence", "bulk" if frame.precedence_bulk else None),
    )
    return lines + [headers.raw_header(name, value) for name, value in plain if value]


def _unfolded(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode().replace("\r\n", "").partition(": ")
    return name, value


def _part_head(subtype: str, part: Part) -> bytes:
    kind = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {part.encoding}\r\n\r\n"
    return kind.encode()


def _boundary(rendering: Rendering) -> bytes:
    """The same for the same content; no content holds it, as "=_" is neither quoted-printable nor base64."""
    content = f"{rendering.subject}\0{rendering.text}\0{rendering.html}"
    return b"=_" + hashlib.blake2s(content.encode(), digest_size=12).hexdigest().encode()


def _joined(content: Sequence[str | Slot], values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return "".join(escape(value_of(values, part.field)) if isinstance(part, Slot) else part for part in content)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _as_it_is(text: str) -> str:
    return text
