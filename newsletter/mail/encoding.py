"""Transfer encodings of a body part that has slots: literals encoded once, values per reader (RFC 2045 section 6).

What is written encoded is already in DKIM's relaxed form (no run of blanks, none at a line's end), and in no encoding does
a line begin with a dot, so that neither signing nor SMTP has to look at the body again.

Which encoding: the shorter one. Measured on a Vietnamese digest by tests/benchmarks/bench_build.py: quoted-printable
makes 1.68 of the HTML (72 kB) and 1.67 of the text, base64 1.37 and 1.35; English table markup 1.07 in
quoted-printable. Slots do not cost base64 its advantage: literals are kept encoded at all three alignments.
"""

import html
import re
from binascii import b2a_base64
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from newsletter.mail.markers import Slot, value_of

Content = str | Slot

_NOT_AS_IT_IS = b"&<>\"'\r\n"  # what HTML or a body writes otherwise

# 73 leave room for the soft break and for a leading dot that becomes "=2E": 76 in all (RFC 2045 section 6.7).
_QP_LINE = 73
_QP_ESCAPED = re.compile(rb"[^!-<>-~ ]|(?<= ) | \Z")
_QP_PLAIN = re.compile(rb"[!-<>-~]+").fullmatch
_B64_LINE = 76  # 57 octets
_MOST_LAYOUTS = 256  # 1,200 entries of eight octets each at most; a part with five values has 243
_LINE = 998  # RFC 5322 section 2.1.1


class Part(Protocol):
    """One encoded body part. The values of a reader come as octets, in the order of the fields it was made with."""

    encoding: str  # Content-Transfer-Encoding
    size: int  # octets without the values

    def pieces(self, octets: Sequence[bytes]) -> list[bytes]:
        """The encoded part for one reader, to be joined."""
        ...


class Encoder:
    """Encodes one body part of a mailing, for readers who get all of it or some of its segments.

    The encoding is the shorter one for the whole; each literal is encoded once, in however many cuts it stands.
    """

    def __init__(self, whole: Sequence[Content], fields: Sequence[str]) -> None:
        self._whole, self._fields = whole, fields
        self._plain: dict[str, bytes] = {}
        self._quoted: dict[str, bytes] = {}
        self._aligned: dict[tuple[str, int], _Aligned] = {}

    @cached_property
    def _shorter(self) -> Callable[[Sequence[Content]], Part]:
        """Found when something has to be encoded: trying both takes 15 ms, and a mailing to 8BITMIME relays never asks."""
        quoted, base64 = self._quoted_part(self._whole), self._base64_part(self._whole)
        return self._base64_part if base64.size < quoted.size else self._quoted_part

    def part(self, content: Sequence[Content], *, eight_bit: bool = False) -> Part:
        """`content` encoded; as it is when `eight_bit` is allowed and its lines are short enough for that."""
        plain = EightBitPart(content, self._fields, self._plain) if eight_bit else None
        return plain if plain is not None and plain.fits else self._shorter(content)

    def _quoted_part(self, content: Sequence[Content]) -> "QuotedPart":
        return QuotedPart(content, self._fields, self._quoted)

    def _base64_part(self, content: Sequence[Content]) -> "Base64Part":
        return Base64Part(content, self._fields, self._aligned)


