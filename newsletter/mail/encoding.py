"""Transfer encodings of a body part that has slots: literals encoded once, values per reader (RFC 2045 section 6).

What is written is already in DKIM's relaxed form (no run of blanks, none at a line's end) and no line begins with a
dot, so that neither signing nor SMTP has to look at the body again.

Which encoding: the shorter one. Measured on a Vietnamese digest by tests/benchmarks/bench_build.py: quoted-printable
makes 1.68 of the HTML (72 kB) and 1.67 of the text, base64 1.37 and 1.35; English table markup 1.07 in
quoted-printable. Slots do not cost base64 its advantage: literals are kept encoded at all three alignments.
"""

import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from newsletter.mail.markers import Slot, value_of

Escape = Callable[[str], str]

# 73 leave room for the soft break and for a leading dot that becomes "=2E": 76 in all (RFC 2045 section 6.7).
_QP_LINE = 73
_QP_ESCAPED = re.compile(rb"[^!-<>-~ ]|(?<= ) | \Z")
_QP_PLAIN = re.compile(r"[!-<>-~]+").fullmatch
_B64_LINE = 76  # 57 octets


class Part(Protocol):
    """One encoded body part."""

    encoding: str  # Content-Transfer-Encoding
    size: int  # octets without the values

    def pieces(self, values: Mapping[str, str]) -> list[bytes]:
        """The encoded part for one reader, to be joined. Raises BadInput for a missing value."""
        ...


def encode_part(content: Sequence[str | Slot], escape: Escape) -> Part:
    """The shorter of the two encodings. `escape` is applied to each value (HTML), never to literals."""
    quoted, base64 = QuotedPart(content, escape), Base64Part(content, escape)
    return base64 if base64.size < quoted.size else quoted


def quoted_printable(text: str) -> bytes:
    """`text` in lines of at most 76, from the start of a line; ends in a line end only if `text` does."""
    if _QP_PLAIN(text):  # a URL or one plain word
        return _wrap(text.encode())
    return b"\r\n".join(_wrap(_QP_ESCAPED.sub(_hex, line)) for line in crlf(text).split(b"\r\n"))


def crlf(text: str) -> bytes:
    """UTF-8 with every kind of line end as CRLF."""
    if "\n" not in text and "\r" not in text:  # nearly every value
        return text.encode()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()


class QuotedPart:
    """Quoted-printable. Each value stands alone between soft line breaks: its length is nobody else's matter."""

    encoding = "quoted-printable"

    def __init__(self, content: Sequence[str | Slot], escape: Escape) -> None:
        self._pieces: list[bytes] = []
        self._slots: list[tuple[int, str]] = []
        self._escape = escape
        for part in content:
            if isinstance(part, Slot):
                if self._pieces and not self._pieces[-1].endswith(b"\n"):
                    self._pieces.append(b"=\r\n")
                self._slots.append((len(self._pieces), part.field))
                self._pieces += [b"", b"=\r\n"]
            else:
                self._pieces.append(quoted_printable(part))
        self._fields = tuple(dict.fromkeys(field for _, field in self._slots))
        self.size = sum(map(len, self._pieces))

    def pieces(self, values: Mapping[str, str]) -> list[bytes]:
        pieces = self._pieces.copy()  # threads share the compiled part
        encoded = {field: quoted_printable(self._escape(value_of(values, field))) for field in self._fields}
        for at, field in self._slots:
            pieces[at] = encoded[field]
        return pieces


class _Aligned(NamedTuple):
    """A literal whose first `head` octets (0 to 2) are left to the value before it."""

    head: bytes
    lines: bytes  # whole groups of three octets, encoded
    tail: bytes  # the 0 to 2 octets left over


class Base64Part:
    """Base64. A value shifts what follows by 0, 1 or 2 octets; each literal is kept encoded for all three cases.

    A value takes the octets left over before it and the head of the literal after it, and gets lines of its own; every
    line is a multiple of four characters, so that decoders which work line by line agree too.
    """

    encoding = "base64"

    def __init__(self, content: Sequence[str | Slot], escape: Escape) -> None:
        self._escape = escape
        self._parts: list[str | tuple[_Aligned, ...]] = [
            part.field if isinstance(part, Slot) else tuple(_aligned(crlf(part), head) for head in range(3))
            for part in content
        ]
        self._fields = tuple({part for part in self._parts if isinstance(part, str)})
        self.size = sum(len(part[0].lines) for part in self._parts if isinstance(part, tuple))

    def pieces(self, values: Mapping[str, str]) -> list[bytes]:
        pieces: list[bytes] = []
        octets = {field: crlf(self._escape(value_of(values, field))) for field in self._fields}
        left = b""  # octets that wait for their group of three; more than two only right after a value
        for part in self._parts:
            if isinstance(part, str):
                left += octets[part]
                continue
            head, lines, tail = part[-len(left) % 3]
            left += head
            if over := len(left) % 3:  # only when the literal is shorter than the head asked of it
                pieces.append(_base64_lines(left[:-over]))
                left = left[-over:]
            else:
                pieces += (_base64_lines(left), lines)
                left = tail
        pieces.append(_base64_lines(left))
        return pieces


def _aligned(octets: bytes, head: int) -> _Aligned:
    rest = octets[head:]
    whole = len(rest) - len(rest) % 3
    return _Aligned(octets[:head], _base64_lines(rest[:whole]), rest[whole:])


def _base64_lines(octets: bytes) -> bytes:
    if not octets:
        return b""
    encoded = binascii.b2a_base64(octets, newline=False)
    if len(encoded) <= _B64_LINE:
        return encoded + b"\r\n"
    if len(encoded) <= 2 * _B64_LINE:  # a URL with a token
        return b"%b\r\n%b\r\n" % (encoded[:_B64_LINE], encoded[_B64_LINE:])
    return b"".join([encoded[at : at + _B64_LINE] + b"\r\n" for at in range(0, len(encoded), _B64_LINE)])


def _hex(found: re.Match[bytes]) -> bytes:
    return b"=%02X" % found[0][0]


def _wrap(line: bytes) -> bytes:
    """An escaped line in soft-broken lines, never cut inside a character; leading dots and "From " hidden."""
    lines, start = [], 0
    while len(line) - start > _QP_LINE:
        cut = _cut_before(line, start + _QP_LINE)
        lines.append(_hidden_start(line[start:cut]))
        start = cut
    return b"=\r\n".join([*lines, _hidden_start(line[start:])])


def _cut_before(line: bytes, cut: int) -> int:
    """The last place up to `cut` that splits neither an escape nor a UTF-8 character."""
    cut -= next((back for back in (1, 2) if line[cut - back : cut - back + 1] == b"="), 0)
    while line[cut : cut + 1] == b"=" and line[cut + 1 : cut + 2] in (b"8", b"9", b"A", b"B"):
        cut -= 3
    return cut


def _hidden_start(line: bytes) -> bytes:
    if line.startswith(b"."):
        return b"=2E" + line[1:]
    return b"=46" + line[1:] if line.startswith(b"From ") else line
