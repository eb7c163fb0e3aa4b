"""A tree into a condition on the rows of an audience: people, their subscription to the list, and what they opened of it.

Values are always bound, names are declared slugs or our own. A condition of which a row says nothing is false, so that
`not` is its exact opposite (tree.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, cast, exists, false, func, literal, literal_column, not_, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from subscribers import jsonrows
from subscribers.address import split_address
from subscribers.attributes import AttributeType
from subscribers.errors import InvalidAddress
from subscribers.folding import How, like
from subscribers.segments.fields import Field
from subscribers.segments.tree import And, Compare, InLast, IsSet, Like, Node, Not, Or, Order, Value, Within
from subscribers.states import SubscriptionState
from subscribers.tables import engagements, people, subscriptions

Test = ColumnElement[bool]
ENGAGED = frozenset(("opened", "clicked", "opens", "clicks"))  # what `engagements` knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where and when a query is asked. `sending`: when the list's n-th last sending was, None when nothing was ever sent."""

    dialect: str
    fields: Mapping[str, Field]
    lists: Mapping[str, str]  # slug to id
    now: datetime
    zone: ZoneInfo  # in which days begin
    sending: Callable[[int], datetime | None]


def condition(node: Node, scope: Scope, *, turned: bool = False) -> Test:
    """To be used where `people` and `subscriptions` are joined with `engagements` (an outer join, of the same list).

    `turned`: it stands under a `not`, where NULL must be said to be false; elsewhere a WHERE takes it for that, and the
    database can estimate a condition that stands bare (Postgres took COALESCE for every second row and chose loops).
    """
    match node:
        case And():
            return and_(*(condition(part, scope, turned=turned) for part in node.parts))
        case Or():
            return or_(*(condition(part, scope, turned=turned) for part in node.parts))
        case Not():
            return not_(condition(node.part, scope, turned=True))
    tested = _tested(node, scope)
    return func.coalesce(tested, false()) if turned else tested


def _tested(node: Any, scope: Scope) -> Test:
    field = scope.fields[node.field]
    if isinstance(node, InLast):
        since = scope.sending(node.issues)
        return false() if since is None else _SENDINGS[field.name] >= since
    match field.type:
        case AttributeType.TEXT:
            return _text(node, field, scope)
        case AttributeType.TEXTS:
            return _texts(node, field, scope)
        case AttributeType.NUMBER:
            return _number(node, field, scope)
        case AttributeType.YES_NO:
            return _yes_no(node, field, scope)
    return _moment(node, field, scope) if field.attribute is None else _day(node, field, scope)


# ---------------------------------------------------------------- texts

_TEXTS: Mapping[str, ColumnElement[Any]] = {
    "language": people.c.language,
    "timezone": people.c.time_zone,
    "name": people.c.name,
    "domain": people.c.address_domain,
    "mail_group": people.c.mail_group,
}


def _text(node: Any, field: Field, scope: Scope) -> Test:
    own = field.attribute is not None
    column = jsonrows.text_at(scope.dialect, people.c.attributes, field.name) if own else _TEXTS[field.name]
    match node:
        case IsSet():
            return column != ""
        case Like():
            return like(scope.dialect, column, node.how, node.text)
        case Compare():
            return _is(column, field, node.value, scope)
    return or_(*(_is(column, field, value, scope) for value in node.values))


def _is(column: ColumnElement[Any], field: Field, value: Value, scope: Scope) -> Test:
    text = str(value)
    if field.name == "domain":
        return column == _known_to_dns(text)
    same = like(scope.dialect, column, How.EQUALS, text)
    if field.name == "language":
        return or_(same, like(scope.dialect, column, How.STARTS, f"{text}-"))
    return same


def _known_to_dns(domain: str) -> str:
    """The A-labels of a domain; as it is when it is none, for then nobody has it."""
    try:
        return split_address(f"a@{domain}")[1]
    except InvalidAddress:
        return domain.lower()


# ---------------------------------------------------------------- lists of texts


def _texts(node: Any, field: Field, scope: Scope) -> Test:
    values = () if isinstance(node, IsSet) else (node.value,) if isinstance(node, Compare) else node.values
    if field.name == "list":
        return _receives(values, scope)
    if field.name == "topic":
        chosen = subscriptions.c.topics
        if not values:
            return chosen.is_not(None)
        held = cast(chosen, JSONB) if scope.dialect == "postgresql" else chosen
        return or_(chosen.is_(None), _any_of(held, values, scope))
    if field.name == "tag":
        return _any_of(people.c.tags, values, scope)
    return _any_of(jsonrows.list_at(scope.dialect, people.c.attributes, field.name), values, scope)


