"""What came back: deliveries, bounces, complaints, unsubscribes. The same thing told twice counts once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import EventType, MailingId, PersonId, new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.delivering import events


def record(
    conn: Connection,
    event: EventType,
    mailing_id: MailingId,
    person_id: PersonId,
    *,
    at: datetime,
    dedupe_key: str,
    detail: Mapping[str, Any] | None = None,
) -> bool:
    """Write an event. False when `dedupe_key` was written before. `detail` must carry no address."""
    statement = (
        insert(conn, events)
        .values(
            id=new_id(),
            type=event,
            mailing_id=mailing_id,
            person_id=person_id,
            at=at,
            detail=dict(detail or {}),
            dedupe_key=dedupe_key,
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
    )
    return conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def count(conn: Connection, mailing_id: MailingId) -> dict[str, int]:
    """People per event type of one mailing."""
    query = (
        sa.select(events.c.type, sa.func.count(sa.distinct(events.c.person_id)))
        .where(events.c.mailing_id == mailing_id)
        .group_by(events.c.type)
    )
    return {state: number for state, number in conn.execute(query)}  # noqa: C416 (a result is no mapping)
