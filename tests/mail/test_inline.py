"""Pictures inside a message: multipart/related within the alternative, read by two parsers, signed, the same on every retry."""

import base64
import dataclasses
import email
import email.policy
import random

import dkim as dkimpy
import pytest

from newsletter.mail.check import check_message
from newsletter.mail.compile import compile_message
from newsletter.mail.dkim import Signer, dns_record
from newsletter.mail.inline import Written, cid_url, embedded_in, placed_at
from newsletter.model import Image

PICTURES = [
    Image.of(random.Random(size).randbytes(size), kind, width=1104, height=620)  # 0 to 2 octets over a group of three
    for size, kind in ((70_000, "jpg"), (4_001, "png"), (57, "jpg"), (1, "jpg"))
]
DOMAIN = "vien.example"


@pytest.fixture
def embedding(rendering):
    tags = "".join(
        f'<p><img src="{cid_url(one.name, DOMAIN)}" alt="" width="552" height="310"></p>' for one in PICTURES
    )
    return dataclasses.replace(rendering, html=rendering.html.replace("<body>", f"<body>{tags}"))


@pytest.fixture
def raw(embedding, frame, reader, nonce, pem):
    signer = Signer(DOMAIN, "s1", pem)
    compiled = compile_message(embedding, frame, nonce=nonce, signer=signer, images=PICTURES)
    return compiled.splice(reader).mime()


@pytest.mark.parametrize("policy", [email.policy.compat32, email.policy.default])
def test_two_parsers_find_each_picture_under_the_name_the_html_gives_it(raw, policy):
    message = email.message_from_bytes(raw, policy=policy)
    assert message.get_content_type() == "multipart/alternative"
    text, related = message.get_payload()
    assert text.get_content_type() == "text/plain"
    assert (related.get_content_type(), related.get_param("type")) == ("multipart/related", "text/html")
    html, *pictures = related.get_payload()
    assert html.get_content_type() == "text/html"
    assert [part.get_payload(decode=True) for part in pictures] == [image.content for image in PICTURES]
    assert [part["Content-ID"].strip("<>") for part in pictures] == [f"{image.name}@{DOMAIN}" for image in PICTURES]
    assert [part.get_content_type() for part in pictures] == ["image/jpeg", "image/png", "image/jpeg", "image/jpeg"]
    assert {part.get_content_disposition() for part in pictures} == {"inline"}
    assert message.defects == related.defects == []


def test_the_message_holds_every_assertion_and_its_signature(raw, pem):
    record = dns_record(pem)
    assert check_message(raw, from_domain=DOMAIN, dkim_public=record) == []
    assert dkimpy.verify(raw, dnsfunc=lambda *_args, **_more: record.encode())


def test_a_retry_is_the_same_message_and_another_reader_shares_the_pictures(embedding, frame, reader, nonce):
    compiled = compile_message(embedding, frame, nonce=nonce, images=PICTURES)
    assert compiled.splice(reader).mime() == compiled.splice(reader).mime()
    other = compiled.splice(reader._replace(message_id_token="2abc"))
    assert other.mime()[-80_000:] == compiled.splice(reader).mime()[-80_000:]


def test_without_pictures_the_message_is_as_it_was(rendering, frame, reader, nonce):
    plain = compile_message(rendering, frame, nonce=nonce).splice(reader)
    assert b"related" not in plain.mime()
    assert plain.parts().inline == ()


def test_a_provider_gets_the_pictures_as_parts(embedding, frame, reader, nonce):
    parts = compile_message(embedding, frame, nonce=nonce, images=PICTURES).splice(reader).parts()
    assert [base64.b64decode(one.content) for one in parts.inline] == [image.content for image in PICTURES]
    for one in parts.inline:
        assert f"cid:{one.content_id}" in parts.html


def test_only_pictures_that_the_html_shows_are_embedded(embedding, rendering):
    names = [image.name for image in PICTURES]
    assert embedded_in(embedding.html, names, DOMAIN) == names
    assert embedded_in(rendering.html, names, DOMAIN) == []


def test_for_a_browser_the_pictures_are_put_at_a_place(embedding):
    names = [image.name for image in PICTURES]
    hosted = f'<img src="https://news.vien.example/images/{names[0]}">'
    written = Written(hosted="https://news.vien.example/images/", domain=DOMAIN)
    shown = placed_at(embedding.html + hosted, names, written, "/images/")
    assert "cid:" not in shown
    assert shown.count(f'src="/images/{names[0]}"') == 2


def test_pictures_keep_their_names_when_the_mail_comes_from_another_domain(embedding, frame, reader, nonce):
    """The rendering was written before it was known which list's sender it leaves from."""
    other = dataclasses.replace(frame, domain="khoa.example", from_address="tin@khoa.example", pictures=DOMAIN)
    raw = compile_message(embedding, other, nonce=nonce, images=PICTURES).splice(reader).mime()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    names = {part["Content-ID"].strip("<>") for part in message.walk() if part["Content-ID"]}
    assert names == {f"{image.name}@{DOMAIN}" for image in PICTURES}
    assert message["Message-ID"].endswith("@khoa.example>")
