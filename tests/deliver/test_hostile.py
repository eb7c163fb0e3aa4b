"""Hostile input against real peers on loopback: one row each says what comes in, what arrives at the sink, what the ledger says.

Five doors: a person's name, an address, the content of an issue, a list that is imported, and the relay's own replies.
In every row: nobody is lost (the sum is closed), nobody is sent to twice, and what arrives is well-formed mail for one
reader: CRLF only, no NUL, one From, To and Subject, no header and no envelope that nobody meant.
"""

import csv
import email
import email.policy
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import deliver
from newsletter.deliver.smtp import session
from newsletter.errors import TransportDown
from newsletter.mail.webhooks import Refused
from newsletter.model import Rendering
from newsletter.store import receipts
from newsletter.track import hooks
from tests.conftest import NOW
from tests.deliver.conftest import addresses, rendering, smtp
from tests.fakes.relay import CHUNKED, LOCK_STEP, PIPELINED, Close, Heard, Kept, Relay
from tests.fakes.smtpd import Sink

OFFERS = {"lock-step": LOCK_STEP, "pipelined": PIPELINED, "chunked": CHUNKED}
READERS = 4
EVIL = "evil@xau.example"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the ledger must say of READERS people; `words` of the reasons or the one line; `down`: mail could leave for nobody."""

    sent: int = 0
    failed: int = 0
    pending: int = 0
    deferred: int = 0
    unknown: int = 0
    words: str = ""
    down: bool = False
    pipelined: "Ledger | None" = None  # where more is on its way when the reply comes, more may have arrived
    chunked: "Ledger | None" = None

    def under(self, offers: tuple[str, ...]) -> "Ledger":
        other = {PIPELINED: self.pipelined, CHUNKED: self.chunked}.get(offers)
        return other or self


ALL = Ledger(sent=READERS)


def run(app, mailing_id, expected: Ledger) -> None:
    """One round of delivering, and the ledger after it."""
    said = ""
    try:
        deliver.run(app, NOW)
    except TransportDown as error:
        said = str(error)
        assert "\n" not in said
        assert len(said) < 1_000
    assert bool(said) == expected.down, said
    with app.db.read() as conn:
        counts = receipts.count(conn, mailing_id)
        rows = conn.execute(sa.text("SELECT reply, reason FROM deliveries")).all()
    found = {name: getattr(counts, name) for name in ("sent", "failed", "pending", "deferred", "unknown")}
    assert found == {name: getattr(expected, name) for name in found}
    assert counts.balanced
    kept = [text for row in rows for text in row if text]
    assert all(len(text) <= 500 and text.isprintable() and "@" not in text for text in kept), kept
    assert expected.words in f"{said} {' '.join(kept)}"


def well_formed(kept: Kept) -> None:
    """The message, read back by a parser that others wrote, is one reader's and nothing else."""
    raw = kept.content
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in re.split(rb"\r\n(?![ \t])", head)]
    for name in (b"from", b"to", b"subject", b"date", b"message-id"):
        assert names.count(name) == 1, name
    assert not {b"bcc", b"cc", b"x-evil"} & set(names)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    [reader] = message["To"].addresses
    assert reader.addr_spec == kept.rcpt
    assert not message.defects


def arrived(relay: Relay, expected: Ledger, people: Sequence[str] = tuple(addresses(READERS))) -> None:
    assert max(relay.counts().values(), default=0) <= 1, "nobody twice"
    assert expected.sent <= len(relay.kept) <= expected.sent + expected.unknown
    assert set(relay.counts()) <= set(people), "nobody that is not on the list"
    envelopes = [line for line in relay.said if line.upper().startswith(("MAIL FROM", "RCPT TO"))]
    assert all(re.fullmatch(r"(?:MAIL FROM|RCPT TO):<[^<>\s]+@[a-z0-9.-]+>[ A-Z0-9=]*", line) for line in envelopes)
    assert EVIL not in " ".join(envelopes)
    for one in relay.kept:
        well_formed(one)


# ---------------------------------------------------------------- a person's name, behind the door that cleans it

