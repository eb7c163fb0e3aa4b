"""The track stage lets go of people by the rules of the settings, once a day, and spares staff."""

from datetime import timedelta

import subscribers
from newsletter.store import staff
from subscribers import ConsentGiven, ConsentSource, parse_address
from tests.conftest import NOW

WEEKS = timedelta(days=31)


def ask(app, address):
    given = ConsentGiven(form="f/1", wording="Đồng ý", language="vi", source=ConsentSource.FORM, ip="192.0.2.9")
    with app.db.begin() as conn:
        return subscribers.subscribe(
            conn, "tin", parse_address(address), now=NOW, key=app.suppression_key, consent=given
        ).person_id


def test_unconfirmed_people_go_after_a_month_and_readers_and_staff_stay(sent):
    world = sent()
    stranger, editor = ask(world.app, "la@khach.example"), ask(world.app, "bien-tap@vien.example")
    with world.app.db.begin() as conn:
        staff.add(conn, editor, name="Lan", language="vi", now=NOW)
    world.track(NOW)
    world.track(NOW + WEEKS)
    with world.app.db.read() as conn:
        assert subscribers.person(conn, stranger).address is None
        assert subscribers.person(conn, editor).address is not None
        assert all(subscribers.person(conn, who).address for who in world.people)


def test_rules_may_be_off_or_stricter(sent):
    world = sent(retention={"unconfirmed_days": None, "left_days": 10, "ip_days": 1})
    stranger = ask(world.app, "la@khach.example")
    with world.app.db.begin() as conn:
        subscribers.unsubscribe(conn, "tin", world.people[0], now=NOW, reason="page")
    world.track(NOW + timedelta(days=11))
    with world.app.db.read() as conn:
        assert subscribers.person(conn, stranger).address is not None
        assert subscribers.person(conn, world.people[0]).address is None
        assert [one.ip for one in subscribers.evidence(conn, stranger)] == [None]


def test_it_is_looked_at_once_a_day(sent):
    world = sent(retention={"unconfirmed_days": 8})
    world.track(NOW + timedelta(days=20))
    stranger = ask(world.app, "la@khach.example")
    world.track(NOW + timedelta(days=20, hours=23))
    with world.app.db.read() as conn:
        assert subscribers.person(conn, stranger).address is not None
    world.track(NOW + timedelta(days=21))
    with world.app.db.read() as conn:
        assert subscribers.person(conn, stranger).address is None
