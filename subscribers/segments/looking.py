"""Whom a query names, before it is kept or sent to: how many, and a few of them with masked addresses. Only reads."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func

from subscribers.address import Address
from subscribers.audiences import mailable
from subscribers.ids import PersonId
from subscribers.people import address_of
from subscribers.tables import people


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """`address` masks itself; `name` stays out of the repr."""

    person_id: PersonId
    address: Address
    name: str = field(repr=False)
    language: str | None
    tags: tuple[str, ...]


def count_mailable(conn: Connection, list_slug: str) -> int:
    """How many people a mailing to the whole list would be frozen for now. Raises UnknownList."""
    chosen = mailable(conn, list_slug, None, now=None, time_zone="UTC")
    found: int = conn.execute(chosen.with_only_columns(func.count())).scalar_one()
    return found


def count_segment(conn: Connection, list_slug: str, query: str, *, now: datetime, time_zone: str) -> int:
    """How many mailable people of a list a query names. Raises UnknownList, SegmentFault."""
    chosen = mailable(conn, list_slug, query, now=now, time_zone=time_zone)
    found: int = conn.execute(chosen.with_only_columns(func.count())).scalar_one()
    return found


def sample_segment(
    conn: Connection, list_slug: str, query: str, *, now: datetime, time_zone: str, limit: int = 10
) -> list[Sampled]:
    """The first of them by id, who joined longest ago. Raises UnknownList, SegmentFault."""
    columns = (
        people.c.id,
        people.c.address_local,
        people.c.address_domain,
        people.c.name,
        people.c.language,
        people.c.tags,
    )
    chosen = mailable(conn, list_slug, query, now=now, time_zone=time_zone).with_only_columns(*columns)
    found = []
    for row in conn.execute(chosen.order_by(people.c.id).limit(limit)):
        address = address_of(row)
        assert address is not None, "nobody erased is mailable"
        found.append(
            Sampled(person_id=row.id, address=address, name=row.name, language=row.language, tags=tuple(row.tags or ()))
        )
    return found


def names_person(
    conn: Connection, list_slug: str, query: str, person_id: PersonId, *, now: datetime, time_zone: str
) -> bool:
    """Is this person mailable on the list and named by the query? Raises UnknownList, SegmentFault."""
    chosen = mailable(conn, list_slug, query, now=now, time_zone=time_zone)
    return conn.execute(chosen.where(people.c.id == person_id)).first() is not None
