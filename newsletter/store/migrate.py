"""Bring the database to this version's schema: one Alembic history over the tables of `newsletter` and of `subscribers`."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from newsletter.errors import ConfigError
from newsletter.store.engine import Database

_LOCK = 0x6E65_7773  # "news"
FOLDER = Path(__file__).parent / "migrations"


def migrate(db: Database) -> None:
    """Upgrade to the newest schema, in one transaction. Raises ConfigError when the database is newer than this program."""
    state = schema_state(db)
    if state == "newer":
        raise ConfigError(
            "the database was written by a newer version", where="database_url", hint="upgrade the program"
        )
    if state == "current":
        return
    with db.begin() as conn:
        if not db.is_sqlite:  # two first starts at once: the second waits, then finds nothing to do
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def schema_state(db: Database) -> str:
    """`empty`, `older`, `current` or `newer` than this program."""
    known, head = _revisions()
    with db.read() as conn:
        present = MigrationContext.configure(conn).get_current_revision()
    if present is None:
        return "empty"
    if present not in known:
        return "newer"
    return "current" if present == head else "older"


@cache
def _revisions() -> tuple[frozenset[str], str | None]:
    """(all revisions, the newest): reading them costs 0.1 s, and /health asks often."""
    script = ScriptDirectory.from_config(_config())
    return frozenset(revision.revision for revision in script.walk_revisions()), script.get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config
