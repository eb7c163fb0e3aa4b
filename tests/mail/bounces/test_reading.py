import random

import pytest

from newsletter.mail.bounces import BounceKind, Reason, Returned, read_returned
from newsletter.mail.tokens import Keyring, Purpose
from newsletter.model import MailingId, PersonId
from tests.mail.bounces.samples import COMPLAINT, COPY, HEAD, away, notice, report

K = BounceKind


def one(raw: bytes, *, rcpt: str | None = None) -> Returned:
    found = read_returned(raw, rcpt=rcpt)
    assert len(found) == 1, found
    return found[0]


# ---------------------------------------------------------------- whom it is about


def test_a_report_names_its_recipient_and_the_reason():
    found = one(report())
    assert (found.address, found.kind, found.reason, found.status) == (
        "an@docgia.example",
        K.HARD,
        Reason.USER_UNKNOWN,
        "5.1.1",
    )


def test_addresses_do_not_show_when_a_result_is_printed():
    assert "docgia" not in repr(one(report()))


def test_the_address_before_forwarding_is_kept_beside_the_last_one():
    found = one(report(original="Original-Recipient: rfc822;an@truoc.example\n"))
    assert (found.address, found.original) == ("an@docgia.example", "an@truoc.example")


def test_an_internationalised_recipient_is_read():
    found = one(report(address="rfc822; x", original="Original-Recipient: utf-8; nguy\\x{1EC5}n@docgia.example\n"))
    assert found.address == "nguyễn@docgia.example"


def test_several_recipients_each_have_their_own_kind():
    raw = report().replace(
        b"\n\n--B\nContent-Type: message/rfc822",
        b"\n\nFinal-Recipient: rfc822; binh@docgia.example\nAction: failed\nStatus: 5.2.2\n"
        b"Diagnostic-Code: smtp; 552 5.2.2 mailbox full\n\n--B\nContent-Type: message/rfc822",
    )
    assert {found.address: found.kind for found in read_returned(raw)} == {
        "an@docgia.example": K.HARD,
        "binh@docgia.example": K.SOFT,
    }


@pytest.mark.parametrize(
    "text",
    [
        "The following address(es) failed:\n\n  binh@docgia.example\n    550 5.1.1 no such user",
        "<binh@docgia.example>:\n192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 User unknown",
        "Delivery to the following recipient failed permanently:\n\n     binh@docgia.example\n\n550 5.1.1 user unknown",
        "binh@docgia.example: 550 5.1.1 <binh@docgia.example>... User unknown",
        "> <binh@docgia.example>: user unknown\n> 550 5.1.1 User unknown",
        "There was an error delivering your mail to <binh@docgia.example>.\n550 5.1.1 User unknown",
    ],
)
def test_recipients_are_found_in_the_prose_of_many_servers(text):
    found = one(notice(text))
    assert (found.address, found.kind) == ("binh@docgia.example", K.HARD)


def test_our_own_address_and_the_postmasters_are_no_recipients():
    text = "Could not deliver: 550 5.1.1 unknown user. Ask postmaster@relay.example or tin@vien.example."
    assert one(notice(text, copy=COPY)).address == "binh@docgia.example"


def test_the_headers_of_our_returned_message_name_the_recipient():
    assert one(notice("Undeliverable: mailbox is full", copy=COPY)).address == "binh@docgia.example"


def test_x_failed_recipients_counts_where_nothing_else_does():
    raw = b"X-Failed-Recipients: an@docgia.example\n" + notice("It could not be delivered. 550 mailbox is full")
    assert one(raw).address == "an@docgia.example"


def test_a_classic_verp_path_spells_the_recipient():
    raw = notice("Your mail could not be delivered: mailbox is full")
    assert one(raw + b"<x@y.example>", rcpt="bounce+an=docgia.example@vien.example").address == "an@docgia.example"


def test_the_known_recipient_comes_before_a_forwarding_target():
    found = one(report(), rcpt="an@truoc.example")
    assert (found.address, found.original) == ("an@truoc.example", "an@docgia.example")


