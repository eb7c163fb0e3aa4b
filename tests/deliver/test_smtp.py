"""The SMTP client in its parts: offers, the pure dialogue, the choice of a relay, logging in, and Postfix's own sink."""

import base64
import os
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from newsletter import deliver
from newsletter.app import Fate, Outgoing
from newsletter.deliver.smtp import SmtpSession, SmtpTransport
from newsletter.deliver.smtp.dialogue import Dialogue, Flight, OutOfStep
from newsletter.deliver.smtp.line import Line
from newsletter.deliver.smtp.offers import Offers, offers_of
from newsletter.deliver.smtp.relays import REST, Relays
from newsletter.errors import TransportDown
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.model import MailingId, PersonId
from newsletter.settings.smtp import Relay as RelaySettings
from newsletter.settings.smtp import Smtp
from newsletter.store import receipts
from subscribers import Address
from tests.conftest import NOW, missing
from tests.deliver.conftest import addresses, rendering, smtp
from tests.fakes.relay import CHUNKED, PIPELINED, Heard, Relay

PIPED = Offers(pipelining=True)
FRAME = Frame(
    from_name="V", from_address="bantin@vien.example", date=datetime(2026, 11, 23, tzinfo=UTC), domain="vien.example"
)


def flight(number: int = 0, *, local: str = "doc.gia", octets: bytes = b"Subject: x\r\n\r\nxin chao\r\n") -> Flight:
    token = f"t{number}"
    reader = Reader(to=Address(f"{local}{number}", "thu.example"), message_id_token=token)
    message = compile_message(rendering("n"), FRAME, nonce="n").splice(reader)
    outgoing = Outgoing(
        mailing_id=MailingId("m"),
        list_slug=None,
        person_id=PersonId(f"p{number}"),
        epoch=1,
        tries=1,
        frozen_at=NOW,
        message=message,
    )
    return Flight(outgoing, octets, f"{local}{number}@thu.example")


# ---------------------------------------------------------------- what is offered


def test_offers_are_read_from_the_greeting_whatever_their_case_and_form():
    said = [
        "relay.example hello",
        "pipelining",
        "SIZE 2000",
        "AUTH=LOGIN",
        "AUTH PLAIN LOGIN",
        "",
        "X-OTHER 1",
        "chunking",
    ]
    found = offers_of(said)
    assert found == Offers(pipelining=True, chunking=True, has_size=True, size=2000, auth=("LOGIN", "PLAIN"))
    assert found.window == 8
    assert offers_of(["PIPELINING"]) == Offers()  # the first line is a name, not an offer
    assert offers_of(["x", "SIZE 0"]).size is None
    assert offers_of(["x", "SIZE lots"]).size is None
    assert offers_of(said, pipelining=False).window == 1
    assert offers_of(said, chunking=False).window == 2
    assert offers_of(["x", "CHUNKING"]).window == 1


# ---------------------------------------------------------------- the dialogue


def test_content_that_left_only_in_part_was_certainly_not_sent():
    talk = Dialogue(Offers(pipelining=True, chunking=True))
    flights = [flight(number) for number in range(4)]
    for at, one in enumerate(flights, 1):
        talk.say_chunk(one)
        talk.content(one, end=100 * at, chunk=True)
    for code in (250, 250, 250):
        talk.hear(code, b"ok")
    talk.lost(300, "reset by peer")
    assert [one.outcome.fate if one.outcome else None for one in flights] == [
        Fate.ACCEPTED,
        Fate.UNKNOWN,
        Fate.UNKNOWN,
        None,  # 300 of its 400 octets at most
    ]


def test_what_stands_behind_a_421_was_certainly_not_sent():
    talk = Dialogue(Offers(pipelining=True, chunking=True))
    flights = [flight(number) for number in range(3)]
    for at, one in enumerate(flights, 1):
        talk.say_chunk(one)
        talk.content(one, end=100 * at, chunk=True)
    for code in (250, 250, 250, 250, 421):
        talk.hear(code, b"4.3.2 closing")
    talk.lost(300, "closed")
    assert flights[0].outcome.fate is Fate.ACCEPTED
    assert (flights[1].unsent, flights[1].outcome.fate) == (True, Fate.RETRY)
    assert flights[2].outcome is None


