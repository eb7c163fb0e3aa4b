"""Transport `smtp`: one message at a time on a reused connection (RFC 5321), TLS verified, with AUTH.

A client of our own, because the intent must be durable between the body and the final dot, and no library stops there.
Certain outcomes stay certain: a refusal before the dot, or a connection lost before it, was not sent; only a connection
lost after the dot is `unknown`.
"""

import base64
import socket
import ssl
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.errors import BadInput, ConfigError, TransportDown
from newsletter.mail.replies import Reply, ReplyKind, classify, mask_addresses, reply_of
from newsletter.settings import Smtp
from subscribers import Address, reveal

FINAL_DOT_TIMEOUT = 600.0  # seconds; RFC 5321 4.5.3.2.6: giving up earlier makes doubles
LONGEST_LINE = 4096  # octets; RFC 5321 4.5.3.1.5 says 512, some servers send more
MOST_LINES = 200  # of one reply; a server that never ends its reply is cut off


class SmtpTransport:
    """`settings.connections` threads at most, each with one connection of its own."""

    name = "smtp"
    batch = 1  # lock-step: one message between intent and result

    def __init__(self, settings: Smtp, *, ehlo_name: str) -> None:
        self.settings, self.ehlo_name = settings, settings.ehlo_name or ehlo_name
        self.connections = settings.connections
        self._tls = _tls_context(settings.ca_file) if settings.security != "none" else None

    def open(self) -> "SmtpSession":
        session = SmtpSession(self)
        session.connect()
        return session

    def tls(self) -> ssl.SSLContext | None:
        return self._tls


class _Lost(Exception):
    """The line broke, or the peer broke the protocol. What it means depends on where in the dialogue it happened."""


