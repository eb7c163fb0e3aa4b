"""Messages that came back from one person's address, as they came, for thirty days; gone at once when they are erased."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from subscribers.errors import UnknownPerson
from subscribers.ids import PersonId, new_id
from subscribers.people import lock
from subscribers.states import PersonState
from subscribers.tables import originals

LONGEST = 64_000  # octets that are kept: a report and our headers; the rest is our own mail
KEPT_FOR = timedelta(days=30)


def keep_original(conn: Connection, person_id: PersonId, message: bytes, *, now: datetime) -> bool:
    """Keep the beginning of a returned message. False for somebody erased. Raises UnknownPerson."""
    row = lock(conn, person_id)
    if row is None:
        raise UnknownPerson(f"there is no person {person_id}")
    if row.state == PersonState.ERASED:
        return False
    values = {"id": new_id(), "person_id": person_id, "at": now, "message": message[:LONGEST]}
    conn.execute(insert(originals).values(values))
    return True


def originals_of(conn: Connection, person_id: PersonId) -> list[tuple[datetime, bytes]]:
    """What is kept of one person, the oldest first. It names addresses in the clear."""
    query = select(originals.c.at, originals.c.message).where(originals.c.person_id == person_id)
    return [(row.at, row.message) for row in conn.execute(query.order_by(originals.c.at, originals.c.id))]


def forget_originals(conn: Connection, *, now: datetime) -> int:
    """Delete what is older than KEPT_FOR. Returns how many."""
    return conn.execute(delete(originals).where(originals.c.at < now - KEPT_FOR)).rowcount
