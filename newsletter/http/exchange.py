"""One question and its answer over a line of the guard's.

A collecting cycle is mostly conditional requests, and there httpx costs 0.33 to 0.51 ms of CPU each beside 0.15 ms here
with the standard library's parser of heads, which answer.py has replaced since; httpx stays the client for mail
providers. Must never follow a redirect, read past its bound of bytes, or leave a line in store on which anything was
left unread.
"""

import io
import re
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from newsletter.errors import FetchRefused
from newsletter.http.answer import Body, Disconnected, Head, read_head
from newsletter.http.guard import Guard
from newsletter.http.wire import Wire

_IDLE = 15.0  # seconds a line is kept after its answer: long enough for the next page of a paced source
_MOST_IDLE = 40
_BLOCK = 1 << 16
_PLAIN = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*\Z")

_Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`headers`: names in lower case, the first value of each, latin-1 byte for byte. `chunks` may be read once."""

    status: int
    reason: str
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


@dataclass(slots=True)
class _Line:
    stream: Wire
    since: float = 0.0


class Lines:
    """Lines to origins, each used by one question at a time; safe to share between threads."""

    def __init__(self, guard: Guard, context: ssl.SSLContext, *, connect: float, read: float, most: int) -> None:
        """`connect`, `read`: seconds at most for each; `most`: bytes of one answer, its head included."""
        self._guard, self._context = guard, context
        self._connect, self._read, self._most = connect, read, most
        self._idle: OrderedDict[_Origin, _Line] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
        """Ask for `url`, which has passed `check_form`. Raises FetchRefused (guard, too large), Unreadable (not HTTP,
        breaks off), httpcore's errors (line, time)."""
        origin, target, host = _address(url)
        fields = {"Host": host, **headers}
        request = "".join([f"GET {target} HTTP/1.1\r\n", *(f"{name}: {fields[name]}\r\n" for name in fields), "\r\n"])
        line, head, body = self._asked(origin, request.encode("latin-1"))
        try:
            yield Answer(status=head.status, reason=head.reason, headers=head.headers, chunks=body.chunks())
        finally:
            self._put_back(origin, line) if body.is_whole and not head.closes else line.stream.close()

    def _asked(self, origin: _Origin, request: bytes) -> tuple[_Line, Head, Body]:
        """The line and the answer's head. A line in store may have died meanwhile: then once more on a fresh one."""
        stored = self._take(origin)
        if stored is not None:
            try:
                return stored, *self._ask(stored, request)
            except (Disconnected, httpcore.NetworkError):
                pass
        line = _Line(self._opened(origin))
        return line, *self._ask(line, request)

    def _opened(self, origin: _Origin) -> Wire:
        scheme, host, port = origin
        stream = self._guard.connect_tcp(host, port, timeout=self._connect)
        if scheme == "https":
            stream = stream.start_tls(self._context, server_hostname=host, timeout=self._connect)
        return stream

    def _ask(self, line: _Line, request: bytes) -> tuple[Head, Body]:
        """The head of the answer; a line that fails is closed."""
        try:
            line.stream.write(request, self._read)
            reader = io.BufferedReader(_Incoming(line.stream, read=self._read, most=self._most), _BLOCK)
            head = read_head(reader)
            return head, Body(reader, head)
        except BaseException:
            line.stream.close()
            raise

    def _take(self, origin: _Origin) -> _Line | None:
        with self._lock:
            line = self._idle.pop(origin, None)
        if line is None:
            return None
        if time.monotonic() - line.since > _IDLE or line.stream.get_extra_info("is_readable"):
            line.stream.close()  # too old, or the peer has closed it or said something nobody asked for
            return None
        return line

    def _put_back(self, origin: _Origin, line: _Line) -> None:
        line.since = time.monotonic()
        with self._lock:
            over = [self._idle.pop(origin, None)]
            self._idle[origin] = line
            over += [self._idle.popitem(last=False)[1]] if len(self._idle) > _MOST_IDLE else []
        for old in over:
            if old is not None:
                old.stream.close()

    def close(self) -> None:
        with self._lock:
            lines, self._idle = list(self._idle.values()), OrderedDict()
        for line in lines:
            line.stream.close()


class _Incoming(io.RawIOBase):
    """What comes over the line, counted."""

    def __init__(self, stream: Wire, *, read: float, most: int) -> None:
        self._stream, self._timeout, self._most, self._count = stream, read, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer), self._timeout)
        self._count += len(data)
        if self._count > self._most:
            raise FetchRefused(f"the answer is larger than {self._most >> 20} MB")
        buffer[: len(data)] = data
        return len(data)


def _address(url: str) -> tuple[_Origin, str, str]:
    """(origin, request target, Host), RFC 9112 3.2. Raises httpx.InvalidURL."""
    if not _PLAIN.match(url):  # quoted and written in ASCII by the rules of RFC 3986 and IDNA
        whole = httpx.URL(url)
        url = f"{whole.scheme}://{whole.netloc.decode('ascii')}{whole.raw_path.decode('ascii')}"
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return (parts.scheme, parts.hostname or "", port), target, parts.netloc
