"""F9: a certificate that is wrong, or TLS that is refused: nothing leaves, every row waits, staff are told once, one line.

SMTP with TLS from the start and with STARTTLS, a provider over HTTPS, and the mailbox for bounces; each peer is real and
would take the mail if it were given any.
"""

import ssl
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter import deliver
from newsletter.errors import TransportDown
from newsletter.store import letters, receipts, staff
from newsletter.track import mailbox
from newsletter.track.mailbox import MailboxUnreachable
from tests.conftest import NOW, subscribe
from tests.deliver.conftest import addresses, smtp
from tests.fakes.certificates import Authority
from tests.fakes.imap import Mailbox
from tests.fakes.providers import Postmark
from tests.fakes.relay import CHUNKED, Heard, Relay
from tests.fakes.smtpd import Sink

READERS = 7
HOST = "api.postmarkapp.com"

# what is wrong → (the server's context, whether its authority is trusted, what the line says)
Wrong = tuple[Callable[[Authority, str], ssl.SSLContext], bool, str]
WRONG: dict[str, Wrong] = {
    "expired": (lambda ca, name: ca.server(name, expired=True), True, "its certificate has expired"),
    "another name": (lambda ca, name: ca.server("khac.example"), True, "its certificate is for another name"),
    "unknown root": (lambda ca, name: ca.server(name), False, "nobody here knows"),
    "self-signed": (lambda ca, name: ca.self_signed(name), True, "vouches for itself"),
}
CASES = pytest.mark.parametrize(("context", "trusted", "words"), WRONG.values(), ids=WRONG)


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def waiting(make_app, frozen_mailing, clock):
    """An App with this transport, a frozen mailing and one member of staff; and what is asked afterwards."""

    def make(**changes):
        app = make_app(**changes)
        mailing_id = frozen_mailing(app, addresses(READERS))
        [lan] = subscribe(app, "nhan-vien", ["lan@vien.example"])
        with app.db.begin() as conn:
            staff.add(conn, lan, name="Lan", language="vi", now=NOW)
        return app, mailing_id

    return make


def refused(app, clock, words, *, times=3):
    """Every run says the same one line."""
    for number in range(times):
        clock.at = NOW + timedelta(minutes=20 * number)
        with pytest.raises(TransportDown) as raised:
            deliver.run(app, clock.now())
        assert words in str(raised.value)
        assert "\n" not in str(raised.value)


def told(app):
    with app.db.read() as conn:
        return [letter.variables for letter in letters.asked(conn)]


def assert_nothing_changed(app, mailing_id, words):
    with app.db.read() as conn:
        counts = receipts.count(conn, mailing_id)
        tries = conn.execute(sa.text("SELECT max(tries) FROM deliveries")).scalar_one()
    assert (counts.pending, counts.open, counts.frozen, counts.unknown) == (READERS, READERS, READERS, 0)
    assert tries in (0, None), "nobody's tries are counted"
    [notice] = told(app)
    assert notice["topic"] == "transport_down"
    assert words in notice["lines"][0]


@CASES
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_smtp(waiting, clock, authority, make_app, security, context, trusted, words):
    def settings(port):
        extra = {"ca_file": authority.ca_file} if trusted else {}
        return smtp(port, security=security, **extra)

    with Sink(tls=context(authority, "localhost"), starttls=security == "starttls") as sink:
        app, mailing_id = waiting(transport=settings(sink.port))
        refused(app, clock, words)
        assert sink.received == []
    assert_nothing_changed(app, mailing_id, words)
    good = authority.server("localhost")
    with Sink(tls=good, starttls=security == "starttls") as mended:
        trusting = smtp(mended.port, security=security, ca_file=authority.ca_file)
        again = make_app(transport=trusting)
        deliver.run(again, clock.now())
        assert mended.counts() == dict.fromkeys(addresses(READERS), 1)


STARTTLS_ANSWERS = {
    "not offered": (CHUNKED, {}, "it does not offer STARTTLS"),
    "refused for now": ((*CHUNKED, "STARTTLS"), {"STARTTLS": b"454 4.7.0 TLS not available\r\n"}, "454 4.7.0"),
    "refused": ((*CHUNKED, "STARTTLS"), {"STARTTLS": b"502 5.5.1 no\r\n"}, "502 5.5.1"),
    "no TLS behind it": ((*CHUNKED, "STARTTLS"), {"STARTTLS": b"220 go\r\n250 I speak no TLS\r\n"}, "TLS failed"),
    "only in the EHLO of a stranger": (CHUNKED, {"EHLO": b"250-relay\r\n250 XSTARTTLS\r\n"}, "does not offer STARTTLS"),
}


