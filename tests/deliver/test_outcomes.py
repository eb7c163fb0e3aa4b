"""From a peer's answer to a ledger entry, and how long to wait."""

from datetime import timedelta

import pytest

from newsletter.app import Fate, Outcome, Outgoing
from newsletter.deliver.outcomes import result, retry_pause
from newsletter.model import DeliveryState
from tests.conftest import NOW


def outgoing(tries: int = 1, refused_at=None) -> Outgoing:
    return Outgoing(
        mailing_id="m" * 16,
        list_slug="tin",
        person_id="p" * 16,
        epoch=3,
        tries=tries,
        frozen_at=NOW - timedelta(days=5),  # it waited for a plan of few messages a day
        refused_at=refused_at,
        message=None,
    )


@pytest.mark.parametrize(
    ("fate", "state"),
    [
        (Fate.ACCEPTED, DeliveryState.SENT),
        (Fate.REJECTED, DeliveryState.FAILED),
        (Fate.RETRY, DeliveryState.DEFERRED),
        (Fate.UNKNOWN, DeliveryState.UNKNOWN),
    ],
)
def test_each_fate_has_its_state(fate, state):
    written = result(outgoing(), Outcome(fate=fate, reply="250 ok"), now=NOW)
    assert (written.state, written.epoch, written.reply) == (state, 3, "250 ok")


def test_what_our_own_ledger_refused_is_not_written_twice():
    assert result(outgoing(), Outcome(fate=Fate.REFUSED), now=NOW) is None


def test_only_a_refusal_for_good_says_something_about_the_address():
    assert result(outgoing(), Outcome(fate=Fate.REJECTED, kind="hard"), now=NOW).reply_kind == "hard"
    assert result(outgoing(), Outcome(fate=Fate.RETRY, kind="hard"), now=NOW).reply_kind is None


def test_pauses_grow_and_a_peer_may_ask_for_longer_ones():
    pauses = [retry_pause(tries, None) for tries in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=5)
    assert pauses[-1] == timedelta(hours=8)
    assert retry_pause(1, timedelta(minutes=2)) == timedelta(minutes=5)
    assert retry_pause(1, timedelta(hours=3)) == timedelta(hours=3)


def test_a_retry_that_would_come_after_48_hours_fails_now():
    busy = Outcome(fate=Fate.RETRY, reply="451 busy")
    assert result(outgoing(tries=9, refused_at=NOW - timedelta(hours=41)), busy, now=NOW).state is DeliveryState.FAILED
    assert result(outgoing(), busy, now=NOW).state is DeliveryState.DEFERRED
