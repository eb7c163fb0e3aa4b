"""Infrastructure settings: one TOML file, overridden by environment variables; everything else is data in the database.

Sought as `--config`, `NEWSLETTER_CONFIG`, `./newsletter.toml`. `NEWSLETTER_SENDER__ADDRESS` overrides `[sender] address`;
`NEWSLETTER_TRANSPORT__SMTP__PASSWORD_FILE` reads the value from a file. An unknown key or variable is refused with its path:
a misspelt setting that silently does nothing is how mail goes out wrong.
"""

import difflib
import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from newsletter.errors import ConfigError
from newsletter.settings import providers
from newsletter.settings.incoming import Bounces, Webhooks
from newsletter.settings.pace import Pace
from newsletter.settings.sender import Dkim, DkimKey, Sender
from newsletter.settings.smtp import Smtp

PRIVATE = 0o700  # of folders that hold keys, addresses or mail
PREFIX = "NEWSLETTER_"
NOT_SETTINGS = {"NEWSLETTER_CONFIG", "NEWSLETTER_REQUIRE_ALL"}  # read elsewhere


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _base(url: str) -> str:
    if not url.startswith(("https://", "http://")) or "?" in url or "#" in url:
        raise ValueError("must be an http(s) URL without query")
    return url.rstrip("/")


class Transport(_Section):
    kind: Literal[
        "outbox",
        "smtp",
        "brevo",
        "generic",
        "mailersend",
        "mailgun",
        "mailjet",
        "postmark",
        "resend",
        "sendgrid",
        "ses",
    ] = "outbox"
    outbox: Path | None = None  # folder of .eml files; None: data_dir/outbox
    smtp: Smtp = Smtp()
    brevo: providers.Brevo = providers.Brevo()
    generic: providers.Generic = providers.Generic()
    mailersend: providers.MailerSend = providers.MailerSend()
    mailgun: providers.Mailgun = providers.Mailgun()
    mailjet: providers.Mailjet = providers.Mailjet()
    postmark: providers.Postmark = providers.Postmark()
    resend: providers.Resend = providers.Resend()
    sendgrid: providers.SendGrid = providers.SendGrid()
    ses: providers.Ses = providers.Ses()


class Fetch(_Section):
    user_agent: str = "Newsletter/0.1 (collects articles for a digest)"
    resolve: dict[str, str] = {}  # host = "127.0.0.1:PORT": the only way past the guard; `doctor` shows it
    ca_file: Path | None = None
    pace_seconds: float = Field(1.0, ge=0, le=60)  # between two questions to one host; 0: a server of one's own


class Model(_Section):
    """A language model that writes summaries: any endpoint that answers as OpenAI's chat completions do. Off without `url`."""

    url: str | None = None  # the base, like https://models.example.org/v1
    name: str = ""
    api_key: SecretStr | None = None
    timeout: float = Field(20, gt=0, le=600)  # seconds for each answer
    max_tokens: int = Field(400, ge=50)  # of an answer; a model that thinks aloud needs more
    connections: int = Field(4, ge=1, le=32)  # articles asked about at the same time
    give_up_after: int = Field(3, ge=1)  # failures in a row; then it is left alone for the rest of the run
    run_seconds: float = Field(120, gt=0)  # after so long a run asks no more: an issue must not wait for a slow one

    @field_validator("url")
    @classmethod
    def _is_a_base(cls, value: str | None) -> str | None:
        return _base(value) if value is not None else None

    @model_validator(mode="after")
    def _is_complete(self) -> "Model":
        if self.url and not self.name.strip():
            raise ValueError("name is missing: which model is to be asked?")
        return self

    @property
    def endpoint(self) -> str:
        assert self.url is not None, "asked only when it is on"
        return self.url if self.url.endswith("/chat/completions") else f"{self.url}/chat/completions"


class Web(_Section):
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    proxies: tuple[str, ...] = ()  # addresses of our own proxies: only what they say about a visitor's address counts
    keep_ip: bool = False  # the IP address of a sign-up is kept with its consent; a policy of yours must say so


class Engine(_Section):
    """How many processes of this machine send together when there is enough to send. One keeps about one core busy."""

    processes: int = Field(1, ge=1, le=64)


