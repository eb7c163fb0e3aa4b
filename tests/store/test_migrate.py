"""The schema: one history for both databases, equal to what the code declares."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import subscribers
from newsletter.errors import ConfigError
from newsletter.store import Database, migrate, schema_state
from newsletter.store.schema import metadata


def test_the_migrations_make_what_the_code_declares(db):
    with db.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, [metadata, subscribers.metadata]) == []


def test_migrating_twice_changes_nothing(db):
    assert schema_state(db) == "current"
    migrate(db)
    assert schema_state(db) == "current"


def test_an_empty_database_is_filled(tmp_path):
    db = Database(f"sqlite:///{tmp_path}/new.db")
    assert schema_state(db) == "empty"
    migrate(db)
    assert schema_state(db) == "current"
    db.close()


def test_a_database_of_a_newer_version_is_refused(db):
    with db.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer version"):
        migrate(db)


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", "oracle+what://x", "postgresql+nodriver://x"])
def test_other_databases_are_refused_in_one_line(url):
    with pytest.raises(ConfigError) as error:
        Database(url)
    assert "database_url" in str(error.value)
    assert "\n" not in str(error.value)


def test_no_table_of_newsletter_points_into_subscribers_or_back():
    ours, theirs = set(metadata.tables), set(subscribers.metadata.tables)
    assert ours.isdisjoint(theirs)
    for table in (*metadata.tables.values(), *subscribers.metadata.tables.values()):
        own = ours if table.name in ours else theirs
        assert {key.column.table.name for key in table.foreign_keys} <= own


def test_naive_times_are_refused(db):
    from datetime import datetime

    from newsletter.store.schema.collecting import sources

    with pytest.raises(sa.exc.StatementError, match="time without a zone"), db.begin() as conn:
        conn.execute(sa.select(sources).where(sources.c.created_at == datetime(2026, 1, 1)))  # noqa: DTZ001
