"""One engine for both databases: how to open it, how a transaction begins, and the column types all tables share.

SQLite runs in WAL with full synchronous writes, because an intent must survive a power cut before the final dot is sent;
writers take their lock at BEGIN (IMMEDIATE), so two writers queue instead of failing when the first read turns into a write.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.exc import DBAPIError as DatabaseUnavailable
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from newsletter.errors import ConfigError

__all__ = [
    "Connection",
    "Database",
    "DatabaseUnavailable",
    "UtcDateTime",
    "cannot_be_used",
    "insert",
    "insert_of",
    "moment",
    "read_moment",
]

BUSY_TIMEOUT_MS = 30_000
_POSTGRES = " ".join(
    f"-c {setting}"
    for setting in (
        # A sender that was stopped inside a transaction must not hold up the others for ever.
        "lock_timeout=30s",
        "idle_in_transaction_session_timeout=60s",
        # As if each row cost a disk's seek (4, the default), it reads a table of 40,000 people whole to find 500 by key.
        "random_page_cost=1.1",
        # A plan for any list of people takes it for ten long.
        "plan_cache_mode=force_custom_plan",
    )
)
# A line that went dead without a word (a partition, a fail-over) is noticed in about a minute, not after the kernel's two hours.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_URLS = "use sqlite:///file.db or postgresql://user@host/name"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC. SQLite keeps fixed-width text, so that text order is time order; Postgres keeps timestamptz."""

    impl = sa.String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time without a zone: {value.isoformat()}")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else read_moment(value)


_MOMENT = UtcDateTime()


def moment(conn: Connection, value: datetime) -> Any:
    """`value` as `conn`'s driver takes it in a prepared statement. Raises ValueError for a time without a zone."""
    return _MOMENT.process_bind_param(value, conn.dialect)


def read_moment(stored: Any) -> datetime:
    """What a driver gives for a time, in UTC."""
    return stored.astimezone(UTC) if isinstance(stored, datetime) else datetime.fromisoformat(stored)


def cannot_be_used(error: Exception) -> bool:
    """Whether an error is the database's own (gone, locked, full), not one of the values it was given (PEP 249)."""
    names = {kind.__name__ for kind in type(getattr(error, "orig", None)).__mro__}
    return not names.isdisjoint({"OperationalError", "InterfaceError"})


def insert(conn: Connection, table: sa.Table) -> Any:
    """An INSERT that may say ON CONFLICT; both databases spell it alike, SQLAlchemy has one class for each."""
    return insert_of(conn.dialect.name, table)


def insert_of(dialect: str, table: sa.Table) -> Any:
    """The same for a statement that is built once and kept."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


class Database:
    """The open database. `begin()` for anything that may write, `read()` for anything that surely does not."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._turns = _Turns() if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, on: Connection | None = None) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back on any exception. `on`: what `keep` gave."""
        with self._turns, nullcontext(on) if on is not None else self.keep() as conn, conn.begin():
            yield conn

    def keep(self) -> Connection:
        """A connection for one thread's many write transactions (0.15 ms less for each); to be closed by its caller."""
        return self.engine.connect().execution_options(newsletter_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; on SQLite it never waits for a writer."""
        with self.engine.connect() as conn, conn.begin():
            yield conn

    def close(self) -> None:
        self.engine.dispose()


class _Turns:
    """A process's own writers take turns in the order they came, each thread any number at a time.

    SQLite lets a writer that finds the file locked sleep and look again, up to 100 ms at a time: beside a thread that
    writes without pause it hardly ever gets in (measured: 160 ms for a claim of 10 ms while the recorder commits).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._lock:
            if self._owner in (None, me):
                self._owner, self._depth = me, self._depth + 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._queue.append(mine)
        mine.acquire()  # whoever leaves hands over to us
        self._owner, self._depth = me, 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            self._owner = None
            if self._queue:
                self._owner = -1  # nobody may overtake the one whose turn it is
                self._queue.popleft().release()


def _engine(url: str) -> Engine:
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    try:
        backend = sa.make_url(url).get_backend_name()
    except ArgumentError as error:
        raise ConfigError("this is no database URL", where="database_url", hint=_URLS) from error
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(f"{backend} is not supported", where="database_url", hint=_URLS)
    try:
        # Without hide_parameters an error would quote bound values, addresses among them, into the log.
        engine = sa.create_engine(
            url,
            pool_pre_ping=backend == "postgresql",
            hide_parameters=True,
            connect_args={"options": _POSTGRES, **_PATIENCE} if backend == "postgresql" else {},
        )
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigError("this database driver is not here", where="database_url", hint=_URLS) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "do_connect", _make_private)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(_dialect: Dialect, _entry: ConnectionPoolEntry, args: list[Any], _named: dict[str, Any]) -> None:
    """The file of a new database is for its owner alone; SQLite gives its -wal and -shm the same mode (sqlite.org/wal.html)."""
    if args and ":" not in str(args[0]):  # :memory:, file:…
        with suppress(OSError):  # SQLite says it better
            os.close(os.open(args[0], os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-16000",  # 16 MB: the ledger's working set, bounded
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(conn: Connection) -> None:
    write = conn.get_execution_options().get("newsletter_write", False)
    try:  # the driver's own call: SQLAlchemy's needs a tenth of a millisecond to say the word
        cast(Any, conn.connection).execute("BEGIN IMMEDIATE" if write else "BEGIN")
    except conn.dialect.loaded_dbapi.Error as error:
        raise DatabaseUnavailable("BEGIN", None, error, hide_parameters=True) from error
