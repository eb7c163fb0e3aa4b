"""A small mail server for what comes back: SMTP (RFC 5321) where an MX record points here, LMTP (RFC 2033) behind a mail server.

Takes mail for our return and unsubscribe domains alone, one recipient a message, and answers 250 only when what it tells is
stored; anything else makes the sender keep it and come again. Relays nothing, and says nothing about who is known here.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.app import App
from newsletter.errors import ConfigError
from newsletter.log import get_logger, one_line
from newsletter.settings.incoming import Listen
from newsletter.track.intake import receive_message

log = get_logger("listener")

LARGEST = 10 << 20  # octets of a message; the first megabyte is read
WRONG_COMMANDS = 20  # of a kind on one connection
NOT_OURS = "550 5.7.1 no mail is taken for this address"
ONE_EACH = "452 4.5.3 one recipient a message"  # each has its own token, and LMTP answers for each
LATER = "451 4.3.0 not stored, please come again"
BUSY = b"421 4.3.2 too many connections\r\n"


@contextmanager
def listening(app: App, wake: Callable[[], None]) -> Iterator[str | None]:
    """Listen while the block runs, when it is switched on; gives host:port. `wake` is called after each message.

    Raises ConfigError: the address cannot be listened on, or there is no domain to take mail for.
    """
    settings = app.settings.bounces.listen
    if settings.port is None:
        yield None
        return
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's own lines hold addresses
    factory = _factory(app, wake)
    sock = _bound(settings)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(factory, sock=sock))
    thread = threading.Thread(target=loop.run_forever, name="listener", daemon=True)
    thread.start()
    host, port = sock.getsockname()[:2]
    try:
        log.info("listening", protocol=settings.protocol, at=f"{host}:{port}")
        yield f"{host}:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def domains(app: App) -> frozenset[str]:
    """Those whose mail is taken. Raises ConfigError when there are none."""
    sender = app.settings.sender
    found = frozenset(name.lower() for name in (sender.bounce_domain, sender.unsubscribe_domain) if name)
    if not found:
        raise ConfigError(
            "there is no domain whose mail could be taken",
            where="[bounces.listen]",
            hint="set [sender] bounce_domain, and unsubscribe_domain",
        )
    return found


def _bound(settings: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port or 0), family=family, backlog=100)
    except OSError as error:
        raise ConfigError(
            f"cannot listen for mail: {error.strerror or error}", where=f"{settings.host}:{settings.port}"
        ) from error


def _factory(app: App, wake: Callable[[], None]) -> Callable[[], asyncio.Protocol]:
    settings = app.settings.bounces.listen
    handler = Handler(app, wake)
    kind = _limited(LMTP if settings.protocol == "lmtp" else SMTP, settings.connections)

    def make() -> asyncio.Protocol:
        made: asyncio.Protocol = kind(
            handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            decode_data=False,
            hostname=app.settings.sender.bounce_domain or app.settings.sender.domain,
            ident="",
            timeout=settings.timeout,
            command_call_limit={"*": WRONG_COMMANDS, "MAIL": 1000, "RCPT": 1000, "DATA": 1000, "RSET": 1000},
        )
        return made

    return make


def _limited(kind: type[SMTP], most: int) -> type[SMTP]:
    """`kind`, which tells whoever is one too many to come again."""
    opened: set[object] = set()

    class Limited(kind):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: Any) -> None:
            if len(opened) >= most:
                self._told_to_leave = True
                transport.write(BUSY)
                transport.close()
                return
            opened.add(self)
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            opened.discard(self)
            if not getattr(self, "_told_to_leave", False):
                super().connection_lost(error)

        def data_received(self, data: bytes) -> None:
            if not getattr(self, "_told_to_leave", False):
                super().data_received(data)

        def eof_received(self) -> bool | None:
            return None if getattr(self, "_told_to_leave", False) else super().eof_received()

    return Limited


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Handler:
    """What aiosmtpd asks about each command."""

    def __init__(self, app: App, wake: Callable[[], None]) -> None:
        self._app, self._wake = app, wake
        self._domains = domains(app)
        self._source = app.settings.bounces.listen.protocol

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.rpartition("@")[2].lower() not in self._domains:
            return NOT_OURS
        if envelope.rcpt_tos:
            return ONE_EACH
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        rcpt = envelope.rcpt_tos[0]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._take, content, rcpt)

    async def handle_exception(self, error: Exception) -> str:
        log.error("listener_fault", reason=one_line(error))
        return LATER

    def _take(self, content: bytes, rcpt: str) -> str:
        try:
            receive_message(self._app, content, source=self._source, rcpt=rcpt)
        except Exception as error:  # whatever it is, the message must not be lost: its sender keeps it
            log.error("not_stored", reason=one_line(error))
            return LATER
        self._wake()
        return "250 2.0.0 stored"
