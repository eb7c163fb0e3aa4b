"""What pace decides, without a clock of its own: tokens, shares, brakes, plans, lanes. Time is moved by hand."""

import queue
import random
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

import subscribers
from newsletter.app import Fate, Outcome, Outgoing
from newsletter.deliver.pace import brake, plan
from newsletter.deliver.pace.keeper import LEASE, Keeper
from newsletter.deliver.pace.lanes import Lanes
from newsletter.deliver.pace.rules import ALL, Quota, Rules
from newsletter.deliver.pace.sharing import divide, fair
from newsletter.deliver.pace.tokens import SECOND, Ring
from newsletter.settings.pace import PLAN, RECEIVERS, Limit, Pace
from newsletter.store.pace import Group
from subscribers import SuppressionKey
from tests.conftest import NOW

KEY = SuppressionKey(b"a key of thirty-two octets......")


def most_in_a_second(grants):
    ordered = sorted(grants)
    return max(bisect_left(ordered, at + SECOND) - place for place, at in enumerate(ordered))


def outgoing(group=None, number=0, *, letter=False) -> Outgoing:
    return Outgoing(
        mailing_id="m" * 16,
        list_slug=None if letter else "tin",
        person_id=f"p{number}",
        epoch=1,
        tries=1,
        frozen_at=NOW,
        message=None,
        mail_group=group,
    )


def full(quota, *, span=SECOND, now=0) -> Ring:
    ring = Ring(quota, span)
    ring.usable_until = 1 << 60
    ring.take(quota, now)
    return ring


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize("quota", [1, 7, 100, 1000])
def test_however_late_a_sender_wakes_no_second_has_more_than_the_quota_and_nearly_all_of_it_is_used(quota):
    dice, ring, now, grants = random.Random(quota), full(quota), 0, []
    while now < 12 * SECOND:
        at = ring.ready_at(now)
        late = dice.choice([0, 100_000, 300_000]) + (40_000_000 if dice.random() < 0.002 else 0)
        now = max(now, at) + late
        ring.use(now)
        grants.append(now)
    assert most_in_a_second(grants) <= quota
    steady = [at for at in grants if 2 * SECOND <= at < 12 * SECOND]
    assert len(steady) >= 0.99 * 10 * quota


