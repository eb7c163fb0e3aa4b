"""F1, F2, F3: killed, ended or stopped at any moment, nobody is mailed twice, nobody is lost, and it goes on by itself."""

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.deliver.recorder import LEASE
from newsletter.model import DeliveryState
from newsletter.store import receipts
from tests.proof import points, sender
from tests.proof.invariant import hold_invariant, states
from tests.proof.peers import FULL, WINDOWS, Peer, peer

KINDS = pytest.mark.parametrize("kind", list(WINDOWS))


def in_flight(app, mailing_id) -> int:
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id).intent


def wait_for_more(sink: Peer, process) -> bool:
    """Until the process has sent something; False when it ended by itself."""
    before = sum(sink.counts().values())
    while sum(sink.counts().values()) == before:
        if not process.is_alive():
            return False
        time.sleep(0.002)
    return True


@KINDS
@pytest.mark.parametrize(
    ("people", "kills"),
    [pytest.param(150, 2, id="small"), pytest.param(3_000, 50, id="full", marks=pytest.mark.proof)],
)
def test_sigkill_at_random_moments(mailed_to, told, kind, people, kills):
    chance = random.Random(20261122)
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, people)
        for done in range(kills):
            process = sender.start(app)
            if not wait_for_more(sink, process):
                pytest.fail(f"the sending ended after {done} of {kills} kills: take more people")
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
            process.join()
            assert in_flight(app, mailing_id) <= sink.most
        assert sender.run(app) == 0
        told("F1", f"{kills} kills, {hold_invariant(app, mailing_id, sink.counts(), unknown=kills * sink.most)}")


@KINDS
@pytest.mark.parametrize(
    ("people", "each"),
    [pytest.param(60, 1, id="small"), pytest.param(4_000, 6, id="full", marks=pytest.mark.proof)],
)
def test_sigkill_at_each_named_point_of_sending(mailed_to, told, kind, people, each):
    chance = random.Random(20261123)
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, people)
        unsure = 0
        for point in points.SENDING * each:
            nth = chance.randint(1, 2) if each > 1 else 1
            assert sender.run(app, point=point, nth=nth) == -signal.SIGKILL, f"it never came to: {point}"
            left = in_flight(app, mailing_id)
            assert left <= sink.most
            unsure += left
        assert sender.run(app) == 0
        books = hold_invariant(app, mailing_id, sink.counts(), unknown=unsure)
        told("F1", f"{each} kills at each of {len(points.SENDING)} points, {books}")


@pytest.mark.parametrize("point", points.FINISHING)
@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.proof)])
def test_sigkill_at_the_end_of_a_mailing(make_app, frozen_mailing, told, point, kills):
    from tests.deliver.conftest import addresses

    with peer("pipelined", lambda heard: None) as sink:
        app = make_app(dkim={}, **sink.settings)
        before: dict[str, int] = {}
        for _ in range(kills):
            mailing_id = frozen_mailing(app, addresses(3))
            assert sender.run(app, point=point) == -signal.SIGKILL
            assert sender.run(app) == 0
            now = sink.counts()
            books = hold_invariant(app, mailing_id, {who: now[who] - before.get(who, 0) for who in now})
            assert books.counts.sent == 3
            before = dict(now)
        told("F1", f"{kills} kills, each mailing closed at the next start")


@KINDS
def test_sigterm_finishes_what_is_in_flight_and_leaves_nothing_unknown(mailed_to, told, kind):
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, 600)
        process = sender.start(app)
        assert wait_for_more(sink, process)
        process.terminate()
        process.join(300)
        assert process.exitcode == 0
        with app.db.read() as conn:
            left = receipts.count(conn, mailing_id)
        assert (left.unknown, left.intent, left.claimed) == (0, 0, 0)
        assert left.pending > 0, "it was ended in the middle"
        assert left.sent == len(sink.counts())
        assert sender.run(app) == 0
        books = hold_invariant(app, mailing_id, sink.counts())
        told("F2", books)


@pytest.mark.parametrize("kind", [pytest.param("lock-step", marks=FULL), "chunked"])
@pytest.mark.parametrize("point", ["after claim", "after intent", "before dot", "after dot"])
@pytest.mark.parametrize("policy", ["hold", pytest.param("resend", marks=FULL)])
def test_a_sender_that_slept_through_its_lease_is_fenced(mailed_to, told, clock, kind, point, policy):
    """Stopped for longer than its lease while another goes on; when it wakes it changes nothing that is not its own."""
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, 40, policy=policy)
        sleeper = sender.start(app, point=point, stop=True)
        wait_until_stopped(sleeper)
        clock.at += LEASE + timedelta(seconds=1)
        # Stopped inside a transaction it keeps SQLite's one lock: then nothing goes until it wakes.
        assert sender.run(app, busy=200) in (0, sender.DOWN)
        if policy == "resend":
            clock.at += timedelta(minutes=6)
            assert sender.run(app, busy=200) in (0, sender.DOWN)
        os.kill(sleeper.pid, signal.SIGCONT)
        sleeper.join(300)
        assert sleeper.exitcode in (0, sender.DOWN)
        assert sender.run(app) == 0
        doubled = sum(number - 1 for number in sink.counts().values())
        if policy == "hold":
            told("F3", hold_invariant(app, mailing_id, sink.counts(), unknown=sink.most))
        else:
            assert doubled <= sink.most
            assert set(states(app, mailing_id).values()) == {DeliveryState.SENT}
            told("F3", f"{doubled} doubled of 40 under the policy resend, at most {sink.most} may be")


def wait_until_stopped(process) -> None:
    """It is not our child (the server forked it), so its state is read from /proc."""
    stat = Path(f"/proc/{process.pid}/stat")
    deadline = time.monotonic() + 60
    while stat.read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "T":
        assert time.monotonic() < deadline, "the sender never stopped itself"
        time.sleep(0.01)
