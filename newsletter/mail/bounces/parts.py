"""The parts of a message that came back, read tolerantly and within bounds. Never raises, never follows a bomb.

The standard library's parser recurses once per nested part and keeps everything; what arrives at a bounce address is
written by anybody. Here a message costs at most MAX_OCTETS, MAX_DEPTH levels and MAX_PARTS parts, and damage (no
closing boundary, a part without headers, an unknown charset, NUL) leaves text instead of an exception.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header

MAX_OCTETS = 1 << 20  # of a message; a bounce with a large original says all it has to say in the first kilobytes
MAX_DEPTH = 6
MAX_PARTS = 50
MAX_FIELDS = 500  # header fields of one part

_FIELD = re.compile(r"([!-9;-~]{1,76})[ \t]*:[ \t]*(.*)", re.DOTALL)
_STANDING = re.compile(rb"^--(\S[^\n]{0,90}?)[ \t]*\n(?=(?:Content-|MIME-)[A-Za-z-]+:)", re.MULTILINE | re.IGNORECASE)
_ESCAPED_WORD = re.compile(r"=\?[^?\s]{1,40}\?[bBqQ]\?")


class Fields:
    """Header fields, names in lower case, values unfolded; the same name may stand several times."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __contains__(self, name: str) -> bool:
        return any(name == key for key, _ in self._pairs)

    def get(self, name: str) -> str:
        """The first value, "" when there is none."""
        return next((value for key, value in self._pairs if key == name), "")

    def all(self, *names: str) -> list[str]:
        """Every value of these names, in the order of the names."""
        return [value for name in names for key, value in self._pairs if key == name]

    def text(self, name: str) -> str:
        """The first value with encoded words decoded (RFC 2047)."""
        return decode_words(self.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One leaf. `text`: its decoded content with LF line ends; of an attached message everything, headers too."""

    media_type: str
    fields: Fields
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A whole message: its own header fields and its leaves in order."""

    fields: Fields
    media_type: str
    parts: tuple[Part, ...]


def open_message(raw: bytes) -> Opened:
    """Read the octets of a message. Whatever cannot be read is left out."""
    octets = raw[:MAX_OCTETS].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"")
    octets = octets.lstrip(b"\n \t")
    if octets.startswith((b"From ", b">From ")):  # the separator line of a mailbox file
        octets = octets.partition(b"\n")[2]
    fields, body = _head(octets)
    budget = [MAX_PARTS]
    return Opened(
        fields=fields, media_type=_media_type(fields), parts=tuple(_leaves(fields, body, depth=0, budget=budget))
    )


def open_text(text: str) -> Opened:
    """The same for the text of a message/rfc822 part."""
    return open_message(text.encode("utf-8", "replace"))


def fields_of(text: str) -> Fields:
    """The header fields a text begins with; broken lines between them are passed over."""
    return Fields(_fields(text.lstrip("\n").split("\n\n", 1)[0]))


def decode_words(value: str) -> str:
    """RFC 2047 words decoded; the value as it is when they are damaged."""
    if not _ESCAPED_WORD.search(value):
        return value
    try:
        return str(make_header(decode_header(value[:2000])))
    except (ValueError, LookupError, binascii.Error):
        return value


def _head(octets: bytes) -> tuple[Fields, bytes]:
    head, _, body = octets.partition(b"\n\n")
    if octets.startswith(b"\n"):
        return Fields([]), octets[1:]
    first = head.split(b"\n", 1)[0]
    if not _FIELD.match(_decoded(first, "utf-8")):  # a part that forgot its headers
        return Fields([]), octets
    return Fields(_fields(_decoded(head, "utf-8"))), body


def _fields(head: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for line in head.split("\n")[: MAX_FIELDS * 4]:
        if line[:1] in (" ", "\t"):
            if pairs:
                name, value = pairs[-1]
                if len(value) < 8000:
                    pairs[-1] = (name, f"{value} {line.strip()}".strip())
            continue
        found = _FIELD.match(line)
        if found and len(pairs) < MAX_FIELDS:
            pairs.append((found[1].lower(), found[2].strip()[:8000]))
    return pairs


def _media_type(fields: Fields) -> str:
    value = fields.get("content-type").split(";", 1)[0].strip().lower()
    return value if re.fullmatch(r"[\w.+-]+/[\w.+-]+", value) else "text/plain"


def parameter(value: str, name: str) -> str:
    """A parameter of a header value, unquoted: `parameter('text/plain; charset="utf-8"', "charset")`."""
    found = re.search(rf'(?:^|[;\s]){name}\s*=\s*(?:"([^"]*)"|([^\s;"]+))', value, re.IGNORECASE)
    return (found[1] or found[2] or "") if found else ""


def _leaves(fields: Fields, body: bytes, *, depth: int, budget: list[int]) -> Iterator[Part]:
    media_type = _media_type(fields)
    if depth < MAX_DEPTH and media_type.startswith(("multipart/", "text/plain")):
        pieces = _split(body, fields, media_type)
        if len(pieces) > 1:
            if pieces[0].strip():
                yield Part(media_type="text/x-preamble", fields=Fields([]), text=_decoded(pieces[0], "utf-8"))
            for piece in pieces[1:]:
                if budget[0] <= 0:
                    return
                budget[0] -= 1
                inner, content = _head(piece)
                yield from _leaves(inner, content, depth=depth + 1, budget=budget)
            return
    charset = parameter(fields.get("content-type"), "charset")
    yield Part(media_type=media_type, fields=fields, text=_decoded(_unpacked(fields, body), charset))


def _split(body: bytes, fields: Fields, media_type: str) -> list[bytes]:
    """The parts by the boundary that is told, else by the one that stands there: many gateways tell another."""
    told = parameter(fields.get("content-type"), "boundary").encode("utf-8", "replace")
    if told and media_type.startswith("multipart/"):
        pieces = _pieces(body, told)
        if len(pieces) > 1:
            return pieces
    standing = _STANDING.search(body[:200_000])
    return _pieces(body, standing[1]) if standing else [body]


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Preamble and parts. The text behind the closing boundary is a part only when another boundary follows."""
    mark = re.compile(rb"^--" + re.escape(boundary) + rb"(?:--)?[ \t]*$", re.MULTILINE)
    ends = list(mark.finditer(body))[: MAX_PARTS + 1]
    if not ends:
        return [body]
    starts = [0, *(found.end() + 1 for found in ends)]
    stops = [*(found.start() for found in ends), len(body)]
    pieces = [body[start:stop] for start, stop in zip(starts, stops, strict=True)]
    return pieces if pieces[-1].strip() else pieces[:-1]


def _unpacked(fields: Fields, body: bytes) -> bytes:
    encoding = fields.get("content-transfer-encoding").strip().lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        try:
            return base64.b64decode(letters + b"=" * (-len(letters) % 4))
        except binascii.Error:
            return base64.b64decode(letters[: len(letters) // 4 * 4])
    return body


def _decoded(octets: bytes, charset: str) -> str:
    for name in (charset or "utf-8", "utf-8"):
        try:
            return octets.decode(name).replace("\r\n", "\n").replace("\0", "")
        except (LookupError, ValueError):
            continue
    return octets.decode("latin-1").replace("\r\n", "\n").replace("\0", "")
