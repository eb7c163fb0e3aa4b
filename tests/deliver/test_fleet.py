"""Many PIPELINING connections in one thread: each keeps its window, and what befalls one is no other's matter."""

import socket
import threading

import pytest

import subscribers
from newsletter import deliver
from newsletter.deliver.smtp import Fleet, SmtpTransport
from newsletter.deliver.smtp.dialogue import Dialogue
from newsletter.deliver.smtp.line import MOST_LINES, Line, Lost
from newsletter.errors import TransportDown
from newsletter.model import DeliveryState
from newsletter.settings.smtp import Smtp
from newsletter.store import receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses, smtp
from tests.deliver.test_windows import counts, nobody_twice
from tests.fakes.relay import LOCK_STEP, PIPELINED, Close, Heard, Relay

CONNECTIONS = 4


@pytest.fixture
def sent(make_app, frozen_mailing):
    """`sent(relay, people)` sends to them over four connections and says how the ledger stands."""

    def run(relay, people=24, **more):
        app = make_app(transport=smtp(relay.port, connections=CONNECTIONS, **more))
        mailing_id = frozen_mailing(app, addresses(people))

        deliver.run(app, NOW)
        final = counts(app, mailing_id)
        nobody_twice(relay, final)
        return final

    return run


def test_everybody_gets_one_message_and_one_reader_opens_one_connection(sent):
    with Relay(PIPELINED) as relay:
        assert sent(relay, 1).sent == 1
        assert relay.connections == 1
    with Relay(PIPELINED) as relay:
        assert sent(relay, 40).sent == 40
        assert 1 < relay.connections <= CONNECTIONS


def test_each_connection_keeps_its_own_window(make_app, frozen_mailing):
    seen: list[int] = []
    settled: list[bool] = []

    def look(heard: Heard) -> None:
        if heard.verb == "content":
            seen.append(counts(app, mailing_id).intent)
            with app.db.read() as conn:
                person = subscribers.find(conn, subscribers.parse_address(heard.rcpt))
                settled.append(receipts.of_person(conn, person, mailing_id)["state"] == DeliveryState.INTENT)

    with Relay(PIPELINED, look) as relay:
        app = make_app(transport=smtp(relay.port, connections=CONNECTIONS))
        mailing_id = frozen_mailing(app, addresses(40))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 40
    assert all(settled)
    assert 2 < max(seen) <= 2 * CONNECTIONS


def test_a_connection_that_is_slow_holds_up_no_other(sent):
    """The first reply on the first connection comes only when nearly all the others have their mail."""
    others, arrived = threading.Event(), []

    def slow(heard: Heard) -> None:
        if heard.verb == "content":
            arrived.append(heard.rcpt)
            if len(arrived) >= 20:
                others.set()
            if (heard.connection, heard.message) == (1, 3):
                assert others.wait(20)

    with Relay(PIPELINED, slow) as relay:
        final = sent(relay, 30)
    assert final.sent == 30


def test_a_relay_that_allows_fewer_connections_gets_all_over_those(sent):
    def few(heard: Heard) -> None:
        if heard.verb == "dial" and heard.connection > 2:
            raise Close(b"421 4.7.0 too many connections\r\n")

    with Relay(PIPELINED, few) as relay:
        assert sent(relay).sent == 24
        assert relay.connections == 3


def test_a_line_that_breaks_is_unknown_for_its_own_message_alone(sent):
    broken = []

    def breaks(heard: Heard) -> None:
        if heard.verb == "content" and heard.message == 3 and not broken:
            broken.append(heard.rcpt)
            raise Close

    with Relay(PIPELINED, breaks) as relay:
        final = sent(relay)
    assert (final.sent, final.unknown) == (23, 1)


def test_a_421_in_the_middle_sends_the_rest_over_the_next_connection(sent):
    def cap(heard: Heard) -> None:
        if heard.verb == "MAIL" and heard.message == 4:
            raise Close(b"421 4.7.0 that is enough for this connection\r\n")

    with Relay(PIPELINED, cap) as relay:
        assert sent(relay).sent == 24
        assert relay.connections > CONNECTIONS


def test_a_relay_that_stops_taking_mail_leaves_nobody_without_a_result(make_app, frozen_mailing):
    """One connection hears it first; what is under way on the others is heard to its end before the run stops."""

    def stops(heard: Heard) -> bytes | None:
        return b"530 5.7.0 authentication required\r\n" if heard.verb == "MAIL" and heard.message > 3 else None

    with Relay(PIPELINED, stops) as relay:
        app = make_app(transport=smtp(relay.port, connections=CONNECTIONS))
        mailing_id = frozen_mailing(app, addresses(40))
        with pytest.raises(TransportDown, match="authentication required"):
            deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert final.intent == final.claimed == final.unknown == 0
    assert final.sent == len(relay.kept)
    assert final.sent + final.pending == 40


