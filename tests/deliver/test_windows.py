"""Several messages on the way at once: PIPELINING and CHUNKING, with every fault in the middle of them.

The invariant everywhere: each reader is at the relay once, or is failed, skipped, deferred or unknown; nobody twice.
"""

import asyncio
import email
import email.policy
import threading

import aiosmtplib
import pytest
import sqlalchemy as sa

import subscribers
from newsletter import deliver
from newsletter.deliver.smtp.dialogue import Dialogue
from newsletter.errors import TransportDown
from newsletter.model import DeliveryState
from newsletter.store import deliveries, receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses, smtp
from tests.fakes.relay import CHUNKED, LOCK_STEP, PIPELINED, Close, Heard, Relay

OFFERS = pytest.mark.parametrize("offers", [LOCK_STEP, PIPELINED, CHUNKED], ids=["lock-step", "pipelined", "chunked"])
WINDOWS = {LOCK_STEP: 1, PIPELINED: 2, CHUNKED: 8}
REFUSED = b"550 5.1.1 no such user\r\n"


def counts(app, mailing_id):
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id)


def nobody_twice(relay: Relay, final) -> None:
    """Every frozen reader has exactly one explicit state, and what is sent was taken once."""
    assert final.open == final.deferred + final.pending
    assert max(relay.counts().values(), default=0) <= 1
    assert final.sent <= len(relay.kept) <= final.sent + final.unknown


@OFFERS
def test_everybody_gets_their_own_message_once(make_app, frozen_mailing, offers):
    people = addresses(20)
    sender = {"address": "bantin@vien.example", "name": "V", "bounce_domain": "tra.vien.example"}
    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=2), sender=sender)
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 20
    assert relay.counts() == dict.fromkeys(people, 1)
    for one in relay.kept:
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        assert message["To"].addresses[0].addr_spec == one.rcpt
        trace = message["Message-ID"].strip("<>").split("@")[0]
        assert one.mail_from == f"b.{trace}@tra.vien.example"
    assert any(line.startswith("BDAT") for line in relay.said) == (offers == CHUNKED)


@OFFERS
def test_an_address_in_unicode_gets_its_message_whole(make_app, frozen_mailing, offers):
    people = ["đỗ.quyên@thư.example", *addresses(3)]
    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 4
    own = next(one for one in relay.kept if not one.rcpt.isascii())
    assert own.rcpt == "đỗ.quyên@xn--th-e0a.example"
    message = email.message_from_bytes(own.content, policy=email.policy.SMTPUTF8)
    assert f"To: {own.rcpt}\r\n".encode() in own.content or f"<{own.rcpt}>\r\n".encode() in own.content
    assert "Hủy đăng ký" in message.get_body(("plain",)).get_content()
    assert [line for line in relay.said if line.endswith("SMTPUTF8")] == [
        line for line in relay.said if line.startswith("MAIL") and "SMTPUTF8" in line
    ]
    assert sum("SMTPUTF8" in line for line in relay.said) == 1, "those in ASCII go as ever"


def test_a_relay_without_smtputf8_costs_only_that_address(make_app, frozen_mailing):
    with Relay(tuple(name for name in PIPELINED if name != "SMTPUTF8")) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, ["đỗ.quyên@thu.example", *addresses(3)])
        deliver.run(app, NOW)
        with app.db.read() as conn:
            person = subscribers.find(conn, subscribers.parse_address("đỗ.quyên@thu.example"))
            row = receipts.of_person(conn, person, mailing_id)
    assert (counts(app, mailing_id).sent, counts(app, mailing_id).failed) == (3, 1)
    assert (row["state"], row["reply_kind"]) == (DeliveryState.FAILED, None), "no fault of the reader's"
    assert "SMTPUTF8" in row["reply"]


@OFFERS
def test_aiosmtplib_hands_over_the_same_octets(make_app, frozen_mailing, offers):
    """Another client, given our messages, delivers to the relay what ours delivered: envelope and content."""
    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=1), sender={"address": "bantin@vien.example"})
        frozen_mailing(app, ["đỗ.quyên@thu.example", *addresses(5)])
        deliver.run(app, NOW)
        ours = {one.rcpt: one for one in relay.kept}
        relay.kept.clear()
        asyncio.run(_handed_over(relay.port, ours.values()))
        theirs = {one.rcpt: one for one in relay.kept}
    assert len(ours) == 6
    assert theirs == ours


