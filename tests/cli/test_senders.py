"""A list whose mail comes from an address of its own, signed with that domain's key, from the verbs to the file in the outbox."""

import email
import email.policy

import pytest

from newsletter.mail.dkim import Key, Signer, Signers
from tests.cli.conftest import SETTINGS, Home
from tests.fakes.curve import judged

FACULTY = 'lists = { ban-doc = "tin@khoa.example" }\n'


def configure(home: Home, senders: str = FACULTY) -> Signers:
    """Both domains have a key; that of the faculty two."""
    keys = [("vien.example", ()), ("khoa.example", ()), ("khoa.example", ("--ed25519",))]
    if not (home.folder / "data" / "dkim.pem").exists():
        for domain, more in keys:
            assert home("dkim", "new", "--domain", domain, *more).code == 0
    home.config.write_text(
        SETTINGS.replace("[sender]\n", "[sender]\n" + senders)
        + '[dkim]\nkey_file = "data/dkim.pem"\n'
        + '[[dkim.keys]]\ndomain = "khoa.example"\nselector = "newsletter"\n'
        + 'key_file = "data/dkim-khoa.example-newsletter.pem"\n'
        + '[[dkim.keys]]\ndomain = "khoa.example"\nselector = "newsletter-ed"\n'
        + 'key_file = "data/dkim-khoa.example-newsletter-ed.pem"\n',
        encoding="utf-8",
    )
    data = home.folder / "data"
    read = {path.name: path.read_bytes() for path in data.glob("dkim*.pem")}
    second = ("newsletter-ed", read["dkim-khoa.example-newsletter-ed.pem"])
    return Signers(
        [
            Signer("vien.example", "newsletter", read["dkim.pem"]),
            Signer("khoa.example", "newsletter", read["dkim-khoa.example-newsletter.pem"], second=second),
        ]
    )


def test_the_list_chooses_the_address_and_its_domain_the_keys(site: Home) -> None:
    signers = configure(site)
    assert site("issue", "new", "ban-tin").code == 0
    assert site("run", "--once").code == 0
    found = site("preflight", site.issue, "--json").json
    assert not [one for one in found if one["level"] == "error"], found
    assert site("approve", site.issue, "--yes").code == 0
    assert site("send").code == 0
    [path] = site.outbox
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["From"].addresses[0].addr_spec == "tin@khoa.example"
    assert message["Message-ID"].endswith("@khoa.example>")
    assert [str(one).split("d=")[1].split(";")[0] for one in message.get_all("DKIM-Signature")] == ["khoa.example"] * 2
    assert judged(raw, signers.record) == [True, True]


def test_another_sender_than_approved_is_not_sent_from(site: Home) -> None:
    configure(site)
    assert site("issue", "new", "ban-tin").code == 0
    assert site("run", "--once").code == 0
    assert site("approve", site.issue, "--yes").code == 0
    configure(site, senders="")
    said = site("send")
    assert site.outbox == []
    assert "not what was approved" in said.out + said.err
    configure(site)
    assert site("resume", site.issue).code == 0
    assert site("send").code == 0
    assert len(site.outbox) == 1


def test_doctor_names_a_sender_without_a_key(site: Home) -> None:
    configure(site, senders='lists = { ban-doc = "tin@khac.example" }\n')
    said = site("doctor", "--json")
    told = [one["message"] for one in said.json["checks"] if one["check"] == "dkim"]
    assert any("no key for khac.example" in one for one in told)
    assert sum("publish " in one for one in told) == 3


@pytest.mark.parametrize("wrong", ['lists = { ban-doc = "khoa.example" }\n', 'lists = { ban-doc = "a b@c.example" }\n'])
def test_a_sender_that_is_no_address_is_refused(site: Home, wrong: str) -> None:
    site.config.write_text(SETTINGS.replace("[sender]\n", "[sender]\n" + wrong), encoding="utf-8")
    assert "sender.lists: is not a mail address" in site("issues").error


def test_the_records_to_publish_are_those_of_the_files(site: Home) -> None:
    signers = configure(site)
    shown = {one["name"]: one["record"] for one in site("dkim", "show", "--json").json}
    assert shown == {name: record for signer in signers.all for name, record in signer.records.items()}
    assert all(
        Key.read(path.read_bytes()).record in shown.values() for path in (site.folder / "data").glob("dkim*.pem")
    )
