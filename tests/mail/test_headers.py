import email
import email.policy
import random
import re
import unicodedata
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import BadInput
from newsletter.mail.headers import address_header, mailbox_text, named_header, raw_header, text_header

COUNTS = [300, pytest.param(10_000, marks=pytest.mark.proof)]
printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=120)


def legacy(line: bytes) -> str:
    """As a mail program that unfolds and decodes reads it."""
    value = line.decode("ascii").partition(": ")[2].removesuffix("\r\n").replace("\r\n", "")
    return str(make_header(decode_header(value)))


def legacy_value(line: bytes) -> tuple[str, str]:
    """(name still encoded, address) as `getaddresses` splits an unfolded header."""
    [found] = getaddresses([line.decode().partition(": ")[2].replace("\r\n", "")])
    return found


def modern(line: bytes) -> str:
    name = line.partition(b":")[0].decode()
    return str(email.message_from_bytes(line + b"\r\n", policy=email.policy.default)[name])


def assert_well_formed(line: bytes) -> None:
    assert line.endswith(b"\r\n")
    assert line.isascii()
    assert max(map(len, line.split(b"\r\n"))) <= 76
    for word in re.findall(rb"=\?utf-8\?[bq]\?[^?]*\?=", line):
        assert len(word) <= 75
        octets, charset = decode_header(word.decode())[0]
        octets.decode(charset)  # whole characters only


@pytest.mark.parametrize("count", COUNTS)
def test_vietnamese_subjects_come_back_unchanged_from_two_parsers(count, phrase):
    dice = random.Random(count)
    for _ in range(count):
        subject = unicodedata.normalize(dice.choice(("NFC", "NFD")), phrase(dice, 1, 24))
        line = text_header("Subject", subject)
        assert_well_formed(line)
        assert legacy(line) == modern(line) == unicodedata.normalize("NFC", subject)


@pytest.mark.parametrize("count", COUNTS)
def test_names_come_back_unchanged_from_two_parsers(count, phrase):
    dice = random.Random(count + 1)
    for _ in range(count):
        name = phrase(dice, 1, dice.choice((3, 5, 12)))
        line = address_header("To", name, "ba.mien@doc.example")
        assert_well_formed(line)
        raw, address = legacy_value(line)
        [mailbox] = email.message_from_bytes(line + b"\r\n", policy=email.policy.default)["To"].addresses
        assert str(make_header(decode_header(raw))) == name
        assert address == mailbox.addr_spec == "ba.mien@doc.example"
        if b"?=\r\n =?" not in line:  # there policy.default adds a space of its own, see headers._bridged_words
            assert mailbox.display_name == name


def test_long_names_with_a_plain_word_come_back_from_both_parsers_too():
    for name in (
        "Bản tin Viện Hàn lâm Khoa học và Công nghệ Việt Nam",
        "Ban Chủ nhiệm Khoa Thuỷ văn và Khí tượng Nam Bộ mở rộng",
        "Trung tâm Thuỷ văn Nam Bộ và Khí hậu đồng bằng Cửu Long",
        "Minh Nguyễn Trần Lê Phạm Hoàng Huỳnh Võ",
    ):
        line = address_header("From", name, "a@vien.example")
        assert_well_formed(line)
        [mailbox] = email.message_from_bytes(line + b"\r\n", policy=email.policy.default)["From"].addresses
        assert mailbox.display_name == str(make_header(decode_header(legacy_value(line)[0]))) == name


def test_names_of_ordinary_length_need_one_encoded_word():
    for name in ("Nguyễn Thị Phương Thảo", "Công Tằng Tôn Nữ Khuê Miên", "Ban biên tập Bản tin Viện Ví Dụ"):
        assert address_header("From", name, "a@b.example").count(b"=?utf-8") == 1


