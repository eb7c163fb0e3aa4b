import random
from datetime import timedelta

import pytest

from newsletter.model import EventType, MailingId
from newsletter.store.returns import Told
from newsletter.track.judging import judge
from tests.conftest import NOW

WEEK = timedelta(days=7)


def bounce(kind, *, at=NOW, mailing="m", proven=True):
    return Told(
        type=EventType.BOUNCED,
        mailing_id=MailingId(mailing),
        at=at,
        dedupe_key=f"{mailing}{kind}",
        kind=kind,
        proven=proven,
    )


def weekly(count, *, step=WEEK, until=NOW):
    return [bounce("soft", at=until - step * n, mailing=f"m{n}") for n in range(count)]


def gone(told, *, arrived=(), hard_after=1, now=NOW):
    return judge(told, arrived=arrived, now=now, hard_after=hard_after).gone


def test_one_hard_bounce_is_enough_unless_two_are_asked_for():
    assert gone([bounce("hard")])
    assert not gone([bounce("hard")], hard_after=2)
    assert gone([bounce("hard"), bounce("hard", mailing="n")], hard_after=2)


@pytest.mark.parametrize("kind", ["block", None])
def test_blocks_never_count_against_a_reader(kind):
    assert not gone([bounce(kind, at=NOW - WEEK * n, mailing=f"m{n}") for n in range(50)])


def test_five_soft_bounces_of_a_weekly_newsletter_or_eight_of_a_monthly_one():
    assert [gone(weekly(count)) for count in (4, 5)] == [False, True]
    month = timedelta(days=30)
    assert [gone(weekly(count, step=month)) for count in (7, 8)] == [False, True]


def test_a_full_mailbox_of_a_few_days_is_not_gone():
    daily = timedelta(days=1)
    assert not gone(weekly(12, step=daily))
    assert gone(weekly(15, step=daily))


def test_soft_bounces_fade():
    assert not gone(weekly(5), now=NOW + timedelta(days=60))


def test_several_bounces_of_one_mailing_count_once():
    assert not gone([bounce("soft", at=NOW - WEEK * n) for n in range(20)])


def test_mail_that_arrived_later_wipes_soft_bounces_out():
    told = weekly(6)
    opened = Told(
        type=EventType.OPENED, mailing_id=MailingId("x"), at=NOW - WEEK * 2, dedupe_key="o", kind="opened", proven=True
    )
    assert gone(told)
    assert not gone([*told, opened])
    assert not gone(told, arrived=[NOW - WEEK * 2])
    assert gone(told, arrived=[NOW - WEEK * 9]), "what arrived before says nothing"


def test_what_is_not_proven_counts_as_soft_at_most():
    assert not gone([bounce("hard", proven=False)])
    assert gone([bounce("hard", at=NOW - WEEK * n, mailing=f"m{n}", proven=False) for n in range(5)])


def test_the_order_in_which_events_came_changes_nothing():
    told = [*weekly(4), bounce("block", mailing="b"), bounce("hard", mailing="h", proven=False)]
    dice = random.Random(3)
    verdicts = set()
    for _ in range(20):
        dice.shuffle(told)
        verdicts.add(judge(told, arrived=[], now=NOW))
    assert len(verdicts) == 1