def test_a_group_resets_before_each_envelope_but_the_first():
    talk = Dialogue(Offers(pipelining=True, chunking=True, has_size=True))
    first, second = flight(1), flight(2)
    assert talk.say_chunk(first).startswith(
        b"MAIL FROM:<bantin@vien.example> SIZE=24\r\nRCPT TO:<doc.gia1@thu.example>\r\nBDAT 24 LAST"
    )
    talk.content(first, end=1, chunk=True)
    assert talk.say_chunk(second).startswith(b"RSET\r\nMAIL")


def test_a_message_without_the_final_reply_is_never_called_sent():
    talk, one = Dialogue(PIPED), flight()
    talk.say_all(one)
    for code in (250, 250):
        talk.hear(code, b"ok")
    with pytest.raises(OutOfStep):
        talk.hear(250, b"2.0.0 accepted, honestly")
    assert one.outcome is None
    talk = Dialogue(PIPED)
    talk.content(one, end=9)
    with pytest.raises(OutOfStep):
        talk.hear(354, b"go on")
    assert one.outcome.fate is Fate.UNKNOWN


def test_an_address_in_unicode_needs_a_relay_that_takes_it():
    one = flight(7, local="bạn.đọc")
    plain, able = Dialogue(PIPED), Dialogue(Offers(pipelining=True, smtputf8=True))
    assert plain.unfit(one).fate is Fate.REJECTED
    assert able.unfit(one) is None
    assert able.say_all(one).startswith(b"MAIL FROM:<bantin@vien.example> SMTPUTF8\r\nRCPT TO:<" + "bạn.đọc7".encode())
    assert b"SMTPUTF8" not in able.say_all(flight())


