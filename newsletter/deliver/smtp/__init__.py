"""Transport `smtp`: one or several relays, reused connections, TLS verified, AUTH; PIPELINING and CHUNKING where offered.

A client of our own, because an intent must be durable before the final dot or the last BDAT, and no library stops there.

    settings → Relays (which one) → Door (dial, TLS, AUTH) → SmtpSession (what is under way) ⇄ Dialogue (what replies mean)
                                                                  └ Line (octets, bounded)
    where PIPELINING is offered: Fleet (several SmtpSessions, one thread)
"""

from collections.abc import Iterator

from newsletter.deliver.smtp.fleet import Fleet
from newsletter.deliver.smtp.line import Line
from newsletter.deliver.smtp.login import Door, tls_context
from newsletter.deliver.smtp.offers import PIPED, Offers
from newsletter.deliver.smtp.relays import Relays
from newsletter.deliver.smtp.session import SmtpSession
from newsletter.errors import TransportDown
from newsletter.settings.smtp import Relay, Smtp

__all__ = ["Fleet", "Offers", "SmtpSession", "SmtpTransport"]


class SmtpTransport:
    """`settings.connections` connections at most: all in one Fleet where PIPELINING is offered, else each in its own thread."""

    name = "smtp"

    def __init__(self, settings: Smtp, *, ehlo_name: str, signed: bool = True) -> None:
        """`signed`: messages carry our DKIM signature, which over raw 8-bit text takes 14 ms instead of 1: they stay encoded."""
        self._signed = signed
        self.settings, self.ehlo_name = settings, settings.ehlo_name or ehlo_name
        self.connections = settings.connections  # how many flows there may be
        self.batch = 1  # the widest a flow was so far
        self.relays = Relays(settings.all_relays)
        self._tls = tls_context(settings.ca_file)

    def open(self) -> SmtpSession | Fleet:
        """Raises TransportDown when no relay takes mail."""
        session, most = self._connected(), self.settings.connections
        if session.window != PIPED or most == 1:
            self.connections, self.batch = most, max(self.batch, session.batch)
            return session
        self.connections, self.batch = 1, most
        return Fleet(session, self._connected, most=most)

    def _connected(self) -> SmtpSession:
        session = SmtpSession(self.settings, self.relays, self._open_line, may_be_raw=not self._signed)
        session.connect()
        return session

    def look(self) -> Iterator[tuple[Relay, Offers | TransportDown]]:
        """Greet each relay, with TLS and password, and give it no message: what it offers, or why it takes no mail."""
        for relay in self.settings.all_relays:
            try:
                line, offers = self._open_line(relay)
            except TransportDown as error:
                yield relay, error
                continue
            line.close()
            yield relay, offers

    def _open_line(self, relay: Relay) -> tuple[Line, Offers]:
        return Door(relay, self.settings, ehlo_name=self.ehlo_name, tls=self._tls).open()
