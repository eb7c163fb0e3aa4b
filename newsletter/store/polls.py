"""When something elsewhere may be asked again, so that all processes and machines of a database keep its pace together."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.store.engine import Connection, insert
from newsletter.store.schema.delivering import polls


def may_poll(conn: Connection, name: str, *, every: timedelta, now: datetime) -> bool:
    """Whether it is time to ask again; taken by whoever asks first."""
    values = {"name": name, "next_at": now + every}
    made = insert(conn, polls).values(values).on_conflict_do_nothing(index_elements=["name"])
    if conn.execute(made, execution_options={"preserve_rowcount": True}).rowcount == 1:
        return True
    moved = sa.update(polls).where(polls.c.name == name, polls.c.next_at <= now).values(next_at=now + every)
    return conn.execute(moved).rowcount == 1


def rest(conn: Connection, name: str, *, until: datetime) -> None:
    """Nobody asks before then; never sooner than somebody else was told."""
    made = insert(conn, polls).values(name=name, next_at=until)
    later = made.excluded.next_at > polls.c.next_at
    conn.execute(
        made.on_conflict_do_update(index_elements=["name"], set_={"next_at": made.excluded.next_at}, where=later)
    )


def rests_until(conn: Connection, name: str) -> datetime | None:
    found: datetime | None = conn.execute(sa.select(polls.c.next_at).where(polls.c.name == name)).scalar()
    return found
