"""doctor: the effective settings without secrets, and whether each thing they name works. Writes and sends nothing."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr

from newsletter.cli.failing import WRONG
from newsletter.cli.names import doctor_dns
from newsletter.cli.opening import settings_of
from newsletter.cli.output import emit, say
from newsletter.compose.context import NewsletterView
from newsletter.compose.design import LETTERS, default_folders, design_names, find_design, find_letters
from newsletter.compose.render import fit_issue, render_letter
from newsletter.compose.sample import SAMPLE_LETTERS, sample_context
from newsletter.deliver import providers
from newsletter.deliver.smtp import SmtpTransport
from newsletter.errors import NewsletterError
from newsletter.http import Fetcher, is_public
from newsletter.locale import available
from newsletter.mail.dkim import record_name, zone_text
from newsletter.main import make_signers
from newsletter.model import LetterKind
from newsletter.settings import Settings, load_secrets
from newsletter.store import Database, DatabaseUnavailable, schema_state

OK, WARNING, ERROR = "ok", "warning", "error"
HIDDEN = "…"
MASKED = str(SecretStr("x"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    check: str
    level: str
    message: str


Told = Iterator[tuple[str, str]]


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(doctor)
    group.command("dns")(doctor_dns)
    app.add_typer(group, name="doctor")


def doctor(ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show the effective settings and check what they name: database, designs, transport, sender. Code 1: a fault.

    An SMTP server is greeted, with TLS and password, but given no message. What the sender's domains publish is another
    verb's: doctor dns.
    """
    if ctx.invoked_subcommand is not None:
        return
    settings = settings_of(ctx)
    shown = dict(flat(effective(settings)))
    verdicts = list(examine(settings))
    if as_json:
        emit({"settings": shown, "checks": verdicts})
    else:
        for key, value in shown.items():
            say(f"{key} = {value}")
        say()
        for verdict in verdicts:
            say(f"{verdict.level:<8}{verdict.check:<10}{verdict.message}")
    raise typer.Exit(WRONG if any(verdict.level == ERROR for verdict in verdicts) else 0)


# ---------------------------------------------------------------- settings without secrets


def effective(settings: Settings) -> dict[str, Any]:
    """All settings as they count, passwords and tokens hidden, also the one inside the database URL."""
    values = settings.model_dump(mode="json")
    values["database_url"] = without_password(settings.database)
    hidden: dict[str, Any] = _without_secrets(values)
    return hidden


