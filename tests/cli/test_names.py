"""doctor dns against a real name server on loopback: its lines, its JSON, its codes."""

import pytest

from newsletter.mail.dkim import Key
from tests.cli.conftest import Home
from tests.fakes.names import SERVFAIL, SILENT, NameServer


@pytest.fixture
def zone(home: Home) -> dict[tuple[str, str], list[str] | str]:
    """What a sound house publishes, with the key that it signs with."""
    said = home("dkim", "new")
    home.settings("bounce = 1\n".replace("bounce = 1\n", said.err.partition("settings:\n")[2]))
    text = home.config.read_text(encoding="utf-8")
    home.config.write_text(
        text.replace("[sender]\n", '[sender]\nbounce_domain = "tra.vien.example"\n'), encoding="utf-8"
    )
    record = Key.read((home.folder / "data" / "dkim.pem").read_bytes()).record
    return {
        ("vien.example", "TXT"): "v=spf1 include:spf.vien.example -all",
        ("tra.vien.example", "TXT"): "v=spf1 include:spf.vien.example -all",
        ("spf.vien.example", "TXT"): "v=spf1 ip4:9.9.9.9 -all",
        ("newsletter._domainkey.vien.example", "TXT"): record,
        ("_dmarc.vien.example", "TXT"): "v=DMARC1; p=none; rua=mailto:dmarc@vien.example",
        ("vien.example", "MX"): "10 mx.vien.example.",
        ("tra.vien.example", "MX"): "10 mx.vien.example.",
        ("mx.vien.example", "A"): "9.9.9.10",
        ("news.vien.example", "A"): "9.9.9.11",
    }


def test_a_sound_house_is_code_0_and_every_line_names_its_record(home: Home, zone: dict) -> None:
    with NameServer(zone) as server:
        said = home("doctor", "dns", "--resolver", server.at)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert all(line.startswith("ok ") for line in lines[:-1])
    assert any(
        "newsletter._domainkey.vien.example TXT: rsa, 2048 bits: the published key is ours" in one for one in lines
    )
    assert lines[-1] == f"{len(lines) - 1} ok"


def test_a_fault_is_code_1_and_json_tells_all_of_it(home: Home, zone: dict) -> None:
    del zone["newsletter._domainkey.vien.example", "TXT"]
    with NameServer(zone) as server:
        said = home("doctor", "dns", "--resolver", server.at, "--json")
    assert said.code == 1
    [fault] = [one for one in said.json["checks"] if one["level"] == "error"]
    assert (fault["check"], fault["where"]) == ("dkim", "newsletter._domainkey.vien.example TXT")
    assert "dkim show" in fault["hint"]
    assert "Gmail, Yahoo and Microsoft" in fault["ground"]
    assert said.json["questions"] == len(server.asked)


def test_a_name_server_that_never_answers_is_code_3_within_the_time(home: Home, zone: dict) -> None:
    names = {name for name, _ in zone} | {"_dmarc.tra.vien.example", "_dmarc.news.vien.example"}
    with NameServer(zone, faults=dict.fromkeys(names, SILENT)) as server:
        said = home("doctor", "dns", "--resolver", server.at, "--seconds", "0.3")
    assert said.code == 3
    assert "no answer in time" in said.out
    assert "error" not in said.out


def test_a_failing_server_is_a_fault_and_no_traceback(home: Home, zone: dict) -> None:
    with NameServer(zone, faults={"spf.vien.example": SERVFAIL}) as server:
        said = home("doctor", "dns", "--resolver", server.at)
    assert said.code == 1
    assert "spf.vien.example TXT: the name server fails" in said.out


def test_a_key_that_cannot_be_read_does_not_stop_the_others(home: Home, zone: dict) -> None:
    (home.folder / "data" / "dkim.pem").write_text("no key")
    with NameServer(zone) as server:
        said = home("doctor", "dns", "--resolver", server.at)
    assert said.code == 1
    assert "the DKIM key cannot be read" in said.out
    assert "mx.vien.example" in said.out


def test_a_resolver_that_is_none_is_one_line(home: Home) -> None:
    said = home("doctor", "dns", "--resolver", "nowhere")
    assert said.code == 1
    assert "no address of a name server" in said.error


def test_what_a_stranger_publishes_cannot_steer_the_terminal(home: Home, zone: dict) -> None:
    zone["_dmarc.vien.example", "TXT"] = "v=DMARC1; p=\x1b[31mnone; rua=mailto:a"
    with NameServer(zone) as server:
        said = home("doctor", "dns", "--resolver", server.at)
    assert said.code == 1
    assert "\x1b" not in said.out