async def _handed_over(port: int, messages) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for one in messages:
            options = ["SMTPUTF8"] if not one.rcpt.isascii() else []
            encoding = "utf-8" if options else "ascii"
            await client.mail(one.mail_from, options=options, encoding=encoding)
            await client.rcpt(one.rcpt, encoding=encoding)
            await client.data(one.content)


@OFFERS
def test_no_more_than_the_window_is_ever_without_a_recorded_reply(make_app, frozen_mailing, offers):
    """Read from the ledger at the moment each message arrives: every intent is there, and no more than the window allows."""
    seen: list[int] = []
    settled: list[bool] = []

    def look(heard: Heard) -> None:
        if heard.verb == "content":
            with app.db.read() as conn:
                seen.append(counts(app, mailing_id).intent)
                person = subscribers.find(conn, subscribers.parse_address(heard.rcpt))
                settled.append(receipts.of_person(conn, person, mailing_id)["state"] == DeliveryState.INTENT)

    with Relay(offers, look) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(20))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 20
    assert all(settled)
    assert 1 <= max(seen) <= WINDOWS[offers]
    if offers != LOCK_STEP:
        assert max(seen) > 1


@OFFERS
@pytest.mark.parametrize("lenient", [False, True], ids=["503", "354"])
def test_a_recipient_refused_while_the_content_is_on_its_way_costs_nobody_else_theirs(
    make_app, frozen_mailing, offers, lenient
):
    people = addresses(10)
    sender = {"address": "bantin@vien.example", "name": "V", "bounce_domain": "tra.vien.example"}
    gone = {people[n] for n in (0, 4, 5, 9)}
    with Relay(
        offers,
        lambda heard: REFUSED if heard.verb == "RCPT" and heard.rcpt in gone else None,
        data_without_recipient=lenient,
    ) as relay:
        app = make_app(transport=smtp(relay.port, connections=1), sender=sender)
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.sent, final.failed, final.unknown) == (6, 4, 0)
    assert relay.counts() == dict.fromkeys(set(people) - gone, 1)
    assert relay.connections == 1
    for one in relay.kept:  # under its own return path, with its own content
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        assert message["To"].addresses[0].addr_spec == one.rcpt
        assert message["Message-ID"].strip("<>").split("@")[0] in one.mail_from


@OFFERS
@pytest.mark.parametrize(
    ("verb", "said", "state"),
    [
        ("MAIL", b"452 4.3.1 no room\r\n", "deferred"),
        ("RCPT", b"451-4.7.1 greylisted\r\n451 4.7.1 come back\r\n", "deferred"),
        ("content", b"452 4.3.1 no room\r\n", "deferred"),
        ("content", b"554 5.7.1 spam\r\n", "failed"),
        ("content", b"552 5.3.4 too big\r\n", "failed"),
    ],
)
def test_each_reply_counts_for_its_own_message(make_app, frozen_mailing, offers, verb, said, state):
    with Relay(offers, lambda heard: said if heard.verb == verb and heard.message == 3 else None) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(9))
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.sent, getattr(final, state), final.unknown) == (8, 1, 0)
    nobody_twice(relay, final)


@OFFERS
@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
def test_a_421_in_the_middle_sends_the_rest_over_the_next_connection(make_app, frozen_mailing, offers, verb):
    def cap(heard: Heard) -> None:
        if heard.verb == verb and heard.message == 4:
            raise Close(b"421 4.7.0 that is enough for this connection\r\n")

    people = addresses(10)
    with Relay(offers, cap) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
        assert relay.connections >= 4
    assert relay.counts() == dict.fromkeys(people, 1)
    assert counts(app, mailing_id).sent == 10


@OFFERS
def test_a_421_to_everything_defers_and_ends(make_app, frozen_mailing, offers):
    def closed(heard: Heard) -> None:
        if heard.verb == "MAIL":
            raise Close(b"421 4.3.2 closing for the night\r\n")

    with Relay(offers, closed) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(5))
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.deferred, final.unknown) == (5, 0)