@pytest.mark.parametrize(("offers", "says", "words"), STARTTLS_ANSWERS.values(), ids=STARTTLS_ANSWERS)
def test_starttls_that_is_refused_never_falls_back_to_the_clear(waiting, clock, offers, says, words):
    def script(heard: Heard) -> bytes | None:
        return says.get(heard.verb)

    with Relay(offers, script) as relay:
        app, mailing_id = waiting(transport=smtp(relay.port, security="starttls", timeout=2, connections=1))
        refused(app, clock, words)
    assert relay.kept == []
    assert not [line for line in relay.said if line.startswith(("MAIL", "RCPT", "DATA", "BDAT", "AUTH"))]
    assert_nothing_changed(app, mailing_id, words)


def test_what_was_said_before_the_handshake_is_not_believed(waiting, clock, authority):
    """A man in the middle appends replies to the 220 of STARTTLS: the handshake fails or they are dropped (CVE-2011-0411)."""

    def script(heard: Heard) -> bytes | None:
        return b"220 go\r\n250-relay\r\n250 AUTH PLAIN\r\n" if heard.verb == "STARTTLS" else None

    with Relay((*CHUNKED, "STARTTLS"), script) as relay:
        settings = smtp(
            relay.port, security="starttls", timeout=2, username="u", password="p", ca_file=authority.ca_file
        )
        app, _ = waiting(transport=settings)
        refused(app, clock, "TLS failed", times=1)
    assert not [line for line in relay.said if line.startswith("AUTH")]


@CASES
def test_a_provider_over_https(waiting, clock, authority, make_app, context, trusted, words):
    account = {"kind": "postmark", "postmark": {"token": "right", "timeout": 5}}
    with Postmark(context(authority, HOST)) as server:
        fetch = {"resolve": {HOST: server.at}} | ({"ca_file": authority.ca_file} if trusted else {})
        app, mailing_id = waiting(transport=account, fetch=fetch)
        refused(app, clock, words)
        assert (server.received, server.requests) == ([], [])
    assert_nothing_changed(app, mailing_id, words)
    with Postmark(authority.server(HOST)) as mended:
        again = make_app(transport=account, fetch={"resolve": {HOST: mended.at}, "ca_file": authority.ca_file})
        deliver.run(again, clock.now())
        assert sorted(message.to for message in mended.received) == sorted(addresses(READERS))


@CASES
def test_the_mailbox_for_bounces(waiting, clock, authority, context, trusted, words):
    with Mailbox({1: b"Subject: x\r\n\r\nx"}, context=context(authority, "localhost")) as box:
        imap = {"host": "localhost", "port": box.port, "username": "b", "password": "mat-khau", "timeout": 5}
        imap |= {"ca_file": authority.ca_file} if trusted else {}
        app, _ = waiting(bounces={"imap": imap})
        for hour in range(3):
            with pytest.raises(MailboxUnreachable) as raised:
                mailbox.poll(app, NOW + timedelta(hours=hour), at_once=True)
            assert words in str(raised.value)
            assert "\n" not in str(raised.value)
        assert (box.seen, box.fetched) == (set(), [])
    [notice] = told(app)
    assert (notice["topic"], notice["name"]) == ("mailbox_unreadable", "localhost")
    assert words in notice["lines"][0]


def test_a_mailbox_without_starttls_gets_no_password(waiting, authority):
    with Mailbox({}) as box:
        imap = {"host": "localhost", "port": box.port, "security": "starttls", "username": "b", "password": "mat-khau"}
        app, _ = waiting(bounces={"imap": imap | {"timeout": 5}})
        with pytest.raises(MailboxUnreachable, match="does not offer STARTTLS"):
            mailbox.poll(app, NOW, at_once=True)
    assert [notice["topic"] for notice in told(app)] == ["mailbox_unreadable"]


def test_a_moment_of_deafness_at_the_mailbox_tells_nobody(waiting):
    app, _ = waiting(bounces={"imap": {"host": "127.0.0.1", "port": 1, "security": "none"}})
    with pytest.raises(MailboxUnreachable):
        mailbox.poll(app, NOW, at_once=True)
    assert told(app) == []


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("topic", ["transport_down", "mailbox_unreadable"])
def test_the_notices_are_letters_in_both_languages(language, topic):
    from newsletter.compose.letters import letter_variables, notice_advice, notice_heading
    from newsletter.locale import labels
    from newsletter.model import LetterKind

    given = {"topic": topic, "name": "Số 7", "lines": ["its certificate has expired"], "url": "https://vien.example/"}
    variables = letter_variables(LetterKind.NOTICE, given)
    words = labels(language)
    assert "Số 7" in notice_heading(variables, words)
    assert notice_advice(variables, words)
