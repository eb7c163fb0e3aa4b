"""What came back: deliveries, bounces, complaints, unsubscribes. The same thing told twice counts once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import EventType, IssueId, MailingId, PersonId, new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.delivering import events, mailings


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that came back. `detail` holds no address: kind, reason, status, the masked reply."""

    id: str
    type: EventType
    person_id: PersonId
    issue_id: IssueId | None  # None: of a letter or a test
    at: datetime
    detail: Mapping[str, Any]


def page(
    conn: Connection,
    *,
    limit: int,
    before: str | None = None,
    types: Collection[EventType] = (),
    issue_id: str | None = None,
    person_id: str | None = None,
) -> list[Event]:
    """The next `limit` events written before the one with the id `before`, the latest first. No type: all."""
    query = (
        sa.select(events, mailings.c.issue_id)
        .join_from(events, mailings, mailings.c.id == events.c.mailing_id, isouter=True)
        .order_by(events.c.id.desc())
        .limit(limit)
    )
    for column, value in ((mailings.c.issue_id, issue_id), (events.c.person_id, person_id)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(events.c.id < before)
    if types:
        query = query.where(events.c.type.in_(types))
    names = ("id", "person_id", "issue_id", "at", "detail")
    return [
        Event(type=EventType(row["type"]), **{name: row[name] for name in names})
        for row in conn.execute(query).mappings()
    ]
