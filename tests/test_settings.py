"""Settings: one file, environment overrides, everything unknown refused with its path."""

import stat
import tomllib

import pytest

from newsletter import settings
from newsletter.errors import ConfigError
from newsletter.settings import Settings, load, load_secrets
from newsletter.settings import file as settingsfile
from tests.conftest import subscribe


def write(tmp_path, text):
    path = tmp_path / "newsletter.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dat_dir = 'x'", "unknown key dat_dir"),
        ("[transport.smtp]\nhots = 'x'", "unknown key transport.smtp.hots"),
        ("[transport]\nkind = 'pigeon'", "transport.kind"),
        ("[transport.smtp]\nport = 99999", "transport.smtp.port"),
        ("[transport.smtp]\nusername = 'x'", "both username and password"),
        ("[transport]\nkind = 'postmark'", "transport.postmark.token is missing"),
        ("timezone = 'Asia/Hanoi'", "timezone: is not a time zone"),
        ("base_url = 'newsletter.example'", "base_url: must be an http"),
        ("[sender]\naddress = 'nobody'", "sender.address: is not a mail address"),
        ("data_dir = ", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_one_line_with_the_file_and_the_key(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(path, environ={})
    assert words in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_the_environment_overrides_the_file(tmp_path):
    path = write(tmp_path, "[transport.smtp]\nport = 2525\n")
    found = load(path, environ={"NEWSLETTER_TRANSPORT__SMTP__PORT": "465", "NEWSLETTER_LANGUAGE": "en", "HOME": "/x"})
    assert (found.transport.smtp.port, found.language) == (465, "en")


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path):
    (tmp_path / "smtp").write_text("geheim\n")
    environ = {
        "NEWSLETTER_TRANSPORT__SMTP__PASSWORD_FILE": str(tmp_path / "smtp"),
        "NEWSLETTER_TRANSPORT__SMTP__USERNAME": "bantin",
    }
    found = load(write(tmp_path, ""), environ=environ)
    assert found.transport.smtp.password.get_secret_value() == "geheim"
    assert "geheim" not in repr(found)


def test_a_setting_that_itself_ends_in_file_is_no_secret(tmp_path):
    found = load(write(tmp_path, ""), environ={"NEWSLETTER_DKIM__KEY_FILE": "/etc/dkim.pem"})
    assert str(found.dkim.key_file) == "/etc/dkim.pem"


@pytest.mark.parametrize(
    "name", ["NEWSLETTER_SENDR__ADDRESS", "NEWSLETTER_TRANSPORT__SMTP__HOST_FILES", "NEWSLETTER_X"]
)
def test_an_unknown_variable_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=f"{name}: there is no such setting"):
        load(write(tmp_path, ""), environ={name: "x"})


def test_a_secret_file_that_is_missing_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(write(tmp_path, ""), environ={"NEWSLETTER_TRANSPORT__SMTP__PASSWORD_FILE": str(tmp_path / "no")})


def test_relative_paths_belong_to_the_settings_file(tmp_path, monkeypatch):
    path = write(tmp_path, "data_dir = 'data'\ndesigns = 'mine'\n[dkim]\nkey_file = 'data/dkim.pem'\n")
    monkeypatch.chdir("/")
    found = load(path, environ={})
    assert found.data_dir == tmp_path / "data"
    assert found.designs == tmp_path / "mine"
    assert found.dkim.key_file == tmp_path / "data/dkim.pem"
    assert found.database == f"sqlite:///{tmp_path}/data/newsletter.db"


def test_the_file_is_sought_in_its_three_places(tmp_path, monkeypatch):
    here = write(tmp_path, "language = 'en'")
    (tmp_path / "b").mkdir()
    other = write(tmp_path / "b", "language = 'vi'")
    monkeypatch.chdir(tmp_path)
    assert settings.find_config(other, {}) == other
    assert settings.find_config(None, {"NEWSLETTER_CONFIG": str(other)}) == other
    assert settings.find_config(None, {}).resolve() == here
    with pytest.raises(ConfigError, match="no such settings file"):
        settings.find_config(tmp_path / "nowhere.toml", {})


def test_the_template_is_valid_and_names_every_section(tmp_path):
    found = load(write(tmp_path, settingsfile.TEMPLATE), environ={})
    assert found.transport.kind == "outbox"
    names = set(tomllib.loads(settingsfile.TEMPLATE)) | {"dkim", "fetch", "preflight", "database_url", "designs"}
    names |= {"bounces", "pace", "engine", "retention", "webhooks"}
    assert names == set(Settings.model_fields)
    for section in ("dkim", "fetch", "transport.smtp", "transport.postmark", "bounces.imap", "webhooks.postmark"):
        assert f"[{section}]" in settingsfile.TEMPLATE


def test_keys_are_made_once_and_only_for_their_owner(tmp_path):
    mine = Settings(data_dir=tmp_path)
    first = load_secrets(mine)
    assert load_secrets(mine) == first
    assert stat.S_IMODE(mine.secrets_file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [mine.secrets_file]


def test_damaged_keys_are_never_replaced(tmp_path):
    mine = Settings(data_dir=tmp_path)
    mine.secrets_file.write_text("link_key = 1")
    with pytest.raises(ConfigError, match="restore it from a backup"):
        load_secrets(mine)
    assert mine.secrets_file.read_text() == "link_key = 1"


@pytest.mark.parametrize(
    ("wrong", "right"), [("langauge = 'vi'", "language"), ("[transport.smtp]\nhots = 'x'", "transport.smtp.host")]
)
def test_a_misspelt_key_is_answered_with_the_nearest_one(tmp_path, wrong, right):
    with pytest.raises(ConfigError, match=f"did you mean {right}"):
        load(write(tmp_path, wrong), environ={})


def test_lost_keys_are_never_made_anew_for_a_database_that_holds_something(make_app, tmp_path):
    from newsletter import main

    app = make_app()
    subscribe(app, "tin", ["doc.gia@doc.example"])
    app.settings.secrets_file.unlink()
    with pytest.raises(ConfigError, match="keys of this installation are missing"):
        main.build(app.settings)
    assert not app.settings.secrets_file.exists()


def test_secrets_of_webhooks_and_the_mailbox_come_from_files_too(tmp_path):
    (tmp_path / "secret").write_text("vien:mat-khau\n", encoding="utf-8")
    environ = {
        "NEWSLETTER_WEBHOOKS__POSTMARK__PASSWORD_FILE": str(tmp_path / "secret"),
        "NEWSLETTER_BOUNCES__IMAP__HOST": "imap.vien.example",
    }
    found = load(write(tmp_path, '[bounces.imap]\nca_file = "ca.pem"\n'), environ=environ)
    assert found.webhooks.postmark.password is not None
    assert found.webhooks.postmark.password.get_secret_value() == "vien:mat-khau"
    assert "mat-khau" not in repr(found)
    assert (found.bounces.imap.host, found.bounces.imap.ca_file) == ("imap.vien.example", tmp_path / "ca.pem")