def _without_secrets(value: Any) -> Any:
    """What pydantic shows of a secret, as ours."""
    if isinstance(value, Mapping):
        return {key: _without_secrets(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    return HIDDEN if value == MASKED else value


def without_password(url: str) -> str:
    """A database URL whose password is hidden, whether it stands before the host or among the parameters."""
    hidden = re.sub(r"(://[^:/?@]*):.*@", rf"\1:{HIDDEN}@", url)
    return re.sub(r"([?&][^=&]*pass[^=&]*=)[^&]*", rf"\1{HIDDEN}", hidden, flags=re.I)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted keys."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


# ---------------------------------------------------------------- checks


def examine(settings: Settings) -> Iterator[Verdict]:
    """Every check's verdicts. A check that fails says why in one line; the others go on."""
    for name, check in CHECKS.items():
        try:
            found = list(check(settings))
        except (NewsletterError, DatabaseUnavailable, OSError) as error:
            reason = error.orig if isinstance(error, DatabaseUnavailable) else error
            found = [(ERROR, " ".join(str(reason).split()))]
        for level, message in found:
            yield Verdict(check=name, level=level, message=message)


def _data(settings: Settings) -> Told:
    folder = settings.data_dir
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        yield ERROR, f"{folder} cannot be written"
    elif place != folder:
        yield WARNING, f"{folder} is not there yet; `newsletter init` or `migrate` makes it"
    else:
        yield OK, f"{folder} can be written"
        yield from _open_to_others(folder)
    if not settings.secrets_file.exists():
        yield WARNING, f"{settings.secrets_file} is not there yet; `newsletter init` makes the keys"
        return
    load_secrets(settings)
    if settings.secrets_file.stat().st_mode & 0o077:
        yield WARNING, f"{settings.secrets_file} can be read by others; chmod 600 keeps the keys secret"


def _open_to_others(folder: Path) -> Told:
    """Windows and some mounts have no such modes, and show them all."""
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        yield WARNING, f"{folder} can be read by others; chmod 700 keeps addresses and mail to its owner"


def _database(settings: Settings) -> Told:
    file = settings.data_dir / "newsletter.db"
    if settings.database_url is None and not file.exists():
        yield WARNING, f"{file} is not there yet; `newsletter migrate` makes it"
        return
    db = Database(settings.database)
    try:
        state = schema_state(db)
    finally:
        db.close()
    advice = {
        "current": (OK, "the schema is current"),
        "older": (WARNING, "the schema is older; `newsletter migrate` brings it up to date"),
        "empty": (WARNING, "there is no table yet; `newsletter migrate` makes them"),
        "newer": (ERROR, "it was written by a newer version; upgrade the program"),
    }
    yield advice[state]


def _designs(settings: Settings) -> Told:
    if settings.designs is not None and not settings.designs.is_dir():
        yield ERROR, f"{settings.designs}: there is no such folder"
    folders = default_folders(settings.designs)
    for name in (*design_names(folders), LETTERS):
        try:
            for language in available():
                _render(name, folders, language, settings)
        except NewsletterError as error:
            yield ERROR, str(error)
        else:
            yield OK, f"{name} renders in {', '.join(available())}"


def _render(name: str, folders: tuple[Path, ...], language: str, settings: Settings) -> None:
    nonce = "0" * 16
    view = NewsletterView(
        name="Bản tin mẫu",
        organisation=settings.sender.organisation or settings.sender.name,
        postal_address=settings.sender.postal_address,
        url=settings.base_url,
        language=language,
    )
    if name != LETTERS:
        fit_issue(
            find_design(name, folders),
            sample_context(7, language=language, newsletter=view),
            nonce=nonce,
            language=language,
        )
        return
    letters = find_letters(folders)
    for kind in LetterKind:
        render_letter(kind, SAMPLE_LETTERS[kind], design=letters, newsletter=view, nonce=nonce, language=language)


def _transport(settings: Settings) -> Told:
    kind = settings.transport.kind
    if kind == "outbox":
        folder = settings.outbox.absolute()
        place = next(path for path in (folder, *folder.parents) if path.exists())
        if not place.is_dir() or not os.access(place, os.W_OK):
            yield ERROR, f"the outbox {settings.outbox} cannot be written"
        else:
            yield OK, f"messages are written to {settings.outbox}; nothing leaves this machine"
            if folder.exists() and settings.data_dir.absolute() not in folder.parents:
                yield from _open_to_others(folder)
        return
    if kind != "smtp":
        yield OK, f"{kind} has its keys; they were not tried"
        for is_fault, words in providers.notes(settings):
            yield (WARNING if is_fault else OK), words
        return
    transport = SmtpTransport(settings.transport.smtp, ehlo_name=settings.sender.domain)
    for relay, found in transport.look():
        if isinstance(found, NewsletterError):
            yield ERROR, " ".join(str(found).split())
            continue
        how = f"{relay.security}, {'logged in' if relay.username else 'no login'}"
        what = f"smtp {relay.host}:{relay.port} answers ({how}), {found.told()}"
        yield (OK if relay.security != "none" else WARNING), what


def _time(settings: Settings) -> Told:
    now = datetime.now(UTC).astimezone(ZoneInfo(settings.timezone))
    yield OK, f"{settings.timezone}: it is {now:%Y-%m-%d %H:%M %Z} there"


def _base_url(settings: Settings) -> Told:
    host = urlsplit(settings.base_url).hostname or ""
    leaves = settings.transport.kind != "outbox"
    if not settings.base_url.startswith("https://"):
        yield (ERROR if leaves else WARNING), f"{settings.base_url} is not https; one-click unsubscribing needs it"
    elif host in ("localhost", "127.0.0.1") or host.endswith((".example", "example.org")):
        yield WARNING, f"{settings.base_url} cannot be reached by readers"
    else:
        yield OK, settings.base_url


def _sender(settings: Settings) -> Told:
    sender = settings.sender
    level = WARNING if sender.domain in ("example.org", "example.com", "example.net") else OK
    yield level, f"{sender.address}{' is only an example' if level == WARNING else ''}"
    if not sender.postal_address.strip():
        yield WARNING, "sender.postal_address is empty; the law of many countries wants it in every mail"


def _dkim(settings: Settings) -> Told:
    signers = make_signers(settings)
    for domain in settings.sender.domains:
        if signers.of(f"@{domain}") is None:
            yield (
                WARNING,
                f"no key for {domain}: its mail leaves unsigned, unless the relay signs; `newsletter dkim new`",
            )
    for path in (key.key_file for key in settings.dkim_keys):
        if path.stat().st_mode & 0o077:
            yield WARNING, f"{path} can be read by others; chmod 600 keeps it secret"
    for signer in signers.all:
        for selector, key in signer.keys:
            yield OK, f"publish {record_name(selector, signer.domain)}. IN TXT {zone_text(key.record)}"


def _fetch(settings: Settings) -> Told:
    for host, target in settings.fetch.resolve.items():
        yield WARNING, f"fetch.resolve: {host} is read from {target}, past the guard against private addresses"
    if settings.fetch.pace_seconds == 0:
        yield WARNING, "fetch.pace_seconds is 0: every host is asked without a pause; 1 is polite to strangers"
    Fetcher(
        user_agent=settings.fetch.user_agent, resolve=settings.fetch.resolve, ca_file=settings.fetch.ca_file
    ).close()
    yield OK, f"as {settings.fetch.user_agent}"


def _model(settings: Settings) -> Told:
    model = settings.model
    if not model.url:
        yield OK, "off: summaries are the publisher's words or whole sentences of the article"
        return
    parts = urlsplit(model.url)
    host = parts.hostname or ""
    mapped = host in {name.lower() for name in settings.fetch.resolve}
    if not mapped and (host == "localhost" or _is_private(host)):
        yield (
            ERROR,
            f'{host} is on this machine or network; give it a name of its own and map it: url = "http://model.local/v1",'
            f' fetch.resolve = {{ "model.local" = "{host}:{parts.port or 80}" }}',
        )
    elif parts.scheme == "http" and not mapped:
        yield WARNING, f"{model.url} is not https: articles and the key travel in the open"
    else:
        yield OK, f"{model.name} at {model.url} writes summaries; articles are given to it; it was not tried"
    if model.api_key is None and not mapped:
        yield WARNING, "model.api_key is empty"


def _is_private(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:  # a name, not an address
        return False


CHECKS: Mapping[str, Callable[[Settings], Told]] = {
    "data": _data,
    "database": _database,
    "designs": _designs,
    "transport": _transport,
    "time": _time,
    "base_url": _base_url,
    "sender": _sender,
    "dkim": _dkim,
    "fetch": _fetch,
    "model": _model,
}
