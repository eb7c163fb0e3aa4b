"""What may be dialled, and until when: the network backend under newsletter.http.

The address that was checked is the address that is dialled, so redirects, name servers that change their mind and odd
spellings of 127.0.0.1 cannot pass. Must never look a name up twice for one connection.
"""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LookupTimeout
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpcore

from newsletter.errors import ConfigError, FetchRefused
from newsletter.http.wire import Wire, dial, left

PORTS = (80, 443, 8080, 8443)
# What `is_global` of the standard library still lets through: translated, tunnelled, shared and retired ranges.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(net)
    for net in (
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # local-use NAT64, RFC 8215
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "::/96",  # IPv4-compatible, RFC 4291 2.5.5.1
        "fec0::/10",  # site-local
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
        "100.64.0.0/10",  # carrier NAT; holds 100.100.100.200
        "192.88.99.0/24",  # 6to4 relay
    )
)

_MOST_LOOKUPS = 64  # at once; the names that hang are among them
Lookup = Callable[[str, int], Sequence[str]]


def is_public(address: str) -> bool:
    """Whether an IP literal may be dialled: a global unicast address that does not carry another address inside."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    inside = any(ip in net for net in _NOT_PUBLIC if net.version == ip.version)
    return ip.is_global and not ip.is_multicast and not inside


def check_literal(host: str) -> None:
    """Refuse a host that is itself no public address, in any spelling that is dialled (127.1, 0x7f000001), or localhost
    (RFC 6761 section 6.3). Asks nobody: other names are judged when they are dialled. Raises FetchRefused.
    """
    bare = host.lower().rstrip(".")
    literal = bare
    with suppress(OSError, UnicodeError, ValueError):  # a name, or an IPv6 address
        literal = socket.inet_ntoa(socket.inet_aton(bare))
    try:
        public = is_public(literal)
    except ValueError:  # a name
        public = bare != "localhost" and not bare.endswith(".localhost")
    if not public:
        raise FetchRefused("this address is not public", where=host, hint=_ONLY_WAY)


def system_lookup(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


class _Names:
    """Looks names up aside: getaddrinfo knows no time-out of its own, so its thread is abandoned when the time is over.

    The threads are daemons, made for one name each: names that hang hold up neither other names nor the program's end.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup, self._free = lookup, threading.BoundedSemaphore(_MOST_LOOKUPS)

    def ask(self, host: str, port: int, timeout: float) -> Sequence[str]:
        """Raises httpcore.ConnectError (no such name) or ConnectTimeout."""
        until = time.monotonic() + timeout
        if not self._free.acquire(timeout=timeout):
            raise httpcore.ConnectTimeout("too many names are being looked up")
        answer: Future[Sequence[str]] = Future()
        threading.Thread(target=self._work, args=(answer, host, port), name=f"lookup {host}", daemon=True).start()
        try:
            return answer.result(timeout=max(0.0, until - time.monotonic()))
        except LookupTimeout:
            raise httpcore.ConnectTimeout("name lookup took too long") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"name not found: {error}") from error

    def _work(self, answer: "Future[Sequence[str]]", host: str, port: int) -> None:
        try:
            answer.set_result(self._lookup(host, port))
        except BaseException as error:  # for whoever asked, if anybody still waits
            answer.set_exception(error)
        finally:
            self._free.release()


class Guard(httpcore.NetworkBackend):
    """Resolves once, refuses a name with any non-public answer, dials the literal it checked."""

    def __init__(self, mapping: Mapping[str, str], lookup: Lookup) -> None:
        self._mapped = {host.lower(): _endpoint(host, target) for host, target in mapping.items()}
        self._names = _Names(lookup)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Wire:
        mapped = self._mapped.get(host.lower())
        addresses, port = ([mapped[0]], mapped[1]) if mapped else (self._checked(host, port, timeout), port)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:4]:
            try:
                return dial(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        if port not in PORTS:
            raise FetchRefused(
                f"port {port} is not a web port", where=host, hint=f"allowed: {', '.join(map(str, PORTS))}"
            )
        addresses = self._names.ask(host, port, left(timeout, httpcore.ConnectTimeout))
        refused = [address for address in addresses if not is_public(address)]
        if refused or not addresses:
            raise FetchRefused("the name leads to an address that is not public", where=host, hint=_ONLY_WAY)
        return addresses


_ONLY_WAY = "if that is meant, map it in [fetch] resolve"


def _endpoint(host: str, target: str) -> tuple[str, int]:
    address, _, port = target.rpartition(":")
    if not address or not port.isdigit():
        raise ConfigError(
            f"{target!r} is not ADDRESS:PORT", where=f"fetch.resolve.{host}", hint='write "127.0.0.1:8000"'
        )
    return address.strip("[]"), int(port)


def shown(url: str) -> str:
    """`url` fit for a log: without user, password, query values and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"[:200]
    except ValueError:
        return url[:60]


def check_form(url: str) -> str:
    """The host of a URL that may be asked at all, in lower case. Raises FetchRefused."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise FetchRefused(f"not a usable URL: {error}", where=shown(url)) from error
    if parts.scheme not in ("http", "https"):
        raise FetchRefused(f"only http and https are fetched, not {parts.scheme or 'a bare path'}", where=shown(url))
    if not host or re.search(r"[\s\\\x00-\x1f]", parts.netloc):
        raise FetchRefused("the URL has no usable host name", where=shown(url))
    if "@" in parts.netloc:
        raise FetchRefused("a URL with user name or password is not fetched", where=shown(url))
    return host
