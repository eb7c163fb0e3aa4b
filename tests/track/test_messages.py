"""Messages that come back: matched, kept as rows, and acted on."""

from datetime import timedelta

import pytest

import subscribers
from newsletter.mail.compile import compile_message
from newsletter.mail.frames import frame_of, reader_of
from newsletter.mail.tokens import Purpose
from newsletter.model import DeliveryState, EventType, new_id
from newsletter.store import mailings, returns
from newsletter.track import intake
from subscribers import SuppressionReason
from tests.conftest import NOW
from tests.mail.bounces.samples import COMPLAINT, away, report

WEEK = timedelta(days=7)


def receive(sent, raw, rcpt=None):
    return intake.receive_message(sent.app, raw, source="pipe", rcpt=rcpt)


def test_a_hard_bounce_with_our_token_ends_mail_to_the_address(sent):
    world = sent()
    [kept] = receive(world, report(), world.path())
    assert (kept.kind, kept.proven, kept.person_id) == ("hard", True, world.people[0])
    assert "docgia" not in kept.said
    assert world.barred() is None, "intake acts on nothing"
    assert world.track() == 1
    assert (world.state(), world.barred()) == ("bounced", "bounced")
    assert world.told() == {EventType.BOUNCED: 1}
    assert world.barred(1) is None


def test_the_same_message_told_again_changes_nothing(sent):
    world = sent()
    assert len(receive(world, report(), world.path())) == 1
    assert receive(world, report(), world.path()) == []
    assert (world.track(), world.track()) == (1, 0)
    assert receive(world, report() + b"\n", world.path()), "a copy that differs is a row of its own"
    assert world.track() == 1
    assert world.told() == {EventType.BOUNCED: 1}


def test_the_token_in_the_returned_message_is_as_good_as_the_path(sent):
    world = sent()
    [kept] = receive(world, report(message_id=f"<{world.token()}@vien.example>"))
    assert (kept.proven, kept.person_id, kept.mailing_id) == (True, world.people[0], world.mailing)


def test_a_bounce_without_a_token_is_matched_by_address_and_ends_nothing(sent):
    """Anybody can write such a message about anybody."""
    world = sent()
    [kept] = receive(world, report())
    assert (kept.proven, kept.person_id, kept.mailing_id) == (False, world.people[0], world.mailing)
    world.track()
    assert world.barred() is None
    assert world.told() == {EventType.BOUNCED: 1}


def test_a_forged_token_proves_nothing(sent):
    world = sent()
    forged = world.token()[:-1] + ("0" if world.token()[-1] != "0" else "1")
    [kept] = receive(world, report(address="ai@khac.example"), f"b.{forged}@tra.vien.example")
    assert (kept.proven, kept.person_id) == (False, None)
    world.track()
    assert world.barred() is None


def test_five_full_mailboxes_in_five_weeks_end_it_and_a_block_never_does(sent):
    world = sent()
    clock = world.app.clock
    full = report(status="5.2.2", said="smtp; 552 5.2.2 mailbox full")
    blocked = report(status="5.7.1", said="smtp; 554 5.7.1 blocked using a DNSBL")
    for week in range(5):
        assert world.barred() is None, week
        mailing = world.send(at=clock.now())
        receive(world, full + b"%d" % week, world.path(0, mailing))
        receive(world, blocked + b"%d" % week, world.path(1, mailing))
        world.track(clock.now())
        clock.at += WEEK
    assert world.barred() == "bounced"
    assert world.barred(1) is None


def test_silence_after_a_later_mailing_wipes_soft_bounces_out(sent):
    world = sent()
    clock = world.app.clock
    full = report(status="5.2.2", said="smtp; 552 5.2.2 mailbox full")
    for week in range(6):
        mailing = world.send(at=clock.now())
        if week != 3:  # that one arrived
            receive(world, full + b"%d" % week, world.path(0, mailing))
        world.track(clock.now())
        clock.at += WEEK
    assert world.barred() is None


def test_a_complaint_ends_everything_at_once_when_it_is_proven(sent):
    world = sent()
    told = COMPLAINT % (b"abuse", b"")
    assert [one.proven for one in receive(world, told)] == [False]
    world.track()
    assert world.barred(2) is None
    proven = told.replace(b"<b.1@vien.example>", f"<{world.token(2)}@vien.example>".encode())
    assert [one.proven for one in receive(world, proven)] == [True]
    world.track()
    assert (world.state(2), world.barred(2)) == ("complained", "complained")


def test_vacation_replies_and_letters_of_people_do_nothing(sent):
    world = sent()
    assert [one.kind for one in receive(world, away(), world.path())] == ["autoreply"]
    human = b"From: an@docgia.example\nTo: tin@vien.example\nSubject: Re: Ban tin\n\nCam on!\n"
    assert [one.kind for one in receive(world, human)] == ["unread"]
    assert world.track() == 2
    assert (world.told(), world.barred()) == ({}, None)


@pytest.mark.parametrize("raw", [report(), away(), report(action="delivered", status="2.0.0", said="smtp; 250 ok")])
def test_what_comes_back_settles_a_delivery_of_unknown_fate(sent, raw):
    world = sent(DeliveryState.UNKNOWN)
    receive(world, raw, world.path())
    world.track()
    assert world.delivery()["state"] == "sent"
    assert world.delivery(1)["state"] == "unknown"


def test_without_a_token_nothing_is_settled(sent):
    world = sent(DeliveryState.UNKNOWN)
    receive(world, report())
    world.track()
    assert world.delivery()["state"] == "unknown"