def octets_of(values: Mapping[str, str], fields: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """The values of `fields` for a text part and for an HTML part, where they are escaped.

    Raises BadInput for a missing one.
    """
    try:
        texts = [values[field] for field in fields]
    except KeyError:
        texts = [value_of(values, field) for field in fields]
    plain = [text.encode() for text in texts]
    joined = b"".join(plain)
    if len(joined.translate(None, _NOT_AS_IT_IS)) == len(joined):  # nearly everybody; 0.2 of five replacements each
        return plain, plain
    return [crlf(text) for text in texts], [crlf(html.escape(text)) for text in texts]


def quoted_printable(octets: bytes) -> bytes:
    """`octets` (CRLF) in lines of at most 76, from the start of a line; ends in a line end only if `octets` do."""
    if _QP_PLAIN(octets):  # a URL or one plain word
        return _wrap(octets)
    return b"\r\n".join(_wrap(_QP_ESCAPED.sub(_hex, line)) for line in octets.split(b"\r\n"))


def crlf(text: str) -> bytes:
    """UTF-8 with every kind of line end as CRLF."""
    if "\n" not in text and "\r" not in text:  # nearly every value
        return text.encode()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()


class QuotedPart:
    """Quoted-printable. Each value stands alone between soft line breaks: its length is nobody else's matter."""

    encoding = "quoted-printable"

    def __init__(
        self, content: Sequence[Content], fields: Sequence[str], encoded: dict[str, bytes] | None = None
    ) -> None:
        """`encoded` keeps literals already encoded, for parts that share them."""
        literals = {} if encoded is None else encoded
        self._pieces: list[bytes] = []
        self._slots: list[tuple[int, int]] = []
        for part in content:
            if self._pieces and not self._pieces[-1].endswith(b"\n"):  # everything begins where a line does
                self._pieces.append(b"=\r\n")
            if isinstance(part, Slot):
                self._slots.append((len(self._pieces), fields.index(part.field)))
                self._pieces += [b"", b"=\r\n"]
                continue
            if part not in literals:
                literals[part] = quoted_printable(crlf(part))
            self._pieces.append(literals[part])
        self.size = sum(map(len, self._pieces))

    def pieces(self, octets: Sequence[bytes]) -> list[bytes]:
        pieces = self._pieces.copy()  # threads share the compiled part
        encoded = {number: quoted_printable(octets[number]) for _, number in self._slots}
        for at, number in self._slots:
            pieces[at] = encoded[number]
        return pieces


class _Aligned(NamedTuple):
    """A literal whose first `head` octets (0 to 2) are left to the value before it."""

    head: bytes
    lines: bytes  # whole groups of three octets, encoded
    tail: bytes  # the 0 to 2 octets left over


class _Layout(NamedTuple):
    """Where everything of a base64 part stands, for values of certain lengths modulo three."""

    pieces: list[bytes]
    chunks: list[tuple[int, bytes, int, bytes]]  # (place, octets before, number of the value, octets after)
    compounds: list[list[bytes | int]]  # values that touch each other, numbered after the fields


class Base64Part:
    """Base64. A value shifts what follows by 0, 1 or 2 octets; each literal is kept encoded for all three cases.

    A value takes the octets left over before it and the head of the literal after it, and gets lines of its own; every
    line is a multiple of four characters, so that decoders which work line by line agree too. Where which octets go
    depends only on the lengths of the values modulo three, so that is laid out once for each such combination.
    """

    encoding = "base64"

    def __init__(
        self,
        content: Sequence[Content],
        fields: Sequence[str],
        encoded: dict[tuple[str, int], _Aligned] | None = None,
    ) -> None:
        """`encoded` keeps literals already encoded, for parts that share them."""
        self._literals = {} if encoded is None else encoded
        self._values = len(fields)
        self._content = [fields.index(part.field) if isinstance(part, Slot) else part for part in content]
        self._used = sorted({part for part in self._content if isinstance(part, int)})
        self._layouts: dict[bytes, _Layout] = {}
        self.size = sum(len(self._literal(part, 0).lines) for part in self._content if isinstance(part, str))

    def pieces(self, octets: Sequence[bytes]) -> list[bytes]:
        shifts = bytes([len(octets[number]) % 3 for number in self._used])
        layout = self._layouts.get(shifts) or self._lay_out(shifts)
        if layout.compounds:
            joined = (b"".join([octets[t] if isinstance(t, int) else t for t in terms]) for terms in layout.compounds)
            octets = [*octets, *joined]
        pieces = layout.pieces.copy()
        for at, before, number, after in layout.chunks:
            line = b2a_base64(before + octets[number] + after, newline=False)
            if len(line) <= _B64_LINE:
                pieces[at] = line
            else:  # a URL with a token takes two lines
                pieces[at] = line[:76] + b"\r\n" + line[76:] if len(line) <= 152 else _broken(line)
        return pieces

    def _lay_out(self, shifts: bytes) -> _Layout:
        """`shifts`: the lengths of the values used, modulo three."""
        shift_of = dict(zip(self._used, shifts, strict=True))
        layout = _Layout([], [], [])
        waiting: list[bytes | int] = []  # octets that wait for their group of three, values, short literals
        length = 0  # of what waits, modulo three
        for part in self._content:
            if isinstance(part, int):
                waiting.append(part)
                length = (length + shift_of[part]) % 3
                continue
            head, lines, tail = self._literal(part, -length % 3)
            if (length + len(head)) % 3:  # only when the literal is shorter than the head asked of it
                waiting.append(head)
                length = (length + len(head)) % 3
                continue
            self._close([*waiting, head], layout)
            layout.pieces.append(lines)
            waiting, length = [tail], len(tail)
        self._close(waiting, layout)
        if len(self._layouts) >= _MOST_LAYOUTS:
            self._layouts.clear()
        self._layouts[shifts] = layout
        return layout

    def _close(self, waiting: list[bytes | int], layout: _Layout) -> None:
        """Give what waits, a whole number of groups, lines of its own; a value among it is left open."""
        numbers = [at for at, term in enumerate(waiting) if isinstance(term, int)]
        if not numbers:
            layout.pieces.append(_base64_lines(_octets(waiting)))
            return
        first, last = numbers[0], numbers[-1]
        if first == last:
            number = waiting[first]
            assert isinstance(number, int)
        else:
            number = self._values + len(layout.compounds)
            layout.compounds.append(waiting[first : last + 1])
        chunk = (len(layout.pieces), _octets(waiting[:first]), number, _octets(waiting[last + 1 :]))
        layout.chunks.append(chunk)
        layout.pieces.extend((b"", b"\r\n"))

    def _literal(self, text: str, head: int) -> _Aligned:
        found = self._literals.get((text, head))
        if found is None:
            found = self._literals[text, head] = _aligned(crlf(text), head)
        return found


class EightBitPart:
    """The octets as they are, for a peer that offers 8BITMIME (RFC 6152). Not in relaxed form.

    Only for content of which no line begins with a dot: seeking them in each message takes 155 µs for 80 kB.
    """

    encoding = "8bit"

    def __init__(
        self, content: Sequence[Content], fields: Sequence[str], encoded: dict[str, bytes] | None = None
    ) -> None:
        """`encoded` keeps literals already encoded, for parts that share them."""
        literals = {} if encoded is None else encoded
        literals |= {part: crlf(part) for part in content if isinstance(part, str) and part not in literals}
        self._pieces = [b"" if isinstance(part, Slot) else literals[part] for part in content]
        self._slots = [(at, fields.index(part.field)) for at, part in enumerate(content) if isinstance(part, Slot)]
        self._used = {number for _, number in self._slots}
        self.size = sum(map(len, self._pieces))
        self.room = _room(self._pieces, {at for at, _ in self._slots})
        self.fits = self.room >= 0 and not _is_dotted(self._pieces)

    def pieces(self, octets: Sequence[bytes]) -> list[bytes]:
        """Raises Unfit when a value cannot stand in its line; such a message needs an encoding."""
        for number in self._used:
            value = octets[number]
            if len(value) > self.room or b"\0" in value or value[:1] == b"." or b"\n." in value:
                raise Unfit
        pieces = self._pieces.copy()
        for at, number in self._slots:
            pieces[at] = octets[number]
        return pieces


class Unfit(Exception):
    """What goes as 8bit with nobody: a line of more than 998 octets, a NUL (RFC 2045 section 2.8), a dot to be stuffed."""


def _room(pieces: Sequence[bytes], slots: Collection[int]) -> int:
    """The longest value that every line with slots has room for; below zero when a line is too long without any."""
    room, line, here = _LINE, 0, 0
    for at, piece in enumerate(pieces):
        here += at in slots
        for number, text in enumerate(piece.split(b"\r\n")):
            if number:
                room, line, here = min(room, _room_of(line, here)), 0, 0
            line += len(text)
    return -1 if any(b"\0" in piece for piece in pieces) else min(room, _room_of(line, here))


def _is_dotted(pieces: Sequence[bytes]) -> bool:
    """Whether a line begins with a dot, or would when the value before it is empty."""
    at_start = True
    for piece in pieces:
        if b"\n." in piece or (at_start and piece[:1] == b"."):
            return True
        at_start = piece[-1:] == b"\n" or (at_start and not piece)
    return False


def _room_of(line: int, slots: int) -> int:
    return (_LINE - line) // slots if slots else (_LINE if line <= _LINE else -1)


def _octets(terms: Sequence[bytes | int]) -> bytes:
    return b"".join(term for term in terms if isinstance(term, bytes))


def _aligned(octets: bytes, head: int) -> _Aligned:
    rest = octets[head:]
    whole = len(rest) - len(rest) % 3
    return _Aligned(octets[:head], _base64_lines(rest[:whole]), rest[whole:])


def _base64_lines(octets: bytes) -> bytes:
    return _broken(b2a_base64(octets, newline=False)) + b"\r\n" if octets else b""


def _broken(encoded: bytes) -> bytes:
    """Base64 broken into lines, without the last line end."""
    if len(encoded) <= 2 * _B64_LINE:  # a URL with a token
        return b"%b\r\n%b" % (encoded[:_B64_LINE], encoded[_B64_LINE:]) if len(encoded) > _B64_LINE else encoded
    return b"\r\n".join([encoded[at : at + _B64_LINE] for at in range(0, len(encoded), _B64_LINE)])


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
