"""F6–F10: relays that break the line, refuse, are slow, show a wrong certificate or take the password away."""

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter import deliver
from newsletter.errors import TransportDown
from newsletter.store import receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses, smtp
from tests.fakes.relay import LOCK_STEP, Close, Heard, Relay
from tests.fakes.smtpd import Behaviour, Sink
from tests.proof.invariant import hold_invariant, states
from tests.proof.peers import FULL, OFFERS, WINDOWS

SMTP = pytest.mark.parametrize("kind", list(OFFERS))

PERMANENT = {  # answered at this step, each time they are asked
    "550 RCPT": ("RCPT", b"550 5.1.1 no such user\r\n"),
    "552 dot": ("content", b"552 5.2.2 mailbox full\r\n"),
    "554 dot": ("content", b"554 5.7.1 refused\r\n"),
}
PASSING = {  # answered once
    "450 RCPT": ("RCPT", b"450 4.2.1 come back later\r\n"),
    "451 RCPT": ("RCPT", b"451 4.7.1 greylisted\r\n"),
    "452 dot": ("content", b"452 4.3.1 no room\r\n"),
    "421 RCPT": ("RCPT", b"421 4.3.2 closing\r\n"),
    "421 dot": ("content", b"421 4.3.2 closing\r\n"),
}
BROKEN = ("reset before DATA", "reset after dot")