@pytest.mark.parametrize("lenient", [False, True], ids=["503", "354"])
def test_refusals_count_for_their_own_messages(sent, lenient):
    gone = set(addresses(24)[::5])
    said = b"550 5.1.1 no such user\r\n"
    with Relay(
        PIPELINED,
        lambda heard: said if heard.verb == "RCPT" and heard.rcpt in gone else None,
        data_without_recipient=lenient,
    ) as relay:
        final = sent(relay)
    assert (final.sent, final.failed) == (19, 5)
    assert gone.isdisjoint(relay.counts())


def test_replies_in_single_octets_are_the_same_replies(sent):
    chatty = {
        "RCPT": b"250-2.1.5 so is\r\n250 2.1.5 the recipient\r\n",
        "content": b"250-2.0.0 queued\r\n250 2.0.0 A1\r\n",
    }
    with Relay(PIPELINED, lambda heard: chatty.get(heard.verb), split=True) as relay:
        assert sent(relay, 12).sent == 12


def test_who_leaves_with_the_envelope_on_its_way_gets_nothing(make_app, frozen_mailing, monkeypatch):
    people, left = addresses(24), addresses(24)[9]
    original = Dialogue.envelope

    def leave_meanwhile(self, flight):
        if flight.rcpt == left:
            with app.db.begin() as conn:
                subscribers.unsubscribe(conn, "tin", flight.outgoing.person_id, now=NOW, reason="page")
        return original(self, flight)

    monkeypatch.setattr(Dialogue, "envelope", leave_meanwhile)
    with Relay(PIPELINED) as relay:
        app = make_app(transport=smtp(relay.port, connections=CONNECTIONS))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.sent, final.skipped) == (23, 1)
    assert left not in relay.counts()


def test_a_reply_that_never_comes_ends_its_connection_and_no_other(sent, monkeypatch):
    monkeypatch.setattr("newsletter.deliver.smtp.session.CONTENT_TIMEOUT", 0.1)
    monkeypatch.setattr("newsletter.deliver.smtp.fleet.PATIENCE", 0.05)
    never = threading.Event()

    def silent(heard: Heard) -> None:
        if heard.verb == "content" and (heard.connection, heard.message) == (1, 2):
            never.wait(5)

    with Relay(PIPELINED, silent) as relay:
        final = sent(relay, 12, timeout=0.2)
        never.set()
    assert (final.sent, final.unknown) == (11, 1)


def test_lock_step_relays_have_a_thread_for_each_connection():
    with Relay(LOCK_STEP) as slow, Relay(PIPELINED) as piped:
        for relay, kind in ((slow, False), (piped, True)):
            values = {"host": "127.0.0.1", "port": relay.port, "security": "none", "connections": CONNECTIONS}
            transport = SmtpTransport(Smtp.model_validate(values), ehlo_name="vien.example")
            flow = transport.open()
            assert isinstance(flow, Fleet) is kind
            assert transport.connections * (transport.batch if kind else 1) == CONNECTIONS
            flow.close()


def test_only_whole_replies_are_taken_and_only_those_that_are_due():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line(ours)
        assert line.take(9) == []
        theirs.sendall(b"250-2.1.0 sender\r\n250 2.1.0 fine\r\n250-2.1.5 so")
        assert line.take(9) == [(250, b"2.1.0 sender\n2.1.0 fine")]
        theirs.sendall(b" is\r\n250 2.1.5 the recipient\r\n354 go on\r\n421 4.3.2 clos")
        assert line.take(2) == [(250, b"2.1.5 so is\n2.1.5 the recipient"), (354, b"go on")]
        theirs.sendall(b"ing\r\n")
        assert line.read(1.0) == (421, b"4.3.2 closing")
        theirs.sendall(b"so what\r\n")
        with pytest.raises(Lost, match="no SMTP reply"):
            line.take(1)
        theirs.sendall(b"250-on and on\r\n" * (MOST_LINES + 2))
        with pytest.raises(Lost, match="never ends"):
            Line(ours).take(1)


def test_tls_hides_nothing_from_a_fleet(sent, authority):
    with Relay(PIPELINED, tls=authority.server("localhost")) as relay:
        assert sent(relay, security="tls", ca_file=str(authority.ca_file)).sent == 24
