import dataclasses
import email
import email.policy
import random
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from newsletter.errors import BadInput
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.dkim import relaxed_body
from newsletter.mail.markers import FIELDS, fill, marker
from newsletter.model import Rendering
from subscribers import Address, parse_address


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def part_of(raw: bytes, kind: str) -> str:
    """A decoded part with line ends as the rendering had them."""
    part = parsed(raw).get_body((kind,))
    return part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n")


def bare(frame: Frame) -> Frame:
    return Frame(from_name="Viện", from_address=frame.from_address, date=frame.date, domain=frame.domain)


def test_headers_say_what_the_frame_says(message, rendering):
    found = parsed(message.mime())
    assert found["Subject"] == rendering.subject
    assert found["From"].addresses[0].display_name == "Bản tin Viện Ví Dụ"
    assert found["To"].addresses[0].display_name == "Bà Miên Đỗ"
    assert found["To"].addresses[0].addr_spec == "ba.mien@doc.example"
    assert found["Message-ID"] == message.message_id == "<1abc@vien.example>"
    assert found["List-Unsubscribe"] == "<https://vien.example/u/k7m2>, <mailto:roi@vien.example>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["List-Id"].endswith("<tuan.vien.example>")
    assert found["Reply-To"] == "toasoan@vien.example"
    assert found["Feedback-ID"] == "so7:tuan:issue:vien"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Precedence"] == "bulk"
    assert found["Archived-At"] == "<https://vien.example/tuan/7>"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]


def test_a_retry_sends_the_very_same_octets(message, rendering, frame, reader, nonce):
    again = compile_message(rendering, frame, nonce=nonce)
    assert again.splice(reader).mime() == compile_message(rendering, frame, nonce=nonce).splice(reader).mime()
    assert message.mime() == message.mime()
    assert parsedate_to_datetime(parsed(message.mime())["Date"]) == frame.date


def test_bounces_come_back_by_token_or_to_the_sender(message, rendering, frame, reader, nonce):
    assert message.mail_from == "b.1abc@tra.vien.example"
    plain = compile_message(rendering, bare(frame), nonce=nonce)
    assert plain.splice(reader).mail_from == "bantin@vien.example"


def test_a_message_without_list_facts_has_no_list_headers(rendering, frame, reader, nonce):
    reader = reader._replace(unsubscribe_url=None)
    found = parsed(compile_message(rendering, bare(frame), nonce=nonce).splice(reader).mime())
    assert not [
        name for name in found if name.lower().startswith(("list-", "precedence", "auto-", "reply", "feedback"))
    ]


def test_the_json_form_carries_the_same_content(message, rendering, nonce, reader):
    parts = message.parts()
    assert parts.from_ == "Bản tin Viện Ví Dụ <bantin@vien.example>"
    assert parts.to == "Bà Miên Đỗ <ba.mien@doc.example>"
    assert parts.reply_to == "toasoan@vien.example"
    assert parts.subject == rendering.subject
    assert parts.html == fill(rendering.html, nonce, reader.values, html=True) == part_of(message.mime(), "html")
    assert parts.text == fill(rendering.text, nonce, reader.values, html=False) == part_of(message.mime(), "plain")
    names = [name for name, _ in parts.headers]
    assert names[:3] == ["Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"]
    assert set(names[3:]) == {"List-Id", "Archived-At", "Feedback-ID", "Auto-Submitted", "Precedence"}
    assert all(value.isascii() and "\n" not in value for _, value in parts.headers)


def test_no_address_is_shown_when_printed(message, reader):
    assert "ba.mien" not in repr(message) + repr(message.parts()) + repr(reader)


