"""Thousands of values in one statement: asked for as one parameter, written a hundred rows at a time (SQLite) or by COPY
(Postgres).

SQLAlchemy's handling of each value takes longer than the database does. No value ever becomes part of a statement's text.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Connection, Table, Text, bindparam, func, select

from subscribers import prepared
from subscribers.errors import ImportProblem

# Rows to one INSERT of SQLite's: it ends a statement, with all its bookkeeping, for each row of an executemany. Written
# together, and what they share bound once, a person's three rows take 5.7 instead of 12.0 µs; with 20 or 500 it is 6.1 to 6.3.
_TOGETHER = 100
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class RowsRefused(ImportProblem):
    """The database refused a batch. Its own words stay behind, because they quote the row.

    `raced`: another writer was faster (a unique key is taken) or waits for us as we for them; trying again helps.
    """

    def __init__(self, error: Any) -> None:
        state = getattr(error, "sqlstate", None)
        super().__init__(f"the database refused these rows ({state or type(error).__name__})")
        self.raced = lost_a_race(error)


def lost_a_race(error: Any) -> bool:
    """Does this error of a driver mean that another writer was faster, or (Postgres) a deadlock or serialisation?"""
    state = getattr(error, "sqlstate", None)
    return state in ("23505", "40P01", "40001") if state else type(error).__name__ == "IntegrityError"


def one_of(conn: Connection, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """`column` is one of `values`, any number of them: one parameter, so the statement is compiled once.

    SQLite sorts them and walks the column's index in order.
    """
    given = prepared.listed(conn, list(values))
    if conn.dialect.name == "postgresql":
        return column == func.any(bindparam(None, given, type_=ARRAY(Text)))
    return column.in_(select(func.json_each(given).table_valued("value").c.value))


def insert_rows(
    conn: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    shared: Mapping[str, Any] = _NOTHING,
) -> None:
    """Rows of texts, whole numbers and None; a time is text as `as_text` writes it, which both databases read.

    `shared` are columns that have one value in all rows. `rows` is read once, so of a generator few rows are alive at a
    time: the garbage collector walked through lists of them for a sixth of an import's time. Raises RowsRefused, and the
    caller's transaction is lost.
    """
    driver: Any = conn.connection.driver_connection
    write = _copy if conn.dialect.name == "postgresql" else _insert
    try:
        write(driver, _Into(table.name, (*columns,), (*shared,)), rows, tuple(shared.values()))
    except conn.dialect.loaded_dbapi.Error as error:
        raise RowsRefused(error) from None


class _Into(NamedTuple):
    """Our own names only."""

    table: str
    columns: tuple[str, ...]
    shared: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.columns + self.shared)})"


def _copy(driver: Any, into: _Into, rows: Iterable[Sequence[Any]], given: tuple[Any, ...]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row((*row, *given))


def _insert(driver: Any, into: _Into, rows: Iterable[Sequence[Any]], given: tuple[Any, ...]) -> None:
    left = iter(rows)
    while chunk := list(islice(left, _TOGETHER)):
        if len(chunk) == _TOGETHER:
            driver.execute(_insertion(into, _TOGETHER), (*given, *chain.from_iterable(chunk)))
        else:
            driver.executemany(_insertion(into, 1), [(*given, *row) for row in chunk])


@lru_cache(maxsize=32)
def _insertion(into: _Into, rows: int) -> str:
    """Shared values are bound once for all rows of a statement: ?1, ?2 …, in front of those of the rows."""
    width, first = len(into.columns), len(into.shared) + 1
    behind = [f"?{place}" for place in range(1, first)]
    values = (
        f"({', '.join([*(f'?{place}' for place in range(start, start + width)), *behind])})"
        for start in range(first, first + rows * width, width)
    )
    return f"INSERT INTO {into} VALUES {', '.join(values)}"  # noqa: S608
