import base64
import html
import quopri
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import BadInput
from newsletter.mail.dkim import relaxed_body
from newsletter.mail.encoding import Base64Part, QuotedPart, crlf, encode_part
from newsletter.mail.markers import Slot, marker, split

signs = st.sampled_from(
    ["a", ".", " ", "  ", "\n", "\r\n", "ễ", "=", "\t", "From ", "-", "😀", "x" * 80, "<&>", "\x00"]
)
texts = st.lists(signs, max_size=40).map("".join)
slots = st.sampled_from(["subscriber_name", "unsubscribe_url"]).map(Slot)
NONCE = "0123456789abcdef"
# As `split` gives it: literals joined, none empty.
contents = st.lists(st.one_of(texts, slots), max_size=8).map(
    lambda parts: split("".join(p if isinstance(p, str) else marker(NONCE, p.field) for p in parts), NONCE)
)


def expected(content, values, escape):
    return b"".join(crlf(escape(values[part.field]) if isinstance(part, Slot) else part) for part in content)


def no_escape(text):
    return text


@settings(max_examples=300, deadline=None)
@given(contents, texts, texts)
def test_quoted_printable_with_slots_decodes_to_the_text(content, name, url):
    values = {"subscriber_name": name, "unsubscribe_url": url}
    octets = b"".join(QuotedPart(content, html.escape).pieces(values))
    # quopri wants bare LF after a soft break
    assert quopri.decodestring(octets.replace(b"=\r\n", b"=\n")) == expected(content, values, html.escape)
    lines = octets.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert b"=_" not in octets


@settings(max_examples=300, deadline=None)
@given(contents, texts, texts)
def test_base64_with_slots_decodes_to_the_text_also_line_by_line(content, name, url):
    values = {"subscriber_name": name, "unsubscribe_url": url}
    octets = b"".join(Base64Part(content, no_escape).pieces(values))
    lines = octets.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert b"".join(base64.b64decode(line, validate=True) for line in lines) == expected(content, values, no_escape)


@settings(max_examples=200, deadline=None)
@given(contents, texts)
def test_both_encodings_are_in_relaxed_form_already(content, value):
    values = {"subscriber_name": value, "unsubscribe_url": value}
    for part in (QuotedPart(content, no_escape), Base64Part(content, no_escape)):
        body = b"--=_b\r\n\r\n" + b"".join(part.pieces(values)) + b"\r\n--=_b--\r\n"
        assert relaxed_body(body) == body


def test_no_character_is_cut_by_a_soft_line_break():
    octets = b"".join(QuotedPart(["ngữ nghĩa thuở ấy " * 40], no_escape).pieces({}))
    for line in octets.split(b"=\r\n"):
        quopri.decodestring(line).decode()
    assert not re.search(rb"=[0-9A-F]?=\r\n", octets)


def test_the_shorter_encoding_is_chosen():
    assert encode_part(["<td style='padding:0'>tin</td>\n" * 50], no_escape).encoding == "quoted-printable"
    assert encode_part(["ngữ nghĩa thuở ấy\n" * 50], no_escape).encoding == "base64"


def test_two_readers_do_not_share_values():
    for part in (
        QuotedPart(["a", Slot("subscriber_name")], no_escape),
        Base64Part([Slot("subscriber_name")], no_escape),
    ):
        first = part.pieces({"subscriber_name": "Miên"})
        second = part.pieces({"subscriber_name": "Tú"})
        assert b"".join(first) != b"".join(second)
        assert b"".join(first) == b"".join(part.pieces({"subscriber_name": "Miên"}))


def test_a_missing_value_is_told_by_name():
    for part in (QuotedPart, Base64Part):
        with pytest.raises(BadInput, match="subscriber_name"):
            part([Slot("subscriber_name")], no_escape).pieces({})
