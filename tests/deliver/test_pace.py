"""Sending under limits, with real rows: what waits, why, and until when; who is slowed and stopped, and how it goes on."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import deliver
from newsletter.cli.pacing import lines_of
from newsletter.deliver import pace
from newsletter.deliver.pace.plans import plan_today
from newsletter.deliver.pace.report import report
from newsletter.model import LetterKind, MailingKind
from newsletter.store import deliveries, letters, mailings, receipts, recovering
from newsletter.store import pace as rows
from tests.conftest import NOW, subscribe
from tests.deliver.conftest import outbox, smtp
from tests.fakes.smtpd import Behaviour, Sink

GMAIL = [f"doc{number}@gmail.com" for number in range(6)]
OTHERS = [f"doc{number}@thu{number}.example" for number in range(4)]


def counts(app, mailing_id):
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id)


def waiting(app, mailing_id):
    """(mail group, reason, next moment) of those that wait, in the order of their turns."""
    query = sa.text("SELECT person_id FROM deliveries WHERE mailing_id = :m AND state = 'pending' ORDER BY next_at")
    with app.db.read() as conn:
        people = conn.execute(query, {"m": mailing_id}).scalars().all()
        found = [receipts.of_person(conn, person, mailing_id) for person in people]
    return [(row["mail_group"], row["reason"], row["next_at"]) for row in found]


def group_of(app, name):
    with app.db.read() as conn:
        return rows.groups(conn).get(name)


def test_a_quota_of_seconds_is_shared_by_all_and_everybody_gets_their_message(make_app, frozen_mailing):
    app = make_app(pace={"per_second": 200})
    mailing_id = frozen_mailing(app, GMAIL + OTHERS)
    assert deliver.run(app, NOW) == 10
    assert counts(app, mailing_id).sent == len(outbox(app)) == 10
    with app.db.read() as conn:
        left = rows.shares(conn, ["all/second"])
    assert sum(share.tokens for share in left) <= 200


def test_what_a_slow_group_may_not_get_yet_waits_with_its_turn_and_reason_and_others_go(
    make_app, frozen_mailing, clock
):
    app = make_app(pace={"groups": {"gmail": {"per_hour": 2}}})
    mailing_id = frozen_mailing(app, GMAIL + OTHERS)
    deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 6
    left = waiting(app, mailing_id)
    assert [(group, reason) for group, reason, _ in left] == [("gmail", pace.USED_UP)] * 4
    turns = [at for _, _, at in left]
    assert turns[0] > NOW + timedelta(hours=1)
    assert turns[1] - turns[0] == timedelta(minutes=30)
    assert deliver.run(app, NOW) == 0
    clock.at = turns[1] + timedelta(minutes=1)
    deliver.run(app, clock.at)
    assert counts(app, mailing_id).sent == 8


def test_what_a_sender_died_holding_keeps_the_pace_too(make_app, frozen_mailing, clock):
    app = make_app(pace={"groups": {"gmail": {"per_hour": 2}}})
    mailing_id = frozen_mailing(app, GMAIL + OTHERS)
    with app.db.begin() as conn:
        deliveries.claim(conn, mailing_id, worker="gone", now=clock.now(), lease=timedelta(minutes=15))
        assert recovering.recover(conn, dead=["gone"], now=clock.now()) == (10, 0)
    deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 6
    assert [(group, reason) for group, reason, _ in waiting(app, mailing_id)] == [("gmail", pace.USED_UP)] * 4


def test_rows_of_a_group_paced_by_the_minute_come_due_one_by_one(make_app, frozen_mailing):
    app = make_app(pace={"groups": {"gmail": {"per_minute": 30}}})
    mailing_id = frozen_mailing(app, GMAIL)
    with app.db.begin() as conn:
        claims = _claimed(conn, mailing_id)
    pacer = pace.Pacer(app, "w", pace.rules_of(app))
    with app.db.begin() as conn:
        kept = pacer.admit(conn, claims[0], claims[1], letter=False, now=NOW)
    assert len(kept) == 1
    left = waiting(app, claims[0])
    assert [reason for _, reason, _ in left] == [pace.PACED] * 5
    assert [at - NOW for _, _, at in left] == [timedelta(seconds=2 + 2 * number) for number in range(5)]
    tries = sa.text("SELECT DISTINCT tries FROM deliveries WHERE state = 'pending'")
    with app.db.read() as conn:
        assert conn.execute(tries).scalars().all() == [0]


def _claimed(conn, mailing_id):
    from newsletter.store import deliveries

    return mailing_id, deliveries.claim(conn, mailing_id, worker="w", now=NOW, lease=timedelta(minutes=15), limit=100)


def test_what_exceeds_the_plan_of_a_new_domain_waits_for_the_next_day_and_letters_do_not(
    make_app, frozen_mailing, clock
):
    app = make_app(pace={"warmup": {"on": True, "plan": [3, 4]}})
    mailing_id = frozen_mailing(app, GMAIL + OTHERS)
    deliver.run(app, clock.now())
    assert deliver.run(app, clock.now()) == 0
    assert (counts(app, mailing_id).sent, counts(app, mailing_id).pending) == (3, 7)
    with app.db.read() as conn:
        today = plan_today(app, conn, "vien.example", clock.now())
    assert (today.day, today.allowed, today.left) == (1, 3, 0)
    letter = frozen_mailing(app, [], kind=MailingKind.TEST)
    deliver.run(app, clock.now())
    assert counts(app, letter).sent == 10
    clock.at = today.until + timedelta(days=3)  # nothing runs for days: nobody expires, for nobody was refused
    deliver.run(app, clock.now())
    assert counts(app, mailing_id).sent == 7
    clock.at += timedelta(days=1)
    deliver.run(app, clock.now())
    assert (counts(app, mailing_id).sent, counts(app, mailing_id).failed) == (10, 0)  # the plan is over


SENDERS = {
    "address": "bantin@vien.example",
    "postal_address": "3 phố Ví Dụ, Hà Nội",
    "lists": {"khoa": "tin@khoa.example"},
}


def standing(app, now):
    """(day of the plan, allowed, sent) of each domain mail comes from."""
    with app.db.read() as conn:
        told = report(app, conn, now)
    return {one.domain: (one.today.day, one.today.allowed, one.today.sent) for one in told.plans}


def test_each_domain_that_is_sent_from_has_its_own_days(make_app, frozen_mailing, clock):
    app = make_app(pace={"warmup": {"on": True, "plan": [3, 4]}}, sender=SENDERS)
    main = frozen_mailing(app, GMAIL)
    deliver.run(app, clock.now())
    assert standing(app, clock.now()) == {"vien.example": (1, 3, 3), "khoa.example": (1, 3, 0)}
    assert [reason for _, reason, _ in waiting(app, main)] == [None] * 3, "nobody is claimed whom the plan holds back"
    faculty = frozen_mailing(app, OTHERS, list_slug="khoa")
    deliver.run(app, clock.now())
    assert deliver.run(app, clock.now()) == 0
    assert (counts(app, main).sent, counts(app, faculty).sent) == (3, 3)
    assert standing(app, clock.now()) == {"vien.example": (1, 3, 3), "khoa.example": (1, 3, 3)}
    clock.at += timedelta(days=1)
    deliver.run(app, clock.now())
    assert (counts(app, main).sent, counts(app, faculty).sent) == (6, 4)
    with app.db.read() as conn:
        lines = lines_of(report(app, conn, clock.now()), "Asia/Ho_Chi_Minh")
    assert lines == ["plan       vien.example: day 2, 3 of 4 sent", "plan       khoa.example: day 2, 1 of 4 sent"]


def test_a_domain_that_begins_later_begins_small(make_app, frozen_mailing, clock):
    app = make_app(pace={"warmup": {"on": True, "plan": [2, 4]}}, sender=SENDERS)
    main = frozen_mailing(app, GMAIL)
    for _ in range(2):
        deliver.run(app, clock.now())
        clock.at += timedelta(days=1)
    assert counts(app, main).sent == 6
    faculty, more = frozen_mailing(app, OTHERS, list_slug="khoa"), frozen_mailing(app, [])
    deliver.run(app, clock.now())
    assert (counts(app, faculty).sent, counts(app, more).sent) == (2, 6), "the plan of the main domain is over"
    assert len(waiting(app, faculty)) == 2
    letter = frozen_mailing(app, [], kind=MailingKind.TEST, list_slug="khoa")
    deliver.run(app, clock.now())
    assert counts(app, letter).sent == 4
    assert standing(app, clock.now())["khoa.example"] == (1, 2, 6), "letters are counted, and not held"
    clock.at += timedelta(days=1)
    deliver.run(app, clock.now())
    assert counts(app, faculty).sent == 4


def test_who_is_not_mailable_costs_the_plan_nothing(make_app, frozen_mailing):
    app = make_app(pace={"warmup": {"on": True, "plan": [3]}})
    mailing_id = frozen_mailing(app, OTHERS)
    with app.db.begin() as conn:
        for address in OTHERS[:2]:
            gone = subscribers.find(conn, subscribers.parse_address(address))
            subscribers.unsubscribe(conn, "tin", gone, now=NOW, reason="page")
    deliver.run(app, NOW)
    deliver.run(app, NOW)
    assert (counts(app, mailing_id).sent, counts(app, mailing_id).skipped) == (2, 2)


def test_a_receiver_that_says_not_so_fast_is_slowed_for_all_senders_and_the_others_are_not(
    make_app, frozen_mailing, clock
):
    refuse = Behaviour(
        rcpt=lambda rcpt: "450 4.7.28 Rate limit exceeded, slow down" if rcpt.endswith("gmail.com") else None
    )
    with Sink(refuse) as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, GMAIL + OTHERS)
        deliver.run(app, NOW)
        assert (counts(app, mailing_id).sent, counts(app, mailing_id).open) == (4, 6)
        slowed = group_of(app, "gmail")
        assert slowed.rate is not None
        assert "Rate limit" in slowed.reply
        with app.db.read() as conn:
            assert list(rows.groups(conn)) == ["gmail"]
        refuse.rcpt = lambda rcpt: None
        clock.at = NOW + timedelta(hours=1)
        deliver.run(app, clock.now())
    assert counts(app, mailing_id).sent == 10


def test_a_receiver_that_blocks_is_stopped_staff_are_told_once_and_a_person_lets_it_go_on(
    make_app, frozen_mailing, clock
):
    blocked = [f"chan{number}@yahoo.com" for number in range(12)]
    people = blocked + OTHERS
    refuse = Behaviour(rcpt=lambda rcpt: "554 5.7.1 Blocked for policy reasons" if "chan" in rcpt else None)
    with Sink(refuse) as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        member = _member(app)
        first = frozen_mailing(app, people)
        deliver.run(app, NOW)
        assert counts(app, first).failed == 12
        assert counts(app, first).sent == 4
        stopped = group_of(app, "yahoo")
        assert stopped.stopped_until == NOW + timedelta(hours=6)
        assert _notices(app) == [(member, "group_stopped", "yahoo")]

        refuse.rcpt = lambda rcpt: None
        subscribe(app, "tin", ["moi@yahoo.com"])
        again = frozen_mailing(app, [])
        deliver.run(app, NOW)
        assert [(group, reason) for group, reason, _ in waiting(app, again)] == [("yahoo", pace.STOPPED)] * len(
            waiting(app, again)
        )
        left = counts(app, again).pending
        assert left >= 1
        with app.db.begin() as conn:
            assert pace.resume(app, conn, "yahoo", mailings.sending(conn), NOW)
            assert not pace.resume(app, conn, "yahoo", mailings.sending(conn), NOW)
        deliver.run(app, NOW)
        assert counts(app, again).pending == 0
    assert len(_notices(app)) == 1


def _member(app):
    from newsletter.store import staff

    with app.db.begin() as conn:
        person = subscribers.ensure_person(
            conn, subscribers.parse_address("bt@vien.example"), now=NOW, key=app.suppression_key
        )
        staff.add(conn, person, name="Biên Tập", language="vi", now=NOW)
    return person


def _notices(app):
    with app.db.read() as conn:
        return [
            (letter.person_id, letter.variables["topic"], letter.variables["name"])
            for letter in letters.asked(conn)
            if letter.kind is LetterKind.NOTICE
        ]


@pytest.mark.parametrize("limits", [{}, {"groups": {"gmail": {"per_second": 5}}}])
def test_a_database_without_limits_or_brakes_opens_no_pacer(make_app, limits):
    app = make_app(pace=limits)
    assert (pace.opened(app, "w") is not None) is bool(limits)
