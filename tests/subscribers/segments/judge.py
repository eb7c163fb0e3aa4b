"""What a query says of one person, evaluated in Python as plainly as it can be written: the yardstick for the SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from subscribers import Attribute, parse_address, value_of
from subscribers.folding import How, matches
from subscribers.segments.tree import And, Compare, InLast, IsSet, Like, Node, Not, OneOf, Or, Order, Within


@dataclass(frozen=True, kw_only=True)
class Known:
    """A person of a list as a test made them."""

    texts: Mapping[str, str | None]  # language, timezone, name, domain, mail_group
    attributes: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    topics: tuple[str, ...] | None = None
    lists: frozenset[str] = frozenset()
    moments: Mapping[str, datetime | None] = field(default_factory=dict)  # joined, confirmed, opened, clicked
    sendings: Mapping[str, datetime | None] = field(default_factory=dict)  # opened, clicked: the sending
    counts: Mapping[str, int] = field(default_factory=dict)  # opens, clicks


@dataclass(frozen=True, kw_only=True)
class World:
    declared: Mapping[str, Attribute]
    now: datetime
    zone: ZoneInfo
    sent: tuple[datetime, ...]  # the latest first


def holds(node: Node, who: Known, world: World) -> bool:
    match node:
        case And():
            return all(holds(part, who, world) for part in node.parts)
        case Or():
            return any(holds(part, who, world) for part in node.parts)
        case Not():
            return not holds(node.part, who, world)
        case InLast():
            since = world.sent[: node.issues][-1] if world.sent else None
            theirs = who.sendings.get(node.field)
            return since is not None and theirs is not None and theirs >= since
    if node.field in ("tag", "topic", "list"):
        return _among(node, _held(node.field, who))
    if node.field in world.declared:
        value = value_of(world.declared[node.field], who.attributes)
        return _among(node, value or ()) if world.declared[node.field].type == "texts" else _one(node, value, world)
    if node.field in ("opens", "clicks"):
        return _one(node, who.counts.get(node.field, 0), world)
    if node.field in who.texts:
        return _one(node, who.texts[node.field] or None, world)
    return _moment(node, who.moments.get(node.field), world)


def _held(name: str, who: Known) -> Any:
    if name == "topic":
        return who.topics
    return who.tags if name == "tag" else tuple(who.lists)


def _among(node: Any, held: Any) -> bool:
    if isinstance(node, IsSet):
        return bool(held)
    if held is None:
        return True  # no topic was chosen: every topic
    return any(matches(one, How.EQUALS, sought) for one in held for sought in _sought(node))


def _sought(node: Any) -> tuple[Any, ...]:
    return node.values if isinstance(node, OneOf) else (node.value,)


def _one(node: Any, value: Any, world: World) -> bool:
    if isinstance(node, IsSet):
        return value is not None
    if value is None:
        return False
    match node:
        case Within():
            today = world.now.astimezone(world.zone).date()
            return today - timedelta(days=node.days) <= value <= today
        case Like():
            return matches(value, node.how, node.text)
        case Compare() if not isinstance(value, str):
            return _ordered(node.order, value, node.value)
    return any(_same(node.field, value, sought) for sought in _sought(node))


def _same(name: str, value: Any, sought: Any) -> bool:
    if not isinstance(value, str):
        return bool(value == sought)
    if name == "domain":
        return value == parse_address(f"a@{sought}").domain
    if name == "language" and matches(value, How.STARTS, sought + "-"):
        return True
    return matches(value, How.EQUALS, sought)


def _ordered(order: Order, value: Any, other: Any) -> bool:
    if order is Order.EQUAL:
        return value == other
    if order in (Order.LESS, Order.AT_MOST):
        return value < other if order is Order.LESS else value <= other
    return value > other if order is Order.MORE else value >= other


def _moment(node: Any, value: datetime | None, world: World) -> bool:
    if isinstance(node, Within):
        return value is not None and world.now - timedelta(days=node.days) <= value <= world.now
    day: date | None = None if value is None else value.astimezone(world.zone).date()
    return _one(node, day, world)
