"""Sending through a real SMTP server, with the ledger on both databases."""

import email
import email.policy
from datetime import timedelta

import dkim
import pytest
import sqlalchemy as sa

import subscribers
from newsletter import deliver
from newsletter.deliver.smtp.dialogue import Dialogue
from newsletter.errors import TransportDown
from newsletter.mail.dkim import dns_record
from newsletter.mail.tokens import Purpose
from newsletter.model import CLOSED_DELIVERIES, OPEN_DELIVERIES, MailingState
from newsletter.store import mailings, receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses, outbox, smtp, topical
from tests.fakes.smtpd import Behaviour, Sink


def counts(app, mailing_id):
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id)


def state(app, mailing_id):
    with app.db.read() as conn:
        return mailings.get(conn, mailing_id).state


def test_everybody_gets_one_signed_message_and_a_second_run_sends_nothing(make_app, frozen_mailing, dkim_key):
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, addresses(25))
        assert deliver.run(app, NOW) == 25
        assert deliver.run(app, NOW) == 0
        assert sink.counts() == dict.fromkeys(addresses(25), 1)
        assert sink.connections <= 3
    assert counts(app, mailing_id).sent == 25
    assert state(app, mailing_id) is MailingState.SENT
    record = dns_record(dkim_key.read_bytes()).encode()
    for one in sink.received:
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        assert dkim.verify(one.content, dnsfunc=lambda *a, **k: record)
        assert message["To"].addresses[0].addr_spec == one.rcpt
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        trace = message["Message-ID"].strip("<>").split("@")[0]
        assert app.keyring.read(Purpose.TRACE, trace)[0] == mailing_id


def test_readers_get_the_items_of_the_topics_they_chose_and_who_is_left_with_none_is_skipped(make_app, frozen_mailing):
    app = make_app()
    mailing_id = frozen_mailing(app, addresses(4), made=topical)
    with app.db.begin() as conn:
        for address, topics in zip(addresses(3), (["biển"], ["Lúa", "Biển"], ["Rừng"]), strict=True):
            person_id = subscribers.find(conn, subscribers.parse_address(address))
            assert subscribers.choose_topics(conn, "tin", person_id, topics)
    deliver.run(app, NOW)
    got = {}
    for path in outbox(app):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()
        markup = message.get_body(("html",)).get_content()
        got[message["To"].addresses[0].addr_spec] = [
            words for words in ("Phao đo sóng.", "Giống lúa chịu mặn.") if words in text and f"<p>{words}</p>" in markup
        ]
    both = ["Phao đo sóng.", "Giống lúa chịu mặn."]
    assert got == dict(zip([*addresses(2), addresses(4)[3]], (both[:1], both, both), strict=True))
    assert (counts(app, mailing_id).sent, counts(app, mailing_id).skipped) == (3, 1)
    with app.db.read() as conn:
        reason = conn.execute(sa.text("SELECT reason FROM deliveries WHERE state = 'skipped'")).scalar_one()
    assert reason == "no chosen topic"


def test_the_return_path_carries_the_token_of_the_delivery(make_app, frozen_mailing):
    sender = {"address": "bantin@vien.example", "name": "V", "bounce_domain": "bounces.vien.example"}
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port), sender=sender)
        frozen_mailing(app, addresses(2))
        deliver.run(app, NOW)
    for one in sink.received:
        local, domain = one.mail_from.split("@")
        assert domain == "bounces.vien.example"
        assert app.keyring.read(Purpose.TRACE, local.removeprefix("b.")) is not None
        assert len(local) <= 64