class Retention(_Section):
    """After how many days what is let go. None: kept until somebody erases it."""

    unconfirmed_days: int | None = Field(
        30, ge=8
    )  # sign-ups that nobody confirmed; a confirmation letter is good for 7
    left_days: int | None = Field(None, ge=1)  # people who left every list; a keyed hash stays
    ip_days: int | None = Field(180, ge=1)  # IP addresses kept with consents, where [web] keep_ip keeps them


class Log(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Preflight(_Section):
    """What is asked of others when an issue is checked. Everything else in preflight needs nobody."""

    links: bool = True  # every link and picture of an issue is looked at once
    seconds: float = Field(20, gt=0, le=300)  # for all links of an issue together
    spamassassin: bool = True  # asked when it is installed


class Settings(_Section):
    data_dir: Path = Path("data")
    base_url: str = "https://newsletter.example.org"  # public pages and every link in the mail stand under it
    language: str = "vi"  # of staff pages and letters to staff, unless they choose another
    timezone: str = "Asia/Ho_Chi_Minh"
    designs: Path | None = None  # a folder of own designs, looked at before the shipped ones
    database_url: str | None = None  # None: SQLite in data_dir
    sender: Sender = Sender()
    transport: Transport = Transport()
    dkim: Dkim = Dkim()
    fetch: Fetch = Fetch()
    model: Model = Model()
    preflight: Preflight = Preflight()
    pace: Pace = Pace()
    web: Web = Web()
    log: Log = Log()
    bounces: Bounces = Bounces()
    retention: Retention = Retention()
    engine: Engine = Engine()
    webhooks: Webhooks = Webhooks()

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not a time zone; use an IANA name such as Asia/Ho_Chi_Minh") from error
        return value

    @field_validator("base_url")
    @classmethod
    def _is_a_base(cls, value: str) -> str:
        return _base(value)

    @model_validator(mode="after")
    def _is_complete(self) -> "Settings":
        account = getattr(self.transport, self.transport.kind)
        for key in account.missing() if isinstance(account, providers.Provider) else ():
            raise ValueError(f"transport.{self.transport.kind}.{key} is missing")
        return self

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'newsletter.db'}"

    @property
    def dkim_keys(self) -> tuple[DkimKey, ...]:
        """Every signing key, with its domain."""
        first = [DkimKey(selector=self.dkim.selector, key_file=self.dkim.key_file)] if self.dkim.key_file else []
        return tuple(
            key.model_copy(update={"domain": (key.domain or self.sender.domain).lower()})
            for key in (*first, *self.dkim.keys)
        )

    @property
    def outbox(self) -> Path:
        return self.transport.outbox or self.data_dir / "outbox"

    @property
    def secrets_file(self) -> Path:
        return self.data_dir / "secrets.toml"


