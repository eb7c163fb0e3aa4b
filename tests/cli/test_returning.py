"""bounces: the pipe of a mail server, the mailbox, and the list."""

from newsletter.mail.tokens import Keyring, Purpose
from newsletter.model import MailingId, PersonId
from newsletter.settings import load, load_secrets
from tests.cli.conftest import Home
from tests.fakes.imap import Mailbox
from tests.mail.bounces.samples import away, report


def test_a_message_from_the_pipe_is_kept_and_listed_without_an_address(home: Home) -> None:
    said = home("bounces", "receive", "--rcpt", "b.x@tra.vien.example", stdin=report().decode())
    assert (said.code, said.out) == (0, "hard userunknown of nobody we know\n")
    assert home("bounces", "receive", stdin=report().decode()).out == "", "told again it is nothing new"
    home("bounces", "receive", stdin=away().decode())
    [latest, first] = home("bounces", "list", "--json").json
    assert (latest["kind"], first["kind"], first["source"], first["person_id"]) == ("autoreply", "hard", "pipe", None)
    listed = home("bounces", "list").out
    assert "userunknown" in listed
    assert "docgia" not in listed


def test_the_pipe_asks_for_the_message_again_when_it_cannot_be_kept(home: Home) -> None:
    home.settings('[nonsense]\nx = "1"\n')
    said = home("bounces", "receive", stdin=report().decode())
    assert said.code == 75
    assert said.error


def test_as_a_real_pipe(home: Home) -> None:
    assert home.script("bounces", "receive", stdin="").code == 0


def test_polling_needs_a_mailbox(home: Home) -> None:
    said = home("bounces", "poll")
    assert said.code == 1
    assert "there is no mailbox to read" in said.error


def test_polling_reads_it_now(home: Home) -> None:
    with Mailbox({1: report(), 2: away()}) as box:
        home.settings(
            f'[bounces.imap]\nhost = "127.0.0.1"\nport = {box.port}\nsecurity = "none"\nusername = "b"\npassword = "mat-khau"\n'
        )
        said = home("bounces", "poll")
        assert (said.code, said.out) == (0, "2 messages read, 2 returns settled\n")
        assert home("bounces", "poll").out == "0 messages read, 0 returns settled\n"


def test_what_is_kept_of_a_person_is_shown_masked(home: Home) -> None:
    home("list", "create", "tin", "--name", "Tin")
    home("subscribers", "add", "an@docgia.example", "--list", "tin", "--consent", "giấy", "--confirmed")
    person = home("subscribers", "show", "an@docgia.example", "--json").json
    settings = load(home.config)
    keys = load_secrets(settings)
    ring = Keyring({name: bytes.fromhex(key) for name, key in keys.link_keys.items()}, keys.link_key)
    token = ring.make(Purpose.TRACE, MailingId("m" * 16), PersonId(person["id"]))
    assert home("bounces", "receive", "--rcpt", f"b.{token}@t.example", stdin=report().decode()).code == 0
    shown = home("subscribers", "show", "an@docgia.example", "--json").json
    assert shown["state"] == "bounced"
    [kept] = shown["returned"]
    assert "User unknown" in kept["message"]
    assert "docgia" not in kept["message"]