def test_a_trace_token_is_found_in_the_envelope_and_in_the_returned_headers():
    ring = Keyring({"1": b"k" * 32}, "1")
    token = ring.make(Purpose.TRACE, MailingId("m" * 16), PersonId("p" * 16))
    assert one(report(), rcpt=f"b.{token}@tra.vien.example").token == token
    assert one(report(message_id=f"<{token}@vien.example>")).token == token
    assert one(report(to=f"B.{token.upper()}@tra.vien.example")).token == token, "servers may change the case"
    assert one(report()).token is None


def test_a_report_that_was_passed_on_is_read_from_inside():
    inner = report().decode()
    raw = HEAD.format(to="tin@vien.example") + 'Content-Type: multipart/mixed; boundary="O"\n\n--O\n\nSee below.\n'
    raw += f"--O\nContent-Type: message/rfc822\n\n{inner}\n--O--\n"
    assert one(raw.encode()).address == "an@docgia.example"


# ---------------------------------------------------------------- what it means


@pytest.mark.parametrize(
    ("status", "said", "kind", "reason"),
    [
        ("5.2.2", "smtp; 552 5.2.2 The inbox is out of storage space", K.SOFT, Reason.MAILBOX_FULL),
        ("5.1.1", "smtp; 550 5.1.1 over quota", K.SOFT, Reason.MAILBOX_FULL),
        ("5.2.1", "smtp; 550 5.2.1 The account is disabled", K.SOFT, Reason.SUSPENDED),
        (
            "5.7.26",
            "smtp; 550 5.7.26 Unauthenticated email, DMARC policy of vien.example",
            K.BLOCK,
            Reason.AUTHENTICATION,
        ),
        ("5.7.1", "smtp; 554 5.7.1 Service unavailable; client host blocked using a DNSBL", K.BLOCK, Reason.BLOCKED),
        ("5.7.1", "smtp; 550 5.7.1 message looks like spam", K.BLOCK, Reason.SPAM),
        ("5.0.0", "smtp; 550 No reverse DNS for your host", K.BLOCK, Reason.REVERSE_DNS),
        ("5.1.2", "smtp; 550 5.1.2 Host unknown", K.HARD, Reason.HOST_UNKNOWN),
        ("5.1.6", "smtp; 550 5.1.6 mailbox has moved", K.HARD, Reason.HAS_MOVED),
        ("5.1.10", "smtp; 556 5.1.10 null MX", K.HARD, Reason.NOT_ACCEPT),
        ("4.4.1", "smtp; connect to mx.docgia.example: Connection timed out", K.SOFT, Reason.EXPIRED),
        ("4.4.3", "dns; NXDOMAIN, domain not found", K.SOFT, Reason.NETWORK),
        ("5.1.1", "smtp; 550 5.1.1 hộp thư không tồn tại", K.HARD, Reason.USER_UNKNOWN),
        ("5.0.0", "smtp; 550 Rejected", K.BLOCK, Reason.BLOCKED),
        ("5.0.0", "smtp; 550 Requested action", K.SOFT, Reason.FILTERED),
        ("", "", K.SOFT, Reason.ON_HOLD),
    ],
)
def test_kinds_and_reasons(status, said, kind, reason):
    found = one(report(status=status, said=said))
    assert (found.kind, found.reason) == (kind, reason)


def test_unknown_after_the_data_was_taken_is_a_filters_word():
    text = "said: 550 user unknown (in reply to end of DATA command)"
    assert one(report(status="5.0.0", said=f"smtp; {text}", notice=text)).kind is K.SOFT


def test_words_of_an_address_are_no_words_of_the_server():
    found = one(
        report(address="spam.blacklist@docgia.example", said="smtp; 550 5.1.1 <spam.blacklist@docgia.example> unknown")
    )
    assert found.kind is K.HARD


def test_a_delivered_notice_is_no_bounce():
    found = one(report(action="delivered", status="2.0.0", said="smtp; 250 ok"))
    assert (found.kind, found.reason) == (K.DELIVERED, Reason.DELIVERED)


def test_a_delay_is_soft():
    assert one(report(action="delayed", status="4.0.0", said="")).reason is Reason.EXPIRED


@pytest.mark.parametrize(
    ("told", "kind"), [(b"abuse", K.COMPLAINT), (b"auth-failure", K.FEEDBACK_OTHER), (b"opt-out", K.FEEDBACK_OTHER)]
)
def test_abuse_reports_by_their_type(told, kind):
    found = one(COMPLAINT % (told, b"Original-Rcpt-To: <an@hopthu.example>"))
    assert (found.address, found.kind) == ("an@hopthu.example", kind)