def test_a_subject_may_greet_the_reader(rendering, frame, reader, nonce):
    greeting = f"{marker(nonce, 'subscriber_name')} ơi, có bản tin mới"
    compiled = compile_message(dataclasses.replace(rendering, subject=greeting), frame, nonce=nonce)
    assert parsed(compiled.splice(reader).mime())["Subject"] == "Bà Miên Đỗ ơi, có bản tin mới"
    hostile = reader._replace(values={**reader.values, "subscriber_name": "x\r\nBcc: y@z.example"})
    with pytest.raises(BadInput, match="control character"):
        compiled.splice(hostile).mime()


def test_a_missing_value_stops_this_reader_only(rendering, frame, reader, nonce):
    compiled = compile_message(rendering, frame, nonce=nonce)
    with pytest.raises(BadInput, match="subscriber_name"):
        compiled.splice(reader._replace(values={})).mime()
    assert compiled.splice(reader).mime()


def test_one_click_needs_a_url(rendering, frame, reader, nonce):
    compiled = compile_message(rendering, frame, nonce=nonce)
    for url in (None, "javascript:x", "https://a.example/\r\nBcc: b@c.example", "https://a.example/>,<x"):
        with pytest.raises(BadInput, match="List-Unsubscribe"):
            compiled.splice(reader._replace(unsubscribe_url=url)).mime()


@pytest.mark.parametrize("trace", ["", "a b", "a\r\nb", "ă", "x" * 63, "a@b"])
def test_a_trace_that_could_break_a_header_is_refused(rendering, frame, reader, nonce, trace):
    with pytest.raises(BadInput, match="trace"):
        compile_message(rendering, frame, nonce=nonce).splice(reader._replace(message_id_token=trace))


def test_an_address_that_needs_smtputf8_is_refused(rendering, frame, reader, nonce):
    with pytest.raises(BadInput, match="SMTPUTF8"):
        compile_message(rendering, frame, nonce=nonce).splice(reader._replace(to=Address("đỗ", "doc.example"))).mime()


def test_a_naive_date_is_refused(rendering, frame, nonce):
    naive = dataclasses.replace(frame, date=datetime(2026, 3, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        compile_message(rendering, naive, nonce=nonce)


@pytest.mark.parametrize("count", [50, pytest.param(1_000, marks=pytest.mark.proof)])
def test_random_messages_decode_to_their_reference(count, phrase, frame, nonce):
    """Any content, any values: both parts equal the filled rendering, and the octets need no dot-stuffing or folding."""
    dice = random.Random(count)
    glue = ("\n", " ", "", ".", "\n.", "  ", "\n\nFrom ", "<br>", "=", " \n", "-" * 90)
    for number in range(count):
        bits = [
            marker(nonce, dice.choice(FIELDS)) if dice.random() < 0.3 else dice.choice(glue) + phrase(dice, 0, 9)
            for _ in range(dice.randint(1, 60))
        ]
        values = {
            field: dice.choice(glue) + phrase(dice, 0, dice.choice((3, 60))) + dice.choice(glue) for field in FIELDS
        }
        rendering = Rendering(
            language="vi",
            subject=phrase(dice, 1, 20),
            preheader="",
            html="".join(dice.sample(bits, len(bits))),
            text="".join(bits),
        )
        to = parse_address(f"r{number}@doc.example")
        reader = _reader()._replace(to=to, name=phrase(dice, 1, 4), message_id_token=f"t{number}", values=values)
        raw = compile_message(rendering, frame, nonce=nonce).splice(reader).mime()
        assert part_of(raw, "html") == fill(rendering.html, nonce, values, html=True)
        assert part_of(raw, "plain") == fill(rendering.text, nonce, values, html=False)
        assert parsed(raw)["Subject"] == rendering.subject
        assert not parsed(raw).defects
        lines = raw.split(b"\r\n")
        assert max(map(len, lines)) <= 78
        assert not any(line.startswith(b".") or b"\n" in line or b"\r" in line for line in lines)
        body = raw.partition(b"\r\n\r\n")[2]
        assert relaxed_body(body) == body


def _reader():
    return Reader(to=Address("x", "doc.example"), message_id_token="t", unsubscribe_url="https://vien.example/u/1")
