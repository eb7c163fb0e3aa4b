"""A connection with bounded replies: in length, in lines, and in time as a whole. Knows nothing of mail."""

import socket
import ssl
import struct
import time

LONGEST_LINE = 4096  # octets kept of a line; RFC 5321 4.5.3.1.5 says 512, some servers send more
MOST_LINES = 200  # of one reply; a server that never ends its reply is cut off
_RECORD = 16_384  # octets of a TLS record at most: what a failed write may have carried (RFC 8446 section 5.1)
_CODES = {b"%d" % code: code for code in range(200, 600)}


class Lost(Exception):
    """The line broke, or the peer broke the protocol. What it means depends on where in the dialogue it happened."""


class Line:
    """`written`: octets that may have left; never less than what the peer can have got."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.number, self.written = sock, sock.fileno(), 0
        self._secure = isinstance(sock, ssl.SSLSocket)
        self._buffer, self._at = b"", 0
        self._timeout = 0.0
        self._wait(sock.gettimeout() or 60.0)

    def _wait(self, timeout: float) -> None:
        """How long one step may take. By the kernel on a plain socket: Python's own time-out polls before each call."""
        self._timeout = timeout
        if self._secure:
            self.sock.settimeout(timeout)
            return
        whole = int(timeout)
        limit = struct.pack("ll", whole, int((timeout - whole) * 1e6) or (not whole))
        self.sock.settimeout(None)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def write(self, *parts: bytes) -> None:
        """All of it, in as few packets as may be. Each step may take the time-out of the last reading (RFC 5321 4.5.3.2.5)."""
        try:
            sent = 0 if self._secure else self.sock.sendmsg(parts)
            self.written += sent
            if sent < sum(map(len, parts)):
                self._write_rest(memoryview(b"".join(parts))[sent:])
        except OSError as error:
            raise Lost(str(error) or type(error).__name__) from error

    def _write_rest(self, rest: memoryview) -> None:
        while rest:
            try:
                sent = self.sock.send(rest)
            except OSError:
                if self._secure:
                    self.written += min(len(rest), _RECORD)
                raise
            self.written += sent
            rest = rest[sent:]

    def read(self, timeout: float) -> tuple[int, bytes]:
        """The code of the next reply, and its lines without it, joined by LF.

        Raises Lost at end of file, when `timeout` seconds are over, or for a reply that is none.
        """
        deadline = time.monotonic() + timeout
        lines: list[bytes] = []
        while len(lines) < MOST_LINES:
            raw = self._ready()
            if raw is None:
                raw = self._fetch(deadline, timeout)
            code = _CODES.get(raw[:3])
            if code is None:
                raise Lost("the server's reply is no SMTP reply")
            lines.append(raw[4:])
            if raw[3:4] != b"-":
                return code, lines[0] if len(lines) == 1 else b"\n".join(lines)
        raise Lost("the server's reply never ends")

    def take(self, most: int) -> list[tuple[int, bytes]]:
        """The replies that have come whole, as `read`, `most` of them at most; waits for nothing. Raises Lost."""
        try:
            data = self._received_already()
        except (ssl.SSLWantReadError, BlockingIOError):
            return []
        except OSError as error:
            raise Lost(str(error) or type(error).__name__) from error
        *lines, rest = (self._buffer[self._at :] + data if self._buffer else data).split(b"\n")
        found: list[tuple[int, bytes]] = []
        said: list[bytes] = []  # of a reply of several lines
        whole = 0  # lines of replies that are complete
        for number, raw in enumerate(lines, 1):
            if len(found) == most and not said:
                break
            code = _CODES.get(raw[:3])
            if code is None:
                raise Lost("the server's reply is no SMTP reply")
            text = raw[4:LONGEST_LINE].rstrip(b"\r")
            if raw[3:4] == b"-":
                said.append(text)
                continue
            found.append((code, b"\n".join([*said, text]) if said else text))
            said, whole = [], number
        self._buffer, self._at = b"\n".join([*lines[whole:], rest]) if whole < len(lines) else rest, 0
        if not data and not found:  # what was said before the end counts first
            raise Lost("the server closed the connection")
        if len(lines) - whole > MOST_LINES or len(rest) > MOST_LINES * LONGEST_LINE:
            raise Lost("the server's reply never ends")
        return found

    def _received_already(self) -> bytes:
        if not self._secure:
            return self.sock.recv(1 << 16, socket.MSG_DONTWAIT)
        self.sock.settimeout(0.0)
        try:
            return self.sock.recv(1 << 16)
        finally:
            self.sock.settimeout(self._timeout)

    @property
    def hidden(self) -> bool:
        """Whether TLS holds octets that the socket does not tell of any more."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def _ready(self) -> bytes | None:
        """A line that has already come; None when there is none."""
        end = self._buffer.find(b"\n", self._at)
        if end < 0:
            return None
        raw = self._buffer[self._at : min(end, self._at + LONGEST_LINE)]
        self._at = end + 1
        return raw.rstrip(b"\r")

    def _fetch(self, deadline: float, timeout: float) -> bytes:
        """A line that has yet to come; what is longer than LONGEST_LINE is read and dropped, for its code still counts."""
        kept = self._buffer[self._at :]
        while True:
            head, end, rest = self._receive(deadline, timeout).partition(b"\n")
            kept = (kept + head)[:LONGEST_LINE]
            if end:
                self._buffer, self._at = rest, 0
                return kept.rstrip(b"\r")

    def _receive(self, deadline: float, timeout: float) -> bytes:
        if self._timeout != timeout:
            self._wait(timeout)
        try:
            data = self.sock.recv(1 << 16)
        except (TimeoutError, BlockingIOError) as error:
            raise Lost("no whole reply in time") from error
        except OSError as error:
            raise Lost(str(error) or type(error).__name__) from error
        if not data:
            raise Lost("the server closed the connection")
        if time.monotonic() > deadline:
            raise Lost("no whole reply in time")
        return data

    def close(self) -> None:
        self.sock.close()
