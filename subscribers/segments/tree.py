"""What a segment's query says, as frozen data, and how it is written. Pure.

Every condition is true or false of a person, never unknown: what is absent equals nothing, contains nothing and is
neither before nor after anything; `not` turns that round, so `city != "Huế"` is true of who has no city.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from subscribers.folding import How

Value = str | int | float | bool | date


class Order(StrEnum):
    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Texts know only EQUAL."""

    field: str
    order: Order
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    field: str
    how: How
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IsSet:
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """Between so many days ago and now."""

    field: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InLast:
    """Of what the list sent last, so many sendings."""

    field: str
    issues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    parts: tuple["Node", ...]


Condition = Compare | OneOf | Like | IsSet | Within | InLast
Node = Condition | Not | And | Or


def conditions(node: Node) -> Iterator[Condition]:
    """All conditions of a query, from left to right."""
    match node:
        case Not():
            yield from conditions(node.part)
        case And() | Or():
            for part in node.parts:
                yield from conditions(part)
        case _:
            yield node


def written(node: Node) -> str:
    """The query as text that reads back as the same tree."""
    match node:
        case And():
            return " and ".join(_within(part, (And, Or)) for part in node.parts)
        case Or():
            return " or ".join(_within(part, (Or,)) for part in node.parts)
        case Not():
            return f"not {_within(node.part, (And, Or))}"
        case Compare():
            return f"{node.field} {node.order} {_value(node.value)}"
        case OneOf():
            return f"{node.field} in ({', '.join(map(_value, node.values))})"
        case Like():
            return f"{node.field} {node.how} {_value(node.text)}"
        case IsSet():
            return f"{node.field} is set"
        case Within():
            return f"{node.field} within {node.days} days"
        case InLast():
            return f"{node.field} in last {node.issues} issues"


def _within(node: Node, looser: tuple[type, ...]) -> str:
    return f"({written(node)})" if isinstance(node, looser) else written(node)


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value)
