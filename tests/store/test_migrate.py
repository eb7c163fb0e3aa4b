"""The schema: one history for both databases, equal to what the code declares."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

import subscribers
from newsletter.errors import ConfigError
from newsletter.store import Connection, Database, articles, migrate, recovering, schema_state, sources, summaries
from newsletter.store.migrate import _config
from newsletter.store.schema import metadata


def test_the_migrations_make_what_the_code_declares(db):
    with db.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, [metadata, subscribers.metadata]) == []


def test_migrating_twice_changes_nothing(db):
    assert schema_state(db) == "current"
    migrate(db)
    assert schema_state(db) == "current"


def _over(conn: Connection) -> Config:
    config = _config()
    config.attributes["connection"] = conn
    return config


def _one_article(conn: Connection, version: str) -> dict[str, str]:
    """The database at a former version, with a source and an article written as that version did; and the moment."""
    command.upgrade(_over(conn), version)
    now = {"now": "2026-11-22T00:00:00.000000Z"}
    conn.execute(
        sa.text(
            "INSERT INTO sources (id, slug, kind, url, name, newest, max_age_seconds, state, failures, first_run_done,"
            " created_at) VALUES ('s', 'gio', 'manual', '', 'Tin Gió', 5, 1209600, 'active', 0, 1, :now)"
        ),
        now,
    )
    conn.execute(
        sa.text(
            "INSERT INTO articles (id, source_id, title, text, authors, language, provenance, state, named, content_hash,"
            " first_seen_at) VALUES ('a', 's', 'Trạm gió', 'Bài.', '[]', 'vi', '{}', 'ready', 0, 'x', :now)"
        ),
        now,
    )
    return now


def test_rows_of_the_version_before_are_kept_and_read(tmp_path):
    """Articles and summaries written before there were topics, a history and costs."""
    db = Database(f"sqlite:///{tmp_path}/old.db")
    with db.begin() as conn:
        now = _one_article(conn, "0003")
        conn.execute(
            sa.text(
                "INSERT INTO summaries (article_id, text, origin, sentences, guard_ok, guard_reasons, made_at)"
                " VALUES ('a', 'Trạm gió chạy thử.', 'extract', '[]', 1, '[]', :now)"
            ),
            now,
        )
    migrate(db)
    with db.read() as conn:
        kept = articles.get(conn, "a")
        assert (kept.weight, kept.source_weight) == (0, 0)
        assert summaries.history(conn, "a") == []
    assert (kept.summary.text, kept.summary.use, kept.topics) == ("Trạm gió chạy thử.", None, ())
    db.close()


def test_a_database_of_the_second_version_reaches_the_present_one_with_its_rows(tmp_path):
    """SQLite makes a table anew for some changes, which rows that point at it forbid: every step must do without."""
    db = Database(f"sqlite:///{tmp_path}/older.db")
    with db.begin() as conn:
        now = _one_article(conn, "0002")
        conn.execute(
            sa.text("INSERT INTO identities (source_id, \"key\", article_id, seen_at) VALUES ('s', 'g:1', 'a', :now)"),
            now,
        )
    migrate(db)
    assert schema_state(db) == "current"
    with db.read() as conn:
        kept, source = articles.get(conn, "a"), sources.by_slug(conn, "gio")
        assert articles.known(conn, "s", ["g:1"]) == {"g:1": "a"}
        assert conn.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    assert (kept.title, kept.source_name, kept.doubt, kept.decided, kept.topics) == (
        "Trạm gió",
        "Tin Gió",
        False,
        None,
        (),
    )
    assert (source.include, source.topics, source.full_text) == ((), (), True)
    with db.begin() as conn:
        command.downgrade(_over(conn), "0002")
        assert conn.execute(sa.text("SELECT title FROM articles")).scalars().all() == ["Trạm gió"]
    db.close()


def test_what_senders_held_before_the_upgrade_is_still_theirs_and_due_rows_are_due(tmp_path):
    """A row's lease became its sender's, and only rows that wait have a moment at which they are due."""
    db = Database(f"sqlite:///{tmp_path}/held.db")
    rows = [("p1", "pending", None), ("p2", "claimed", "a:1"), ("p3", "intent", "a:1"), ("p4", "sent", None)]
    with db.begin() as conn:
        command.upgrade(_over(conn), "0018")
        at = "2026-11-22T00:00:00.000000Z"
        for person, state, worker in rows:
            conn.execute(
                sa.text(
                    "INSERT INTO deliveries (mailing_id, person_id, state, epoch, worker, lease_until, tries, next_at,"
                    " frozen_at, changed_at) VALUES ('m', :p, :s, 1, :w, :l, 1, :at, :at, :at)"
                ),
                {"p": person, "s": state, "w": worker, "l": worker and at, "at": at},
            )
    migrate(db)
    query = sa.text("SELECT person_id, worker, next_at IS NOT NULL FROM deliveries ORDER BY person_id")
    with db.read() as conn:
        kept = [tuple(row) for row in conn.execute(query)]
        assert kept == [("p1", None, 1), ("p2", "a:1", 0), ("p3", "a:1", 0), ("p4", None, 0)]
        assert recovering.senders(conn) == ["a:1"]
    with db.begin() as conn:
        command.downgrade(_over(conn), "0018")
        leases = conn.execute(sa.text("SELECT lease_until IS NOT NULL FROM deliveries ORDER BY person_id"))
        assert leases.scalars().all() == [0, 1, 1, 0]
    migrate(db)
    assert schema_state(db) == "current"
    db.close()


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
