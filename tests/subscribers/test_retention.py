"""What is let go in time, and what never is: consent that holds, staff, somebody who came back meanwhile."""

from datetime import timedelta

import pytest

from subscribers import (
    KeyMismatch,
    Outcome,
    SubscriptionState,
    SuppressionKey,
    SuppressionReason,
    counts,
    create_list,
    ensure_person,
    evidence,
    find,
    forget_ips,
    forget_left,
    forget_unconfirmed,
    is_suppressed,
    parse_address,
    person,
    subscribe,
    suppress,
    unsubscribe,
    verify_chain,
)
from tests.subscribers.test_privacy import everything

MONTH = timedelta(days=30)


@pytest.fixture
def ask(people_db, key, form, now):
    """A sign-up that waits for its confirmation."""

    def asked(address, list_slug="news", *, at=now):
        with people_db.begin() as conn:
            return subscribe(conn, list_slug, parse_address(address), now=at, key=key, consent=form).person_id

    return asked


def test_a_sign_up_nobody_confirmed_is_forgotten_without_a_trace_and_may_come_again(people_db, key, form, now, ask):
    who = ask("quen@vien.example")
    with people_db.begin() as conn:
        assert forget_unconfirmed(conn, before=now, now=now + MONTH) == 0, "not before its time"
        assert forget_unconfirmed(conn, before=now + MONTH, now=now + MONTH) == 1
        assert forget_unconfirmed(conn, before=now + MONTH, now=now + MONTH) == 0
        assert not is_suppressed(conn, parse_address("quen@vien.example"), key=key)
        assert counts(conn, "news")[SubscriptionState.PENDING] == 0
        assert verify_chain(conn, who)
    assert "quen" not in everything(people_db)
    with people_db.begin() as conn:
        again = subscribe(conn, "news", parse_address("quen@vien.example"), now=now + MONTH, key=key, consent=form)
        assert again.outcome is Outcome.PENDING
        assert again.person_id != who


def test_who_confirmed_anything_or_is_staff_stays(people_db, now, join, ask):
    with people_db.begin() as conn:
        create_list(conn, "other", name="Khác", now=now)
    reader, editor = join("co@vien.example"), ask("bien-tap@vien.example")
    ask("co@vien.example", "other")
    with people_db.begin() as conn:
        assert forget_unconfirmed(conn, before=now + MONTH, now=now + MONTH, spared=[editor]) == 0
        assert person(conn, reader).address is not None
        assert person(conn, editor).address is not None


def test_an_address_that_was_only_held_for_a_letter_is_forgotten_and_who_is_barred_or_staff_is_not(people_db, key, now):
    held, editor, bounced = (parse_address(f"{name}@vien.example") for name in ("giu", "bien-tap", "hong"))
    with people_db.begin() as conn:
        who = [ensure_person(conn, one, now=now, key=key) for one in (held, editor, bounced)]
        suppress(conn, who[2], reason=SuppressionReason.BOUNCED, now=now, key=key)
        assert forget_unconfirmed(conn, before=now, now=now, spared=[who[1]]) == 0
        assert forget_unconfirmed(conn, before=now + MONTH, now=now + MONTH, spared=[who[1]]) == 1
        assert [person(conn, one).address is None for one in who] == [True, False, False]
        assert not is_suppressed(conn, held, key=key)


def test_who_left_every_list_long_ago_is_erased_and_stays_out(people_db, key, now, join):
    gone, back, here = join("di@vien.example"), join("ve@vien.example"), join("con@vien.example")
    with people_db.begin() as conn:
        for who in (gone, back):
            unsubscribe(conn, "news", who, now=now, reason="page")
        assert forget_left(conn, before=now, now=now + MONTH, key=key) == 0
    join("ve@vien.example")
    with pytest.raises(KeyMismatch), people_db.begin() as conn:
        forget_left(conn, before=now + MONTH, now=now + MONTH, key=SuppressionKey(b"quite another key than theirs"))
    with people_db.begin() as conn:
        assert forget_left(conn, before=now + MONTH, now=now + MONTH, key=key) == 1
        assert find(conn, parse_address("di@vien.example")) is None
        assert is_suppressed(conn, parse_address("di@vien.example"), key=key)
        assert person(conn, here).address is not None
        assert person(conn, back).address is not None
        assert person(conn, gone).address is None


def test_ip_addresses_of_consents_go_and_the_chain_holds(people_db, now, join):
    who = join("an@vien.example")
    with people_db.begin() as conn:
        assert {row.ip for row in evidence(conn, who)} == {"192.0.2.7", None}
        assert forget_ips(conn, before=now) == 0
        assert forget_ips(conn, before=now + MONTH) == 1
        assert {row.ip for row in evidence(conn, who)} == {None}
        assert verify_chain(conn, who)


def test_no_more_than_so_many_go_in_one_transaction(people_db, now, ask):
    for number in range(5):
        ask(f"a{number}@vien.example")
    with people_db.begin() as conn:
        assert [forget_unconfirmed(conn, before=now + MONTH, now=now + MONTH, most=2) for _ in range(4)] == [2, 2, 1, 0]
