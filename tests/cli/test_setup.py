"""init, migrate, doctor, dkim, backup, and every way the settings can be wrong."""

import os
import sqlite3
import stat
from typing import Any

import pytest

from newsletter.cli.doctor import without_password
from newsletter.mail.dkim import Algorithm, Signer, new_key
from tests.cli.conftest import Home
from tests.fakes.certificates import Authority
from tests.fakes.relay import CHUNKED, LOCK_STEP, Relay
from tests.fakes.smtpd import Behaviour, Sink


def level(shown: Any, check: str) -> str:
    """The worst level of a check in doctor's JSON."""
    levels = [verdict["level"] for verdict in shown["checks"] if verdict["check"] == check]
    return next(worst for worst in ("error", "warning", "ok") if worst in levels)


def mode(path: Any) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def smtp(port: int, more: str = 'host = "127.0.0.1"\nsecurity = "none"\n') -> str:
    return f'[transport]\nkind = "smtp"\n[transport.smtp]\nport = {port}\n{more}'


# ---------------------------------------------------------------- init


def test_init_writes_settings_that_work_and_keys_only_the_owner_reads(home: Home) -> None:
    fresh = Home(folder=home.folder / "fresh")
    home.config.unlink()
    assert home.script("init", "fresh").code == 0
    assert mode(fresh.folder / "data" / "secrets.toml") == 0o600
    assert fresh("doctor").code == 0


def test_what_holds_addresses_is_readable_by_its_owner_alone(home: Home) -> None:
    fresh = Home(folder=home.folder / "fresh")
    home.config.unlink()
    before = os.umask(0o022)
    try:
        assert home.script("init", "fresh").code == 0
        assert fresh.script("migrate").code == 0
    finally:
        os.umask(before)
    data = fresh.folder / "data"
    assert mode(data) == 0o700
    assert mode(data / "newsletter.db") == 0o600
    told = [one for one in fresh("doctor", "--json").json["checks"] if one["check"] == "data"]
    assert [one["level"] for one in told] == ["ok"]


def test_a_data_folder_that_others_can_read_is_a_warning_and_keeps_its_mode(home: Home) -> None:
    data = home.folder / "data"
    data.mkdir(exist_ok=True)
    data.chmod(0o755)
    assert home("migrate").code == 0
    assert mode(data) == 0o755
    assert mode(data / "newsletter.db") == 0o600
    said = home("doctor", "--json").json
    assert any("chmod 700" in one["message"] for one in said["checks"] if one["level"] == "warning")


def test_init_overwrites_nothing(home: Home) -> None:
    before = home.config.read_text(encoding="utf-8")
    said = home("init")
    assert said.code == 1
    assert "newsletter.toml" in said.error
    assert home.config.read_text(encoding="utf-8") == before


