import re

import dkim as judge
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.errors import BadInput, ConfigError
from newsletter.mail import dkim
from newsletter.mail.compile import compile_message
from tests.fakes.curve import judged


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
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
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


# ---------------------------------------------------------------- a second signature, several domains


# RFC 8463 appendix A: its key, and its message with the Ed25519 signature.
RFC_RECORD = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RFC_MESSAGE = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")


def test_the_example_of_rfc_8463_verifies_here_and_at_the_judge():
    records = {"brisbane._domainkey.football.example.com": RFC_RECORD}
    assert dkim.verify(RFC_MESSAGE, records.get) is None
    assert judged(RFC_MESSAGE, records.get) == [True]
    changed = RFC_MESSAGE.replace(b"dinner", b"supper")
    assert dkim.verify(changed, records.get) is not None
    assert judged(changed, records.get) == [False]


@pytest.fixture(scope="module")
def double(pem):
    """A signer with both kinds of keys."""
    return dkim.Signer("vien.example", "s1", pem, second=("s1-ed", dkim.new_key(dkim.Algorithm.ED25519)))


def test_both_signatures_of_a_message_hold_and_each_alone_would_do(double, rendering, frame, reader, nonce):
    raw = compile_message(rendering, frame, nonce=nonce, signer=double).splice(reader).mime()
    signers = dkim.Signers([double])
    assert judged(raw, signers.record) == [True, True]
    assert dkim.verify(raw, signers.record) is None
    first, second = (dkim.parse_tags(part) for part in raw.split(b"DKIM-Signature:")[1:])
    assert (first["a"], second["a"]) == ("rsa-sha256", "ed25519-sha256")
    assert first["bh"] == second["bh"]
    assert first["h"] == second["h"]
    alone = raw[raw.index(b"DKIM-Signature:", 10) :]
    assert judged(alone, signers.record) == [True]
    assert max(map(len, raw.partition(b"\r\nFrom:")[0].split(b"\r\n"))) <= 78


def test_one_broken_signature_of_two_is_found(double, rendering, frame, reader, nonce):
    raw = compile_message(rendering, frame, nonce=nonce, signer=double).splice(reader).mime()
    signers = dkim.Signers([double])

    def look_up(name):
        record = signers.record(name)
        return RFC_RECORD if record and "ed25519" in record else record

    assert judged(raw, look_up) == [True, False]
    assert "another one" in (dkim.verify(raw, look_up) or "")
    swapped = {name: signers.record("s1._domainkey.vien.example") for name in double.records}
    assert "of the kind rsa" in (dkim.verify(raw, swapped.get) or "")


def test_the_domain_of_the_from_address_chooses_the_signer(pem):
    signers = dkim.Signers([dkim.Signer("vien.example", "a", pem), dkim.Signer("Khoa.vien.example", "b", pem)])
    assert signers.of("tin@VIEN.example").selector == "a"
    assert signers.of("tin@khoa.vien.example").selector == "b"
    assert signers.of("tin@khac.vien.example") is None, "strict alignment: no other domain signs"
    assert signers.of("tin@xvien.example") is None
    assert not dkim.Signers()
    with pytest.raises(ConfigError, match="two signers"):
        dkim.Signers([dkim.Signer("vien.example", "a", pem), dkim.Signer("VIEN.example", "b", pem)])


def test_two_keys_of_one_kind_or_one_selector_are_refused(pem):
    with pytest.raises(ConfigError, match="two keys of the kind rsa"):
        dkim.Signer("vien.example", "a", pem, second=("b", dkim.new_key()))
    with pytest.raises(ConfigError, match="same selector"):
        dkim.Signer("vien.example", "a", pem, second=("A", dkim.new_key(dkim.Algorithm.ED25519)))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=DKIM2; p=MIIB", "no DKIM key record"),
        ("v=DKIM1; k=rsa", "has no p="),
        ("v=DKIM1; k=rsa; p=", "revoked"),
        ("v=DKIM1; h=sha1; p=MIIB", "sha256"),
        ("v=DKIM1; s=tlsrpt; p=MIIB", "not meant for mail"),
        ("v=DKIM1; k=rsa; p=MIIBIjANBg", "cannot be read"),
        ("v=DKIM1; k=ed25519; p=MIIB", "cannot be read"),
        ("v=DKIM1; k=x448; p=MIIB", "another kind"),
        ("v=DKIM1; p=MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "another kind"),
    ],
)
def test_an_unusable_record_says_why(record, words):
    with pytest.raises(BadInput, match=words):
        dkim.published(record)


def test_a_record_is_read_as_published_with_its_strings_joined(pem):
    texts = dkim.zone_text(dkim.dns_record(pem)).split('"')[1::2]
    assert len(texts) == 2
    assert max(map(len, texts)) <= 255
    found = dkim.published("".join(texts) + " ; t=s:y")
    assert (found.algorithm, found.bits, found.testing) == (dkim.Algorithm.RSA, 2048, True)
