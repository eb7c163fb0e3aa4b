"""The verdicts: a sound house is all ok, and each single fault gives its line, level and advice."""

import pytest

from newsletter.mail.dkim import Algorithm, Signer, Signers, dns_record, new_key
from newsletter.mail.domains import Level, Wanted, examine, wanted_of
from newsletter.mail.domains.wanted import PublishedKey
from newsletter.names import Status
from newsletter.settings import Settings
from tests.mail.domains.conftest import answering

KEY, SECOND = dns_record(new_key()), dns_record(new_key(Algorithm.ED25519))
DKIM, DKIM_ED = "s1._domainkey.vien.example", "s1-ed._domainkey.vien.example"
WANTED = Wanted(
    sender="vien.example",
    envelope="tra.vien.example",
    unsubscribe="roi.vien.example",
    keys=(
        PublishedKey(domain="vien.example", selector="s1", record=KEY),
        PublishedKey(domain="vien.example", selector="s1-ed", record=SECOND, for_all=False),
    ),
    signs=True,
    host="news.vien.example",
    relays=("smtp.vien.example",),
)
SOUND = {
    ("vien.example", "TXT"): ["v=spf1 include:spf.vien.example -all", "google-site=1"],
    ("tra.vien.example", "TXT"): "v=spf1 ip4:9.9.9.9 ~all",
    ("spf.vien.example", "TXT"): "v=spf1 ip4:9.9.9.9 -all",
    (DKIM, "TXT"): KEY,
    (DKIM_ED, "TXT"): SECOND,
    ("_dmarc.vien.example", "TXT"): "v=DMARC1; p=quarantine; rua=mailto:dmarc@vien.example",
    ("vien.example", "MX"): "10 mx.vien.example",
    ("tra.vien.example", "MX"): "10 mx.vien.example",
    ("roi.vien.example", "MX"): "10 mx.vien.example",
    ("mx.vien.example", "A"): "9.9.9.10",
    ("news.vien.example", "AAAA"): "2620:fe::fe",
    ("smtp.vien.example", "A"): "9.9.9.9",
    ("9.9.9.9.in-addr.arpa", "PTR"): "smtp.vien.example",
}


def judged(changes=None, wanted=WANTED):
    """None as a record takes it away."""
    table = {key: value for key, value in {**SOUND, **(changes or {})}.items() if value is not None}
    return examine([wanted], answering(table))


def worst(found, check):
    levels = [one.level for one in found if one.check == check]
    return next(level for level in (Level.ERROR, Level.UNKNOWN, Level.WARNING, Level.OK) if level in levels)


def test_a_sound_house_is_all_ok():
    found = judged()
    assert {one.level for one in found} == {Level.OK}
    assert {one.check for one in found} == {"spf", "dkim", "dmarc", "alignment", "mx", "web", "ptr"}
    assert sum(one.check == "mx" for one in found) == 3