@OFFERS
def test_a_line_that_breaks_before_the_content_is_certainly_not_sent(make_app, frozen_mailing, offers):
    """In lock-step and with PIPELINING; with CHUNKING the content was written with the envelope, so it is unknown."""

    def breaks(heard: Heard) -> None:
        if heard.connection == 1 and heard.verb == "RCPT" and heard.message == 3:
            raise Close

    people = addresses(8)
    with Relay(offers, breaks) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    nobody_twice(relay, final)
    if offers == CHUNKED:
        assert final.unknown <= 8
    else:
        assert (final.sent, final.unknown) == (8, 0)
        assert relay.counts() == dict.fromkeys(people, 1)


@OFFERS
def test_a_line_that_breaks_after_the_content_is_unknown_for_the_window_and_no_more(make_app, frozen_mailing, offers):
    broken = []

    def breaks(heard: Heard) -> None:
        if heard.verb == "content" and heard.message == 3 and not broken:
            broken.append(heard.rcpt)
            raise Close

    with Relay(offers, breaks) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(20))
        deliver.run(app, NOW)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    nobody_twice(relay, final)
    assert final.sent + final.unknown == 20
    assert 1 <= final.unknown <= (8 if offers == CHUNKED else 1)
    with app.db.read() as conn:
        person = subscribers.find(conn, subscribers.parse_address(broken[0]))
        assert receipts.of_person(conn, person, mailing_id)["state"] == DeliveryState.UNKNOWN


@OFFERS
def test_replies_in_single_octets_and_in_many_lines_are_the_same_replies(make_app, frozen_mailing, offers):
    chatty = {
        "MAIL": b"250-2.1.0 sender\r\n250-2.1.0 is\r\n250 2.1.0 fine\r\n",
        "RCPT": b"250-2.1.5 so is\r\n250 2.1.5 the recipient\r\n",
        "content": b"250-2.0.0 queued\r\n250-2.0.0 as\r\n250 2.0.0 A17\r\n",
    }
    with Relay(offers, lambda heard: chatty.get(heard.verb), split=True) as relay:
        app = make_app(transport=smtp(relay.port, connections=2))
        mailing_id = frozen_mailing(app, addresses(12))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 12
    assert len(relay.kept) == 12


@OFFERS
def test_a_connection_carries_no_more_messages_than_the_settings_say(make_app, frozen_mailing, offers):
    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=1, messages_per_connection=3))
        mailing_id = frozen_mailing(app, addresses(10))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 10
    assert relay.connections == 4
    assert relay.said.count("QUIT") == 4


@pytest.mark.parametrize("size", ["SIZE 1000", "SIZE 0", "SIZE"])
def test_a_message_larger_than_the_relay_takes_is_not_offered(make_app, frozen_mailing, size):
    with Relay(("PIPELINING", "CHUNKING", size)) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(3))
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.failed, final.sent) == ((3, 0) if size == "SIZE 1000" else (0, 3))
    assert any(" SIZE=" in line for line in relay.said) == (final.sent == 3)


@OFFERS
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_text_goes_raw_where_8bitmime_is_offered_and_nothing_is_signed(make_app, frozen_mailing, offers, signed):
    raw = "8BITMIME" in offers and not signed
    with Relay(offers) as relay:
        more = {} if signed else {"dkim": {"key_file": None}}
        app = make_app(transport=smtp(relay.port, connections=1), **more)
        frozen_mailing(app, addresses(3))
        deliver.run(app, NOW)
    assert any("BODY=8BITMIME" in line for line in relay.said) == raw
    for one in relay.kept:
        assert one.content.isascii() != raw
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        assert "Ẩm độ tăng" in message.get_body(("plain",)).get_content()


