"""F11: HTTP providers that fail in part, after they took a batch, or all the time. The ledger tells the truth per recipient."""

from collections import Counter

import pytest

from newsletter import deliver
from newsletter.deliver.providers.account import Account
from newsletter.errors import TransportDown
from newsletter.store import receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses
from tests.proof.invariant import hold_invariant, states
from tests.proof.peers import FULL
from tests.providers.conftest import Bench, bench_of

__all__ = ["bench_of"]

NAMES = pytest.mark.parametrize(
    "name", ["postmark", "resend", *(pytest.param(name, marks=FULL) for name in ("mailgun", "generic"))]
)
LOSING = {"500", "drop", "nonsense"}  # the provider may have taken the request


class World:
    """One mailing on its way to one provider; `pauses`: the seconds its account would have waited."""

    def __init__(self, make_app, frozen_mailing, bench: Bench, people: int) -> None:
        case = bench.case
        account = {"url": f"http://api.example{case.path}", case.key: "right", **case.account, "connections": 2}
        fetch = {"resolve": {"api.example": bench.server.at}}
        self.server, self.pauses = bench.server, []
        self.app = make_app(dkim={}, transport={"kind": case.kind, case.kind: account}, fetch=fetch)
        self.transport = self.app.transport
        self.transport.account = Account(self.app.clock.now, self.pauses.append)
        self.readers = addresses(people)
        self.mailing = frozen_mailing(self.app, self.readers)

    def run(self) -> str:
        try:
            deliver.run(self.app, self.app.clock.now())
        except TransportDown as error:
            return str(error)
        return ""

    def counts(self):
        with self.app.db.read() as conn:
            return receipts.count(conn, self.mailing)

    def hold(self, **most):
        return hold_invariant(self.app, self.mailing, self.taken(), **most)

    def taken(self) -> Counter[str]:
        return Counter(message.to for message in self.server.received)


@pytest.fixture
def world(make_app, frozen_mailing, bench_of):
    return lambda name, people=60: World(make_app, frozen_mailing, bench_of(name), people)


@NAMES
def test_refusals_inside_a_batch_fail_only_those(world, told, name):
    made = world(name)
    wrong = set(made.readers[5::9])
    made.server.wrong = wrong
    while made.counts().open and not made.run():
        pass
    books = made.hold(failed=len(wrong))
    assert {who for who, state in states(made.app, made.mailing).items() if state == "failed"} == wrong
    told("F11", f"partial: {books}")


@NAMES
@pytest.mark.parametrize("fault", sorted(LOSING | {"cut"}))
def test_an_answer_that_is_lost_is_unknown_unless_a_key_proves_it(world, told, name, fault):
    made = world(name)
    made.server.faults = [fault]
    for _ in range(3):
        made.run()
    window = min(made.transport.batch, 60)
    books = made.hold(unknown=0 if made.transport.adapter.idempotent else window)
    if made.transport.adapter.idempotent:
        assert books.counts.sent == 60
    told("F11", f"{fault} once: {books}")


@NAMES
def test_a_storm_of_429_is_obeyed_and_loses_nobody(world, told, name):
    made = world(name)
    made.server.faults = ["429", "429", "503", "429"]
    made.run()
    made.run()
    books = made.hold()
    assert books.counts.sent == 60
    assert len(made.pauses) >= 4
    assert all(seconds > 0 for seconds in made.pauses)
    assert max(made.pauses) >= 1.9, "Retry-After said 2 seconds"
    told("F11", f"429 storm: {books}, {len(made.pauses)} waits")


@NAMES
def test_a_long_wait_puts_the_rows_off_and_asks_nothing_meanwhile(world, told, clock, name):
    made = world(name)
    made.server.faults = ["429 long"] * 2
    made.run()
    asked = len(made.server.requests)
    assert made.counts().open == 60
    made.run()
    assert len(made.server.requests) == asked, "two hours were asked for"
    clock.at = NOW.replace(hour=NOW.hour + 2, minute=30)
    made.run()
    clock.at = NOW.replace(hour=NOW.hour + 6)
    made.run()
    told("F11", f"Retry-After 7200: {made.hold()}")


@NAMES
def test_a_key_that_is_withdrawn_pauses_and_fails_nobody(world, told, monkeypatch, name):
    made = world(name)
    with monkeypatch.context() as patch:
        patch.setattr(type(made.server), "is_allowed", lambda *_: False)
        assert made.run()
        counts = made.counts()
        assert (counts.pending, counts.failed, counts.unknown) == (60, 0, 0)
    assert not made.run()
    told("F11", f"401: {made.hold()}")


@NAMES
def test_requests_too_large_are_halved(world, told, name):
    made = world(name)
    made.server.heavy = 40_000
    made.run()
    made.run()
    told("F11", f"413: {made.hold()}")
