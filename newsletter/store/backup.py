"""A copy of the database that is whole although others write meanwhile. Only SQLite: Postgres has pg_dump."""

import os
from pathlib import Path

from newsletter.errors import BadInput
from newsletter.store.engine import Database


def backup_sqlite(db: Database, path: Path) -> None:
    """Write one consistent, compacted copy to `path`; it appears there only when it is whole.

    Raises BadInput for another database, or when the folder cannot be written.
    """
    if not db.is_sqlite:
        raise BadInput("only SQLite can be copied like this", hint="use pg_dump")
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    raw = db.engine.raw_connection()
    try:
        # Outside any transaction, as VACUUM must be; the pooled connection is in autocommit until our BEGIN (engine.py).
        raw.cursor().execute("VACUUM INTO ?", (str(half),))
        half.chmod(0o600)  # it holds addresses
        half.replace(path)
    except (OSError, db.engine.dialect.loaded_dbapi.Error) as error:
        raise BadInput(f"the copy cannot be written: {error}", where=str(path)) from error
    finally:
        raw.close()
        half.unlink(missing_ok=True)
