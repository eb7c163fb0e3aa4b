"""How often one visitor, one domain or one mailbox may ask for something. Held in memory, in bounded room.

A count that is lost at a restart lets somebody ask a little more; that a stranger gets no heap of letters is kept by rows
(subscribers: one confirmation an hour). Keys are hashes or networks; must never hold an address in the clear.
"""

import ipaddress
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_KEYS = 50_000  # about 10 MB; then what was counted longest ago is forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """At most `most` times `within` this span, counted from the first time."""

    name: str
    most: int
    within: timedelta


class Limits:
    """Counts per rule and key. Safe to share between threads."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._counts: dict[tuple[str, str], tuple[datetime, int]] = {}
        self._spent: dict[str, tuple[datetime, str]] = {}
        self._most_keys = most_keys
        self._lock = threading.Lock()

    def take(self, rule: Rule, key: str, *, now: datetime) -> bool:
        """Count one more; False, and nothing counted, when the rule's number is reached."""
        name = (rule.name, key)
        with self._lock:
            since, count = self._counts.get(name, (now, 0))
            if now - since >= rule.within:
                since, count = now, 0
            if count >= rule.most:
                return False
            self._counts.pop(name, None)  # put at the end: the order is that of use
            self._counts[name] = (since, count + 1)
            while len(self._counts) > self._most_keys:
                del self._counts[next(iter(self._counts))]
        return True

    def spend(self, ticket: str, what: str, *, until: datetime, now: datetime) -> str | None:
        """Use up a ticket for `what`: None when it was unused, else what it was used for. Forgotten after `until`."""
        with self._lock:
            for old in [name for name, (end, _) in self._oldest_spent() if end <= now]:
                del self._spent[old]
            if ticket in self._spent:
                return self._spent[ticket][1]
            self._spent[ticket] = (until, what)
            while len(self._spent) > self._most_keys:
                del self._spent[next(iter(self._spent))]
        return None

    def give_back(self, ticket: str) -> None:
        """What it was spent for failed: it may be used once more."""
        with self._lock:
            self._spent.pop(ticket, None)

    def _oldest_spent(self) -> list[tuple[str, tuple[datetime, str]]]:
        """The first few in order of spending: enough to keep pace with what comes in."""
        return [item for item, _ in zip(self._spent.items(), range(4), strict=False)]


def network_of(client: str) -> str:
    """What one visitor is counted by: an IPv4 address, or the /64 an IPv6 customer holds (RFC 6177). "" when unknown."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def client_of(peer: str, forwarded: str, proxies: frozenset[str]) -> str:
    """The visitor's address: the peer's, unless the peer is a proxy of ours; then the last one of its list that is not.

    Only what our own proxies appended to `X-Forwarded-For` counts: anybody may send the header.
    """
    chain = [part.strip() for part in forwarded.split(",") if part.strip()]
    while peer in proxies and chain:
        peer = chain.pop()
    return peer
