"""Asks a name server, over UDP and where an answer is cut off over TCP, with one deadline for all questions together."""

import ipaddress
import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT

from newsletter.errors import BadInput, ConfigError
from newsletter.names import Answer, Status

KINDS = frozenset({"TXT", "MX", "A", "AAAA", "PTR"})
TOTAL = 30.0  # seconds for all questions of one examination
EACH = 5.0  # for one of them
MOST_QUESTIONS = 200  # an SPF chain within its limits needs 40; one that goes on and on ends here
MOST_RECORDS = 200  # of one answer; a large organisation has 60 TXT records
LONGEST = 4_096  # octets of one record; the longest that can be meant, a DKIM key of 4096 bits, has 740
_MOST_ALIASES = 8
_PAYLOAD = 1_232  # octets of a UDP answer (DNS Flag Day 2020)


class Resolver:
    """Remembers what it was told, so that a name is asked for once. Used by one thread."""

    def __init__(self, server: str | None = None, *, total: float = TOTAL, each: float = EACH) -> None:
        """`server`: "ADDRESS" or "ADDRESS:PORT"; None: those of the system. Raises BadInput, ConfigError."""
        self._inner = _inner(server)
        self._each, self._until, self._total = each, time.monotonic() + total, total
        self._known: dict[tuple[str, str], Answer] = {}
        self.questions = 0

    def ask(self, name: str, kind: str) -> Answer:
        """Never raises for what the DNS says or does not say."""
        assert kind in KINDS, kind
        key = name.rstrip(".").lower(), kind
        if key not in self._known:
            self._known[key] = self._followed(*key)
        return self._known[key]

    def _followed(self, name: str, kind: str) -> Answer:
        """With aliases that the server itself did not follow."""
        seen, now = {name}, name
        while True:
            answer = self._asked(now, kind)
            if answer.status is not Status.NOTHING or not answer.alias:
                break
            if answer.alias in seen or len(seen) > _MOST_ALIASES:
                return Answer(name=name, kind=kind, status=Status.LOOP)
            now = answer.alias
            seen.add(now)
        alias = answer.alias or (now if now != name else "")
        return Answer(name=name, kind=kind, status=answer.status, records=answer.records, alias=alias)

    def _asked(self, name: str, kind: str) -> Answer:
        def said(status: Status, *, alias: str = "") -> Answer:
            return Answer(name=name, kind=kind, status=status, alias=alias)

        left = min(self._each, self._until - time.monotonic())
        if left <= 0 or self.questions >= MOST_QUESTIONS:
            return said(Status.LATE)
        self.questions += 1
        try:
            wanted = dns.name.from_text(name)
            found = self._inner.resolve(wanted, kind, search=False, raise_on_no_answer=False, lifetime=left)
            alias = _plain(found.canonical_name) if found.canonical_name != wanted else ""
            records = _records(list(found.rrset)) if found.rrset is not None else ()
        except dns.resolver.NXDOMAIN:
            return said(Status.NO_NAME)
        except dns.resolver.LifetimeTimeout:
            return said(Status.LATE)
        except dns.resolver.NoNameservers as error:
            return said(Status.LOOP if _is_loop(error) else Status.FAILED)
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.IDNAException, UnicodeError):
            return said(Status.BAD_NAME)
        except (dns.exception.DNSException, OSError, ValueError):
            return said(Status.FAILED)
        if records is None:
            return said(Status.TOO_LARGE)
        status = Status.FOUND if records else Status.NOTHING
        return Answer(name=name, kind=kind, status=status, records=records, alias=alias)


def _inner(server: str | None) -> dns.resolver.Resolver:
    try:
        inner = dns.resolver.Resolver(configure=server is None)
    except dns.resolver.NoResolverConfiguration as error:
        raise ConfigError("this system names no name server", hint="--resolver ADDRESS:PORT") from error
    if server is not None:
        address, inner.port = _endpoint(server)
        inner.nameservers = [address]
    inner.timeout = 2.0  # then again, until the question's own time is over
    inner.use_edns(0, 0, _PAYLOAD)
    return inner


def _endpoint(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = server, "53"
    host = {"localhost": "127.0.0.1"}.get(host, host.strip("[]"))
    try:
        address = str(ipaddress.ip_address(host))
        number = int(port) if port.isascii() and port.isdigit() else 0
    except ValueError:
        number = 0
    if not 0 < number < 65_536:
        raise BadInput("is no address of a name server", where=repr(server), hint="192.0.2.1, or 127.0.0.1:5353")
    return address, number


def _records(found: list[Rdata]) -> tuple[str, ...] | None:
    """As texts, sorted; None when there are too many or one is too long."""
    if len(found) > MOST_RECORDS:
        return None
    texts = [_text(one) for one in found]
    return tuple(sorted(texts)) if max(map(len, texts)) <= LONGEST else None


def _text(record: Rdata) -> str:
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", "replace")
    if isinstance(record, MX):
        return f"{record.preference} {_plain(record.exchange)}"
    if isinstance(record, PTR):
        return _plain(record.target)
    return str(record.to_text())


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _is_loop(error: dns.resolver.NoNameservers) -> bool:
    told = [one[-2] for one in error.kwargs.get("errors", ())]
    return any(isinstance(one, dns.message.ChainTooLong) for one in told)
