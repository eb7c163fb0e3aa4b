import re

import dkim as judge
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from newsletter.errors import BadInput, ConfigError
from newsletter.mail import dkim


def holds(raw: bytes, record: str) -> bool:
    """What an independent verifier says."""
    return judge.verify(raw, dnsfunc=lambda *_args, **_kw: record.encode())


def test_an_independent_verifier_accepts_a_spliced_message(message, pem):
    asked = []
    record = dkim.dns_record(pem)
    assert judge.verify(message.mime(), dnsfunc=lambda name, timeout=5: asked.append(name) or record.encode())
    assert asked == [b"s1._domainkey.vien.example."]
    assert dkim.verify(message.mime(), lambda name: record if name == "s1._domainkey.vien.example" else None) is None


@pytest.mark.parametrize(
    "change",
    [
        (b"Subject: ", b"Subject: x"),
        (b"\r\nFrom: ", b"\r\nFrom: evil@x.example\r\nFrom: "),
        (b"List-Unsubscribe: <https://vien", b"List-Unsubscribe: <https://evil"),
        (b"text/html; charset", b"text/htm1; charset"),
    ],
)
def test_a_changed_message_fails_both_verifiers(message, pem, change):
    changed = message.mime().replace(*change, 1)
    assert changed != message.mime()
    assert not holds(changed, dkim.dns_record(pem))
    assert dkim.verify(changed, lambda _: dkim.dns_record(pem)) is not None


def test_the_signature_survives_refolding_and_extra_blanks(message, pem):
    raw = re.sub(rb"\r\n (boundary)", rb"\r\n\t  \1", message.mime().replace(b"Subject: ", b"Subject:   ", 1))
    assert raw != message.mime()
    assert holds(raw, dkim.dns_record(pem))


def test_another_key_does_not_verify(message):
    record = dkim.dns_record(dkim.new_key())
    assert not holds(message.mime(), record)
    assert "another one" in (dkim.verify(message.mime(), lambda _: record) or "")
    assert dkim.verify(message.mime(), lambda _: None) is not None
    assert dkim.verify(message.mime(), lambda _: "v=DKIM1; p=####") is not None


def test_the_signature_header_is_folded_and_names_what_it_must(message):
    head = message.mime().partition(b"\r\nFrom:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78
    tags = dkim.parse_tags(head.partition(b":")[2])
    names = tags["h"].split(":")
    assert names.count("from") == 2
    assert {"to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to"} < set(names)
    assert {"list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id"} < set(names)
    assert (tags["a"], tags["c"], "l" in tags) == ("rsa-sha256", "relaxed/relaxed", False)


def test_a_body_that_is_not_canonical_is_signed_as_it_will_be_read(pem):
    signer = dkim.Signer("vien.example", "s1", pem)
    head = b"From: a@vien.example\r\nSubject: a\r\n  b\r\n"
    for body in (b"a  b \t\r\n\r\n\r\n", b"", b"\r\n", b"no line end", b" \r\n x\r\n"):
        signed = signer.sign(head, body) + head + b"\r\n" + body
        assert holds(signed, dkim.dns_record(pem))


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"a \t b  \r\n\r\n", b"a", b" \t\r\na\r\n  \r\n"])
def test_relaxed_bodies_equal_the_independent_ones(body):
    from dkim.canonicalization import Relaxed

    assert dkim.relaxed_body(body) == Relaxed.canonicalize_body(body)


def test_unusable_keys_and_names_are_refused(pem):
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for bad in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", other):
        with pytest.raises(ConfigError):
            dkim.Signer("vien.example", "s1", bad)
    for domain, selector in (("vien.example; x", "s1"), ("vien.example", "s 1"), ("", "s1")):
        with pytest.raises(ConfigError):
            dkim.Signer(domain, selector, pem)


def test_the_key_is_never_shown(pem):
    assert "PRIVATE" not in repr(dkim.Signer("vien.example", "s1", pem))
    assert dkim.dns_record(pem).startswith("v=DKIM1; k=rsa; p=MIIB")


def test_a_line_that_is_no_header_cannot_be_signed(pem):
    with pytest.raises(BadInput):
        dkim.Signer("vien.example", "s1", pem).sign(b"From: a@b.example\r\nnonsense\r\n", b"x")