NAMES = {  # the name, and what the ledger says of its row: "" is sent
    "CRLF and a header": ("An\r\nBcc: " + EVIL, "U+000D"),
    "bare LF": ("An\nX-Evil: 1", "U+000A"),
    "bare CR": ("An\rX-Evil: 1", "U+000D"),
    "NUL": ("An\0", "U+0000"),
    "vertical tab, form feed": ("An\x0bX-Evil: 1\x0cX-Evil: 2", "U+000B"),
    "separators of Unicode": ("An\x85X-Evil: 1\u2028X-Evil: 2\u2029", "U+0085"),
    "end of data": ("\r\n.\r\nMAIL FROM:<" + EVIL + ">", "U+000D"),
    "an encoded word": ("=?utf-8?q?An=0D=0ABcc:_evil=40xau.example?=", ""),
    "another mailbox": (f'An" <{EVIL}>, "Binh', ""),
    "a comment and a route": (f"An (x) <@a,@b:{EVIL}>", ""),
    "very long": ("Nguyễn " * 900, ""),
    "right to left": ("An\u202egro.elpmaxe\u202c", ""),
}


@pytest.mark.parametrize("offers", OFFERS.values(), ids=OFFERS)
def test_names(make_app, frozen_mailing, offers):
    """One mailing to a reader of each name and to one without: a name that cannot be written fails alone."""
    people = addresses(len(NAMES) + 1)
    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, people)
        with app.db.begin() as conn:
            for to, (name, _) in zip(people, NAMES.values(), strict=False):
                conn.execute(
                    sa.text("UPDATE people SET name = :name WHERE address_key = :key"), {"name": name, "key": to}
                )
        deliver.run(app, NOW)
    with app.db.read() as conn:
        final = receipts.count(conn, mailing_id)
        found = sa.text("SELECT p.address_key, d.state, d.reason FROM deliveries d JOIN people p ON p.id = d.person_id")
        rows = {key: (state, reason or "") for key, state, reason in conn.execute(found)}
    for row, to, (_, words) in zip(NAMES, people, NAMES.values(), strict=False):
        state, reason = rows[to]
        assert state == ("failed" if words else "sent"), row
        assert words in reason, row
        assert relay.counts().get(to, 0) == (not words), row
    assert rows[people[-1]][0] == "sent"
    assert final.balanced
    arrived(relay, Ledger(sent=final.sent), people)


# ---------------------------------------------------------------- a list that is imported

LISTED = {
    "CRLF and a command": '"a@doc.example>\r\nRCPT TO:<evil@xau.example"',
    "NUL": "a\0b@doc.example",
    "two in one": f"a@doc.example;{EVIL}",
    "an option": "-oQ/tmp/x@doc.example",
    "look-alike: mixed scripts": "an@ex\u0430mple.org",
    "look-alike: all Cyrillic": "an@\u0430\u0440\u0440\u04cf\u0435.com",
    "look-alike: its A-label": "an@xn--exmple-4nf.org",
    "a literal": "an@[127.0.0.1]",
    "a route": "@a.example:b@doc.example",
    "too long": "a" * 65 + "@doc.example",
    "an angle": "a<b@doc.example",
    "a quoted local part": '"""a b""@doc.example"',
}


def test_a_list_of_hostile_addresses_is_counted_and_the_others_go(make_app, tmp_path, frozen_mailing):
    path = tmp_path / "people.csv"
    lines = ["email", *LISTED.values(), *addresses(READERS)]
    path.write_bytes("\n".join(lines).encode())
    with Relay(CHUNKED) as relay:
        app = make_app(transport=smtp(relay.port))
        with app.db.begin() as conn:
            subscribers.create_list(conn, "tin", name="Tin", now=NOW)
        given = {"list_slug": "tin", "key": app.suppression_key, "now": NOW, "consent": "on paper"}
        report = subscribers.import_people(app.db, path, rejected_path=tmp_path / "rejected.csv", **given)
        assert (report.added, report.rejected) == (READERS, report.rows - READERS)
        assert report.rejected >= len(LISTED)
        with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
            reasons = [row[:3] for row in csv.reader(file)]
        assert len(reasons) == report.rejected + 1
        assert "xau" not in str(reasons), "reasons repeat no address; the rows behind them do"
        run(app, frozen_mailing(app, []), ALL)
    arrived(relay, ALL)


