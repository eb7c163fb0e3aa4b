"""An SMTP relay on loopback that follows a script: what it offers, and what it answers where, in threads of its own.

It is as strict as real ones where that matters: a nested MAIL is refused, a failed BDAT leaves its transaction open, and a
recipient accepted into an open transaction gets whatever content comes next.
"""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO

LOCK_STEP: tuple[str, ...] = ("SIZE 10000000", "8BITMIME", "SMTPUTF8")
PIPELINED = (*LOCK_STEP, "PIPELINING")
CHUNKED = (*PIPELINED, "CHUNKING")


@dataclass(frozen=True)
class Heard:
    """What a script is asked about. `verb` is EHLO, AUTH, MAIL, RCPT, DATA, BDAT, "content", RSET, QUIT, or "dial"."""

    verb: str
    line: str
    rcpt: str  # of the open transaction, or that this RCPT names
    connection: int  # from 1
    message: int  # on this connection, from 1


@dataclass(frozen=True)
class Kept:
    mail_from: str
    rcpt: str
    content: bytes


class Close(Exception):
    """Raised by a script: end the connection here. `say` goes out before."""

    def __init__(self, say: bytes = b"") -> None:
        self.say = say


Script = Callable[[Heard], bytes | None]  # None: what a healthy relay answers


@dataclass
class _Talk:
    line: socket.socket
    reader: IO[bytes]
    connection: int
    message: int = 0
    mail_from: str | None = None
    rcpts: list[str] = field(default_factory=list)


class Relay:
    """`with Relay(CHUNKED, script) as relay:`; `relay.kept` is what it took responsibility for, in order."""

    def __init__(
        self,
        offers: tuple[str, ...] = CHUNKED,
        script: Script = lambda heard: None,
        *,
        tls: ssl.SSLContext | None = None,
        split: bool = False,
        data_without_recipient: bool = False,
    ) -> None:
        self.offers, self.script, self._tls, self._split = offers, script, tls, split
        self._data_without_recipient = data_without_recipient
        self.kept: list[Kept] = []
        self.said: list[str] = []  # every command line, in order
        self.connections = 0
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "Relay":
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in list(self.kept):
            found[one.rcpt] = found.get(one.rcpt, 0) + 1
        return found

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            thread = threading.Thread(target=self._serve, args=(line, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket, number: int) -> None:
        with suppress(OSError, Close, ValueError):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                line = self._tls.wrap_socket(line, server_side=True)
            with line, line.makefile("rb") as reader:
                self._converse(_Talk(line, reader, number))

    def _converse(self, talk: _Talk) -> None:
        self._answer(talk, "dial", "", b"220 relay ESMTP\r\n")
        while raw := talk.reader.readline():
            line = raw.decode().rstrip("\r\n")
            self.said.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "BDAT":
                self._chunk(talk, line)
            elif verb == "DATA":
                self._data(talk, line)
            elif verb == "QUIT":
                self._answer(talk, verb, line, b"221 2.0.0 bye\r\n")
                return
            else:
                self._command(talk, verb, line)

    def _command(self, talk: _Talk, verb: str, line: str) -> None:
        if verb == "EHLO":
            lines = ["relay.example", *self.offers]
            self._answer(
                talk,
                verb,
                line,
                "".join(f"250-{one}\r\n" for one in lines[:-1]).encode() + f"250 {lines[-1]}\r\n".encode(),
            )
        elif verb == "MAIL":
            talk.message += 1
            fine = b"250 2.1.0 ok\r\n" if talk.mail_from is None else b"503 5.5.1 nested MAIL\r\n"
            if self._answer(talk, verb, line, fine).startswith(b"2"):
                talk.mail_from, talk.rcpts = _path(line), []
        elif verb == "RCPT":
            fine = b"250 2.1.5 ok\r\n" if talk.mail_from is not None else b"503 5.5.1 MAIL first\r\n"
            if self._answer(talk, verb, line, fine).startswith(b"2"):
                talk.rcpts.append(_path(line))
        else:
            if verb == "RSET":
                talk.mail_from, talk.rcpts = None, []
            self._answer(talk, verb, line, b"250 2.0.0 ok\r\n")

    def _data(self, talk: _Talk, line: str) -> None:
        ready = bool(talk.rcpts) or self._data_without_recipient
        if not self._answer(talk, "DATA", line, b"354 go on\r\n" if ready else b"503 5.5.1 RCPT first\r\n").startswith(
            b"354"
        ):
            return
        content = b""
        while (raw := talk.reader.readline()) != b".\r\n":
            if not raw:
                raise Close
            content += raw[1:] if raw.startswith(b".") else raw
        self._take(talk, content)
        talk.mail_from, talk.rcpts = None, []

    def _chunk(self, talk: _Talk, line: str) -> None:
        size = int(line.split(" ")[1])
        content = talk.reader.read(size)
        if len(content) < size:
            raise Close
        if self._take(talk, content).startswith(b"2"):
            talk.mail_from, talk.rcpts = None, []

    def _take(self, talk: _Talk, content: bytes) -> bytes:
        """Responsibility is taken before the reply leaves: a line that breaks in between is what `unknown` means."""
        rcpts = list(talk.rcpts)
        heard = self._heard(talk, "content", "")
        closing: Close | None = None
        try:
            scripted = self.script(heard)
        except Close as close:
            scripted, closing = b"", close
        said = scripted or (b"250 2.0.0 queued\r\n" if rcpts else b"554 5.5.1 no valid recipients\r\n")
        if rcpts and said.startswith(b"2"):
            with self._lock:
                self.kept.append(Kept(talk.mail_from or "", rcpts[0], content))
        if closing is not None:
            raise closing
        self._say(talk, said)
        return said

    def _heard(self, talk: _Talk, verb: str, line: str) -> Heard:
        rcpt = _path(line) if verb == "RCPT" else next(iter(talk.rcpts), "")
        return Heard(verb, line, rcpt, talk.connection, talk.message)

    def _answer(self, talk: _Talk, verb: str, line: str, fine: bytes) -> bytes:
        try:
            said = self.script(self._heard(talk, verb, line)) or fine
        except Close as close:
            if close.say:
                self._leave(talk, close.say)
            raise
        self._say(talk, said)
        return said

    def _leave(self, talk: _Talk, said: bytes) -> None:
        """Last words, then the rest of the input is read away: a close with unread input may take the words along (RST)."""
        self._say(talk, said)
        with suppress(OSError):
            talk.line.shutdown(socket.SHUT_WR)
        while talk.reader.read(65536):
            pass

    def _say(self, talk: _Talk, said: bytes) -> None:
        if not self._split:
            talk.line.sendall(said)
            return
        for at in range(len(said)):
            talk.line.sendall(said[at : at + 1])


def _path(line: str) -> str:
    found = re.search(r"<([^>]*)>", line)
    return found[1] if found else ""