def find_config(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The settings file: `--config`, NEWSLETTER_CONFIG, ./newsletter.toml, in this order; None when there is none."""
    if given is None and environ.get("NEWSLETTER_CONFIG"):
        given = Path(environ["NEWSLETTER_CONFIG"])
    if given is not None:
        if not given.is_file():
            raise ConfigError("there is no such settings file", where=str(given), hint="`newsletter init` writes one")
        return given
    here = Path("newsletter.toml")
    return here if here.is_file() else None


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Relative paths are relative to the settings file. Raises ConfigError, one line with the key's path."""
    environ = os.environ if environ is None else environ
    path = find_config(path, environ)
    values = _read_toml(path) if path else {}
    for key, value in _from_environment(environ).items():
        _put(values, key, value)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _explained(error, path) from None
    return _anchored(settings, path.parent if path else Path())


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error


def _from_environment(environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        key = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if not _exists(key) and key[-1].endswith("_file") and _exists((*key[:-1], key[-1].removesuffix("_file"))):
            key = (*key[:-1], key[-1].removesuffix("_file"))
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigError(f"the file it names cannot be read: {error.strerror}", where=name) from error
        if not _exists(key):
            raise ConfigError("there is no such setting", where=name, hint=_meant(".".join(key)))
        found[key] = value
    return found


def _exists(key: tuple[str, ...]) -> bool:
    model: Any = Settings
    for part in key:
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return True


def _put(values: dict[str, Any], key: tuple[str, ...], value: str) -> None:
    for part in key[:-1]:
        values = values.setdefault(part, {})
    values[key[-1]] = tomllib.loads(f"v = {value}")["v"] if value.startswith("{") else value


def _explained(error: ValidationError, path: Path | None) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    file = str(path) if path else "settings"
    if first["type"] == "extra_forbidden":
        return ConfigError(f"unknown key {key}", where=file, hint=_meant(key))
    what = first["msg"].removeprefix("Value error, ")
    return ConfigError(f"{key}: {what}" if key else what, where=file)


def _meant(key: str) -> str:
    """The nearest key there is, else where they are listed."""
    near = difflib.get_close_matches(key, _keys(Settings), n=1)
    return f"did you mean {near[0]}?" if near else "`newsletter init` writes a file that lists the keys"


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _keys(field.annotation, f"{prefix}{name}.")
    return found


def _anchored(settings: Settings, folder: Path) -> Settings:
    """Paths made relative to the settings file's folder, so that it does not matter where a command is started."""

    def place(path: Path | None) -> Path | None:
        return None if path is None else folder / path.expanduser()

    transport = settings.transport
    relays = tuple(r.model_copy(update={"secret_file": place(r.secret_file)}) for r in transport.smtp.relays)
    smtp = transport.smtp.model_copy(
        update={
            "ca_file": place(transport.smtp.ca_file),
            "secret_file": place(transport.smtp.secret_file),
            "relays": relays,
        }
    )
    keys = tuple(key.model_copy(update={"key_file": place(key.key_file)}) for key in settings.dkim.keys)
    imap = settings.bounces.imap.model_copy(update={"ca_file": place(settings.bounces.imap.ca_file)})
    return settings.model_copy(
        update={
            "data_dir": place(settings.data_dir),
            "designs": place(settings.designs),
            "transport": transport.model_copy(update={"outbox": place(transport.outbox), "smtp": smtp}),
            "dkim": settings.dkim.model_copy(update={"key_file": place(settings.dkim.key_file), "keys": keys}),
            "bounces": settings.bounces.model_copy(update={"imap": imap}),
            "fetch": settings.fetch.model_copy(update={"ca_file": place(settings.fetch.ca_file)}),
        }
    )


# ---------------------------------------------------------------- secrets


class Secrets(_Section):
    """Keys made once per installation. The suppression key never changes and belongs into every backup."""

    link_keys: dict[str, str]  # key id -> hex; several while a rotation runs
    link_key: str  # the id of the one that signs
    suppression_key: str  # hex
    session_key: str  # hex


def load_secrets(settings: Settings, *, may_make: bool = True) -> Secrets:
    """Read data_dir/secrets.toml. Made, readable by its owner only, for a new installation (`may_make`) and never again:

    with other keys no link in mail already sent would work, and nobody who was erased would be recognised.
    """
    path = settings.secrets_file
    if not path.exists():
        if not may_make:
            raise ConfigError(
                "the keys of this installation are missing", where=str(path), hint="restore them from a backup"
            )
        _write_secrets(path)
    try:
        return Secrets.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            "the keys in this file are damaged", where=str(path), hint="restore it from a backup"
        ) from error


def make_data_dir(settings: Settings) -> None:
    """The folder for keys, addresses and mail, its owner's alone; one that is there keeps its mode. Raises ConfigError."""
    try:
        settings.data_dir.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the data folder: {error.strerror}", where=str(settings.data_dir)) from error


def _write_secrets(path: Path) -> None:
    path.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    text = (
        "# Keys of this installation. Keep this file secret, and keep it in the backup: without `suppression_key`\n"
        "# nobody who was erased or suppressed is recognised any more.\n"
        'link_key = "1"\n'
        f'suppression_key = "{secrets.token_hex(32)}"\n'
        f'session_key = "{secrets.token_hex(32)}"\n'
        "[link_keys]\n"
        f'1 = "{secrets.token_hex(32)}"\n'
    )
    temporary = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    try:
        os.link(temporary, path)  # fails when another process was first: then its keys count
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
