"""Bodies off the wire, with a ceiling while they are unpacked: one 1.6 kB brotli chunk can become 1 GiB of memory.

Only gzip and deflate are asked for and taken. Must never inflate more than it was allowed before it looks.
"""

import zlib
from collections.abc import Iterable

from newsletter.errors import FetchRefused, Unreadable


def read_body(chunks: Iterable[bytes], *, encoding: str, max_body: int, cut: bool = False) -> bytes:
    """The body decoded from its `encoding`, a Content-Encoding header's value.

    Raises FetchRefused when it is larger than allowed, Unreadable when its encoding is broken. `cut`: of a larger one
    the first `max_body` bytes are taken, and no more is read.
    """
    inflate = _Inflater(encoding, max_body, cut=cut)
    for chunk in chunks:
        inflate.feed(chunk)
        if inflate.full:
            break
    return inflate.finish()


class _Inflater:
    """gzip and deflate with a ceiling, RFC 9110 8.4.1; `deflate` is zlib's format, or raw where servers err."""

    def __init__(self, encoding: str, ceiling: int, *, cut: bool) -> None:
        self._name, self._ceiling, self._out, self._raw = encoding.strip().lower(), ceiling, bytearray(), False
        self._cut, self.full = cut, False
        if self._name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Unreadable(f"the content encoding {self._name[:40]!r} was not asked for")
        self._zip = None if self._name in ("", "identity") else zlib.decompressobj(47)

    def feed(self, chunk: bytes) -> None:
        while chunk and not self.full:
            room = self._ceiling + 1 - len(self._out)
            if self._zip is None:
                self._out += chunk
                chunk = b""
            else:
                chunk = self._inflate(chunk, room)
            self.full = self._cut and len(self._out) >= self._ceiling
            if len(self._out) > self._ceiling and not self._cut:
                raise FetchRefused(f"the text is larger than {self._ceiling >> 20} MB when unpacked")

    def _inflate(self, chunk: bytes, room: int) -> bytes:
        """Takes `chunk` in; returns what is left of it for the next gzip member."""
        assert self._zip is not None
        if self._zip.eof:  # padding or a further member (RFC 1952 2.2)
            if not chunk.startswith(b"\x1f\x8b"):
                return b""
            self._zip = zlib.decompressobj(47)
        try:
            self._out += self._zip.decompress(chunk, room)
        except zlib.error as error:
            if self._out or self._raw or self._name != "deflate":
                raise Unreadable(f"the {self._name} packing of the answer is broken") from error
            self._zip, self._raw = zlib.decompressobj(-15), True
            return chunk
        return self._zip.unused_data

    def finish(self) -> bytes:
        if self._zip is not None and not self._zip.eof and self._out and not self.full:
            raise Unreadable(f"the {self._name} packing of the answer breaks off")
        return bytes(self._out[: self._ceiling])