def test_a_message_built_for_one_relay_is_built_anew_for_another(make_app, frozen_mailing):
    def stops(heard: Heard) -> bytes | None:
        return b"530 5.7.0 authentication required\r\n" if heard.verb == "MAIL" and heard.message > 2 else None

    with Relay(CHUNKED, stops) as first, Relay(("PIPELINING",)) as second:
        ports = [(first.port, 1), (second.port, 0)]
        relays = [{"url": f"smtp://127.0.0.1:{port}?security=none", "weight": weight} for port, weight in ports]
        smtp_settings = {"relays": relays, "connections": 1}
        app = make_app(transport={"kind": "smtp", "smtp": smtp_settings}, dkim={"key_file": None})
        mailing_id = frozen_mailing(app, addresses(6))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 6
    assert [one.content.isascii() for one in first.kept] == [False, False]
    assert [one.content.isascii() for one in second.kept] == [True] * 4


@OFFERS
def test_who_leaves_with_the_envelope_on_its_way_gets_nothing(make_app, frozen_mailing, offers, monkeypatch):
    people = addresses(6)
    original = Dialogue.envelope

    def leave_meanwhile(self, flight):
        if flight.rcpt == people[2]:
            with app.db.begin() as conn:
                subscribers.unsubscribe(conn, "tin", flight.outgoing.person_id, now=NOW, reason="page")
        return original(self, flight)

    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        if offers == CHUNKED:  # there the intent comes before the envelope: who leaves before it
            with app.db.begin() as conn:
                gone = subscribers.find(conn, subscribers.parse_address(people[2]))
                subscribers.unsubscribe(conn, "tin", gone, now=NOW, reason="page")
        monkeypatch.setattr(Dialogue, "envelope", leave_meanwhile)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.sent, final.skipped, final.unknown) == (5, 1, 0)
    assert people[2] not in relay.counts()
    nobody_twice(relay, final)


@OFFERS
def test_a_ledger_that_stops_taking_intents_stops_the_sending_in_the_middle(
    make_app, frozen_mailing, monkeypatch, offers
):
    original, asked = deliveries.intend, []

    def fails_later(*args, **kwargs):
        asked.append(1)
        if len(asked) > 2:
            raise sa.exc.InternalError("UPDATE", {}, Exception("read-only transaction"))
        return original(*args, **kwargs)

    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(30))
        with monkeypatch.context() as patch:
            patch.setattr(deliveries, "intend", fails_later)
            with pytest.raises(TransportDown, match="the ledger cannot be written"):
                deliver.run(app, NOW)
        middle = counts(app, mailing_id)
        assert (middle.unknown, middle.intent, middle.claimed) == (0, 0, 0)
        assert middle.sent == len(relay.kept) < 30
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 30
    assert max(relay.counts().values()) == 1


@OFFERS
def test_an_answer_out_of_step_ends_the_connection(make_app, frozen_mailing, offers):
    def script(heard: Heard) -> bytes | None:
        return b"354 what\r\n" if heard.verb == "RCPT" and heard.message == 3 else None

    with Relay(offers, script) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(6))
        deliver.run(app, NOW)
        deliver.run(app, NOW)
    nobody_twice(relay, counts(app, mailing_id))


@OFFERS
def test_stopping_leaves_nothing_without_its_result(make_app, frozen_mailing, offers):
    taken = threading.Event()

    def stop(heard: Heard) -> None:
        if heard.verb == "content":
            taken.set()
            app.stopping.set()

    with Relay(offers, stop) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(200))
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert taken.is_set()
    assert (final.unknown, final.intent, final.claimed) == (0, 0, 0)
    assert final.sent == len(relay.kept) < 200


@OFFERS
def test_over_tls_it_is_the_same(make_app, frozen_mailing, authority, offers):
    with Relay(offers, tls=authority.server("localhost")) as relay:
        app = make_app(transport=smtp(relay.port, security="tls", ca_file=authority.ca_file))
        mailing_id = frozen_mailing(app, addresses(12))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 12
    assert max(relay.counts().values()) == 1


@OFFERS
def test_a_421_to_the_first_message_of_a_connection_defers_that_message_alone(make_app, frozen_mailing, offers):
    def hangs_up(heard: Heard) -> None:
        if heard.verb == "RCPT" and heard.connection == 1:
            raise Close(b"421 4.3.0 too much for tonight\r\n")

    with Relay(offers, hangs_up) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(4))
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    nobody_twice(relay, final)
    assert (final.unknown, final.deferred, final.sent) == (0, 1, 3)