@pytest.mark.parametrize("said", [b"552 5.3.4 too big\r\n", b""], ids=["552", "nothing"])
def test_a_relay_that_hangs_up_while_we_write_has_not_got_it_and_its_last_words_count(said):
    """The writer sees a broken pipe first; what was said before it can still be read."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rb") as reader:
            for reply in (b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
                reader.readline()
                theirs.sendall(reply)
            reader.read(50_000)
            theirs.sendall(said)

    thread = threading.Thread(target=serve)
    thread.start()
    one = flight(1)
    large = replace(rendering("n"), html="<p>Xin chào</p>", text="ẩm độ\n" * 90_000)
    message = compile_message(large, FRAME, nonce="n").splice(one.outgoing.message.reader)
    ours.settimeout(5)
    relay = RelaySettings(host="relay.example")
    session = SmtpSession(Smtp(timeout=5), Relays([relay]), lambda _: (Line(ours), PIPED))
    [outcome] = session.send([one.outgoing._replace(message=message)], lambda batch: {o.person_id for o in batch})
    session.close()
    thread.join()
    if said:
        assert (outcome.fate, outcome.reply) == (Fate.REJECTED, "552 5.3.4 too big")
    else:
        assert outcome.fate is Fate.RETRY
        assert outcome.reply.startswith("before the end of the message")


# ---------------------------------------------------------------- several relays


def test_relays_share_by_weight_and_a_stand_by_waits_for_the_others_to_fail():
    now = [0.0]
    big, small, spare = (RelaySettings(host=name, weight=weight) for name, weight in (("a", 3), ("b", 1), ("c", 0)))
    relays = Relays([big, small, spare], lambda: now[0])
    picked = [relays.pick().host for _ in range(8)]
    assert (picked.count("a"), picked.count("b"), picked.count("c")) == (6, 2, 0)
    relays.rest(big)
    assert relays.pick().host == "b"
    relays.rest(small)
    assert relays.pick().host == "c"
    assert relays.another(spare) is False
    now[0] = REST + 1
    assert relays.pick().host in ("a", "b")
    assert relays.pick([big, small, spare]) is None


def test_a_relay_that_is_not_there_is_passed_over(make_app, frozen_mailing):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nowhere = gone.getsockname()[1]
    with Relay(CHUNKED) as relay:
        both = [{"url": f"smtp://127.0.0.1:{port}?security=none"} for port in (nowhere, relay.port)]
        app = make_app(transport={"kind": "smtp", "smtp": {"relays": both, "connections": 2}})
        mailing_id = frozen_mailing(app, addresses(9))
        deliver.run(app, NOW)
    with app.db.read() as conn:
        assert receipts.count(conn, mailing_id).sent == 9
    assert max(relay.counts().values()) == 1


@pytest.mark.parametrize("offers", [PIPELINED, CHUNKED], ids=["pipelined", "chunked"])
def test_a_relay_that_stops_relaying_in_the_middle_is_left_for_the_other(make_app, frozen_mailing, offers):
    def stops(heard: Heard) -> bytes | None:
        return b"530 5.7.0 authentication required\r\n" if heard.verb == "MAIL" and heard.message > 5 else None

    with Relay(offers, stops) as first, Relay(offers) as second:
        relays = [
            {"url": f"smtp://127.0.0.1:{first.port}?security=none", "weight": 1},
            {"url": f"smtp://127.0.0.1:{second.port}?security=none", "weight": 0},
        ]
        app = make_app(transport={"kind": "smtp", "smtp": {"relays": relays, "connections": 1}})
        mailing_id = frozen_mailing(app, addresses(12))
        deliver.run(app, NOW)
    with app.db.read() as conn:
        assert receipts.count(conn, mailing_id).sent == 12
    assert (len(first.kept), len(second.kept)) == (5, 7)
    assert not first.counts().keys() & second.counts().keys()


def test_when_no_relay_answers_the_reasons_are_named_and_nothing_changes(make_app, frozen_mailing):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = [one.getsockname()[1], two.getsockname()[1]]
    relays = [{"url": f"smtp://localhost:{port}?security=none"} for port in ports]
    app = make_app(transport={"kind": "smtp", "smtp": {"relays": relays, "connections": 1}})
    mailing_id = frozen_mailing(app, addresses(3))
    with pytest.raises(TransportDown, match=rf"no relay takes mail: smtp localhost:{ports[0]}: .*localhost:{ports[1]}"):
        deliver.run(app, NOW)
    with app.db.read() as conn:
        assert receipts.count(conn, mailing_id).pending == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "http://relay.example"}, "smtp://user:password"),
        ({"url": "smtp://relay.example?security=maybe"}, "security"),
        ({"url": "smtps://relay.example?security=none"}, "nothing else"),
        ({"url": "smtp://relay.example:0x1"}, "no URL"),
        ({"url": "smtp://relay.example", "host": "other.example"}, "host stands in url already"),
        ({"url": "smtp://user@relay.example"}, "both username and password"),
        ({"username": "u", "password": "p", "secret_file": "f"}, "not both"),
        ({"host": "a", "relays": [{"host": "b"}]}, "describe the relay in one place"),
    ],
)
def test_a_relay_described_wrongly_is_refused(values, words):
    with pytest.raises(ValidationError, match=words):
        Smtp.model_validate(values)


def test_a_url_stands_for_its_parts_and_hides_the_password():
    found = Smtp.model_validate({"url": "smtps://b%40x:p%2Fw@relay.example"})
    assert (found.host, found.port, found.security, found.username) == ("relay.example", 465, "tls", "b@x")
    assert found.password.get_secret_value() == "p/w"
    assert "p%2Fw" not in repr(found)
    assert Smtp.model_validate({"url": "smtp://relay.example"}).security == "starttls"


# ---------------------------------------------------------------- logging in


def _decoded(line: str) -> str:
    return base64.b64decode(line.split(" ")[-1]).decode()


@pytest.mark.parametrize(
    ("auth", "offered", "said"),
    [
        ("auto", "LOGIN PLAIN", ["\0bản tin\0bí mật"]),
        ("auto", "LOGIN", ["bản tin", "bí mật"]),
        ("login", "PLAIN LOGIN", ["bản tin", "bí mật"]),
        ("xoauth2", "PLAIN XOAUTH2", ["user=bản tin\1auth=Bearer bí mật\1\1"]),
    ],
)
def test_each_mechanism_says_what_its_document_says(auth, offered, said, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("bí mật\n", encoding="utf-8")

    def script(heard: Heard) -> bytes | None:
        if heard.verb == "AUTH":
            return b"334 VXNlcm5hbWU6\r\n" if heard.line == "AUTH LOGIN" else b"235 2.7.0 welcome\r\n"
        if heard.verb not in ("EHLO", "QUIT", "dial"):
            return b"334 UGFzc3dvcmQ6\r\n" if len(relay.said) == 3 else b"235 2.7.0 welcome\r\n"
        return None

    with Relay((f"AUTH {offered}",), script) as relay:
        values = {"host": "127.0.0.1", "port": relay.port, "security": "none"}
        values |= {"username": "bản tin", "secret_file": secret, "auth": auth}
        SmtpTransport(Smtp.model_validate(values), ehlo_name="vien.example").open().close()
    lines = [line for line in relay.said if line not in ("AUTH LOGIN", "QUIT") and not line.startswith("EHLO")]
    assert [_decoded(line) for line in lines] == said


def test_a_token_that_has_run_out_is_refused_with_the_servers_words_and_read_again_next_time(tmp_path):
    token = tmp_path / "token"
    token.write_text("old")

    def script(heard: Heard) -> bytes | None:
        if heard.verb == "AUTH":
            return b"235 2.7.0 ok\r\n" if "Bearer new" in _decoded(heard.line) else b"334 eyJzdGF0dXMiOiI0MDEifQ==\r\n"
        return b"535 5.7.8 token expired\r\n" if heard.verb == "" else None

    with Relay(("AUTH XOAUTH2",), script) as relay:
        values = {"host": "127.0.0.1", "port": relay.port, "security": "none", "username": "u"}
        values |= {"secret_file": token, "auth": "xoauth2"}
        transport = SmtpTransport(Smtp.model_validate(values), ehlo_name="vien.example")
        with pytest.raises(TransportDown, match=r"535 5\.7\.8 token expired"):
            transport.open()
        token.write_text("new")
        transport.open().close()
        token.unlink()
        with pytest.raises(TransportDown, match="cannot be read"):
            transport.open()


def test_a_mechanism_that_is_not_offered_is_named():
    with Relay(("AUTH PLAIN",)) as relay:
        values = {"host": "127.0.0.1", "port": relay.port, "security": "none", "username": "u", "password": "p"}
        transport = SmtpTransport(Smtp.model_validate(values | {"auth": "xoauth2"}), ehlo_name="vien.example")
        with pytest.raises(TransportDown, match="it offers no AUTH XOAUTH2"):
            transport.open()


# ---------------------------------------------------------------- a peer that others wrote


@pytest.mark.parametrize("options", [[], ["-p"], ["-8", "-p"]], ids=["pipelining", "lock-step", "plain"])
def test_postfixs_sink_gets_every_message(make_app, frozen_mailing, options, tmp_path):
    program = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        missing("smtp-sink (Debian package postfix)")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    user = ["-u", "root"] if os.geteuid() == 0 else []
    dump = tmp_path / "dump"
    sink = subprocess.Popen(
        [program, *user, *options, "-D", str(dump), f"127.0.0.1:{port}", "64"], stderr=subprocess.DEVNULL
    )
    try:
        _until_it_listens(port)
        app = make_app(transport=smtp(port, connections=2))
        mailing_id = frozen_mailing(app, addresses(15))
        deliver.run(app, NOW)
    finally:
        sink.terminate()
        sink.wait()
    with app.db.read() as conn:
        assert receipts.count(conn, mailing_id).sent == 15
    taken = [line for line in dump.read_bytes().splitlines() if line.startswith(b"X-Rcpt-Args:")]
    assert sorted(line.split(b"<")[1].split(b">")[0].decode() for line in taken) == sorted(addresses(15))


def _until_it_listens(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
