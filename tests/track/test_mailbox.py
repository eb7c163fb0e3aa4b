"""Polling a mailbox: read once, marked when kept, and nothing lost when the line breaks."""

from datetime import timedelta

import pytest

from newsletter import pipeline
from newsletter.store import returns
from newsletter.track import mailbox
from newsletter.track.mailbox import MailboxUnreachable
from tests.conftest import NOW
from tests.fakes.imap import Mailbox
from tests.mail.bounces.samples import away, report


def settings(box, **more):
    wanted = {"host": "127.0.0.1", "port": box.port, "security": "none", "username": "b", "password": "mat-khau"}
    return {"imap": wanted | {"timeout": 5} | more}


def kinds(app):
    with app.db.read() as conn:
        return sorted(row["kind"] for row in returns.latest(conn, 10))


def test_what_is_new_is_read_and_acted_on(sent):
    with Mailbox({}) as box:
        world = sent(bounces=settings(box))
        box.messages = {4: report(to=world.path()), 7: away(), 9: b"\0" * 2_000_000}
        assert world.track() == 3
        assert box.seen == {4, 7, 9}
        assert world.state() == "bounced"
        assert kinds(world.app) == ["autoreply", "hard", "unread"]


def test_a_poll_waits_for_its_time(sent):
    with Mailbox({1: away()}) as box:
        world = sent(bounces=settings(box, every_seconds=60))
        assert mailbox.poll(world.app, NOW) == 1
        box.messages[2] = report()
        assert mailbox.poll(world.app, NOW + timedelta(seconds=59)) == 0
        assert mailbox.poll(world.app, NOW + timedelta(seconds=59), at_once=True) == 1
        assert mailbox.poll(world.app, NOW + timedelta(seconds=60)) == 0
        assert box.fetched == [1, 2]


def test_a_broken_line_loses_nothing_and_doubles_nothing(sent):
    with Mailbox({1: away(), 2: report()}) as box:
        world = sent(bounces=settings(box, every_seconds=0))
        box.break_at = 2
        with pytest.raises(MailboxUnreachable):
            mailbox.poll(world.app, NOW)
        assert box.seen == {1}
        box.break_at, box.seen = None, set()  # even if the mark of the first had been lost
        assert mailbox.poll(world.app, NOW) == 2
        assert kinds(world.app) == ["autoreply", "hard"]


def test_at_most_so_many_messages_in_one_poll(sent):
    with Mailbox({uid: away() + b"%d" % uid for uid in range(1, 9)}) as box:
        world = sent(bounces=settings(box, most=3, every_seconds=0))
        assert [mailbox.poll(world.app, NOW) for _ in range(4)] == [3, 3, 2, 0]


@pytest.mark.parametrize("wrong", [{"password": "sai"}, {"folder": 'Kh"ác'}, {"port": 1}, {"security": "tls"}])
def test_a_mailbox_that_cannot_be_read_is_one_line_and_the_rest_goes_on(sent, wrong):
    with Mailbox({1: away()}) as box:
        world = sent(bounces=settings(box, **wrong))
        with pytest.raises(MailboxUnreachable, match="the mailbox for bounces could not be read"):
            mailbox.poll(world.app, NOW, at_once=True)
        [report_of_stage] = pipeline.run_once(world.app, only=frozenset({"track"}))
        assert report_of_stage.error is None, "it was asked a moment ago"
        assert box.seen == set()


def test_what_arrived_before_is_settled_although_the_mailbox_fails(sent):
    from newsletter.track import intake

    world = sent(bounces={"imap": {"host": "127.0.0.1", "port": 1, "security": "none"}})
    intake.receive_message(world.app, report(), source="pipe", rcpt=world.path())
    [told] = pipeline.run_once(world.app, only=frozenset({"track"}))
    assert told.error is not None
    assert "mailbox" in told.error
    assert world.state() == "bounced"


def test_a_certificate_is_checked(sent, authority):
    context = authority.server("localhost")
    with Mailbox({1: away()}, context=context) as box:
        world = sent(
            bounces=settings(box, security="tls", host="localhost", ca_file=str(authority.ca_file), every_seconds=0)
        )
        assert mailbox.poll(world.app, NOW) == 1
        strange = sent(bounces=settings(box, security="tls", host="localhost", every_seconds=0))
        with pytest.raises(MailboxUnreachable):
            mailbox.poll(strange.app, NOW)