class Storm:
    """A script: most recipients are taken, some have a fault each. Connections are refused now and then, too."""

    def __init__(self, people: list[str]) -> None:
        faults = [*PERMANENT, *PASSING, *BROKEN]
        self.fault = {address: faults[n // 5 % len(faults)] for n, address in enumerate(people) if n % 5 == 0}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.dials = 0
        self._lock = threading.Lock()

    def having(self, *faults: str) -> set[str]:
        return {address for address, fault in self.fault.items() if fault in faults}

    def times_asked(self, address: str) -> int:
        return self.asked[address, "RCPT"]

    def __call__(self, heard: Heard) -> bytes | None:
        with self._lock:
            if heard.verb == "dial":
                self.dials += 1
                if self.dials % 9 == 4:
                    raise Close
                return b"421 4.3.2 too many\r\n" if self.dials % 9 == 8 else None
            self.asked[heard.rcpt, heard.verb] += 1
            first = self.asked[heard.rcpt, heard.verb] == 1
        return self._answer(self.fault.get(heard.rcpt, ""), heard.verb, first)

    def _answer(self, fault: str, verb: str, first: bool) -> bytes | None:
        step, words = PERMANENT.get(fault) or PASSING.get(fault) or ("", b"")
        if step == verb and (first or fault in PERMANENT):
            if words.startswith(b"421") and verb != "content":
                raise Close(words)
            return words
        if first and fault == "reset before DATA" and verb == "RCPT":
            raise Close
        if first and fault == "reset after dot" and verb == "content":
            raise Close
        return None


class Cutting(Relay):
    """Breaks the line inside the content of every 23rd message."""

    begun = cuts = 0

    def _data(self, talk, line):
        if self._cuts():
            self._answer(talk, "DATA", line, b"354 go on\r\n")
            talk.reader.readline()
            raise Close
        super()._data(talk, line)

    def _chunk(self, talk, line):
        if self._cuts():
            talk.reader.readline()
            raise Close
        super()._chunk(talk, line)

    def _take(self, talk, content):
        said = super()._take(talk, content)
        if said.startswith(b"421"):  # it closes, and does nothing of what was said behind (RFC 5321 section 3.8)
            talk.line.shutdown(socket.SHUT_WR)
            while talk.reader.read(65536):
                pass
            raise Close
        return said

    def _cuts(self) -> bool:
        with self._lock:
            self.begun += 1
            cut = self.begun % 23 == 11
            self.cuts += cut
            return cut


@SMTP
@pytest.mark.parametrize("people", [120, pytest.param(800, marks=pytest.mark.proof)])
def test_a_storm_of_refusals_and_broken_lines(make_app, frozen_mailing, clock, told, kind, people):
    readers = addresses(people)
    storm = Storm(readers)
    refused: dict[str, int] = {}  # how often they had been asked when the ledger first said so
    with Cutting(OFFERS[kind], storm) as relay:
        app = make_app(dkim={}, transport=smtp(relay.port, connections=4))
        mailing_id = frozen_mailing(app, readers)
        for _ in range(1_000):
            with app.db.read() as conn:
                if not receipts.count(conn, mailing_id).open:
                    break
            run_while_it_can(app)
            clock.at += timedelta(minutes=2)
            now_failed = [address for address, state in states(app, mailing_id).items() if state == "failed"]
            refused |= {address: storm.times_asked(address) for address in now_failed if address not in refused}
    failing, lost = storm.having(*PERMANENT), storm.having("reset after dot")
    # A line that breaks behind a dot leaves the whole window behind it in doubt; one that breaks inside a content, too.
    most = (len(lost) + relay.cuts) * WINDOWS[kind]
    books = hold_invariant(app, mailing_id, relay.counts(), failed=len(failing), unknown=most)
    final = states(app, mailing_id)
    assert {address for address in readers if final[address] == "failed"} <= failing
    assert {final[address] for address in failing} <= {"failed", "unknown"}, (
        "a line may break before the refusal is heard"
    )
    assert all(final[address] == "unknown" for address in lost)
    assert all(storm.times_asked(address) == times for address, times in refused.items()), (
        "refused for good, asked again"
    )
    told("F6 F7", books)


def run_while_it_can(app) -> None:
    try:
        deliver.run(app, app.clock.now())
    except TransportDown:
        """The next start goes on."""


# ---------------------------------------------------------------- F8: slow


@SMTP
def test_a_dot_reply_far_beyond_the_time_out_is_waited_for(make_app, frozen_mailing, clock, told, kind):
    people = addresses(6)

    def late(heard: Heard) -> None:
        if heard.verb == "content" and heard.rcpt == people[2]:
            time.sleep(0.9)

    with Relay(OFFERS[kind], late) as relay:
        app = make_app(dkim={}, transport=smtp(relay.port, timeout=0.3))
        mailing_id = frozen_mailing(app, people)
        for _ in range(20):  # on a busy machine even a greeting may take longer than 0.3 s: then nothing went
            run_while_it_can(app)
            clock.at += timedelta(minutes=20)
        told("F8", f"three time-outs late: {hold_invariant(app, mailing_id, relay.counts())}")


class Dripping(Relay):
    def _say(self, talk, said):
        for at in range(len(said)):
            talk.line.sendall(said[at : at + 1])
            time.sleep(0.001)


@SMTP
def test_replies_that_come_octet_by_octet_are_whole_replies(make_app, frozen_mailing, told, kind):
    with Dripping(OFFERS[kind]) as relay:
        app = make_app(dkim={}, transport=smtp(relay.port, timeout=5))
        mailing_id = frozen_mailing(app, addresses(6))
        deliver.run(app, NOW)
        told("F8", f"octet by octet: {hold_invariant(app, mailing_id, relay.counts())}")


@pytest.mark.parametrize("kind", ["lock-step", "pipelined"])
def test_one_slow_message_holds_up_its_own_connection_only(make_app, frozen_mailing, told, kind):
    people = addresses(30)
    others = threading.Event()

    def wait(heard: Heard) -> None:
        if heard.verb == "content" and heard.rcpt == people[7]:
            assert others.wait(30), "the others were held up"
        elif heard.verb == "content" and len(relay.kept) + 2 + WINDOWS[kind] >= len(people):
            others.set()

    with Relay(OFFERS[kind], wait) as relay:
        app = make_app(dkim={}, transport=smtp(relay.port, connections=3))
        mailing_id = frozen_mailing(app, people)
        deliver.run(app, NOW)
        told("F8", f"all but its window went while one waited: {hold_invariant(app, mailing_id, relay.counts())}")


def test_a_relay_whose_greeting_never_comes_costs_the_other_nothing(make_app, frozen_mailing, told):
    closing = threading.Event()

    def silent(heard: Heard) -> None:
        if heard.verb == "dial":
            closing.wait(20)

    with Relay(LOCK_STEP, silent) as slow, Relay(LOCK_STEP) as quick:
        relays = [{"host": "localhost", "port": port, "security": "none"} for port in (slow.port, quick.port)]
        app = make_app(
            dkim={}, transport={"kind": "smtp", "smtp": {"relays": relays, "connections": 4, "timeout": 0.3}}
        )
        mailing_id = frozen_mailing(app, addresses(40))
        deliver.run(app, NOW)
        closing.set()
        assert slow.kept == []
        told("F8", f"one relay of two silent: {hold_invariant(app, mailing_id, quick.counts())}")


# ---------------------------------------------------------------- F9, F10: TLS and passwords


def untrusted(authority) -> tuple[ssl.SSLContext, bool]:
    return authority.server("localhost"), False


def wrong_name(authority) -> tuple[ssl.SSLContext, bool]:
    return authority.server("other.example"), True


def expired(authority) -> tuple[ssl.SSLContext, bool]:
    return authority.server("localhost", expired=True), True


@FULL  # tests/deliver has the same on one database
@pytest.mark.parametrize("fault", [untrusted, wrong_name, expired])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_wrong_sends_nothing_and_says_so_once(
    make_app, frozen_mailing, authority, told, fault: Callable, security: str
):
    context, trusted = fault(authority)
    with Sink(tls=context, starttls=security == "starttls") as sink:
        more = {"security": security} | ({"ca_file": authority.ca_file} if trusted else {})
        app = make_app(dkim={}, transport=smtp(sink.port, **more))
        mailing_id = frozen_mailing(app, addresses(40))
        with pytest.raises(TransportDown, match="certificate") as alert:
            deliver.run(app, NOW)
        assert "\n" not in str(alert.value)
        nothing_went(app, mailing_id, sink)
        told("F9", "0 messages, 40 pending, one line")


def test_a_relay_that_refuses_starttls_gets_nothing(make_app, frozen_mailing, told):
    with Sink() as sink:
        app = make_app(dkim={}, transport=smtp(sink.port, security="starttls"))
        mailing_id = frozen_mailing(app, addresses(40))
        with pytest.raises(TransportDown, match="does not offer STARTTLS"):
            deliver.run(app, NOW)
        nothing_went(app, mailing_id, sink)
        told("F9", "0 messages, 40 pending, one line")


def nothing_went(app, mailing_id, sink: Sink) -> None:
    with app.db.read() as conn:
        left = receipts.count(conn, mailing_id)
    assert sink.received == []
    assert (left.pending, left.frozen - left.pending) == (40, 0)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the server's own advice
def test_a_password_that_stops_working_in_mid_run_fails_nobody(make_app, frozen_mailing, told):
    behaviour = Behaviour(users={"bantin": "right"})

    def change(rcpt: str) -> None:
        if len(sink.received) == 20:
            behaviour.users["bantin"] = "changed"

    behaviour.data = change
    with Sink(behaviour) as sink:
        login = {"username": "bantin", "password": "right", "messages_per_connection": 5}
        app = make_app(dkim={}, transport=smtp(sink.port, **login))
        mailing_id = frozen_mailing(app, addresses(100))
        with pytest.raises(TransportDown, match="refuses the user name or password"):
            deliver.run(app, NOW)
        with app.db.read() as conn:
            left = receipts.count(conn, mailing_id)
        assert left.failed == left.unknown == left.deferred == 0
        assert left.pending == 100 - len(sink.received) >= 60
        behaviour.users["bantin"] = "right"
        behaviour.data = lambda rcpt: None
        deliver.run(app, NOW)
        told("F10", f"{left.pending} waited: {hold_invariant(app, mailing_id, sink.counts())}")
