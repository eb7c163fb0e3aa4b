"""A real SMTP server (aiosmtpd) on loopback that remembers what it accepted and can be told how to misbehave."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Received:
    mail_from: str
    rcpt: str
    content: bytes


@dataclass
class Behaviour:
    """What the server answers instead of accepting. Functions get the recipient; None means accept."""

    rcpt: Callable[[str], str | None] = lambda rcpt: None
    data: Callable[[str], str | None] = lambda rcpt: None
    drop_after_data: Callable[[str], bool] = lambda rcpt: False  # take the message, then break the line
    delay: float = 0.0  # seconds between taking the message and answering
    users: dict[str, str] = field(default_factory=dict)


class Sink:
    """`with Sink() as sink:` listens on an ephemeral port; `sink.received` holds what was taken, in order."""

    def __init__(
        self, behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None, starttls: bool = False
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.received: list[Received] = []
        self.connections = 0
        self._lock = threading.Lock()
        options: dict[str, object] = {"decode_data": False, "enable_SMTPUTF8": True}
        if starttls:
            options |= {"tls_context": tls, "require_starttls": True}
        if self.behaviour.users:
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": starttls or tls is not None,
            }
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=0, ssl_context=tls if not starttls else None, **options
        )

    def __enter__(self) -> "Sink":
        self._controller.start()
        self.connections = 0  # without aiosmtpd's own
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return int(self._controller.server.sockets[0].getsockname()[1])

    def counts(self) -> dict[str, int]:
        """Recipient -> how many messages were taken for them."""
        with self._lock:
            found: dict[str, int] = {}
            for one in self.received:
                found[one.rcpt] = found.get(one.rcpt, 0) + 1
            return found

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        good = self.behaviour.users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=good, handled=good)

    # ------------------------------------------------------------ aiosmtpd's hooks

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.behaviour.rcpt(address)
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        [rcpt] = envelope.rcpt_tos
        refusal = self.behaviour.data(rcpt)
        if refusal is not None:
            return refusal
        content = envelope.original_content or b""
        with self._lock:
            self.received.append(Received(mail_from=envelope.mail_from or "", rcpt=rcpt, content=content))
        if self.behaviour.delay:
            await asyncio.sleep(self.behaviour.delay)
        if self.behaviour.drop_after_data(rcpt):
            server.transport.abort()
        return "250 2.0.0 Ok: queued"


class _Controller(Controller):
    def __init__(self, sink: Sink, **options: object) -> None:
        self._sink = sink
        super().__init__(sink, **options)

    def factory(self) -> SMTP:
        self._sink.connections += 1
        return super().factory()

    def _trigger_server(self) -> None:
        # aiosmtpd dials its own port to see that it is up; with port 0 it must be told which one it got.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