def test_a_new_share_begins_evenly_and_idleness_makes_no_burst():
    ring, grants, now = full(10), [], 0
    for begin in (0, 60 * SECOND):
        now = max(now, begin)
        for _ in range(10):
            now = ring.ready_at(now)
            ring.use(now)
            grants.append(now)
    gaps = [later - earlier for earlier, later in pairwise(grants)]
    assert min(gaps) >= SECOND // 20
    assert gaps[:9] == [SECOND // 10] * 9


def test_only_rested_tokens_are_handed_over():
    ring = full(4)
    for _ in range(4):
        ring.use(ring.ready_at(3 * SECOND))
    ring.owe(2)
    assert ring.give() == 0
    ring.look(10 * SECOND)
    assert (ring.give(), ring.held) == (2, 2)
    ring.owe(1)
    ring.owe(0)  # nobody wants it any more
    assert ring.give() == 0
    assert ring.has(10 * SECOND)


def test_without_its_lease_a_share_grants_nothing():
    ring = full(5)
    ring.usable_until = 2 * SECOND
    assert ring.ready_at(SECOND) is not None
    assert ring.ready_at(2 * SECOND) is None
    assert not ring.has(2 * SECOND)


# ---------------------------------------------------------------- shares


@pytest.mark.parametrize(
    ("quota", "wants", "shares"),
    [
        (10, {"a": 10, "b": 10}, {"a": 5, "b": 5}),
        (10, {"a": 2, "b": 10}, {"a": 2, "b": 8}),
        (3, {"a": 9, "b": 9, "c": 9, "d": 9}, {"a": 1, "b": 1, "c": 1, "d": 0}),
        (10, {"a": 1, "b": 1}, {"a": 5, "b": 5}),
        (9, {"a": 0, "b": 1}, {"a": 4, "b": 5}),
    ],
)
def test_shares_are_fair_and_sum_to_the_quota(quota, wants, shares):
    assert fair(quota, wants) == shares


def test_nobody_takes_what_another_still_holds():
    assert divide(10, "me", held=0, wants=10, others=[], gone=()) == (10, 0)
    held = keeper_row("other", 10)
    assert divide(10, "me", held=0, wants=10, others=[held], gone=()) == (0, 0)
    assert divide(10, "other", held=10, wants=10, others=[keeper_row("me", 0)], gone=()) == (0, 5)
    assert divide(10, "me", held=0, wants=10, others=[held], gone=("other",)) == (10, 0)


def keeper_row(worker, tokens):
    from newsletter.store.pace import Share

    return Share(bucket="all/second", worker=worker, tokens=tokens, wants=10, beat=1, holds=6.0, beat_at=NOW)


class Times:
    def __init__(self):
        self.at = 1000 * SECOND

    def __call__(self):
        return self.at


def process(db, name, times, *, waiting=5000):
    lanes = Lanes(times)
    keeper = Keeper(db, name, lanes, wall=lambda: NOW, clock=times)
    keeper.ask(None, [Quota(bucket="all/second", tokens=200, span=SECOND)])
    for number in range(waiting):
        lanes.put(outgoing(number=number))
    return lanes, keeper


def taken(lanes):
    try:
        return 1 + len(lanes.more(100)) if lanes.get_nowait() is not None else 0
    except queue.Empty:
        return 0


def test_three_processes_share_a_quota_exactly_also_when_one_dies_and_one_leaves(db):
    """2,500 steps of 10 ms; a beat each half second. "dead" never says goodbye; the wall clock stands still all the time."""
    times, grants = Times(), {}
    there = {"a": process(db, "a", times)}
    began = times.at
    for step in range(2_500):
        if step == 150:
            there["b"], there["dead"] = process(db, "b", times), process(db, "dead", times)
        if step == 800:
            del there["dead"]
        if step == 2_000:
            there.pop("b")[1].leave()
        if step % 50 == 0:
            for _, keeper in there.values():
                keeper.beat()
        for name, (lanes, _) in there.items():
            grants.setdefault(name, []).extend([times.at] * taken(lanes))
        times.at += 10_000_000
    everybody = sorted(at for one in grants.values() for at in one)
    assert most_in_a_second(everybody) <= 200

    def share(first, last):
        return sum(first <= (at - began) / SECOND < last for at in everybody) / (200 * (last - first))

    assert share(4, 8) >= 0.98  # all three; here a step of 10 ms is the lateness
    assert 0.6 <= share(8, 8 + LEASE) <= 0.7  # what the dead one held rests until its lease is over
    assert share(16, 20) >= 0.98
    assert share(22, 25) >= 0.98  # the other left: its tokens were free a second later
    assert {name: len(found) > 300 for name, found in grants.items()} == dict.fromkeys(grants, True)


# ---------------------------------------------------------------- lanes


def test_a_slow_group_holds_up_no_other_and_a_letter_goes_first():
    times = Times()
    lanes = Lanes(times)
    slow = Ring(1, 60 * SECOND)
    slow.usable_until = 1 << 60
    slow.take(1, times.at - 60 * SECOND)
    lanes.limit("gmail", [slow])
    for number in range(3):
        lanes.put(outgoing("gmail", number))
    lanes.put(outgoing("gmail", 9, letter=True))
    for number in range(10, 13):
        lanes.put(outgoing("outlook", number))
    got = [lanes.get_nowait().person_id for _ in range(4)]
    assert sorted(got) == ["p10", "p11", "p12", "p9"]
    with pytest.raises(queue.Empty):
        lanes.get_nowait()
    assert lanes.waiting == lanes.length("gmail") == 3
    times.at += 60 * SECOND
    assert lanes.get_nowait().person_id == "p0"


def test_messages_that_go_together_take_the_tokens_that_are_ready_and_no_more():
    times = Times()
    lanes = Lanes(times)
    ring = full(5, now=times.at - 2 * SECOND)
    lanes.limit(None, [ring])
    for number in range(20):
        lanes.put(outgoing("gmail" if number % 2 else None, number))
    first = lanes.get_nowait()
    assert first is not None
    assert len(lanes.more(9)) == 4
    assert lanes.more(9) == []


def test_the_end_comes_before_what_waits():
    lanes = Lanes(Times())
    lanes.put(outgoing())
    lanes.put(None)
    assert lanes.get(0.01) is None
    assert lanes.waiting == 1


# ---------------------------------------------------------------- brakes


@pytest.mark.parametrize(
    ("reply", "asks"),
    [
        ("421 4.3.2 Try again later", True),
        ("421 too many connections", True),
        ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery", True),
        ("451 4.7.650 The mail server has been temporarily rate limited", True),
        ("452 4.5.3 Too many recipients", True),
        ("450 too many messages from your address, slow down", True),
        ("451 4.7.1 Greylisted, come back in 5 minutes", False),
        ("452 4.2.2 Mailbox full", False),
        ("450 4.1.1 user unknown for now", False),
        ("550 5.7.1 rate limit", False),
        ("brevo asked to wait", False),
    ],
)
def test_what_asks_for_less_speed(reply, asks):
    assert brake.too_fast(Outcome(fate=Fate.RETRY, reply=reply)) is asks


def test_a_refusal_that_stops_the_transport_slows_nobody():
    assert not brake.too_fast(Outcome(fate=Fate.RETRY, reply="421 4.7.0 no", down="it does not relay for us"))
    assert not brake.too_fast(Outcome(fate=Fate.ACCEPTED, reply="421"))


def test_a_group_gets_half_and_little_by_little_all_again():
    first = brake.slowed(Group(mail_group="gmail"), 8.0, reply="421", now=NOW)
    assert brake.rate_of(first, NOW) == 4.0
    assert brake.slowed(first, 8.0, reply="421", now=NOW + timedelta(seconds=20)) is first  # already under way
    rates = [brake.rate_of(first, NOW + timedelta(minutes=minutes)) for minutes in range(0, 46, 5)]
    assert rates[:-1] == sorted(rates[:-1])
    assert (rates[6], rates[-1]) == (12.0, None)
    assert brake.off_at(first) == NOW + timedelta(minutes=45)
    second = brake.slowed(first, 99.0, reply="421", now=NOW + timedelta(minutes=15))
    assert (second.ceiling, second.rate) == (8.0, 4.0)


def test_the_brake_never_stops_a_group_altogether():
    group, now = Group(mail_group="gmail"), NOW
    for _ in range(30):
        group = brake.slowed(group, 0.0, reply="421", now=now)
        now += timedelta(minutes=1)
    assert brake.rate_of(group, now) >= brake.SLOWEST
    assert brake.quota_of(0.05) == (1, 20 * SECOND)
    assert brake.quota_of(2.5) == (25, 10 * SECOND)


# ---------------------------------------------------------------- the plan


def test_a_day_of_the_plan_is_one_on_which_mail_is_sent():
    zone = "Asia/Ho_Chi_Minh"
    began, ends = plan.day_of(NOW, zone)
    assert (began, ends) == (datetime(2026, 11, 22, 17, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC))
    fresh = plan.today(PLAN, [], now=NOW, zone=zone)
    assert (fresh.day, fresh.allowed, fresh.left, fresh.until) == (1, 50, 50, ends)
    week_before = began - timedelta(days=7)
    second = plan.today(PLAN, [(week_before, 50), (began, 30)], now=NOW, zone=zone)
    assert (second.day, second.allowed, second.left) == (2, 100, 70)
    over = plan.today((5,), [(week_before, 5)], now=NOW, zone=zone)
    assert (over.allowed, over.left) == (None, None)


def test_one_of_a_hundred_blocked_is_the_most_and_a_few_are_no_rate():
    assert not plan.blocks(sent=20, blocked=9, most=0.01)
    assert not plan.blocks(sent=990, blocked=10, most=0.01)
    assert plan.blocks(sent=980, blocked=11, most=0.01)
    assert not plan.blocks(sent=0, blocked=50, most=0)


# ---------------------------------------------------------------- settings


def test_limits_name_receivers_domains_and_everybody_else():
    pace = Pace(
        per_second=14,
        groups={"gmail": Limit(per_minute=60), "viettel.example": Limit(per_day=9), "default": Limit(per_second=2)},
    )
    rules = Rules(pace, lambda domain: subscribers.mail_group(domain, KEY))
    assert [(q.bucket, q.tokens, q.rate) for q in rules.quotas(ALL)] == [("all/second", 14, 14.0)]
    assert [(q.bucket, q.rate) for q in rules.quotas("gmail")] == [("gmail/minute", 1.0)]
    assert [c.most for c in rules.counts(subscribers.mail_group("viettel.example", KEY))] == [9]
    assert rules.quotas("outlook")[0].rate == 2
    assert rules.any
    assert not Rules(Pace(), lambda domain: domain).any


def test_the_named_receivers_are_those_that_people_are_grouped_by():
    assert {subscribers.mail_group(f"{name}.com", KEY) for name in ("gmail", "outlook", "yahoo", "icloud", "gmx")} | {
        subscribers.mail_group("proton.me", KEY)
    } == set(RECEIVERS)


def test_an_unknown_group_is_refused_by_name():
    with pytest.raises(ValueError, match="gmial is no mail group"):
        Pace(groups={"gmial": Limit(per_second=1)})


def test_slices_of_an_hour_count_until_all_they_stand_for_is_past():
    limit = Rules(Pace(per_hour=10), lambda domain: domain).counts(ALL)[0]
    at = NOW + timedelta(seconds=17)
    assert limit.slice_of(at) == NOW + timedelta(seconds=10)
    last = limit.free_again(limit.slice_of(at))
    assert last - at > timedelta(hours=1)
    assert limit.since(last) > limit.slice_of(at)
    assert limit.since(last - timedelta(seconds=1)) <= limit.slice_of(at)
