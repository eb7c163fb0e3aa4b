"""Reading JSON columns in SQL, in both dialects, so that a value of an unexpected type is absent and never an error.

Postgres raises where a text is cast to a number; a segment must not fail at the send moment because of one odd row.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Double, Text, and_, case, cast, exists, func, literal_column, null, select
from sqlalchemy import column as _column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.selectable import TableValuedAlias


def has(dialect: str, column: ColumnElement[Any], key: str) -> ColumnElement[bool]:
    """Is there anything under `key`, of whatever type?"""
    return (_at(column, key, "->", JSONB()) if dialect == "postgresql" else _type_of(column, key)).is_not(None)


def text_at(dialect: str, column: ColumnElement[Any], key: str) -> ColumnElement[str | None]:
    """The text under `key` of an object; NULL when there is none. `key` is a declared slug: letters, figures and _."""
    if dialect == "postgresql":
        return case((_is(column, key, "string"), _at(column, key, "->>")), else_=null())
    return case((_type_of(column, key) == literal_column("'text'"), _extract(column, key)), else_=null())


def number_at(dialect: str, column: ColumnElement[Any], key: str) -> ColumnElement[float | None]:
    """The number under `key`, as double precision."""
    if dialect == "postgresql":
        return case((_is(column, key, "number"), cast(_at(column, key, "->>"), Double)), else_=null())
    numeric = _type_of(column, key).in_([literal_column("'integer'"), literal_column("'real'")])
    return case((numeric, _extract(column, key)), else_=null())


def says(dialect: str, column: ColumnElement[Any], key: str, *, yes: bool) -> ColumnElement[bool]:
    """Is the value under `key` exactly true (or false)? NULL where there is none."""
    said: ColumnElement[Any] = literal_column("'true'" if yes else "'false'")
    if dialect == "postgresql":
        return and_(_is(column, key, "boolean"), _at(column, key, "->>") == said)
    return _type_of(column, key) == said


def list_at(dialect: str, column: ColumnElement[Any], key: str) -> ColumnElement[Any]:
    """The list under `key`; an empty one when there is none."""
    if dialect == "postgresql":
        empty = cast(literal_column("'[]'"), JSONB)
        return case((_is(column, key, "array"), _at(column, key, "->", JSONB())), else_=empty)
    return case(
        (_type_of(column, key) == literal_column("'array'"), _extract(column, key)), else_=literal_column("'[]'")
    )


def elements(dialect: str, column: ColumnElement[Any], name: str) -> TableValuedAlias:
    """The elements of a JSON list as rows: `value`, and on SQLite their `type`. `column`: a list or NULL, never a scalar."""
    if dialect == "postgresql":
        return func.jsonb_array_elements(column).table_valued(_column("value", JSONB()), name=name)
    return func.json_each(column).table_valued("value", "type", name=name)


def any_text(
    dialect: str, column: ColumnElement[Any], test: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Is there a text in the list of which `test` is true? `column` as for `elements`, of `people` or `subscriptions`."""
    one = elements(dialect, column, "one")
    if dialect == "postgresql":
        is_text = func.jsonb_typeof(one.c.value) == literal_column("'string'")
        value: ColumnElement[Any] = one.c.value.op("#>>", return_type=Text())(literal_column("'{}'"))
    else:
        is_text, value = one.c.type == literal_column("'text'"), one.c.value
    return exists(select(literal_column("1")).select_from(one).where(is_text, test(value)).correlate_except(one))


def _at(column: ColumnElement[Any], key: str, operator: str, type_: Any = None) -> ColumnElement[Any]:
    return column.op(operator, return_type=type_ or Text())(literal_column(f"'{key}'"))


def _is(column: ColumnElement[Any], key: str, kind: str) -> ColumnElement[bool]:
    return func.jsonb_typeof(_at(column, key, "->", JSONB())) == literal_column(f"'{kind}'")


def _type_of(column: ColumnElement[Any], key: str) -> ColumnElement[str | None]:
    return func.json_type(column, literal_column(f"'$.{key}'"), type_=Text())


def _extract(column: ColumnElement[Any], key: str) -> ColumnElement[Any]:
    return func.json_extract(column, literal_column(f"'$.{key}'"))
