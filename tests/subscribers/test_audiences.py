import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import column, insert, table, text

from newsletter.store import Database
from subscribers import (
    ConsentGiven,
    Envelope,
    KeyMismatch,
    NotMailable,
    PersonId,
    SuppressionKey,
    SuppressionReason,
    audience,
    ensure_person,
    envelopes,
    erase,
    mail_group,
    not_mailable,
    parse_address,
    reveal,
    subscribe,
    suppress,
    unsubscribe,
)

Join = Callable[[str], PersonId]


def test_the_audience_is_everybody_mailable_in_the_order_of_their_ids(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime, form: ConsentGiven
) -> None:
    stays = [join(f"stay{n}@gmail.com") for n in range(5)]
    leaves, erased, bounced, complained, barred, barred_here = (join(f"go{n}@example.org") for n in range(6))
    with people_db.begin() as conn:
        subscribe(conn, "news", parse_address("pending@example.org"), now=now, key=key, consent=form)
        unsubscribe(conn, "news", leaves, now=now, reason="page")
        erase(conn, erased, now=now, key=key)
        suppress(conn, bounced, reason=SuppressionReason.BOUNCED, now=now, key=key)
        suppress(conn, complained, reason=SuppressionReason.COMPLAINED, now=now, key=key)
        suppress(conn, parse_address("GO4@example.org"), reason=SuppressionReason.STAFF, now=now, key=key)
        suppress(conn, barred_here, reason=SuppressionReason.STAFF, now=now, key=key, list_slug="news")
        rows = conn.execute(audience(conn, "news")).all()
        reasons = not_mailable(
            conn,
            "news",
            [*stays, leaves, erased, bounced, complained, barred, barred_here, PersonId("nobody")],
            key=key,
        )
    assert [row.person_id for row in rows] == sorted(stays)
    assert {row.mail_group for row in rows} == {"gmail"}
    assert rows[0]._fields == ("person_id", "language", "time_zone", "topics", "mail_group")
    assert reasons == {
        leaves: "left",
        erased: "erased",
        bounced: "bounced",
        complained: "complained",
        barred: "suppressed",
        barred_here: "suppressed",
        "nobody": "unknown person",
    }


def test_an_audience_can_be_frozen_by_one_statement(people_db: Database, join: Join) -> None:
    for n in range(3):
        join(f"p{n}@example.org")
    with people_db.begin() as conn:
        conn.execute(
            text("CREATE TABLE frozen (person_id text, language text, zone text, topics text, mail_group text)")
        )
        names = ("person_id", "language", "zone", "topics", "mail_group")
        frozen = insert(table("frozen", *map(column, names)))
        conn.execute(frozen.from_select(names, audience(conn, "news")))
        assert conn.execute(text("SELECT count(*) FROM frozen")).scalar() == 3


def test_envelopes_answer_for_every_id_in_the_order_asked(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    first, second, left = join("first@example.org"), join("second@example.net"), join("left@example.org")
    with people_db.begin() as conn:
        unsubscribe(conn, "news", left, now=now, reason="page")
        answers = list(envelopes(conn, "news", [second, left, first], key=key))
    assert [answer.person_id for answer in answers] == [second, left, first]
    assert isinstance(answers[0], Envelope)
    assert reveal(answers[0].address) == "second@example.net"
    assert answers[0].since == now
    assert answers[1] == NotMailable(person_id=left, reason=answers[1].reason)  # type: ignore[union-attr]
    assert "example" not in repr(answers)


def test_envelopes_of_many_people_come_in_several_look_ups(
    people_db: Database, key: SuppressionKey, now: datetime
) -> None:
    with people_db.begin() as conn:
        ids = [ensure_person(conn, parse_address(f"n{n}@example.org"), now=now, key=key) for n in range(1_003)]
        answers = list(envelopes(conn, None, ids, key=key))
    assert [answer.person_id for answer in answers] == ids
    assert all(isinstance(answer, Envelope) for answer in answers)


def test_a_letter_needs_no_subscription_but_still_a_living_address(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime, form: ConsentGiven
) -> None:
    gone = join("gone@example.org")
    with people_db.begin() as conn:
        staff = ensure_person(conn, parse_address("staff@example.org"), now=now, key=key)
        asked = subscribe(conn, "news", parse_address("new@example.org"), now=now, key=key, consent=form).person_id
        erase(conn, gone, now=now, key=key)
        back = subscribe(conn, "news", parse_address("gone@example.org"), now=now, key=key, consent=form).person_id
        assert asked is not None
        assert back is not None
        assert not_mailable(conn, None, [staff, asked, back, gone], key=key) == {gone: "erased"}
        assert not_mailable(conn, "news", [staff, asked], key=key) == {staff: "not subscribed", asked: "pending"}
        suppress(conn, staff, reason=SuppressionReason.BOUNCED, now=now, key=key)
        assert not_mailable(conn, None, [staff], key=key) == {staff: "bounced"}


def test_nothing_is_sent_under_another_suppression_key(people_db: Database, join: Join) -> None:
    who = join("an@example.org")
    with people_db.begin() as conn, pytest.raises(KeyMismatch) as caught:
        list(envelopes(conn, "news", [who], key=SuppressionKey(b"another key of the same length..")))
    assert "an@" not in str(caught.value)


def test_on_postgres_leaving_waits_for_the_message_in_flight(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    if people_db.is_sqlite:  # one writer at a time: the wait is the database's own
        return
    who, order = join("an@example.org"), []

    def leave() -> None:
        with people_db.begin() as conn:
            unsubscribe(conn, "news", who, now=now, reason="one-click")
        order.append("left")

    leaving = threading.Thread(target=leave)
    with people_db.begin() as conn:
        assert not_mailable(conn, "news", [who], key=key) == {}
        leaving.start()
        leaving.join(timeout=0.3)
        order.append("sent")
    leaving.join()
    assert order == ["sent", "left"]
    with people_db.begin() as conn:
        assert not_mailable(conn, "news", [who], key=key) == {who: "left"}


@pytest.mark.parametrize(
    ("domain", "group"),
    [
        ("gmail.com", "gmail"),
        ("googlemail.com", "gmail"),
        ("hotmail.co.uk", "outlook"),
        ("yahoo.com.vn", "yahoo"),
        ("me.com", "icloud"),
        ("gmx.de", "gmx"),
    ],
)
def test_big_receivers_are_groups_by_name(domain: str, group: str, key: SuppressionKey) -> None:
    assert mail_group(domain, key) == group


def test_other_domains_are_groups_without_a_name(key: SuppressionKey) -> None:
    group = mail_group("vien.example", key)
    assert group.startswith("h-")
    assert "vien" not in group
    assert group == mail_group("vien.example", key)
    assert group != mail_group("vien.example", SuppressionKey(b"another key of the same length.."))
    assert mail_group("gmail.com.evil.example", key).startswith("h-")