def test_a_refusal_for_good_fails_that_row_only_and_becomes_a_bounce(make_app, frozen_mailing):
    from newsletter import track

    people = addresses(4)
    refuse = Behaviour(rcpt=lambda rcpt: "550 5.1.1 No such user here" if rcpt == people[1] else None)
    with Sink(refuse) as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.sent, final.failed, final.open) == (3, 1, 0)
    assert people[1] not in sink.counts()
    assert track.run(app, NOW) == 1
    assert track.run(app, NOW) == 0
    assert track.numbers(app, mailing_id).bounces == 1
    with app.db.read() as conn:
        gone = subscribers.parse_address(people[1])
        assert subscribers.is_suppressed(conn, gone, key=app.suppression_key)


def test_a_refusal_for_now_is_tried_again_when_due_and_given_up_after_48_hours(make_app, frozen_mailing, clock):
    people = addresses(2)
    behaviour = Behaviour(rcpt=lambda rcpt: "451 4.7.1 Greylisted" if rcpt == people[0] else None)
    with Sink(behaviour) as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, clock.now())
        assert counts(app, mailing_id).deferred == 1
        assert deliver.run(app, clock.now()) == 0
        clock.at = NOW + timedelta(minutes=6)
        behaviour.rcpt = lambda rcpt: None
        deliver.run(app, clock.now())
    assert counts(app, mailing_id).sent == 2
    assert sink.counts() == dict.fromkeys(people, 1)

    with Sink(Behaviour(rcpt=lambda rcpt: "451 4.7.1 Greylisted")) as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, people)
        for hours in (0, 1, 5, 20, 49):
            clock.at = NOW + timedelta(hours=hours)
            deliver.run(app, clock.now())
    final = counts(app, mailing_id)
    assert (final.failed, final.open) == (2, 0)


def test_a_line_that_breaks_after_the_message_is_unknown_and_not_sent_again(make_app, frozen_mailing):
    people = addresses(3)
    with Sink(Behaviour(drop_after_data=lambda rcpt: rcpt == people[1])) as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
        deliver.run(app, NOW)
        assert sink.counts() == dict.fromkeys(people, 1)
    final = counts(app, mailing_id)
    assert (final.sent, final.unknown, final.open, final.balanced) == (2, 1, 0, True)


def test_the_policy_resend_sends_the_same_message_again(make_app, frozen_mailing, clock):
    first = iter([True, False])
    with Sink(Behaviour(drop_after_data=lambda rcpt: next(first))) as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(1), policy="resend")
        deliver.run(app, NOW)
        assert len(sink.received) == 1
        clock.at = NOW + timedelta(minutes=5)
        deliver.run(app, clock.now())
    ids = {email.message_from_bytes(one.content)["Message-ID"] for one in sink.received}
    assert len(sink.received) == 2
    assert len(ids) == 1
    assert counts(app, mailing_id).sent == 1


def test_who_leaves_after_freezing_gets_nothing(make_app, frozen_mailing):
    people = addresses(3)
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, people)
        with app.db.begin() as conn:
            gone = subscribers.find(conn, subscribers.parse_address(people[2]))
            subscribers.unsubscribe(conn, "tin", gone, now=NOW, reason="page")
        deliver.run(app, NOW)
        assert people[2] not in sink.counts()
    final = counts(app, mailing_id)
    assert (final.sent, final.skipped) == (2, 1)
    with app.db.read() as conn:
        assert receipts.of_person(conn, gone, mailing_id)["reason"] == "left"


def test_who_leaves_while_the_message_is_built_gets_nothing_either(make_app, frozen_mailing, monkeypatch):
    """The check is in the transaction of the intent, after the message body has gone out and before the final dot."""
    people = addresses(2)
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        original = Dialogue.envelope

        def leave_meanwhile(self, flight):
            with app.db.begin() as conn:
                subscribers.unsubscribe(conn, "tin", flight.outgoing.person_id, now=NOW, reason="page")
            return original(self, flight)

        monkeypatch.setattr(Dialogue, "envelope", leave_meanwhile)
        deliver.run(app, NOW)
        assert sink.received == []
    assert counts(app, mailing_id).skipped == 2


