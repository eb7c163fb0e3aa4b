"""The proof sends what the deliver tests send, without a signature of ours: a second of 1,000 messages less."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import subscribers
from newsletter.app import App
from newsletter.model import MailingId
from tests.deliver.conftest import addresses, frozen_mailing
from tests.proof.peers import Peer

__all__ = ["frozen_mailing"]

Told = Callable[[str, object], None]


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """`told("F1", books)`: a line for docs/proof.md. `make proof` names the file it goes to, line by line as it is known."""

    def tell(fault: str, result: object) -> None:
        if path := os.environ.get("PROOF_TOLD"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{fault} {request.node.name}: {result}\n")

    return tell


@pytest.fixture
def frozen_for(frozen_mailing: Callable[..., MailingId], tmp_path: Path) -> Callable[..., MailingId]:
    """`frozen_for(app, 1000)`: an issue frozen for so many people, who came by a file: ten times as quick as by a form."""

    def make(app: App, people: int, *, policy: str = "hold") -> MailingId:
        path = tmp_path / "people.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("email,name,language\n")
            file.writelines(f"{address},Nguyễn Văn Thử,vi\n" for address in addresses(people))
        with app.db.begin() as conn:
            subscribers.create_list(conn, "tin", name="Bản tin thử", now=app.clock.now())
        subscribers.import_people(
            app.db, path, list_slug="tin", key=app.suppression_key, now=app.clock.now(), consent="an invented file"
        )
        return frozen_mailing(app, [], policy=policy)

    return make


@pytest.fixture
def mailed_to(make_app: Callable[..., App], frozen_for: Callable[..., MailingId]) -> Callable[..., Any]:
    """`app, mailing = mailed_to(peer, 100)`: an issue frozen for so many people, and where it is to go."""

    def make(peer: Peer, people: int, **changes: Any) -> tuple[App, MailingId]:
        policy = changes.pop("policy", "hold")
        app = make_app(**{"dkim": {}, **peer.settings, **changes})
        return app, frozen_for(app, people, policy=policy)

    return make


OTHER = ("lock-step", "chunked")  # windows that only `make proof` tries on Postgres


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On Postgres most faults are tried in two windows in `make test`: what differs there is the ledger, not the line."""
    for item in items:
        ours = item.path.parent == Path(__file__).parent and "postgres" in item.name
        if ours and any(window in item.name for window in OTHER):
            item.add_marker(pytest.mark.proof)