def test_a_mail_to_the_unsubscribe_address_leaves_the_list(sent):
    world = sent()
    token = world.token(1, Purpose.READER)
    raw = f"From: ai@do.example\nTo: u.{token.upper()}@tra.vien.example\nSubject: unsubscribe\n\n".encode()
    assert [one.kind for one in receive(world, raw)] == ["left"]
    world.track()
    assert (world.barred(1), world.barred(0)) == ("left", None)
    assert world.told() == {EventType.UNSUBSCRIBED: 1}


def test_a_trace_token_leaves_nothing(sent):
    world = sent()
    receive(world, b"From: a@b.example\nSubject: x\n\n", f"u.{world.token()}@tra.vien.example")
    world.track()
    assert world.barred() is None


def test_an_erased_person_is_borne(sent):
    world = sent()
    receive(world, report(), world.path())
    with world.app.db.begin() as conn:
        subscribers.erase(conn, world.people[0], now=NOW, key=world.app.suppression_key)
    assert world.track() == 1
    assert world.state() == "erased"


def test_two_processes_settle_a_return_once(sent):
    world = sent()
    receive(world, report(), world.path())
    with world.app.db.begin() as conn:
        [(return_id, _)] = returns.waiting(conn)
        assert returns.settled(conn, return_id, now=NOW)
        assert not returns.settled(conn, return_id, now=NOW)
    assert world.track() == 0


def test_a_delivery_that_arrived_after_all_lifts_what_soft_bounces_did(sent):
    """The order of arrival changes nothing: an older opening that is told late turns the verdict."""
    world = sent()
    clock = world.app.clock
    start = clock.now()
    full = report(status="5.2.2", said="smtp; 552 5.2.2 mailbox full")
    sendings = []
    for week in range(5):
        sendings.append(world.send(at=clock.now()))
        receive(world, full + b"%d" % week, world.path(0, sendings[-1]))
        world.track(clock.now())
        clock.at += WEEK
    assert world.barred() == "bounced"
    opened = returns.Return(
        source="postmark", kind="opened", at=start + WEEK * 3, dedupe_key="o", proven=True,
        mailing_id=sendings[2], person_id=world.people[0],
    )  # fmt: skip
    with world.app.db.begin() as conn:
        returns.add(conn, opened, now=clock.now())
    world.track(clock.now())
    assert (world.barred(), world.state()) == (None, "active")


def test_a_suppression_by_staff_is_never_lifted(sent):
    world = sent()
    with world.app.db.begin() as conn:
        subscribers.suppress(
            conn, world.people[0], reason=SuppressionReason.STAFF, now=NOW, key=world.app.suppression_key
        )
        assert subscribers.lift_bounced(conn, world.people[0]) is False
        with pytest.raises(subscribers.UnknownPerson):
            subscribers.lift_bounced(conn, subscribers.PersonId(new_id()))
    assert world.barred() == "suppressed"


def test_hostile_messages_leave_one_row_each_and_no_address(sent):
    world = sent()
    for raw in (b"", b"\0" * 1_000_000, report().replace(b"5.1.1", b"\xff\xfe")):
        receive(world, raw, "x" * 5000)
    world.track()
    with world.app.db.read() as conn:
        rows = returns.latest(conn, 10)
    assert len(rows) == 3
    assert "@" not in repr([(row["said"], row["dedupe_key"]) for row in rows])


def test_the_address_that_our_own_header_names_leaves_the_list(sent):
    """From the header that a reader's mail program sees, to the subscription that ends."""
    world = sent(sender={"address": "tin@vien.example", "unsubscribe_domain": "tra.vien.example"})
    app = world.app
    with app.db.read() as conn:
        mailing = mailings.get(conn, world.mailing)
    frame = frame_of(app.settings.sender, mailing, list_name="Tin", date=NOW)
    reader = reader_of(
        mailing, world.people[1], keyring=app.keyring, base_url=app.settings.base_url,
        address=subscribers.parse_address("binh@docgia.example"), name=None, since=NOW.date(), language="vi",
    )  # fmt: skip
    pairs = dict(compile_message(mailing.renderings[0], frame, nonce="n").leave_pairs(reader))
    link, address = pairs["List-Unsubscribe"].split(", ")
    assert link == f"<{reader.unsubscribe_url}>"
    raw = f"From: ai@do.example\nTo: {address.strip('<>').removeprefix('mailto:')}\nSubject: x\n\n".encode()
    assert [one.kind for one in receive(world, raw)] == ["left"]
    world.track()
    assert world.barred(1) == "left"


def test_a_proved_message_is_kept_with_its_person_for_thirty_days_and_gone_with_them(sent):
    world = sent()
    receive(world, report() + b"x" * 200_000, world.path())
    receive(world, report(), world.path())
    receive(world, report(address="binh@docgia.example"))  # proves nothing: not kept
    with world.app.db.read() as conn:
        kept = subscribers.originals_of(conn, world.people[0])
        assert [len(message) for _, message in kept] == [64_000, len(report())]
        assert subscribers.originals_of(conn, world.people[1]) == []
        assert "User unknown" in subscribers.export_person(conn, world.people[0])["returned"][0]["message"]
    world.track(NOW + timedelta(days=29))
    with world.app.db.read() as conn:
        assert len(subscribers.originals_of(conn, world.people[0])) == 2
    world.track(NOW + timedelta(days=31))
    with world.app.db.read() as conn:
        assert subscribers.originals_of(conn, world.people[0]) == []
    receive(world, report() + b"again", world.path())
    with world.app.db.begin() as conn:
        subscribers.erase(conn, world.people[0], now=NOW, key=world.app.suppression_key)
        assert subscribers.originals_of(conn, world.people[0]) == []
        assert subscribers.keep_original(conn, world.people[0], b"x", now=NOW) is False
        with pytest.raises(subscribers.UnknownPerson):
            subscribers.keep_original(conn, subscribers.PersonId(new_id()), b"x", now=NOW)