def test_a_server_that_is_not_there_leaves_every_row_pending(make_app, frozen_mailing):
    with Sink() as sink:
        port = sink.port
    app = make_app(transport=smtp(port))
    mailing_id = frozen_mailing(app, addresses(3))
    with pytest.raises(TransportDown, match=r"smtp localhost:\d+: cannot connect"):
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.pending, final.sent) == (3, 0)
    with Sink() as sink:
        again = make_app(transport=smtp(sink.port))
        deliver.run(again, NOW)
        assert len(sink.received) == 3


def test_a_wrong_password_pauses_nothing_and_fails_nobody(make_app, frozen_mailing, authority):
    behaviour = Behaviour(users={"bantin": "right"})
    with Sink(behaviour, tls=authority.server("localhost"), starttls=True) as sink:
        safe = {"security": "starttls", "ca_file": authority.ca_file, "username": "bantin"}
        wrong = make_app(transport=smtp(sink.port, password="wrong", **safe))
        mailing_id = frozen_mailing(wrong, addresses(2))
        with pytest.raises(TransportDown, match="refuses the user name or password"):
            deliver.run(wrong, NOW)
        assert counts(wrong, mailing_id).pending == 2
        right = make_app(transport=smtp(sink.port, password="right", **safe))
        deliver.run(right, NOW)
        assert len(sink.received) == 2


def test_other_content_than_approved_is_refused(make_app, frozen_mailing):
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, addresses(2))
        with app.db.begin() as conn:
            conn.execute(sa.text("UPDATE renderings SET html = replace(html, '1,5', '9,5')"))
        deliver.run(app, NOW)
        assert sink.received == []
    assert state(app, mailing_id) is MailingState.PAUSED
    assert counts(app, mailing_id).pending == 2


def test_readers_get_the_rendering_of_their_language(make_app, frozen_mailing):
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        from tests.conftest import subscribe

        subscribe(app, "tin", ["reader@other.example"], language="en")
        frozen_mailing(app, addresses(1))
        deliver.run(app, NOW)
    texts = {
        one.rcpt: email.message_from_bytes(one.content, policy=email.policy.default).get_body(("plain",)).get_content()
        for one in sink.received
    }
    assert texts["reader@other.example"].startswith("Hello Nguyễn Văn Thử")
    assert texts["doc.gia0@thu0.example"].startswith("Chào Nguyễn Văn Thử")


def test_the_outbox_holds_one_file_per_reader(make_app, frozen_mailing):
    app = make_app()
    mailing_id = frozen_mailing(app, addresses(5))
    deliver.run(app, NOW)
    assert len(outbox(app)) == 5
    assert counts(app, mailing_id).sent == 5
    assert not list(app.settings.outbox.glob("*.part"))


def test_stopping_finishes_what_is_in_flight_and_leaves_no_unknown(make_app, frozen_mailing):
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        sink.behaviour.data = lambda rcpt: app.stopping.set()
        mailing_id = frozen_mailing(app, addresses(30))
        deliver.run(app, NOW)
        final = counts(app, mailing_id)
        assert final.unknown == 0
        assert final.claimed == 0
        assert final.intent == 0
        assert final.sent == len(sink.received)


def test_the_log_of_a_send_carries_no_address(make_app, frozen_mailing, capfd):
    from newsletter import log

    log.configure("debug", "json")
    with Sink(Behaviour(rcpt=lambda rcpt: f"550 5.1.1 <{rcpt}> unknown" if "gia1" in rcpt else None)) as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, addresses(3))
        deliver.run(app, NOW)
    written = capfd.readouterr()
    assert "@" not in written.out + written.err
    with app.db.read() as conn:
        rows = receipts.reasons(conn, mailing_id, *OPEN_DELIVERIES, *CLOSED_DELIVERIES)
        replies = conn.execute(sa.text("SELECT reply FROM deliveries WHERE state = 'failed'")).scalars().all()
    assert all("@" not in (reply or "") for reply in replies)
    assert rows
