"""Servers on loopback and clients that reach them as vien.example."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from newsletter.http import Fetcher
from tests.fakes.rawserver import Answer, Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Answer, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(answer, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def fetcher() -> Iterator[Callable[..., Fetcher]]:
    made: list[Fetcher] = []

    def make(server: Server | None = None, **options: object) -> Fetcher:
        resolve = {"vien.example": server.address} if server else {}
        made.append(Fetcher(user_agent="test/1", **{"resolve": resolve, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()