def test_an_address_that_got_past_every_door_fails_alone(make_app, frozen_mailing):
    """As if another program had written it into the database."""
    with Relay(LOCK_STEP) as relay:
        app = make_app(transport=smtp(relay.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(READERS))
        with app.db.begin() as conn:
            first = conn.execute(sa.text("SELECT min(person_id) FROM deliveries")).scalar_one()
            evil = f"a@doc.example>\r\nRCPT TO:<{EVIL.split('@')[0]}"
            conn.execute(
                sa.text("UPDATE people SET address_local = :local WHERE id = :id"), {"local": evil, "id": first}
            )
        expected = Ledger(sent=3, failed=1)
        run(app, mailing_id, expected)
    arrived(relay, expected)


# ---------------------------------------------------------------- the content of an issue

CONTENT = {
    "end of data, CRLF": "\r\n.\r\nMAIL FROM:<evil@xau.example>\r\nRCPT TO:<evil@xau.example>\r\nDATA\r\nX-Evil: 1\r\n",
    "end of data, bare LF": "\n.\nMAIL FROM:<evil@xau.example>\nRCPT TO:<evil@xau.example>\nDATA\nX-Evil: 1\n",
    "end of data, bare CR": "\r.\rMAIL FROM:<evil@xau.example>\r",
    "end of data, mixed": "\n.\r\nMAIL FROM:<evil@xau.example>\r\n\r\n.\nRCPT TO:<evil@xau.example>\n\r.\r\n",
    "dots at the beginning": "\n.\n..\n...\n.a\n",
    "NUL and other controls": "a\0b\x0b\x0c\x1c\x85c",
    "a boundary": "\n--=_\n--=_000000000000000000000000--\nContent-Type: text/plain\n\nX-Evil: 1\n",
    "BDAT": "\nBDAT 3 LAST\r\nabcRSET\r\nQUIT\r\n",
    "From at the beginning": "\nFrom evil@xau.example Mon Nov 23 2026\n",
    "a line of 40,000 octets": "\n" + "ấ" * 14_000 + "\n",
}
UNSIGNED = {"dkim": {"key_file": None}}
WAYS = {
    "lock-step, signed": (LOCK_STEP, {}),
    "pipelined, unsigned": (PIPELINED, UNSIGNED),
    "chunked, signed": (CHUNKED, {}),
    "chunked, unsigned, so raw": (CHUNKED, UNSIGNED),
}


@pytest.mark.parametrize(("offers", "more"), WAYS.values(), ids=WAYS)
def test_contents(make_app, frozen_mailing, offers, more):
    """A mailing of each, all over the same few connections: what one leaves behind would show in the next."""
    with Relay(offers) as relay:
        app = make_app(transport=smtp(relay.port, connections=2), **more)
        mailings = {row: frozen_mailing(app, addresses(READERS), made=written(row)) for row in CONTENT}
        deliver.run(app, NOW)
    assert len(relay.kept) == READERS * len(CONTENT), "no message that nobody meant"
    for row, mailing_id in mailings.items():
        with app.db.read() as conn:
            assert receipts.count(conn, mailing_id).sent == READERS, row
        mine = [one for one in relay.kept if f"Row {row}" in one.content.decode("ascii", "replace")]
        assert sorted(one.rcpt for one in mine) == sorted(addresses(READERS)), row
        for one in mine:
            well_formed(one)
            message = email.message_from_bytes(one.content, policy=email.policy.default)
            for part in ("plain", "html"):
                body = message.get_body((part,))
                assert body is not None, row
                assert bare(CONTENT[row]) in bare(body.get_content()), f"{row}: the words arrive as words"


def written(row: str) -> Callable[..., Rendering]:
    def made(nonce: str, language: str = "vi") -> Rendering:
        plain, hostile = rendering(nonce, language), CONTENT[row]
        html = plain.html.replace("</body>", f"<pre>{hostile}</pre></body>")
        return replace(plain, subject=f"Row {row}", text=plain.text + hostile, html=html)

    return made


def bare(text: str) -> str:
    return re.sub(r"[\s\0]+", "", text)


def test_content_at_an_smtp_server_that_others_wrote(make_app, frozen_mailing):
    """aiosmtpd reads the stream by its own rules; smuggled commands would show as further messages."""

    def made(nonce, language="vi"):
        plain = rendering(nonce, language)
        return replace(plain, text=plain.text + "".join(CONTENT.values()))

    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        run(app, frozen_mailing(app, addresses(READERS), made=made), ALL)
    assert sink.counts() == dict.fromkeys(addresses(READERS), 1)
    for one in sink.received:
        well_formed(Kept(one.mail_from, one.rcpt, one.content))


SUBJECTS = {"CRLF": "Số 7\r\nBcc: " + EVIL, "bare LF": "Số 7\nX-Evil: 1", "NUL": "Số\0 7", "separator": "Số\u2028 7"}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_subject_that_would_be_two_headers_lets_nothing_go(make_app, frozen_mailing, subject):
    def made(nonce, language="vi"):
        return replace(rendering(nonce, language), subject=subject)

    with Relay(CHUNKED) as relay:
        app = make_app(transport=smtp(relay.port))
        mailing_id = frozen_mailing(app, addresses(READERS), made=made)
        run(app, mailing_id, Ledger(pending=READERS))
        with app.db.read() as conn:
            state = conn.execute(sa.text("SELECT state FROM mailings")).scalar_one()
    assert (state, relay.connections) == ("paused", 0)


# ---------------------------------------------------------------- replies

MB = 1 << 20
LONG = b"a" * MB


def at(verb: str, said: bytes) -> Callable[[Heard], bytes | None]:
    return lambda heard: said if heard.verb == verb else None


def many(code: bytes) -> bytes:
    return b"".join(b"%s-%s\r\n" % (code, b"x" * 500) for _ in range(2_000)) + code + b" end\r\n"


# The content was written whole and nothing sure was heard. PIPELINING: each second message had only its envelope out.
AFTER = Ledger(unknown=READERS, pipelined=Ledger(unknown=2, deferred=2))

REPLIES = {
    "1 MB on one line after the content": (at("content", b"250 2.0.0 " + LONG + b"\r\n"), ALL),
    "1 MB refusal of a recipient": (
        at("RCPT", b"550 5.1.1 " + LONG + b"\r\n"),
        Ledger(failed=READERS, words="550 5.1.1"),
    ),
    "1 MB refusal for now": (at("MAIL", b"451 4.3.0 " + LONG + b"\r\n"), Ledger(deferred=READERS, words="451 4.3.0")),
    "1 MB greeting": (at("dial", b"220 " + LONG + b"\r\n"), ALL),
    "1 MB of offers": (at("EHLO", many(b"250")), Ledger(pending=READERS, down=True, words="never ends")),
    "1 MB of lines for a recipient": (at("RCPT", many(b"250")), Ledger(deferred=READERS, chunked=AFTER)),
    "1 MB of lines after the content": (at("content", many(b"250")), replace(AFTER, words="never ends")),
    "NUL, bell, escape": (at("content", b"250 2.0.0 \0\x07\x1b[31mqueued\r\n"), ALL),
    "not UTF-8": (at("RCPT", b"550 5.1.1 \xff\xfe\xc3\r\n"), Ledger(failed=READERS)),
    "bare LF": (at("RCPT", b"250 2.1.5 ok\n"), ALL),
    "a code that is none": (
        at("RCPT", b"999 what\r\n"),
        Ledger(deferred=READERS, words="no SMTP reply", chunked=AFTER),
    ),
    "HTTP": (
        at("dial", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Ledger(pending=READERS, down=True, words="no SMTP reply"),
    ),
    "the reader's address": (
        at("RCPT", b"550 5.1.1 doc.gia0@thu0.example doc.gia1 unknown\r\n"),
        Ledger(failed=READERS),
    ),
    "a second reply nobody asked for": (at("RCPT", b"250 ok\r\n250 ok\r\n"), None),
    "an acceptance before the content": (at("DATA", b"250 2.0.0 accepted, honestly\r\n"), None),
}


@pytest.mark.parametrize("offers", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize(("script", "expected"), REPLIES.values(), ids=REPLIES)
def test_a_reply(make_app, frozen_mailing, offers, script, expected):
    """None: which of the safe states it is depends on the window; what counts is that nothing is called sent that is not."""
    with Relay(offers, script) as relay:
        app = make_app(transport=smtp(relay.port, connections=1, timeout=2))
        mailing_id = frozen_mailing(app, addresses(READERS))
        if expected is not None:
            run(app, mailing_id, expected.under(offers))
        else:
            with suppress(TransportDown):
                deliver.run(app, NOW)
    with app.db.read() as conn:
        final = receipts.count(conn, mailing_id)
    assert final.balanced
    assert final.sent <= len(relay.kept), "nothing is called sent that the relay has not taken"
    arrived(relay, expected.under(offers) if expected else Ledger(sent=final.sent, unknown=READERS))


# ---------------------------------------------------------------- silence

PATIENCE = 0.5  # seconds; a healthy answer must come within them also on a busy machine
SILENT = {  # of one reader: whoever comes next would wait as long again
    "dial": Ledger(pending=1, down=True, words="no whole reply in time"),
    "EHLO": Ledger(pending=1, down=True, words="no whole reply in time"),
    "MAIL": Ledger(deferred=1, words="no whole reply in time", chunked=Ledger(unknown=1)),
    "RCPT": Ledger(deferred=1, words="no whole reply in time", chunked=Ledger(unknown=1)),
    "content": Ledger(unknown=1, words="after the end of the message: no whole reply in time"),
}
PLACES = [(verb, name) for verb in SILENT for name in OFFERS if verb not in ("dial", "EHLO") or name == "chunked"]


@pytest.mark.parametrize(("verb", "name"), PLACES)
def test_a_server_that_never_answers(make_app, frozen_mailing, monkeypatch, verb, name):
    """Silence after the content may mean that it was taken: it is said to be unknown, and never sent again by itself."""
    monkeypatch.setattr(session, "CONTENT_TIMEOUT", PATIENCE)
    over = threading.Event()

    def script(heard: Heard) -> bytes | None:
        if heard.verb == verb:
            over.wait(10)
            raise Close
        return None

    expected = SILENT[verb].under(OFFERS[name])
    with Relay(OFFERS[name], script) as relay:
        app = make_app(transport=smtp(relay.port, connections=1, timeout=PATIENCE))
        mailing_id = frozen_mailing(app, addresses(1))
        run(app, mailing_id, expected)
        if expected.unknown:
            deliver.run(app, NOW)
            assert relay.connections == 1, "nobody is tried again blindly"
        over.set()
    arrived(relay, expected)


# ---------------------------------------------------------------- what comes back


@pytest.mark.parametrize(
    "body",
    [b"\0" * MB, b"{" * MB, b"[" * 100_000, b'{"RecordType":"Bounce","Email":"\xff"}', b"<x/>", b""],
    ids=["NUL", "open braces", "open brackets", "not UTF-8", "XML", "nothing"],
)
def test_a_webhook_that_is_none_is_refused_and_leaves_nothing(make_app, body):
    from newsletter.mail import webhooks
    from newsletter.store import returns
    from tests.mail.webhooks.signing import request

    app = make_app(webhooks={"postmark": {"password": "vien:mat-khau"}})
    postmark = webhooks.provider("postmark")
    assert postmark is not None
    with pytest.raises(Refused) as raised:
        hooks.receive_webhook(app, postmark, request(body))
    assert len(str(raised.value)) < 300
    with app.db.read() as conn:
        assert returns.latest(conn, 5) == []
