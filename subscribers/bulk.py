"""Thousands of values in one statement: asked for as one parameter, written by executemany (SQLite) or COPY (Postgres).

SQLAlchemy's handling of each value takes longer than the database does. No value ever becomes part of a statement's text.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Table, Text, bindparam, func, select

from subscribers import prepared
from subscribers.errors import ImportProblem


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


def insert_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows of texts, whole numbers and None; a time is text as `as_text` writes it, which both databases read.

    `rows` is read once, so a generator keeps no more than one row alive: the garbage collector walked through lists of
    them for a sixth of an import's time. Raises RowsRefused, and the caller's transaction is lost.
    """
    named = f"{table.name} ({', '.join(columns)})"  # our own names only
    driver: Any = conn.connection.driver_connection
    try:
        if conn.dialect.name == "postgresql":
            with driver.cursor() as cursor, cursor.copy(f"COPY {named} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            driver.executemany(f"INSERT INTO {named} VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608
    except conn.dialect.loaded_dbapi.Error as error:
        raise RowsRefused(error) from None
