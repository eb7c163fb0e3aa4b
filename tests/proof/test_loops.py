"""F19: a message that kills every sender ends in quarantine, alone; all others are sent; a sender that always dies pauses."""

import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import deliver
from newsletter.deliver.recorder import LEASE
from newsletter.model import MailingState
from newsletter.store import deliveries, mailings, receipts, recovering
from tests.deliver.conftest import addresses
from tests.proof import sender
from tests.proof.invariant import hold_invariant, states
from tests.proof.peers import peer


@pytest.mark.parametrize(
    ("kind", "people"),
    [
        ("pipelined", 60),
        *(pytest.param(kind, 1_000, marks=pytest.mark.proof) for kind in ("lock-step", "chunked", "http")),
    ],
)
def test_a_message_that_kills_every_sender_ends_in_quarantine(mailed_to, told, kind, people):
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, people)
        victim = list(states(app, mailing_id))[people // 2]
        with app.db.begin() as conn:
            person = subscribers.find(conn, subscribers.parse_address(victim))
            subscribers.rename(conn, person, "Người Độc")
        starts = 1
        while (code := sender.run(app, deadly="Độc")) != 0:
            assert code == -signal.SIGKILL
            starts += 1
            assert starts <= deliver.DEADLY + 1
        books = hold_invariant(app, mailing_id, sink.counts(), failed=1, unknown=sink.most * (starts - 1))
        with app.db.read() as conn:
            row = receipts.of_person(conn, person, mailing_id)
        assert row["state"] == "failed"
        assert row["reason"] == "quarantined: 5 senders died with this message"
        told("F19", f"{starts} starts, {books}")


def test_a_sender_that_dies_with_any_message_pauses_the_mailing(make_app, frozen_mailing, told, clock):
    """Not a hundred thousand failures for a fault of the machine's: after ten in quarantine a person must look."""
    app = make_app(dkim={})
    mailing_id = frozen_mailing(app, addresses(14))
    for _ in range(deliver.DEADLY):
        die_with_all(app, mailing_id, clock)
    deliver.recover(app, clock.now())
    with app.db.read() as conn:
        left = receipts.count(conn, mailing_id)
        assert mailings.get(conn, mailing_id).state is MailingState.PAUSED
    assert (left.failed, left.pending) == (deliver.MOST_DEADLY, 4)
    with app.db.begin() as conn:
        deliveries.resume(conn, mailing_id)
    deliver.run(app, clock.now())
    with app.db.read() as conn:
        final = receipts.count(conn, mailing_id)
    assert (final.failed, final.sent, final.open) == (deliver.MOST_DEADLY, 4, 0)
    told("F19", "paused after 10 in quarantine; resumed by a person, the 4 others were sent")


def die_with_all(app, mailing_id, clock) -> None:
    with app.db.begin() as conn:
        deaths = conn.execute(sa.text("SELECT max(deaths) FROM deliveries")).scalar_one()
        held = deliveries.claim(conn, mailing_id, worker="gone", now=clock.now(), lease=LEASE, deaths=deaths)
        assert len(held) == 14
    clock.at += LEASE + timedelta(seconds=1)
    with app.db.begin() as conn:
        recovering.recover(conn, dead=[], now=clock.now())
