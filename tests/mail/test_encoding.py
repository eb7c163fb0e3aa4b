import base64
import html
import quopri
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import BadInput
from newsletter.mail.dkim import relaxed_body
from newsletter.mail.encoding import Base64Part, EightBitPart, Encoder, QuotedPart, Unfit, crlf, octets_of
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


FIELDS = ("subscriber_name", "unsubscribe_url")


def made(part, content, values, *, markup=False):
    """The octets of one part for one reader."""
    return b"".join(part(content, FIELDS).pieces(octets_of(values, FIELDS)[markup]))


def no_escape(text):
    return text


@settings(max_examples=300, deadline=None)
@given(contents, texts, texts)
def test_quoted_printable_with_slots_decodes_to_the_text(content, name, url):
    values = {"subscriber_name": name, "unsubscribe_url": url}
    octets = made(QuotedPart, content, values, markup=True)
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
    octets = made(Base64Part, content, values)
    lines = octets.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert b"".join(base64.b64decode(line, validate=True) for line in lines) == expected(content, values, no_escape)


@settings(max_examples=200, deadline=None)
@given(contents, texts)
def test_both_encodings_are_in_relaxed_form_already(content, value):
    values = {"subscriber_name": value, "unsubscribe_url": value}
    for part in (QuotedPart, Base64Part):
        body = b"--=_b\r\n\r\n" + made(part, content, values) + b"\r\n--=_b--\r\n"
        assert relaxed_body(body) == body


def test_no_character_is_cut_by_a_soft_line_break():
    octets = b"".join(QuotedPart(["ngữ nghĩa thuở ấy " * 40], ()).pieces([]))
    for line in octets.split(b"=\r\n"):
        quopri.decodestring(line).decode()
    assert not re.search(rb"=[0-9A-F]?=\r\n", octets)


@settings(max_examples=200, deadline=None)
@given(contents, texts, texts)
def test_without_an_encoding_the_octets_are_the_text_or_refused(content, name, url):
    values = {"subscriber_name": name, "unsubscribe_url": url}
    wanted = expected(content, values, no_escape)
    part = EightBitPart(content, FIELDS)
    try:
        octets = b"".join(part.pieces(octets_of(values, FIELDS)[0]))
    except Unfit:
        too_long = part.room < max(len(name.encode()), len(url.encode())) * 2
        assert too_long or "\x00" in name + url or any(line[:1] == "." for v in (name, url) for line in v.splitlines())
    else:
        assert octets == wanted
        assert not part.fits or not any(line.startswith(b".") for line in octets.split(b"\n"))
    if part.room >= 0:
        fitting = dict.fromkeys(FIELDS, "x" * part.room)
        octets = b"".join(part.pieces(octets_of(fitting, FIELDS)[0]))
        assert max(map(len, octets.split(b"\r\n"))) <= 998
        assert b"\x00" not in octets


def test_the_shorter_encoding_is_chosen():
    def encoding(content, **allowed):
        return Encoder(content, ()).part(content, **allowed).encoding

    assert encoding(["<td style='padding:0'>tin</td>\n" * 50]) == "quoted-printable"
    assert encoding(["ngữ nghĩa thuở ấy\n" * 50]) == "base64"
    assert encoding(["ngữ nghĩa thuở ấy\n" * 50], eight_bit=True) == "8bit"
    assert encoding(["ngữ nghĩa thuở ấy " * 50], eight_bit=True) == "base64"  # a line of 1,350 octets
    assert encoding(["tin " * 50 + "\x00"], eight_bit=True) == "quoted-printable"


@pytest.mark.parametrize(
    "content",
    [["ngữ nghĩa\n.thuở ấy"], [".thuở ấy"], ["ngữ nghĩa\n", Slot("subscriber_name"), ". Chào"]],
    ids=["inside", "first", "behind a value that may be empty"],
)
def test_content_with_a_dot_at_the_start_of_a_line_never_goes_as_it_is(content):
    assert Encoder(content, FIELDS).part(content, eight_bit=True).encoding != "8bit"
    kept = EightBitPart(["ngữ nghĩa ", Slot("subscriber_name")], FIELDS)
    for name in (b".com", b"Mien\r\n.com"):
        with pytest.raises(Unfit):
            kept.pieces([name, *[b""] * len(FIELDS)])


def test_two_readers_do_not_share_values():
    for part in (QuotedPart, Base64Part, EightBitPart):
        one = part(["a", Slot("subscriber_name")], FIELDS)
        first, second, third = (b"".join(one.pieces([name, b""])) for name in (b"Mien", b"Tu", b"Mien"))
        assert first != second
        assert first == third


def test_values_are_escaped_for_html_only():
    values = {"subscriber_name": '<Bà> & "Cháu"\nMiên', "unsubscribe_url": "https://x.example"}
    plain, escaped = octets_of(values, FIELDS)
    assert plain == ['<Bà> & "Cháu"\r\nMiên'.encode(), b"https://x.example"]
    assert escaped == ["&lt;Bà&gt; &amp; &quot;Cháu&quot;\r\nMiên".encode(), b"https://x.example"]


def test_a_missing_value_is_told_by_name():
    with pytest.raises(BadInput, match="subscriber_name"):
        octets_of({"unsubscribe_url": "x"}, FIELDS)
