"""The mail server for returned mail, spoken to by real clients: takes what is ours, stores before it answers, relays nothing."""

import smtplib
import socket
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.errors import ConfigError
from newsletter.mail.tokens import Purpose
from newsletter.store import returns
from newsletter.track import intake, listener
from tests.conftest import NOW
from tests.mail.bounces.samples import away, report


def settings(**more):
    return {
        "bounces": {"listen": {"port": 0, **more}},
        "sender": {
            "address": "bantin@vien.example",
            "bounce_domain": "tra.vien.example",
            "unsubscribe_domain": "roi.vien.example",
        },
    }


class Woken:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1


def client(protocol, at):
    host, port = at.rsplit(":", 1)
    return (smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP)(host, int(port), local_hostname="mx.example")


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_a_bounce_is_stored_before_it_is_answered_and_acted_on_by_the_track_stage(sent, protocol):
    world, woken = sent(**settings(protocol=protocol)), Woken()
    with listener.listening(world.app, woken) as at, closing(client(protocol, at)) as line:
        line.sendmail("", [world.path()], report(to=world.path()))
        with world.app.db.read() as conn:
            assert [(row["kind"], row["source"]) for row in returns.latest(conn, 5)] == [("hard", protocol)]
        line.sendmail("", ["b.vo-danh@tra.vien.example"], away())  # the same connection takes the next
    assert woken.times == 2
    assert world.track() == 2
    assert world.state() == "bounced"


def test_a_mail_to_the_unsubscribe_address_leaves_the_list(sent):
    world = sent(**settings(protocol="smtp"))
    rcpt = f"u.{world.token(1, Purpose.READER)}@roi.vien.example"
    with listener.listening(world.app, Woken()) as at, closing(client("smtp", at)) as line:
        line.sendmail("binh@docgia.example", [rcpt], b"From: binh@docgia.example\r\nSubject: unsubscribe\r\n\r\n")
    world.track()
    assert world.barred(1) == "left"
    assert world.barred(0) is None


def test_nothing_is_relayed_and_one_recipient_goes_at_a_time(sent):
    world = sent(**settings(protocol="smtp"))
    with listener.listening(world.app, Woken()) as at, closing(client("smtp", at)) as line:
        line.ehlo()
        line.mail("")
        assert line.rcpt("ai@khac.example")[0] == 550
        assert line.rcpt("a@b@khac.example")[0] in (550, 553, 501)
        assert line.rcpt(world.path())[0] == 250
        assert line.rcpt(world.path(1))[0] == 452
        assert line.docmd("VRFY an@docgia.example")[0] in (252, 550)
        assert b"an@docgia" not in line.docmd("VRFY an@docgia.example")[1]


def test_what_cannot_be_stored_is_kept_by_its_sender(sent):
    world = sent(**settings(protocol="smtp"))
    with listener.listening(world.app, Woken()) as at, closing(client("smtp", at)) as line:
        with world.app.db.begin() as conn:
            conn.execute(sa.text("ALTER TABLE returns RENAME TO returns_away"))
        with pytest.raises(smtplib.SMTPDataError) as refused:
            line.sendmail("", [world.path()], report(to=world.path()))
        assert refused.value.smtp_code == 451
        with world.app.db.begin() as conn:
            conn.execute(sa.text("ALTER TABLE returns_away RENAME TO returns"))
        line.sendmail("", [world.path()], report(to=world.path()))
    assert world.track() == 1


def test_too_large_and_too_many_are_refused_and_the_others_served(sent):
    world = sent(**settings(protocol="smtp", connections=2))
    with listener.listening(world.app, Woken()) as at:
        host, port = at.rsplit(":", 1)
        with closing(client("smtp", at)) as first, closing(client("smtp", at)) as second:
            with socket.create_connection((host, int(port)), timeout=5) as third:
                assert third.recv(100).startswith(b"421")
            with pytest.raises(smtplib.SMTPException):
                first.sendmail("", [world.path()], b"x" * (listener.LARGEST + 1))
            second.sendmail("", [world.path()], report(to=world.path()))
        with closing(client("smtp", at)) as again:
            assert again.noop()[0] == 250


def test_a_garbled_conversation_ends_nothing(sent):
    world = sent(**settings(protocol="lmtp"))
    with listener.listening(world.app, Woken()) as at:
        host, port = at.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(b"\0\xff" * 5000 + b"\r\nEHLO x\r\n")
            assert line.recv(1000)
        with closing(client("lmtp", at)) as good:
            good.sendmail("", [world.path()], report(to=world.path()))
    assert world.track() == 1


def test_it_is_off_unless_asked_for_and_says_what_is_missing(sent, make_app):
    world = sent()
    with listener.listening(world.app, Woken()) as at:
        assert at is None
    alone = make_app(bounces={"listen": {"port": 0}}, sender={"address": "bantin@vien.example"})
    with pytest.raises(ConfigError, match="no domain"), listener.listening(alone, Woken()):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = make_app(**settings(port=taken.getsockname()[1]))
        with pytest.raises(ConfigError, match="cannot listen"), listener.listening(busy, Woken()):
            pass


def test_the_service_listens_and_what_comes_is_settled_without_a_tick(sent):
    from newsletter.serve import serve

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    world, ready = sent(**settings(protocol="smtp", port=port)), threading.Event()
    thread = threading.Thread(
        target=serve, args=(world.app,), kwargs={"host": "127.0.0.1", "port": 0, "on_ready": lambda _: ready.set()}
    )
    thread.start()
    try:
        assert ready.wait(30)
        with closing(client("smtp", f"127.0.0.1:{port}")) as line:
            line.sendmail("", [world.path()], report(to=world.path()))
        until = time.monotonic() + 30
        while world.state() != "bounced":
            assert time.monotonic() < until, "it was not settled"
            time.sleep(0.05)
    finally:
        world.app.stopping.set()
        thread.join(30)
    assert not thread.is_alive()


def test_what_came_back_long_ago_is_forgotten_and_its_event_stays(sent):
    world = sent(bounces={"keep_days": 30})
    intake.receive_message(world.app, report(to=world.path()), source="pipe", rcpt=world.path())
    world.track()
    world.track(NOW + timedelta(days=29))
    with world.app.db.read() as conn:
        assert len(returns.latest(conn, 5)) == 1
    world.track(NOW + timedelta(days=31))
    with world.app.db.read() as conn:
        assert returns.latest(conn, 5) == []
    assert world.told() == {"bounced": 1}