# ---------------------------------------------------------------- wrong settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ('[sender]\nadress = "a@b.example"\n', "unknown key sender.adress"),
        ("[transport.smtp]\nprot = 25\n", "unknown key transport.smtp.prot"),
        ('timezone = "Asia/Hanoi"\n', "timezone: is not a time zone"),
        ('base_url = "news.vien.example"\n', "base_url: must be an http(s) URL"),
        ("base_url = \n", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path(home: Home, settings: str, expected: str) -> None:
    home.config.write_text(settings, encoding="utf-8")
    said = home("issues")
    assert said.code == 1
    assert said.error.startswith(f"{home.config}: ")
    assert expected in said.error


def test_an_unknown_variable_is_refused_by_its_name(home: Home) -> None:
    said = home("issues", env={"NEWSLETTER_SENDER__ADRESS": "a@b.example"})
    assert said.code == 1
    assert said.error.startswith("NEWSLETTER_SENDER__ADRESS: there is no such setting")


def test_a_settings_file_that_is_not_there_is_named(home: Home) -> None:
    home.config.unlink()
    said = home("issues")
    assert said.code == 1
    assert str(home.config) in said.error


def test_a_database_that_does_not_answer_is_one_line_without_its_password(home: Home) -> None:
    said = home("issues", env={"NEWSLETTER_DATABASE_URL": "postgresql://n:very-secret@127.0.0.1:1/n"})
    assert said.code == 1
    assert said.error.startswith("the database cannot be used: ")
    assert "very-secret" not in said.out + said.err


def test_a_damaged_database_is_one_line(home: Home) -> None:
    (home.folder / "data" / "newsletter.db").write_bytes(b"this was never a database" * 100)
    said = home("issues")
    assert (said.code, said.error) == (1, "the database cannot be used: file is not a database")


# ---------------------------------------------------------------- doctor


def test_doctor_shows_every_setting_and_no_secret(home: Home) -> None:
    home.settings('[transport.smtp]\nusername = "u"\npassword = "pw-three"\n[transport.postmark]\ntoken = "pw-four"\n')
    said = home("doctor", env={"NEWSLETTER_DATABASE_URL": "postgresql://n:pw-one@127.0.0.1:1/n?sslpassword=pw-two"})
    assert "transport.smtp.username = u" in said.out
    assert "postgresql://n:…@127.0.0.1:1/n" in said.out
    assert not any(secret in said.out + said.err for secret in ("pw-one", "pw-two", "pw-three", "pw-four"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db"),
        ("postgresql://n@db/n", "postgresql://n@db/n"),
        ("postgresql://n:p%40w@db:5432/n", "postgresql://n:…@db:5432/n"),
        ("postgresql:///n?host=/run/pg&password=x", "postgresql:///n?host=/run/pg&password=…"),
    ],
)
def test_a_database_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_doctor_says_what_a_provider_needs_and_shows_none_of_its_keys(home: Home) -> None:
    home.settings(
        '[transport]\nkind = "generic"\n[transport.generic]\nurl = "http://mail.example.org/send"\nkey = "pw-five"\n'
        'headers = { X-Key = "pw-six {key}" }\nmessage = { to = "{to}" }\n[transport.ses]\nsession_token = "pw-seven"\n'
    )
    said = home("doctor", "--json")
    told = [one["message"] for one in said.json["checks"] if one["check"] == "transport"]
    assert told[0] == "generic has its keys; they were not tried"
    assert "not https" in told[1]
    assert said.json["settings"]["transport.generic.key"] == "…"
    assert not any(secret in said.out + said.err for secret in ("pw-five", "pw-six", "pw-seven"))


def test_doctor_is_content_with_a_sound_house(home: Home) -> None:
    assert home("issues").code == 0, "makes the keys"
    said = home("doctor", "--json")
    assert said.code == 0
    assert {level(said.json, check) for check in ("data", "database", "designs", "transport", "time", "sender")} == {
        "ok"
    }
    assert level(said.json, "dkim") == "warning"


def test_doctor_writes_nothing(home: Home) -> None:
    for path in (home.folder / "data").iterdir():
        path.unlink()
    (home.folder / "data").rmdir()
    assert home("doctor").code == 0
    assert [path.name for path in home.folder.iterdir()] == ["newsletter.toml"]


def test_doctor_names_file_and_line_of_a_faulty_design(home: Home) -> None:
    home.write("designs/own/design.toml", "")
    home.write("designs/own/text.txt.j2", "{{ issue.subject }}\n")
    home.write(
        "designs/own/digest.mjml.j2",
        "<mjml>\n<mj-body>\n<mj-section><mj-column><mj-text>{{ isue.subject }}</mj-text></mj-column></mj-section>\n"
        "</mj-body>\n</mjml>\n",
    )
    home.config.write_text(f'designs = "designs"\n{home.config.read_text(encoding="utf-8")}', encoding="utf-8")
    said = home("doctor", "--json")
    (fault,) = [verdict["message"] for verdict in said.json["checks"] if verdict["level"] == "error"]
    assert said.code == 1
    assert "own/digest.mjml.j2:3" in fault
    assert "isue" in fault


def test_doctor_shows_the_way_past_the_guard(home: Home) -> None:
    home.settings('[fetch.resolve]\n"tin.example" = "127.0.0.1:8080"\n')
    said = home("doctor", "--json")
    assert level(said.json, "fetch") == "warning"
    assert "tin.example is read from 127.0.0.1:8080" in said.out


def test_doctor_warns_when_strangers_are_asked_without_a_pause(home: Home) -> None:
    assert level(home("doctor", "--json").json, "fetch") == "ok"
    home.settings("[fetch]\npace_seconds = 0\n")
    said = home("doctor", "--json")
    assert level(said.json, "fetch") == "warning"
    assert "pace_seconds is 0" in said.out


def test_doctor_wants_https_once_mail_leaves_the_machine(home: Home) -> None:
    home.config.write_text('base_url = "http://vien.example"\n', encoding="utf-8")
    with Sink() as sink:
        text = home.config.read_text(encoding="utf-8") + smtp(sink.port)
        home.config.write_text(text, encoding="utf-8")
        said = home("doctor", "--json")
    assert said.code == 1
    assert level(said.json, "base_url") == "error"


def test_doctor_greets_the_smtp_server_and_sends_it_nothing(home: Home) -> None:
    with Sink() as sink:
        home.settings(smtp(sink.port))
        said = home("doctor", "--json")
    assert said.code == 0
    assert level(said.json, "transport") == "warning"  # without TLS
    assert (sink.connections, sink.received) == (1, [])


def test_doctor_says_what_each_relay_offers(home: Home) -> None:
    with Relay(CHUNKED) as one, Relay(LOCK_STEP) as other:
        text = '[transport]\nkind = "smtp"\n'
        for port in (one.port, other.port, 1):
            text += f'[[transport.smtp.relays]]\nurl = "smtp://u:pw-five@127.0.0.1:{port}?security=none"\n'
        home.settings(text.replace("u:pw-five@", "", 2))
        said = home("doctor")
    assert f"smtp 127.0.0.1:{one.port} answers (none, no login), offers PIPELINING, CHUNKING, 8BITMIME" in said.out
    assert "SIZE 10000000; 8 on the way per connection" in said.out
    assert f"smtp 127.0.0.1:{other.port} answers (none, no login), offers 8BITMIME, SMTPUTF8" in said.out
    assert "smtp 127.0.0.1:1: cannot connect" in said.out
    assert "pw-five" not in said.out + said.err
    assert not one.kept


def test_doctor_says_that_nothing_listens_there(home: Home) -> None:
    home.settings(smtp(1))
    said = home("doctor", "--json")
    assert said.code == 1
    assert level(said.json, "transport") == "error"
    assert "smtp 127.0.0.1:1: cannot connect" in said.out


def test_doctor_says_that_the_password_is_wrong(home: Home, authority: Authority) -> None:
    with Sink(Behaviour(users={"u": "right"}), tls=authority.server("localhost"), starttls=True) as sink:
        login = f'ca_file = "{authority.ca_file}"\nusername = "u"\npassword = '
        home.settings(smtp(sink.port, login + '"wr0ng-word"\n'))
        wrong = home("doctor", "--json")
        home.settings(smtp(sink.port, login + '"right"\n'))
        right = home("doctor", "--json")
    assert (wrong.code, level(wrong.json, "transport")) == (1, "error")
    assert "refuses the user name or password" in wrong.out
    assert "wr0ng-word" not in wrong.out
    assert level(right.json, "transport") == "ok"


# ---------------------------------------------------------------- migrate, dkim, backup


def test_migrate_makes_the_tables_once(home: Home) -> None:
    (home.folder / "data" / "newsletter.db").unlink()
    assert "was empty" in home("migrate").out
    assert "is current" in home("migrate").out


def test_a_new_dkim_key_signs_and_its_record_is_printed(home: Home) -> None:
    said = home("dkim", "new", "--file", home.folder / "dkim.pem")
    key = home.folder / "dkim.pem"
    assert said.code == 0
    assert mode(key) == 0o600
    assert "PRIVATE" not in said.out + said.err
    assert Signer("vien.example", "newsletter", key.read_bytes()).sign(b"From: a\r\n", b"")
    record = next(line for line in said.out.splitlines() if " IN TXT " in line)
    assert record.startswith('newsletter._domainkey.vien.example. IN TXT "v=DKIM1; k=rsa; p=')
    assert all(len(text) <= 255 for text in record.split('"')[1::2])
    assert "".join(record.split('"')[1::2]) in said.out.splitlines(), "the same in one piece, for forms"
    before = key.read_bytes()
    assert home("dkim", "new", "--file", key).code == 1
    assert key.read_bytes() == before, "an existing key is never overwritten"


def test_keys_of_both_kinds_and_of_another_domain_are_made_and_shown(home: Home) -> None:
    assert home("dkim", "show").error.startswith("dkim.key_file: the settings name no DKIM key")
    noted = [home("dkim", "new", *more).err for more in ((), ("--ed25519",), ("--domain", "Khoa.Vien.example"))]
    for lines in noted:
        home.config.write_text(
            home.config.read_text(encoding="utf-8") + lines.partition("settings:\n")[2], encoding="utf-8"
        )
    shown = home("dkim", "show", "--json").json
    assert [(one["name"], one["algorithm"], one["bits"]) for one in shown] == [
        ("newsletter._domainkey.vien.example", "rsa", 2048),
        ("newsletter-ed._domainkey.vien.example", "ed25519", 256),
        ("newsletter._domainkey.khoa.vien.example", "rsa", 2048),
    ]
    assert shown[1]["record"].startswith("v=DKIM1; k=ed25519; p=")
    said = home("dkim", "show")
    assert all(one["zone"] in said.out for one in shown)
    assert level(home("doctor", "--json").json, "dkim") == "ok"
    assert home("dkim", "new", "--domain", "../x").code == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[[dkim.keys]]\nselector = "ed"\nkey_file = "ed.pem"\n', "one RSA key and, if you like, one Ed25519"),
        ('[dkim]\nkey_file = "none.pem"\n', "none.pem: the DKIM key cannot be read"),
        ('[[dkim.keys]]\nselector = "ed"\n', "dkim.keys.0.key_file"),
    ],
)
def test_dkim_keys_that_cannot_be_meant_are_named(home: Home, settings: str, words: str) -> None:
    (home.folder / "ed.pem").write_bytes(new_key(Algorithm.ED25519))
    home.settings(settings)
    assert words in home("dkim", "show").error


