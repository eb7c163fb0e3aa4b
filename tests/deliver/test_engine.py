"""Several processes send one mailing together: everybody once, and one that dies leaves nothing behind."""

import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter import deliver, main
from newsletter.deliver import worker
from newsletter.deliver.engine import Local
from newsletter.store import deliveries, mailings, receipts
from tests.deliver.conftest import addresses, smtp
from tests.fakes.relay import PIPELINED, Heard, Relay


def die_holding(settings):
    """A helper that is killed with claimed rows in its hands."""
    app = main.build(settings, beside=True)
    with worker.Worker(settings.data_dir / "senders") as me:
        with app.db.begin() as conn:
            [mailing] = mailings.sending(conn)
            now = app.clock.now()
            held = deliveries.claim(conn, mailing, worker=me.name, now=now, lease=timedelta(hours=1), limit=10)
            assert len(held) == 10
        os.kill(os.getpid(), signal.SIGKILL)


def slow(heard: Heard) -> None:
    if heard.verb == "content":
        time.sleep(0.02)


@pytest.fixture
def team(make_app, frozen_mailing, clock):
    """`team(relay, sender, people=…)`: an App whose engine has two processes, and a mailing that is due."""

    def made(relay, sender, *, people=120):
        clock.at = datetime.now(UTC)  # the helpers have the real clock
        app = make_app(
            transport=smtp(relay.port, connections=1),
            sender={"address": "bantin@vien.example"},
            engine={"processes": 2},
        )
        app = replace(app, engine=Local(app.settings, sender, app.stopping, worth=50))
        return app, frozen_mailing(app, addresses(people))

    return made


def test_a_helper_sends_its_share_and_nobody_gets_two(team):
    with Relay(PIPELINED, slow) as relay:
        app, mailing_id = team(relay, main.send_beside, people=500)
        deliver.run(app, app.clock.now())
        assert relay.counts() == dict.fromkeys(addresses(500), 1)
        assert relay.connections >= 2, "one of ours, one of the helper's"
    with app.db.read() as conn:
        counts = receipts.count(conn, mailing_id)
    assert (counts.sent, counts.open) == (500, 0)


def test_what_a_helper_died_holding_is_sent_by_whoever_is_left(team):
    with Relay(PIPELINED) as relay:
        app, mailing_id = team(relay, die_holding)
        assert app.engine.start(120).wait(), "it died"
        deliver.run(replace(app, engine=Local(app.settings, die_holding, app.stopping, worth=10**6)), app.clock.now())
        assert relay.counts() == dict.fromkeys(addresses(120), 1)
    with app.db.read() as conn:
        assert receipts.count(conn, mailing_id).sent == 120


def test_for_a_letter_no_process_is_started(team):
    with Relay(PIPELINED) as relay:
        app, _ = team(relay, die_holding, people=20)
        deliver.run(app, app.clock.now())
        assert len(relay.kept) == 20