T, S = ("vien.example", "TXT"), ("tra.vien.example", "TXT")
CASES = {
    "no spf for bounces": ({S: None}, "spf", "error", "no SPF record"),
    "no spf for From": ({T: "other"}, "spf", "warning", "no SPF record"),
    "two spf": ({S: ["v=spf1 -all", "v=spf1 ~all"]}, "spf", "error", "2 SPF records"),
    "everybody": ({S: "v=spf1 ip4:9.9.9.9 +all"}, "spf", "error", "lets everybody"),
    "no end": ({S: "v=spf1 ip4:9.9.9.9"}, "spf", "warning", "forbids nobody"),
    "nobody": ({S: "v=spf1 -all"}, "spf", "warning", "allows nobody"),
    "ptr term": ({S: "v=spf1 ptr -all"}, "spf", "warning", "ptr is slow"),
    "long spf": ({S: "v=spf1 " + "ip4:9.9.9.9 " * 40 + "-all"}, "spf", "warning", "octets"),
    "spf servfail": ({S: Status.FAILED}, "spf", "error", "the name server fails"),
    "spf timeout": ({S: Status.LATE}, "spf", "unknown", "no answer in time"),
    "spf loop": ({S: Status.LOOP}, "spf", "error", "circle"),
    "spf too large": ({S: Status.TOO_LARGE}, "spf", "error", "too large"),
    "no key": ({(DKIM, "TXT"): None}, "dkim", "error", "no such name"),
    "other key": ({(DKIM, "TXT"): dns_record(new_key())}, "dkim", "error", "not ours"),
    "other kind": ({(DKIM, "TXT"): SECOND}, "dkim", "error", "not ours"),
    "cut key": ({(DKIM, "TXT"): KEY[:255]}, "dkim", "error", "cannot be read"),
    "revoked": ({(DKIM, "TXT"): "v=DKIM1; p="}, "dkim", "error", "revoked"),
    "two keys": ({(DKIM, "TXT"): [KEY, KEY + " "]}, "dkim", "error", "2 records"),
    "testing": ({(DKIM, "TXT"): KEY + "; t=y"}, "dkim", "warning", "only a test"),
    "key late": ({(DKIM, "TXT"): Status.LATE}, "dkim", "unknown", "no answer in time"),
    "no dmarc": ({("_dmarc.vien.example", "TXT"): None}, "dmarc", "error", "no DMARC record"),
    "two dmarc": ({("_dmarc.vien.example", "TXT"): ["v=DMARC1; p=none"] * 2}, "dmarc", "error", "2 DMARC"),
    "no reports": ({("_dmarc.vien.example", "TXT"): "v=DMARC1; p=none"}, "dmarc", "warning", "nobody gets"),
    "reports elsewhere": (
        {("_dmarc.vien.example", "TXT"): "v=DMARC1; p=none; rua=mailto:a@khac.example"},
        "dmarc",
        "warning",
        "does not say that it takes reports",
    ),
    "dmarc servfail": ({("_dmarc.vien.example", "TXT"): Status.FAILED}, "dmarc", "error", "fails"),
    "no mx": ({("tra.vien.example", "MX"): None}, "mx", "error", "bounces arrive nowhere"),
    "null mx": ({("roi.vien.example", "MX"): "0 ."}, "mx", "error", "takes no mail"),
    "mx of From": ({("vien.example", "MX"): None}, "mx", "warning", "answers of readers arrive nowhere"),
    "mx without address": ({("tra.vien.example", "MX"): "10 gone.example"}, "mx", "error", "has no address"),
    "mx is late": ({("mx.vien.example", "A"): Status.LATE}, "mx", "unknown", "no answer"),
    "address only": (
        {("tra.vien.example", "MX"): None, ("tra.vien.example", "A"): "9.9.9.9"},
        "mx",
        "warning",
        "no MX",
    ),
    "no host": ({("news.vien.example", "AAAA"): None}, "web", "error", "no link in any mail works"),
    "private host": ({("news.vien.example", "A"): "10.0.0.1"}, "web", "error", "is not public"),
    "host late": ({("news.vien.example", "AAAA"): Status.LATE}, "web", "unknown", "no answer"),
    "no ptr": ({("9.9.9.9.in-addr.arpa", "PTR"): None}, "ptr", "warning", "has no name"),
    "ptr elsewhere": ({("9.9.9.9.in-addr.arpa", "PTR"): "x.khac.example"}, "ptr", "warning", "does not lead back"),
    "strict": (
        {("_dmarc.vien.example", "TXT"): "v=DMARC1; p=none; aspf=s; rua=mailto:a@vien.example"},
        "alignment",
        "warning",
        "d=vien.example passes, the return path tra.vien.example does not",
    ),
    "key gone": ({(DKIM, "TXT"): None}, "alignment", "warning", "no key of ours"),
    "both gone": ({(DKIM, "TXT"): None, S: None}, "alignment", "error", "DMARC fails"),
    "both late": ({(DKIM, "TXT"): Status.LATE}, "alignment", "unknown", "in time"),
}


@pytest.mark.parametrize(("changes", "check", "level", "words"), CASES.values(), ids=CASES)
def test_each_fault_has_its_line(changes, check, level, words):
    found = judged(changes)
    assert worst(found, check) == level
    line = next(one for one in found if one.check == check and one.level == level)
    assert words in f"{line.message} {line.hint}"
    assert "\n" not in line.message
    if level != "unknown":
        assert line.hint or line.ground, "it says what to do, or whose rule it is"


