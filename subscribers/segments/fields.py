"""The words a query may name: what is known of everybody, and the attributes declared here. Pure but for `vocabulary`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from subscribers.attributes import Attribute, AttributeType, list_attributes
from subscribers.tables import lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`engaged`: a moment that comes again and again, so that it may be sought in the last issues, or never."""

    name: str
    type: AttributeType
    attribute: Attribute | None = None
    engaged: bool = False


OWN = (
    Field(name="tag", type=AttributeType.TEXTS),
    Field(name="topic", type=AttributeType.TEXTS),  # chosen on this list; who chose none has every topic
    Field(name="list", type=AttributeType.TEXTS),  # slugs of lists they receive
    Field(name="language", type=AttributeType.TEXT),  # "vi" also means vi-VN
    Field(name="timezone", type=AttributeType.TEXT),
    Field(name="name", type=AttributeType.TEXT),
    Field(name="domain", type=AttributeType.TEXT),  # of the address
    Field(name="mail_group", type=AttributeType.TEXT),  # gmail, outlook …
    Field(name="joined", type=AttributeType.DATE),  # this list
    Field(name="confirmed", type=AttributeType.DATE),
    Field(name="opened", type=AttributeType.DATE, engaged=True),  # the last time, by opening or clicking
    Field(name="clicked", type=AttributeType.DATE, engaged=True),
    Field(name="opens", type=AttributeType.NUMBER),
    Field(name="clicks", type=AttributeType.NUMBER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    fields: Mapping[str, Field]
    lists: frozenset[str]  # slugs

    @classmethod
    def of(cls, declared: "list[Attribute]", slugs: frozenset[str]) -> "Vocabulary":
        named = [*OWN, *(Field(name=one.slug, type=one.type, attribute=one) for one in declared)]
        return cls(fields={one.name: one for one in named}, lists=slugs)


def vocabulary(conn: Connection) -> Vocabulary:
    return Vocabulary.of(list_attributes(conn), frozenset(conn.execute(select(lists.c.slug)).scalars()))
