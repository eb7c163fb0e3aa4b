"""webhook and api-token on the command line."""

import pytest

from tests.cli.conftest import Home
from tests.fakes.listener import Listener


@pytest.fixture
def told(home: Home):
    """A home whose settings lead one name to a listener."""
    with Listener() as listener:
        config = home.config.read_text(encoding="utf-8")
        home.config.write_text(f'{config}\n[fetch.resolve]\n"nghe.vien.example" = "{listener.at}"\n', encoding="utf-8")
        yield home, listener


def test_a_webhook_from_its_making_to_its_removal(told):
    home, listener = told
    made = home("webhook", "add", "http://nghe.vien.example/", "--event", "subscriber.subscribed")
    assert made.code == 0
    secret = made.out.strip()
    assert secret.startswith("whsec_")
    [known] = home("webhook", "list", "--json").json
    assert secret not in home("webhook", "list", "--json").out, "shown once"
    assert known["events"] == ["subscriber.subscribed"]
    assert home("webhook", "test", known["id"]).out == "taken: 204\n"
    assert listener.heard[0].is_signed_with(secret)

    assert home("list", "create", "tin", "--name", "Tin").code == 0
    consent = ("--list", "tin", "--consent", "asked", "--confirmed")
    assert home("subscribers", "add", "an@vien.example", *consent).code == 0
    assert home("run", "--once").code == 0
    [call] = home("webhook", "calls", known["id"], "--json").json
    assert (call["state"], call["event"]["type"]) == ("delivered", "subscriber.subscribed")
    shown = home("webhook", "calls", known["id"]).out
    assert "delivered" in shown
    assert "vien.example" not in shown
    assert "well" in home("webhook", "list").out
    assert home("webhook", "remove", known["id"]).code == 0
    assert home("webhook", "list", "--json").json == []


def test_a_test_call_that_is_not_taken_is_an_error(told):
    home, listener = told
    listener.status = 500
    assert home("webhook", "add", "http://nghe.vien.example/", "--event", "*").code == 0
    [known] = home("webhook", "list", "--json").json
    said = home("webhook", "test", known["id"])
    assert (said.code, said.err.splitlines()[-1]) == (1, "not taken: answered 500")


def test_what_cannot_be_a_webhook_is_one_line(home):
    assert "https" in home("webhook", "add", "http://x.example/", "--event", "*").error
    assert "issue.sent" in home("webhook", "add", "https://x.example/", "--event", "issue.sold").error
    assert "no such webhook" in home("webhook", "remove", "0" * 16).error


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "169.254.169.254", "10.0.0.7", "0.0.0.0", "127.1",
        "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]",
    ],
)  # fmt: skip
def test_an_address_of_this_machine_or_network_is_no_webhook(home, host):
    said = home("webhook", "add", f"https://{host}/x", "--event", "*")
    assert said.code == 1
    assert "this address is not public" in said.error
    assert "[fetch] resolve" in said.error
    assert home("webhook", "list", "--json").json == []


def test_a_public_address_or_any_other_name_may_be_a_webhook(home):
    for host in ("203.0.114.7", "[2a00:1450::1]", "localhost.vien.example", "x.example"):
        assert home("webhook", "add", f"https://{host}/x", "--event", "*").code == 0


def test_a_token_is_shown_once_and_listed_without_its_secret(home):
    made = home("api-token", "add", "Website form", "--scope", "subscribe", "--days", "30")
    token = made.out.strip()
    assert token.startswith("nl_")
    listed = home("api-token", "list", "--json")
    assert token.split("_", 2)[2] not in listed.out
    [known] = listed.json
    assert (known["name"], known["scopes"], known["last_used_at"]) == ("Website form", ["subscribe"], None)
    assert "never" in home("api-token", "list").out
    assert "already" in home("api-token", "add", "Website form", "--scope", "subscribe").error
    assert home("api-token", "revoke", "Website form").code == 0
    assert "revoked" in home("api-token", "list").out
    assert "no such token" in home("api-token", "revoke", "Website form").error
    assert home("api-token", "add", "Website form", "--scope", "subscribe").code == 0, "the name is free again"


def test_a_scope_there_is_not_is_refused_with_those_there_are(home):
    assert "subscribers:read" in home("api-token", "add", "x", "--scope", "admin").error