def test_an_alias_as_mail_host_is_named():
    from dataclasses import replace

    ask = answering(SOUND)

    def aliased(name, kind):
        return (
            replace(ask(name, kind), alias="real.example")
            if (name, kind) == ("mx.vien.example", "A")
            else ask(name, kind)
        )

    assert worst(examine([WANTED], aliased), "mx") == "warning"


def test_a_house_without_a_key_is_warned_and_judged_by_its_return_path():
    from dataclasses import replace

    found = judged(wanted=replace(WANTED, keys=(), relays=("127.0.0.1",)))
    assert worst(found, "dkim") == "warning"
    assert worst(found, "alignment") == "warning"
    assert worst(found, "ptr") == "ok"


def test_links_to_a_bare_address_or_another_house_are_named():
    from dataclasses import replace

    assert worst(judged(wanted=replace(WANTED, host="9.9.9.9")), "web") == "error"
    elsewhere = {("khac.example", "A"): "9.9.9.9"}
    assert worst(judged(elsewhere, wanted=replace(WANTED, host="khac.example")), "web") == "warning"


@pytest.mark.parametrize(("kind", "signs"), [("brevo", False), ("ses", True)])
def test_a_provider_puts_its_own_return_path_and_may_sign_itself(kind, signs):
    account = {
        "brevo": {"api_key": "k"},
        "ses": {"region": "eu-west-1", "access_key_id": "k", "secret_access_key": "s"},
    }
    settings = Settings.model_validate(
        {
            "base_url": "https://news.vien.example",
            "sender": {"address": "tin@Vien.example", "bounce_domain": "tra.vien.example"},
            "transport": {"kind": kind, kind: account[kind]},
        }
    )
    signer = Signer("vien.example", "s1", new_key(), second=("s1-ed", new_key(Algorithm.ED25519)))
    [wanted] = wanted_of(settings, Signers([signer]))
    assert (wanted.sender, wanted.envelope, wanted.signs, wanted.host) == (
        "vien.example",
        None,
        signs,
        "news.vien.example",
    )
    assert [(key.selector, key.for_all) for key in wanted.keys] == [("s1", True), ("s1-ed", False)]
    published = {(f"{key.selector}._domainkey.vien.example", "TXT"): key.record for key in wanted.keys}
    found = judged({**published, T: "v=spf1 include:spf.vien.example -all"}, wanted=wanted)
    assert worst(found, "alignment") == ("ok" if signs else "unknown")


def test_each_domain_that_mail_comes_from_is_examined_with_its_own_key():
    settings = Settings.model_validate(
        {
            "base_url": "https://news.vien.example",
            "sender": {
                "address": "tin@vien.example",
                "bounce_domain": "tra.vien.example",
                "lists": {"khoa": "tin@Khoa.example", "cung": "khac@vien.example"},
            },
        }
    )
    signers = Signers([Signer("vien.example", "s1", new_key()), Signer("khoa.example", "k", new_key())])
    first, second = wanted_of(settings, signers)
    assert [(key.domain, key.selector) for key in (*first.keys, *second.keys)] == [
        ("vien.example", "s1"),
        ("khoa.example", "k"),
    ]
    assert (first.sender, second.sender, second.envelope) == ("vien.example", "khoa.example", "tra.vien.example")
    published = {(f"{k.selector}._domainkey.{k.domain}", "TXT"): k.record for k in (*first.keys, *second.keys)}
    published |= {("khoa.example", "TXT"): "v=spf1 ip4:9.9.9.9 -all", ("khoa.example", "MX"): "10 mx.vien.example"}
    published[("_dmarc.khoa.example", "TXT")] = "v=DMARC1; p=none; rua=mailto:a@khoa.example"
    found = examine([first, second], answering({**SOUND, **published}))
    assert len(set(found)) == len(found)
    aligned = {one.where: one for one in found if one.check == "alignment"}
    assert aligned["From vien.example"].level == "ok"
    assert (aligned["From khoa.example"].level, "d=khoa.example passes" in aligned["From khoa.example"].message) == (
        "warning",
        True,
    ), "the common return path is another organisation's"
