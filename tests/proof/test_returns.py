"""F12: events told a thousand times, in any order, days late, or of nobody we know, make what one telling makes."""

import itertools
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.mail import webhooks
from newsletter.model import DeliveryState
from newsletter.track import hooks
from tests.conftest import NOW
from tests.mail.webhooks.signing import request
from tests.track.conftest import sent

__all__ = ["sent"]

SECRETS = {"postmark": {"password": "vien:mat-khau"}}
HARD = {"Type": "HardBounce", "Details": "smtp;550 5.1.1 user unknown"}
FULL = {"Type": "SoftBounce", "Details": "smtp;452 4.2.2 mailbox full"}
BLOCKED = {"Type": "Blocked", "Details": "smtp;550 5.7.1 blocked by policy"}


def bounce(world, person, number, words, *, late=0):
    at = (NOW - timedelta(minutes=30) + timedelta(days=late)).isoformat()
    return {"RecordType": "Bounce", "ID": number, "MessageID": "x", "BouncedAt": at, "Metadata":
            {"delivery": world.token(person)}, "Email": "ai@khac.example", **words}  # fmt: skip


def delivered(world, person):
    return {"RecordType": "Delivery", "MessageID": f"pm-{person}", "Recipient": "ai@khac.example",
            "DeliveredAt": (NOW - timedelta(minutes=40)).isoformat(), "Metadata": {"delivery": world.token(person)}}  # fmt: skip


def complaint(world, person):
    return {"RecordType": "SpamComplaint", "ID": 900, "MessageID": "x", "BouncedAt": NOW.isoformat(),
            "Email": "ai@khac.example", "Metadata": {"delivery": world.token(person)}}  # fmt: skip


def tell(world, body) -> int:
    provider = webhooks.provider("postmark")
    assert provider is not None
    return hooks.receive_webhook(world.app, provider, request(body))


def outcome(world):
    with world.app.db.read() as conn:
        kept = conn.execute(sa.text("SELECT count(*) FROM returns")).scalar_one()
    return [world.barred(n) for n in range(3)], [world.delivery(n)["state"] for n in range(3)], world.told(), kept


@pytest.mark.parametrize("times", [20, pytest.param(1_000, marks=pytest.mark.proof)])
def test_events_told_again_and_again_in_any_order(sent, told, clock, times):
    world = sent(state=DeliveryState.UNKNOWN, webhooks=SECRETS)
    bodies = [
        delivered(world, 0),
        bounce(world, 0, 1, FULL),
        bounce(world, 1, 2, HARD),
        delivered(world, 1),
        complaint(world, 2),
        bounce(world, 2, 3, HARD, late=3),
        bounce(world, 0, 4, BLOCKED),
        {"RecordType": "Bounce", "ID": 5, "MessageID": "nobody", "Email": "ai@khac.example", **HARD},
    ]
    for body in bodies:
        tell(world, body)
    world.track(NOW)
    once = outcome(world)
    again = list(itertools.chain.from_iterable(itertools.repeat(bodies, times)))
    random.Random(7).shuffle(again)
    for at, body in enumerate(again):
        assert tell(world, body) == 0
        if at % 97 == 0:
            world.track(NOW)
    clock.at = NOW + timedelta(days=3)
    world.track(clock.now())
    assert outcome(world) == once
    assert once[0] == [None, "bounced", "complained"], "complaint > hard > block > soft > delivered"
    assert set(once[1]) == {"sent"}, "what came back proves that it went"
    told("F12", f"{len(bodies)} events told {times} times more: nothing changed")