def test_a_complaint_without_a_name_takes_the_recipient_of_our_message():
    assert one(COMPLAINT % (b"abuse", b"")).address == "chi@hopthu.example"


def test_an_ses_notification_sent_by_mail_is_understood():
    told = (
        '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":'
        '"an@docgia.example","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{}}'
    )
    found = one(notice(told))
    assert (found.address, found.kind) == ("an@docgia.example", K.HARD)
    complained = (
        '{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"an@docgia.example"}]}}'
    )
    assert one(notice(complained)).kind is K.COMPLAINT


# ---------------------------------------------------------------- what never counts


@pytest.mark.parametrize(
    "raw",
    [
        away(),
        away(subject="Out of office", headers=""),
        away(subject="Re: Ban tin", headers="X-Autoreply: yes\n"),
        away(subject="Re: Ban tin", headers="Precedence: auto_reply\n"),
        away(text="Hộp thư an@docgia.example đã ngừng: mailbox disabled, user unknown, 550 5.1.1 rejected"),
    ],
)
def test_vacation_replies_never_count_whatever_they_say(raw):
    found = one(raw)
    assert (found.kind, found.reason, found.address) == (K.AUTOREPLY, Reason.VACATION, None)


def test_a_persons_answer_is_nothing():
    raw = b"From: an@docgia.example\nTo: tin@vien.example\nSubject: Re: Ban tin\n\nCam on. Full of news!\n"
    assert read_returned(raw) == []
    assert read_returned(raw, rcpt="an@docgia.example") == []


# ---------------------------------------------------------------- hostile and broken


def nested(levels: int) -> bytes:
    inner = b"text"
    for level in range(levels):
        inner = (
            b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
            + inner
            + b"\n--b%d--\n" % level
        )
    return inner


HOSTILE = {
    "nothing": b"",
    "only NUL": b"\0" * 1_000_000,
    "one line of a megabyte": HEAD.encode() + b"\n" + b"a" * 1_000_000,
    "a megabyte of at signs": HEAD.encode() + b"\n" + b"a@" * 500_000,
    "fifty thousand recipients": HEAD.encode()
    + b"\n"
    + b"".join(b"u%d@v.example: user unknown\n" % n for n in range(50_000)),
    "a bomb of parts in parts": HEAD.encode() + nested(400),
    "a hundred thousand parts": HEAD.encode()
    + b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\n\nx\n" * 100_000,
    "open tags": HEAD.encode() + b"Content-Type: text/html\n\n" + b"<style " * 100_000,
    "headers without end": b"X: y\n z\n" * 120_000,
    "nested JSON": HEAD.encode() + b'\n{"notificationType":' + b"[" * 100_000,
    "an unknown charset": HEAD.encode() + b"Content-Type: text/plain; charset=x-none\n\n\xff\xfe",
    "broken base64": HEAD.encode() + b"Content-Transfer-Encoding: base64\n\nA",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_messages_are_read_within_bounds(raw):
    assert len(read_returned(raw)) <= 50


def test_a_boundary_that_nobody_told_is_found():
    assert one(report().replace(b'boundary="B"', b'boundary="other"')).address == "an@docgia.example"
    assert one(report().replace(b'; boundary="B"', b"")).address == "an@docgia.example"


def test_a_report_without_any_boundary_is_still_read():
    text = report().decode().replace("--B--\n", "").replace("--B\n", "")
    assert one(text.encode()).address == "an@docgia.example"


def test_damage_anywhere_raises_nothing():
    dice = random.Random(7)
    for raw in (report(), notice("<an@docgia.example>: full", copy=COPY), COMPLAINT % (b"abuse", b""), away()):
        for _ in range(60):
            broken = bytearray(raw)
            for _ in range(6):
                broken[dice.randrange(len(broken))] = dice.choice(b'\0\n\r<@>-:= "\xff')
            read_returned(bytes(broken[: dice.randrange(len(broken))]))


@pytest.mark.parametrize("rcpt", ["", "@", "a" * 100_000, "b.x@y", "\ud800@x", "=@=", "+=@"])
def test_any_envelope_recipient_is_borne(rcpt):
    assert one(report(), rcpt=rcpt).kind is K.HARD
