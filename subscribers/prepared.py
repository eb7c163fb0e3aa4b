"""Statements that run for every message: written once in SQLAlchemy, compiled once, then handed to the driver as they are.

Building, binding and reading one statement costs SQLAlchemy 0.1 to 0.7 ms, more than the database needs for the 25 rows it
is about (2.5 ms and 0.08 ms for one re-check; tests/benchmarks/bench_ledger.py). Only what such a measurement names belongs
here. Values and rows are the driver's: times as `UtcDateTime` stores them, enums by their values, rows as plain tuples.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

Rows = list[tuple[Any, ...]]


class Prepared:
    """One statement for both databases. `build` is given the dialect's name and leaves every value a bindparam."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._made: dict[str, _Text] = {}

    def run(self, conn: Connection, **values: Any) -> Rows:
        """Its rows, none for a statement that returns none. Raises DBAPIError, as SQLAlchemy would."""
        made = self._text(conn)
        cursor = conn.connection.cursor()
        try:
            cursor.execute(made.text, made.given(values))
            return list(cursor.fetchall()) if cursor.description else []
        except conn.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(made.text, None, error, hide_parameters=True) from error
        finally:
            cursor.close()

    def change(self, conn: Connection, **values: Any) -> int:
        """How many rows a statement without answer changed. Raises DBAPIError."""
        made = self._text(conn)
        cursor = conn.connection.cursor()
        try:
            cursor.execute(made.text, made.given(values))
            return int(cursor.rowcount)
        except conn.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(made.text, None, error, hide_parameters=True) from error
        finally:
            cursor.close()

    def run_many(self, conn: Connection, names: Sequence[str], rows: Sequence[tuple[Any, ...]], **shared: Any) -> int:
        """Once for each row of the values `names`, in one call of the driver; `shared` are the same for all.

        Returns how many rows of the database changed.
        """
        made = self._text(conn)
        known = {**made.own, **shared}
        behind = tuple(known.values())
        every: list[Any]
        if made.order is None:
            every = [{**known, **dict(zip(names, row, strict=True))} for row in rows]
        else:
            places = [*names, *known]
            pick = itemgetter(*[places.index(name) for name in made.order])
            every = [pick(row + behind) for row in rows]
        cursor = conn.connection.cursor()
        try:
            cursor.executemany(made.text, every)
            return int(cursor.rowcount)
        except conn.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(made.text, None, error, hide_parameters=True) from error
        finally:
            cursor.close()

    def _text(self, conn: Connection) -> "_Text":
        found = self._made.get(conn.dialect.name)
        if found is None:
            compiled = self._build(conn.dialect.name).compile(dialect=conn.dialect)  # type: ignore[attr-defined]
            own = {name: value for name, value in compiled.params.items() if value is not None}
            found = self._made[conn.dialect.name] = _Text(compiled.string, getattr(compiled, "positiontup", None), own)
        return found


class _Text(NamedTuple):
    text: str
    order: Sequence[str] | None  # of the values, for a driver that takes them by place
    own: Mapping[str, Any]  # values that SQLAlchemy put in itself

    def given(self, values: Mapping[str, Any]) -> Any:
        known = {**self.own, **values} if self.own else values
        return known if self.order is None else [known[name] for name in self.order]


def one_of(dialect: str, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """`column` is one of the values bound as `name` by `listed`: one text for any number of them."""
    if dialect == "postgresql":
        return column == sa.func.any(sa.bindparam(name, type_=sa.ARRAY(sa.Text)))
    value = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(value.c.value))


def listed(conn: Connection, values: Sequence[Any]) -> Any:
    """What `one_of` binds."""
    return json.dumps(values) if conn.dialect.name == "sqlite" else list(values)
