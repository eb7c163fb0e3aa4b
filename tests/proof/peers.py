"""The four peers mail is proved against: each lets another window be under way on a connection."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.deliver.conftest import smtp
from tests.fakes.provider import Reply
from tests.fakes.providers import Relay as Provider
from tests.fakes.relay import CHUNKED, LOCK_STEP, PIPELINED, Heard, Relay, Script
from tests.providers.conftest import RELAY

BATCH = 20  # messages a request of the provider here
CONNECTIONS = {"lock-step": 5, "pipelined": 5, "chunked": 5, "http": 2}
WINDOWS = {"lock-step": 1, "pipelined": 2, "chunked": 8, "http": BATCH}
FULL = pytest.mark.proof  # only in `make proof`
OFFERS = {"lock-step": LOCK_STEP, "pipelined": PIPELINED, "chunked": CHUNKED}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`settings`: what make_app needs to send there. `counts`: address -> messages taken."""

    settings: dict[str, Any]
    counts: Callable[[], Mapping[str, int]]
    most: int  # messages with an intent and no recorded reply after one crash: connections × window
    server: Any


def slow(heard: Heard) -> None:
    """A hundredth of a second between taking a message and answering, so that a kill may fall there."""
    if heard.verb == "content":
        time.sleep(0.01)


class SlowProvider(Provider):
    """Answers after a twentieth of a second, and carries a repeated request out again: it knows no keys."""

    idempotent = False

    def __init__(self) -> None:
        super().__init__()
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who dies meanwhile is not written about

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = super().take(path, headers, body)
        time.sleep(0.05)
        return reply


@contextmanager
def peer(kind: str, script: Script = slow) -> Iterator[Peer]:
    connections = CONNECTIONS[kind]
    most = connections * WINDOWS[kind]
    if kind == "http":
        account = {name: value for name, value in RELAY.items() if name != "idempotency_header"}
        account |= {"url": "http://api.example/send", "timeout": 20, "connections": connections, "batch": BATCH}
        with SlowProvider() as server:
            settings = {
                "transport": {"kind": "generic", "generic": account},
                "fetch": {"resolve": {"api.example": server.at}},
            }
            yield Peer(settings=settings, counts=lambda: counted(server), most=most, server=server)
        return
    with Relay(OFFERS[kind], script) as relay:
        settings = {"transport": smtp(relay.port, connections=connections, timeout=20)}
        yield Peer(settings=settings, counts=relay.counts, most=most, server=relay)


def counted(server: Provider) -> Mapping[str, int]:
    return Counter(message.to for message in list(server.received))
