"""init, migrate, backup, dkim: what is done once on a machine, or now and then beside the running service."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.failing import Options
from newsletter.cli.opening import settings_of
from newsletter.cli.output import note, say
from newsletter.errors import BadInput, ConfigError
from newsletter.mail.dkim import dns_record, new_key
from newsletter.settings import Settings, load, load_secrets
from newsletter.settingsfile import TEMPLATE
from newsletter.store import Database, migrate, schema_state
from newsletter.store.backup import backup_sqlite


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("migrate")(migrate_database)
    app.command("backup")(backup)
    dkim = typer.Typer(help="Make a DKIM key and print its DNS record.", no_args_is_help=True, rich_markup_mode=None)
    dkim.callback()(lambda: None)  # keeps `new` a verb of its own
    dkim.command("new")(dkim_new)
    app.add_typer(dkim, name="dkim")


def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where newsletter.toml is written.")] = Path(),
) -> None:
    """Write a commented newsletter.toml, the data folder and the keys. Nothing that is there is overwritten."""
    options = ctx.find_object(Options)
    path = options.config if options is not None and options.config is not None else folder / "newsletter.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_new(path, TEMPLATE.encode(), mode=0o644)
    settings = load(path)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    load_secrets(settings)
    say(f"wrote {path}")
    say(f"wrote {settings.secrets_file} (keep it secret, and in the backup)")
    note("next: edit the settings, then `newsletter doctor`, `newsletter apply site.toml`, `newsletter serve`")


def migrate_database(ctx: typer.Context) -> None:
    """Bring the database to this version's schema. Other verbs do it by themselves; this one does nothing else."""
    settings = settings_of(ctx)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    db = Database(settings.database)
    try:
        before = schema_state(db)
        migrate(db)
    finally:
        db.close()
    say("the schema is current" if before == "current" else f"the schema was {before}; it is current now")


def backup(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="The copy to write; it must not be there yet.")]
) -> None:
    """Copy the database and the keys while everything runs (SQLite; on Postgres use pg_dump).

    The keys are written beside it as FILE.secrets.toml (and FILE.dkim.pem): without them no link in mail already sent
    works and nobody who was erased is recognised. To restore, put the three files back under their old names.
    """
    settings = settings_of(ctx)
    if settings.database_url is not None and not settings.database_url.startswith("sqlite"):
        raise BadInput(
            "only SQLite is copied by this verb",
            where="database_url",
            hint=f"use pg_dump for the database, and copy {settings.secrets_file}",
        )
    keys = file.with_name(file.name + ".secrets.toml")
    for path in (file, keys):
        if path.exists():
            raise BadInput("there is such a file already", where=str(path), hint="choose another name")
    _copy_database(settings, file)
    if settings.secrets_file.exists():
        _write_new(keys, settings.secrets_file.read_bytes(), mode=0o600)
        say(f"wrote {keys}")
    else:
        note(f"there is no {settings.secrets_file} to copy")
    if settings.dkim.key_file is not None and settings.dkim.key_file.exists():
        _write_new(file.with_name(file.name + ".dkim.pem"), settings.dkim.key_file.read_bytes(), mode=0o600)
        say(f"wrote {file.name}.dkim.pem")
    say(f"wrote {file} ({file.stat().st_size:,} bytes)")


def _copy_database(settings: Settings, file: Path) -> None:
    db = Database(settings.database)
    try:
        if schema_state(db) == "empty":
            raise BadInput("there is nothing in this database", where=str(settings.data_dir))
        if shutil.disk_usage(file.parent).free < 1 << 20:
            raise BadInput("the disk is full", where=str(file.parent))
        backup_sqlite(db, file)
    finally:
        db.close()


def dkim_new(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Option(help="Where the key is written; else dkim.key_file.")] = None,
) -> None:
    """Make an RSA key of 2048 bits and print the DNS record to publish. An existing key is never overwritten."""
    settings = settings_of(ctx)
    path = file or settings.dkim.key_file or settings.data_dir / "dkim.pem"
    pem = new_key()
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_new(path, pem, mode=0o600)
    say(f"wrote {path}")
    say("publish this TXT record:")
    say(f"{settings.dkim.selector}._domainkey.{settings.sender.domain}. IN TXT {zone_text(dns_record(pem))}")
    if settings.dkim.key_file is None or settings.dkim.key_file.resolve() != path.resolve():
        note(f'then set key_file = "{path}" under [dkim]')


def zone_text(record: str) -> str:
    """A TXT record as a zone file writes it: quoted strings of at most 255 octets (RFC 1035 section 3.3)."""
    return " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise ConfigError(
            "there is such a file already, and it is not overwritten", where=str(path), hint="move it away first"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)