@settings(max_examples=150, deadline=None)
@given(printable.filter(str.strip))
def test_any_printable_text_comes_back_from_a_decoder(text):
    line = text_header("Subject", text)
    assert_well_formed(line)
    if text == text.strip():
        assert legacy(line) == unicodedata.normalize("NFC", text)


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=90).filter(str.strip))
def test_any_ascii_name_stays_one_name(name):
    line = address_header("From", name, "a@b.example")
    [mailbox] = email.message_from_bytes(line + b"\r\n", policy=email.policy.default)["From"].addresses
    assert mailbox.addr_spec == "a@b.example"
    assert mailbox.display_name.strip() == name.strip()


@pytest.mark.parametrize(
    "bad", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "a\tb", "a\x85b", "a\u2028b", "a\ud800b"]
)
def test_control_characters_are_refused_everywhere(bad):
    for write in (
        lambda: text_header("Subject", bad),
        lambda: address_header("To", bad, "a@b.example"),
        lambda: address_header("To", None, f"{bad}@b.example"),
        lambda: named_header("List-Id", bad, "x.example"),
        lambda: named_header("List-Id", "x", bad),
        lambda: raw_header("Feedback-ID", bad),
        lambda: raw_header(bad, "x"),
    ):
        with pytest.raises(BadInput):
            write()


@pytest.mark.parametrize(
    "address", ["a@b@c.example", "a b@c.example", "<a@b.example>", "@b.example", "a@", "a..b@c.example"]
)
def test_an_address_that_could_break_out_is_refused(address):
    with pytest.raises(BadInput):
        address_header("To", None, address)


def test_a_non_ascii_address_is_refused_with_the_reason():
    with pytest.raises(BadInput, match="SMTPUTF8"):
        address_header("To", None, "đỗ@doc.example")


def test_where_smtputf8_is_offered_the_address_stands_as_it_is_and_the_name_stays_readable_by_all():
    line = address_header("To", "Đỗ Quyên", "đỗ.quyên@xn--th-hia.example", utf8=True)
    assert line.endswith("<đỗ.quyên@xn--th-hia.example>\r\n".encode())
    assert line.startswith(b"To: =?utf-8?b?")
    for bad in (
        "đỗ quyên@x.example",
        "đỗ@x.example\r\nBcc: y@x.example",
        "đỗ\u2028@x.example",
        "đỗ@y@x.example",
        "đỗ..q@x.example",
    ):
        with pytest.raises(BadInput):
            address_header("To", None, bad, utf8=True)


def test_plain_names_stay_readable_and_specials_are_quoted():
    assert address_header("To", "Anna Bell", "a@b.example") == b"To: Anna Bell <a@b.example>\r\n"
    assert address_header("To", 'Bell, A. "Al"', "a@b.example") == b'To: "Bell, A. \\"Al\\"" <a@b.example>\r\n'
    assert address_header("To", None, "a@b.example") == b"To: a@b.example\r\n"
    assert text_header("Subject", "Weekly digest no. 7") == b"Subject: Weekly digest no. 7\r\n"


def test_list_unsubscribe_is_literal_and_folds_only_at_the_comma():
    url, mail = f"<https://n.example/u/{'a' * 150}>", f"<mailto:leave+{'b' * 60}@n.example>"
    assert raw_header("List-Unsubscribe", f"{url}, {mail}", ",") == f"List-Unsubscribe: {url},\r\n {mail}\r\n".encode()


def test_a_header_line_that_cannot_fit_is_refused():
    with pytest.raises(BadInput, match="998"):
        raw_header("List-Unsubscribe", f"<https://n.example/{'a' * 1000}>", ",")


def test_an_empty_subject_is_refused():
    with pytest.raises(BadInput, match="no text"):
        text_header("Subject", "  ")


def test_a_list_id_without_a_name_is_in_angle_brackets():
    assert named_header("List-Id", None, "tuan.vien.example") == b"List-Id: <tuan.vien.example>\r\n"


def test_mailboxes_for_json_stay_unicode():
    assert mailbox_text("Bà Miên", "a@b.example") == "Bà Miên <a@b.example>"
    assert mailbox_text("Viện, phòng 2", "a@b.example") == '"Viện, phòng 2" <a@b.example>'
    assert mailbox_text(None, "a@b.example") == "a@b.example"