def test_a_backup_holds_every_signing_key(site: Home) -> None:
    for more in ((), ("--ed25519",)):
        noted = site("dkim", "new", *more).err.partition("settings:\n")[2]
        site.config.write_text(site.config.read_text(encoding="utf-8") + noted, encoding="utf-8")
    assert site("backup", site.folder / "copy.db").code == 0
    assert [(site.folder / name).read_bytes() for name in ("copy.db.dkim.pem", "copy.db.dkim-2.pem")] == [
        (site.folder / "data" / name).read_bytes() for name in ("dkim.pem", "dkim-vien.example-newsletter-ed.pem")
    ]


def test_a_backup_is_a_whole_database_with_its_keys(site: Home) -> None:
    said = site("backup", site.folder / "copy.db")
    assert said.code == 0
    copy = sqlite3.connect(site.folder / "copy.db")
    try:
        assert copy.execute("SELECT slug FROM sources").fetchall() == [("tin",)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        copy.close()
    keys = site.folder / "copy.db.secrets.toml"
    assert keys.read_bytes() == (site.folder / "data" / "secrets.toml").read_bytes()
    assert (mode(site.folder / "copy.db"), mode(keys)) == (0o600, 0o600)
    assert sorted(path.name for path in site.folder.glob(".*")) == [], "nothing half done is left"


def test_a_backup_overwrites_nothing(site: Home) -> None:
    site.write("copy.db", "something else")
    assert "copy.db" in site("backup", site.folder / "copy.db").error
    assert (site.folder / "copy.db").read_text(encoding="utf-8") == "something else"


def test_a_postgres_database_is_left_to_pg_dump(home: Home) -> None:
    said = home("backup", home.folder / "copy.db", env={"NEWSLETTER_DATABASE_URL": "postgresql://n@127.0.0.1:1/n"})
    assert said.code == 1
    assert "pg_dump" in said.error
