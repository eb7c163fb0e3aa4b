"""init, migrate, backup: what is done once on a machine, or now and then beside the running service."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.failing import Options
from newsletter.cli.opening import settings_of
from newsletter.cli.output import note, say
from newsletter.cli.writing import write_new
from newsletter.errors import BadInput
from newsletter.mail.dkim import record_name
from newsletter.settings import Settings, load, load_secrets, make_data_dir
from newsletter.settings.file import TEMPLATE
from newsletter.store import Database, migrate, schema_state
from newsletter.store.backup import backup_sqlite


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("migrate")(migrate_database)
    app.command("backup")(backup)


def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where newsletter.toml is written.")] = Path(),
) -> None:
    """Write a commented newsletter.toml, the data folder and the keys. Nothing that is there is overwritten."""
    options = ctx.find_object(Options)
    path = options.config if options is not None and options.config is not None else folder / "newsletter.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, TEMPLATE.encode(), mode=0o644)
    settings = load(path)
    make_data_dir(settings)
    load_secrets(settings)
    say(f"wrote {path}")
    say(f"wrote {settings.secrets_file} (keep it secret, and in the backup)")
    note("next: edit the settings, then `newsletter doctor`, `newsletter apply site.toml`, `newsletter serve`")


def migrate_database(ctx: typer.Context) -> None:
    """Bring the database to this version's schema. Other verbs do it by themselves; this one does nothing else."""
    settings = settings_of(ctx)
    make_data_dir(settings)
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
    works and nobody who was erased is recognised. To restore, put the files back under their old names.
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
        write_new(keys, settings.secrets_file.read_bytes(), mode=0o600)
        say(f"wrote {keys}")
    else:
        note(f"there is no {settings.secrets_file} to copy")
    for number, key in enumerate(settings.dkim_keys):
        copy = file.with_name(f"{file.name}.dkim{f'-{number + 1}' if number else ''}.pem")
        if key.key_file.exists():
            write_new(copy, key.key_file.read_bytes(), mode=0o600)
            say(f"wrote {copy.name} ({record_name(key.selector, key.domain)})")
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
