import pytest

from newsletter.errors import BadInput
from newsletter.mail.replies import ReplyKind, classify, mask_addresses, parse_reply, reply_of
from subscribers import parse_address

HARD, SOFT, BLOCK, AUTH = ReplyKind


def test_a_reply_of_several_lines_is_read_as_one():
    reply = parse_reply(b"550-5.1.1 The account does not exist.\r\n550-5.1.1 Check the spelling\r\n550 5.1.1 bye\r\n")
    assert (reply.code, reply.enhanced) == (550, "5.1.1")
    assert reply.text == "The account does not exist. Check the spelling bye"


def test_a_reply_given_as_code_and_text_is_the_same():
    assert reply_of(550, b"5.1.1 gone\n5.1.1 away") == parse_reply("550-5.1.1 gone\r\n550 5.1.1 away")


def test_an_enhanced_code_of_another_class_is_only_text():
    assert parse_reply("550 4.2.2 full").enhanced is None


def test_undecodable_text_is_kept_readable():
    assert parse_reply(b"550 5.1.1 kh\xf4ng").text == "kh\ufffdng"


@pytest.mark.parametrize("junk", [b"", b"\r\n", b"hello", b"55 no", b"999 no", b"550-a\r\nb"])
def test_what_is_no_reply_is_refused(junk):
    with pytest.raises(BadInput):
        parse_reply(junk)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("550 5.1.1 <x@y.example> user unknown", HARD),
        ("550 No such user here", HARD),
        ("550 Requested action not taken: mailbox unavailable", HARD),
        ("553 sorry", HARD),
        ("556 5.1.10 null MX", HARD),
        ("550 5.4.1 Recipient address rejected: Access denied", HARD),
        ("550 5.7.1 The mailbox you wrote to does not exist", HARD),
        ("551 5.1.6 has moved", HARD),
        ("550 5.0.0 Hộp thư này không tồn tại", HARD),
        ("552 5.2.2 over quota", SOFT),
        ("550 mailbox full", SOFT),
        ("450 4.2.0 Greylisted, please come back", SOFT),
        ("451 4.3.0 try again later", SOFT),
        ("452 4.3.1 out of space", SOFT),
        ("450 4.1.1 user unknown, lookup failed", SOFT),
        ("550 5.2.1 this account is suspended", SOFT),
        ("554 5.4.7 expired", SOFT),
        ("550 5.7.1 message listed as spam", BLOCK),
        ("550 5.7.515 unauthenticated sender", BLOCK),
        ("421 4.7.0 rate limit for this host", BLOCK),
        ("554 refused", BLOCK),
        ("552 5.3.4 too big", BLOCK),
        ("550 5.6.0 bad content", BLOCK),
        ("550 5.1.8 sender domain does not resolve", BLOCK),
        ("550 mailbox unavailable: listed by an RBL", BLOCK),
        ("535 5.7.8 wrong password", AUTH),
        ("535 wrong password", AUTH),
        ("530 5.7.0 Must issue STARTTLS first", AUTH),
        ("454 4.7.0 TLS not available", AUTH),
        ("538 encryption needed", AUTH),
    ],
)
def test_kinds_follow_codes_then_words(line, kind):
    found = classify(parse_reply(line))
    assert found.kind is kind
    assert found.permanent is line.startswith("5")
    assert found.transport is (kind is AUTH)


@pytest.mark.parametrize(
    "line", ["550 unknown error, talk to us", "599 what", "500 command unrecognised", "550 5.5.0 removed"]
)
def test_vague_words_condemn_nobody_that_a_code_does_not(line):
    found = classify(parse_reply(line))
    assert found.permanent
    assert (found.kind is HARD) is (line == "550 unknown error, talk to us")  # a bare 550 to RCPT means: no mailbox


def test_421_closes_the_connection_and_is_no_verdict():
    found = classify(parse_reply("421 4.3.2 shutting down"))
    assert (found.permanent, found.closing, found.kind) == (False, True, SOFT)


def test_an_acceptance_has_no_class():
    with pytest.raises(ValueError, match="250"):
        classify(parse_reply("250 2.0.0 ok"))


@pytest.mark.parametrize(
    "text",
    [
        "<ba.mien@doc.example>: unknown",
        "ba.mien@doc.example unknown",
        "Ba.Mien@DOC.example",
        "rcpt=ba.mien%40doc.example;",
        '"ba mien"@doc.example',
        "b+ba.mien=doc.example@tra.vien.example",
        "user ba.mien is over quota",
        "ba.mien＠doc.example",
        "ba.mien @doc.example",
        "đỗ@doc.example hay ba.mien@doc.example",
        "ba.mien&#64;doc.example",
        "ba.mien@[192.0.2.1]",
    ],
)
def test_addresses_are_masked_in_every_shape(text):
    masked = mask_addresses(text, rcpt=parse_address("ba.mien@doc.example"))
    assert "[address]" in masked
    for sign in ("mien", "@", "＠", "%40", "đỗ"):
        assert sign not in masked.lower()


def test_masking_leaves_other_text_alone():
    text = "550 5.1.1 No such user, see https://help.example/x?y=1 (code ab12)"
    assert mask_addresses(text) == text
