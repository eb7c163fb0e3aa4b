"""What happened to people, for whoever must be told: written beside the change itself, taken once, in order.

Rows hold ids only. An import of a file is not told person by person: its report says what it did.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from subscribers.ids import PersonId, new_id
from subscribers.tables import changes


class ChangeKind(StrEnum):
    SUBSCRIBED = "subscribed"  # asked to join: pending on a list with confirmation, else active
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    MOVED = "moved"  # to a new address
    BOUNCED = "bounced"  # the address is given up
    COMPLAINED = "complained"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    id: str  # 16 characters, time-ordered
    person_id: PersonId
    kind: ChangeKind
    list_slug: str | None
    at: datetime


def note(
    conn: Connection, person_id: PersonId, kind: ChangeKind, *, now: datetime, list_slug: str | None = None
) -> None:
    row = {"id": new_id(), "person_id": person_id, "kind": kind.value, "list_slug": list_slug, "at": now}
    conn.execute(insert(changes), row)


def take_changes(conn: Connection, limit: int = 500) -> list[Change]:
    """The oldest changes nobody has taken yet, the earliest first; they are gone when the transaction commits.

    Two takers never get the same one.
    """
    query = select(changes).order_by(changes.c.id).limit(limit).with_for_update(skip_locked=True)
    taken = [
        Change(
            id=row.id,
            person_id=PersonId(row.person_id),
            kind=ChangeKind(row.kind),
            list_slug=row.list_slug,
            at=row.at,
        )
        for row in conn.execute(query)
    ]
    if taken:
        conn.execute(delete(changes).where(changes.c.id.in_([one.id for one in taken])))
    return taken
