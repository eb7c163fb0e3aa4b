"""A program that talks to the API of the invented institute, over a real socket."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from newsletter.model import Scope
from newsletter.store import tokens
from tests.web.conftest import Answer, World


@dataclass
class Client:
    world: World
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> "Said":
        """`body`: put into JSON, unless it is bytes. A header's name is written with underscores."""
        sent = {"Authorization": f"Bearer {self.token}"} | self.headers
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self.world.fetch(f"/api{path}", method=method, body=raw, headers=sent)
        return Said(answer)


@dataclass
class Said:
    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def text(self) -> str:
        return self.answer.text

    @property
    def json(self) -> Any:
        return json.loads(self.answer.text)

    @property
    def problem(self) -> str:
        """Its one line; the answer must be a problem as RFC 9457 has it."""
        assert self.answer.headers["content-type"] == "application/problem+json", self.text
        assert self.json["status"] == self.status
        assert self.json["title"]
        assert "\n" not in self.json["detail"]
        return str(self.json["detail"])


def make_token(world: World, *scopes: Scope, name: str = "") -> str:
    with world.app.db.begin() as conn:
        return tokens.add(
            conn, name or " ".join(scopes).replace("*", "")[:80], scopes, key=world.app.suppression_key,
            now=world.clock.now(),
        )  # fmt: skip


@pytest.fixture
def client_of() -> Callable[..., Client]:
    def make(world: World, *scopes: Scope, name: str = "") -> Client:
        return Client(world, make_token(world, *scopes, name=name))

    return make


@pytest.fixture
def api(world: World) -> Client:
    """Everything is allowed; on SQLite."""
    return Client(world, make_token(world, *Scope, name="all"))


@pytest.fixture
def both(both_worlds: World) -> Client:
    """Everything is allowed; on both databases."""
    return Client(both_worlds, make_token(both_worlds, *Scope, name="all"))