def _any_of(column: ColumnElement[Any], values: tuple[Value, ...], scope: Scope) -> Test:
    def test(one: ColumnElement[Any]) -> Test:
        if not values:
            return one != ""
        return or_(*(like(scope.dialect, one, How.EQUALS, str(value)) for value in values))

    return jsonrows.any_text(scope.dialect, column, test)


def _receives(slugs: tuple[Value, ...], scope: Scope) -> Test:
    other = subscriptions.alias("other")
    ids = [scope.lists[str(slug)] for slug in slugs]
    mine = (other.c.person_id == people.c.id) & (other.c.state == SubscriptionState.ACTIVE.value)
    named = mine & other.c.list_id.in_(ids) if ids else mine
    return exists(select(literal_column("1")).select_from(other).where(named).correlate(people))


# ---------------------------------------------------------------- numbers, yes and no

_ORDERS: Mapping[Order, Callable[[Any, Any], Test]] = {
    Order.EQUAL: lambda column, value: column == value,
    Order.LESS: lambda column, value: column < value,
    Order.AT_MOST: lambda column, value: column <= value,
    Order.MORE: lambda column, value: column > value,
    Order.AT_LEAST: lambda column, value: column >= value,
}


def _number(node: Any, field: Field, scope: Scope) -> Test:
    if field.attribute is None:
        column: ColumnElement[Any] = func.coalesce(engagements.c[field.name], 0)
    else:
        column = jsonrows.number_at(scope.dialect, people.c.attributes, field.name)
    match node:
        case IsSet():
            return column.is_not(None)
        case Compare():
            return _ORDERS[node.order](column, literal(node.value))
    return or_(*(column == literal(value) for value in node.values))


def _yes_no(node: Any, field: Field, scope: Scope) -> Test:
    def says(yes: bool) -> Test:
        return jsonrows.says(scope.dialect, people.c.attributes, field.name, yes=yes)

    return or_(says(True), says(False)) if isinstance(node, IsSet) else says(node.value)


# ---------------------------------------------------------------- days and moments

_MOMENTS: Mapping[str, ColumnElement[Any]] = {
    "joined": subscriptions.c.since,
    "confirmed": subscriptions.c.confirmed_at,
    "opened": engagements.c.last_opened_at,
    "clicked": engagements.c.last_clicked_at,
}
_SENDINGS: Mapping[str, ColumnElement[Any]] = {
    "opened": engagements.c.opened_sending,
    "clicked": engagements.c.clicked_sending,
}


def _moment(node: Any, field: Field, scope: Scope) -> Test:
    """A day is from its midnight to the next, in the installation's zone."""
    column = _MOMENTS[field.name]
    match node:
        case IsSet():
            return column.is_not(None)
        case Within():
            return and_(column >= scope.now - timedelta(days=node.days), column <= scope.now)
    begins, ends = _begins(node.value, scope), _begins(node.value + timedelta(days=1), scope)
    match node.order:
        case Order.EQUAL:
            return and_(column >= begins, column < ends)
        case Order.LESS:
            return column < begins
        case Order.AT_MOST:
            return column < ends
        case Order.MORE:
            return column >= ends
    return column >= begins


def _begins(day: date, scope: Scope) -> datetime:
    return datetime.combine(day, time(), scope.zone)


_DAY_SQLITE, _DAY_POSTGRES = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]", "^[0-9]{4}-[01][0-9]-[0-3][0-9]$"


def _day(node: Any, field: Field, scope: Scope) -> Test:
    """An attribute's day: ten characters that sort as they read."""
    column: ColumnElement[Any] = jsonrows.text_at(scope.dialect, people.c.attributes, field.name)
    if scope.dialect == "postgresql":
        shaped = column.op("~", is_comparison=True)(literal_column(f"'{_DAY_POSTGRES}'"))
        column = column.collate("C")
    else:
        shaped = column.op("GLOB", is_comparison=True)(literal_column(f"'{_DAY_SQLITE}'"))
    match node:
        case IsSet():
            return shaped
        case Within():
            today = scope.now.astimezone(scope.zone).date()
            return and_(shaped, column >= (today - timedelta(days=node.days)).isoformat(), column <= today.isoformat())
    return and_(shaped, _ORDERS[node.order](column, node.value.isoformat()))