class _Line:
    """A connection with bounded replies: in length, in lines, and in time as a whole."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""

    def write(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise _Lost(str(error) or type(error).__name__) from error

    def read(self, timeout: float) -> Reply:
        """The whole reply. Raises _Lost at end of file, when `timeout` seconds are over, or for a reply that is none."""
        code, lines = self.read_lines(timeout)
        return reply_of(code, "\n".join(lines))

    def read_lines(self, timeout: float) -> tuple[int, list[str]]:
        deadline = time.monotonic() + timeout
        lines: list[str] = []
        while len(lines) < MOST_LINES:
            raw = self._line(deadline)
            if not raw[:3].isdigit() or raw[:1] not in b"2345":
                raise _Lost("the server's reply is no SMTP reply")
            lines.append(raw[4:].decode("utf-8", "replace").strip())
            if raw[3:4] != b"-":
                return int(raw[:3]), lines
        raise _Lost("the server's reply never ends")

    def _line(self, deadline: float) -> bytes:
        """One line without its end; what is longer than LONGEST_LINE is read and dropped, for its code still counts."""
        kept = b""
        while True:
            head, end, rest = self._buffer.partition(b"\n")
            kept = (kept + head)[:LONGEST_LINE]
            if end:
                self._buffer = rest
                return kept.rstrip(b"\r")
            self._buffer = self._receive(deadline)

    def _receive(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        try:
            self.sock.settimeout(max(left, 0.001))
            data = self.sock.recv(1 << 16) if left > 0 else b""
        except TimeoutError as error:
            raise _Lost("no whole reply in time") from error
        except OSError as error:
            raise _Lost(str(error) or type(error).__name__) from error
        if not data:
            raise _Lost("the server closed the connection" if left > 0 else "no whole reply in time")
        return data

    def close(self) -> None:
        self.sock.close()


class SmtpSession:
    """One connection. After a loss it connects again by itself for the next message."""

    def __init__(self, transport: SmtpTransport) -> None:
        self._transport, self._settings = transport, transport.settings
        self._line: _Line | None = None
        self._extensions: dict[str, str] = {}
        self._sent_here = 0

    # ------------------------------------------------------------ connecting

    def connect(self) -> None:
        """Greeting, EHLO, TLS, AUTH. Raises TransportDown with one line that says what to do."""
        try:
            self._line = self._dial()
            self._expect(self._line.read(self._settings.timeout), 220, "the greeting")
            self._hello()
            if self._settings.security == "starttls":
                self._start_tls()
                self._hello()
            if self._settings.username is not None:
                self._log_in()
        except _Lost as error:
            self._drop()
            raise self._down(str(error)) from error
        except TransportDown:
            self._drop()
            raise
        self._sent_here = 0

    def _dial(self) -> _Line:
        where = (self._settings.host, self._settings.port)
        try:
            sock = socket.create_connection(where, timeout=min(self._settings.timeout, 30))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # 44 ms a message over TLS without it
        except OSError as error:
            raise self._down(f"cannot connect: {error.strerror or error}", "is host and port right?") from error
        return _Line(self._wrapped(sock) if self._settings.security == "tls" else sock)

    def _wrapped(self, sock: socket.socket) -> socket.socket:
        context = self._transport.tls()
        assert context is not None, "made when security is not none"
        try:
            return context.wrap_socket(sock, server_hostname=self._settings.host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise self._down(
                f"its certificate is not trusted: {error.verify_message}", "transport.smtp.ca_file adds a trusted root"
            ) from error
        except OSError as error:
            sock.close()
            raise self._down(f"TLS failed: {error}", "transport.smtp.security says tls or starttls") from error

    def _hello(self) -> None:
        assert self._line is not None
        self._line.write(f"EHLO {self._transport.ehlo_name}\r\n".encode())
        code, lines = self._line.read_lines(self._settings.timeout)
        self._expect(reply_of(code, "\n".join(lines)), 250, "EHLO")
        words = (line.split(maxsplit=1) for line in lines[1:] if line)
        self._extensions = {first.upper(): " ".join(rest) for first, *rest in words}

    def _start_tls(self) -> None:
        if "STARTTLS" not in self._extensions:
            raise self._down("it does not offer STARTTLS", 'security = "tls" or "none" if that is meant')
        self._expect(self._command("STARTTLS"), 220, "STARTTLS")
        assert self._line is not None
        self._line = _Line(self._wrapped(self._line.sock))

    def _log_in(self) -> None:
        mechanisms = self._extensions.get("AUTH", "").upper().split()
        user = self._settings.username or ""
        password = self._settings.password.get_secret_value() if self._settings.password else ""
        if "PLAIN" in mechanisms:
            reply = self._command("AUTH PLAIN " + _base64(f"\0{user}\0{password}"))
        elif "LOGIN" in mechanisms:
            self._expect(self._command("AUTH LOGIN"), 334, "AUTH LOGIN")
            self._expect(self._command(_base64(user)), 334, "the user name")
            reply = self._command(_base64(password))
        else:
            raise self._down("it offers neither AUTH PLAIN nor LOGIN", "on this port without TLS it may not")
        if reply.code != 235:
            raise self._down(f"it refuses the user name or password: {_words(reply)}", "check transport.smtp")

    def _command(self, line: str) -> Reply:
        assert self._line is not None
        self._line.write(line.encode() + b"\r\n")
        return self._line.read(self._settings.timeout)

    def _expect(self, reply: Reply, code: int, what: str) -> None:
        if reply.code != code:
            raise self._down(f"{what} was answered {_words(reply)}")

    def _down(self, what: str, hint: str = "") -> TransportDown:
        return TransportDown(what, where=f"smtp {self._settings.host}:{self._settings.port}", hint=hint)

    # ------------------------------------------------------------ sending

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        return [self._send_one(outgoing, permit) for outgoing in batch]

    def _send_one(self, outgoing: Outgoing, permit: Permit) -> Outcome:
        mime = outgoing.message.mime()
        if self._sent_here >= self._settings.messages_per_connection:
            self.close()
        if self._line is None:
            self.connect()
        try:
            refused = self._envelope(outgoing, len(mime))
            if refused is not None:
                return refused
            return self._content(outgoing, mime, permit)
        except _Lost as error:
            # Before the dot nothing was sent. A connection that was kept too long breaks like this: try again soon.
            self._drop()
            return Outcome(fate=Fate.RETRY, reply=f"before the end of the message: {error}")

    def _envelope(self, outgoing: Outgoing, size: int) -> Outcome | None:
        """MAIL, RCPT, DATA. None when the server waits for the message."""
        sender = f"MAIL FROM:<{outgoing.message.mail_from}>" + (f" SIZE={size}" if "SIZE" in self._extensions else "")
        recipient = f"RCPT TO:<{_reachable(outgoing.message.rcpt)}>"
        for line, fine in ((sender, (250,)), (recipient, (250, 251)), ("DATA", (354,))):
            reply = self._command(line)
            if reply.code not in fine:
                outcome = self._refused(reply, outgoing)
                self._reset()
                return outcome
        return None

    def _reset(self) -> None:
        """Ready for the next message; a peer that closed after its refusal is dialled again for it."""
        if self._line is None:
            return
        try:
            self._command("RSET")
        except _Lost:
            self._drop()

    def _content(self, outgoing: Outgoing, mime: bytes, permit: Permit) -> Outcome:
        line = self._line
        assert line is not None
        line.write(_stuffed(mime))
        if outgoing.person_id not in permit([outgoing]):
            self._drop()  # the only way to take a begun message back (RFC 5321 4.1.1.4: no dot, no message)
            return Outcome(fate=Fate.REFUSED)
        try:
            line.write(b".\r\n")
            reply = line.read(max(FINAL_DOT_TIMEOUT, self._settings.timeout))
        except _Lost as error:
            self._drop()
            return Outcome(fate=Fate.UNKNOWN, reply=f"after the end of the message: {error}")
        self._sent_here += 1
        words = _words(reply, outgoing.message.rcpt)
        if reply.code < 300:  # RFC 5321 4.3.2: any 2yz says that the server has it
            return Outcome(fate=Fate.ACCEPTED, reply=words)
        if reply.code < 400:
            self._drop()
            return Outcome(fate=Fate.UNKNOWN, reply=f"after the end of the message: {words}")
        return self._refused(reply, outgoing)

    def _refused(self, reply: Reply, outgoing: Outgoing) -> Outcome:
        words = _words(reply, outgoing.message.rcpt)
        if reply.code < 400:  # an answer that does not belong here: the dialogue is out of step, nothing was sent
            self._drop()
            return Outcome(fate=Fate.RETRY, reply=f"out of step: {words}")
        judged = classify(reply)
        if judged.closing:
            self._drop()
        if judged.kind is ReplyKind.AUTH:
            self._drop()
            down = f"it does not relay for us: {words}" if reply.code >= 500 else ""  # 454: only for a while
            return Outcome(fate=Fate.RETRY, reply=words, down=down)
        if judged.permanent:
            return Outcome(fate=Fate.REJECTED, reply=words, kind=judged.kind.value)
        return Outcome(fate=Fate.RETRY, reply=words, retry_after=timedelta(minutes=5))

    # ------------------------------------------------------------ ending

    def close(self) -> None:
        """QUIT, so that the server need not wait for us; whatever it answers, the connection ends."""
        if self._line is not None:
            try:
                self._line.write(b"QUIT\r\n")
                self._line.read(5)
            except _Lost:
                pass
            self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"no certificate can be read: {error}", where=str(ca_file)) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _stuffed(mime: bytes) -> bytes:
    """Dots at line starts doubled (RFC 5321 4.5.2). Compiled bodies have none; the search costs a memory scan."""
    if b"\r\n." in mime:
        mime = mime.replace(b"\r\n.", b"\r\n..")
    return mime if mime.endswith(b"\r\n") else mime + b"\r\n"


def _reachable(address: Address) -> str:
    text = reveal(address)
    if any(character in text for character in "\r\n<>\0 "):
        raise BadInput("an address holds what no envelope may hold")  # the door refuses such; never seen
    return text


def _words(reply: Reply, rcpt: Address | None = None) -> str:
    code = f"{reply.code} {reply.enhanced} " if reply.enhanced else f"{reply.code} "
    return code + mask_addresses(" ".join(reply.text.split())[:400], rcpt=rcpt)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
