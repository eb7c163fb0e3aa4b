"""From nothing to a connection that takes mail: dial, greeting, EHLO, TLS with a verified certificate, AUTH.

Every failure is a TransportDown with one line that says what to do. Mail never goes in the clear where TLS was asked for.
"""

import base64
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from newsletter import tls
from newsletter.deliver.smtp.dialogue import words_of
from newsletter.deliver.smtp.line import Line, Lost
from newsletter.deliver.smtp.offers import Offers, offers_of
from newsletter.errors import ConfigError, TransportDown
from newsletter.mail.replies import Reply, reply_of
from newsletter.settings.smtp import Relay, Smtp

DIAL_TIMEOUT = 30.0  # seconds at most for the TCP connection itself


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and names verified, TLS 1.2 at least. Raises ConfigError when `ca_file` cannot be read."""
    if ca_file is None:
        return _usual_context()
    context = _usual_context.__wrapped__()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificate can be read: {error}", where=str(ca_file)) from error
    return context


@lru_cache(maxsize=1)  # reading the system's roots takes 20 ms of CPU
def _usual_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Door:
    """Opens connections to one relay."""

    def __init__(self, relay: Relay, settings: Smtp, *, ehlo_name: str, tls: ssl.SSLContext) -> None:
        self.relay, self._settings, self._name, self._tls = relay, settings, ehlo_name, tls

    def open(self) -> tuple[Line, Offers]:
        """A connection ready for its first message. Raises TransportDown."""
        line = self._dial()
        try:
            _expect(self._read(line), 220, "the greeting")
            offers = self._hello(line)
            if self.relay.security == "starttls":
                line = self._secured(line, offers)
                offers = self._hello(line)  # what was said in the clear does not count (RFC 3207 section 4.2)
            if self.relay.username is not None:
                self._log_in(line, offers)
        except (Lost, _Refused) as error:
            line.close()
            raise self._down(str(error), error.hint if isinstance(error, _Refused) else "") from error
        except BaseException:
            line.close()
            raise
        return line, offers

    def _dial(self) -> Line:
        where = (self.relay.host, self.relay.port)
        try:
            sock = socket.create_connection(where, timeout=min(self._settings.timeout, DIAL_TIMEOUT))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # 44 ms a message over TLS without it
        except OSError as error:
            raise self._down(f"cannot connect: {error.strerror or error}", "is host and port right?") from error
        return Line(self._wrapped(sock) if self.relay.security == "tls" else sock)

    def _wrapped(self, sock: socket.socket) -> ssl.SSLSocket:
        try:
            return self._tls.wrap_socket(sock, server_hostname=self.relay.host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            what, hint = tls.told(error)
            raise self._down(what, hint.replace("ca_file", "transport.smtp.ca_file")) from error
        except (OSError, ValueError) as error:  # ValueError: a host that no certificate can name
            sock.close()
            raise self._down(tls.told(error)[0], "transport.smtp.security says tls or starttls") from error

    def _secured(self, line: Line, offers: Offers) -> Line:
        if not offers.starttls:
            raise _Refused("it does not offer STARTTLS", 'security = "tls" or "none" if that is meant')
        _expect(self._command(line, "STARTTLS"), 220, "STARTTLS")
        return Line(self._wrapped(line.sock))  # a new Line: nothing said before the handshake is believed

    def _hello(self, line: Line) -> Offers:
        line.write(f"EHLO {self._name}\r\n".encode())
        code, text = line.read(self._settings.timeout)
        _expect(reply_of(code, text), 250, "EHLO")
        lines = text.decode("utf-8", "replace").split("\n")
        return offers_of(lines, pipelining=self._settings.pipelining, chunking=self._settings.chunking)

    # ------------------------------------------------------------ AUTH (RFC 4954)

    def _log_in(self, line: Line, offers: Offers) -> None:
        wanted = [self.relay.auth.upper()] if self.relay.auth != "auto" else ["PLAIN", "LOGIN"]
        mechanism = next((name for name in wanted if name in offers.auth), None)
        if mechanism is None:
            names = " nor ".join(wanted)
            raise _Refused(
                f"it offers {'neither ' if len(wanted) > 1 else 'no '}AUTH {names}",
                "on this port without TLS it may not",
            )
        reply = _MECHANISMS[mechanism](self, line, self.relay.username or "", self._secret())
        if reply.code != 235:
            raise _Refused(f"it refuses the user name or password: {words_of(reply)}", "check transport.smtp")

    def _secret(self) -> str:
        """The password or token. A file is read at each connection: a token that is refreshed there counts at once."""
        path = self.relay.secret_file
        if path is None:
            return self.relay.password.get_secret_value() if self.relay.password else ""
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _Refused(f"{path} cannot be read", "transport.smtp.secret_file holds the password") from error

    def _plain(self, line: Line, user: str, secret: str) -> Reply:
        return self._command(line, "AUTH PLAIN " + _base64(f"\0{user}\0{secret}"))  # RFC 4616

    def _login(self, line: Line, user: str, secret: str) -> Reply:
        _expect(self._command(line, "AUTH LOGIN"), 334, "AUTH LOGIN")
        _expect(self._command(line, _base64(user)), 334, "the user name")
        return self._command(line, _base64(secret))

    def _xoauth2(self, line: Line, user: str, secret: str) -> Reply:
        """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol; Microsoft's servers take the same."""
        reply = self._command(line, "AUTH XOAUTH2 " + _base64(f"user={user}\1auth=Bearer {secret}\1\1"))
        if reply.code == 334:  # the reason, in JSON; an empty line asks for the refusal itself
            reply = self._command(line, "")
        return reply

    # ------------------------------------------------------------ replies

    def _command(self, line: Line, command: str) -> Reply:
        line.write(command.encode() + b"\r\n")
        return self._read(line)

    def _read(self, line: Line) -> Reply:
        return reply_of(*line.read(self._settings.timeout))

    def _down(self, what: str, hint: str = "") -> TransportDown:
        return TransportDown(what, where=f"smtp {self.relay.host}:{self.relay.port}", hint=hint)


_MECHANISMS: dict[str, Callable[[Door, Line, str, str], Reply]] = {
    "PLAIN": Door._plain,
    "LOGIN": Door._login,
    "XOAUTH2": Door._xoauth2,
}


class _Refused(Exception):
    """The server answered something else than was hoped for."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def _expect(reply: Reply, code: int, what: str) -> None:
    if reply.code != code:
        raise _Refused(f"{what} was answered {words_of(reply)}")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
