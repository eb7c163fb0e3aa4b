"""What came back: rows that wait for the track stage, and what the ledger knows to match and weigh them by.

Rows hold ids, never an address or a message; words are masked before they come here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import DeliveryState, EventType, MailingId, PersonId, new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.delivering import deliveries, events, mailings, returns

_LEFT_US = (DeliveryState.SENT, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """One thing that came back, about one person at most. `said`: masked. `proven`: it may act at once."""

    source: str
    kind: str
    at: datetime
    dedupe_key: str
    reason: str = ""
    status: str = ""
    said: str = ""
    proven: bool = False
    mailing_id: MailingId | None = None
    person_id: PersonId | None = None


def add(conn: Connection, one: Return, *, now: datetime) -> bool:
    """Keep it for the track stage. False when the same was told before."""
    statement = (
        insert(conn, returns)
        .values(
            id=new_id(),
            source=one.source,
            kind=one.kind,
            reason=one.reason[:20],
            status=one.status[:16],
            said=one.said,
            proven=one.proven,
            mailing_id=one.mailing_id,
            person_id=one.person_id,
            at=one.at,
            received_at=now,
            dedupe_key=one.dedupe_key,
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
    )
    return conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def waiting(conn: Connection, limit: int = 500) -> list[tuple[str, Return]]:
    """(id, return) of what nobody has acted on, the oldest first."""
    query = sa.select(returns).where(returns.c.settled_at.is_(None)).order_by(returns.c.received_at, returns.c.id)
    return [(row["id"], _return(dict(row))) for row in conn.execute(query.limit(limit)).mappings()]


def settled(conn: Connection, return_id: str, *, now: datetime) -> bool:
    """It has been acted on. False when another process was first: then nothing may be done here."""
    changed = sa.update(returns).where(returns.c.id == return_id, returns.c.settled_at.is_(None))
    return conn.execute(changed.values(settled_at=now)).rowcount == 1


def forget(conn: Connection, *, before: datetime) -> int:
    """Drop what was acted on and came before a moment. Its events stay with their mailing."""
    old = sa.delete(returns).where(returns.c.received_at < before, returns.c.settled_at.is_not(None))
    return conn.execute(old).rowcount


def latest(conn: Connection, limit: int) -> list[Mapping[str, Any]]:
    """What came back last, the newest first: source, kind, reason, status, said, matched, received_at."""
    query = sa.select(returns).order_by(returns.c.received_at.desc(), returns.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def _return(row: Mapping[str, Any]) -> Return:
    names = ("source", "kind", "at", "dedupe_key", "reason", "status", "said", "proven", "mailing_id", "person_id")
    return Return(**{name: row[name] for name in names})


# ---------------------------------------------------------------- matching


def by_provider_id(conn: Connection, provider_ids: Collection[str]) -> list[tuple[MailingId, PersonId]]:
    """The deliveries that a provider gave one of these ids to; a batch may share one."""
    query = sa.select(deliveries.c.mailing_id, deliveries.c.person_id).where(deliveries.c.provider_id.in_(provider_ids))
    return [(row.mailing_id, row.person_id) for row in conn.execute(query.limit(1000))]


def latest_mailing(conn: Connection, person_id: PersonId, *, before: datetime) -> MailingId | None:
    """The last mailing that left for this person before a moment: what a bounce without a token most likely means."""
    query = (
        sa.select(mailings.c.id)
        .join(deliveries, deliveries.c.mailing_id == mailings.c.id)
        .where(deliveries.c.person_id == person_id, deliveries.c.state.in_(_LEFT_US), mailings.c.started_at <= before)
        .order_by(mailings.c.started_at.desc(), mailings.c.id)
    )
    return conn.execute(query.limit(1)).scalar()


# ---------------------------------------------------------------- weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event of a person, as far as scoring needs it. `kind`: of a bounce; `proven`: it counts in full."""

    type: EventType
    mailing_id: MailingId
    at: datetime
    dedupe_key: str
    kind: str | None
    proven: bool


def told_of(conn: Connection, person_id: PersonId) -> list[Told]:
    query = sa.select(events).where(events.c.person_id == person_id).order_by(events.c.at, events.c.dedupe_key)
    return [
        Told(
            type=EventType(row["type"]),
            mailing_id=row["mailing_id"],
            at=row["at"],
            dedupe_key=row["dedupe_key"],
            kind=row["detail"].get("kind"),
            proven=row["detail"].get("proven", True),
        )
        for row in conn.execute(query).mappings()
    ]


def went_well(conn: Connection, person_id: PersonId, *, before: datetime) -> list[datetime]:
    """When mail left for this person and nothing bounced: silence is how SMTP says that it arrived."""
    bounced = sa.exists().where(
        events.c.mailing_id == deliveries.c.mailing_id,
        events.c.person_id == person_id,
        events.c.type == EventType.BOUNCED,
    )
    query = (
        sa.select(deliveries.c.changed_at)
        .join(mailings, deliveries.c.mailing_id == mailings.c.id)
        .where(
            deliveries.c.person_id == person_id,
            deliveries.c.state == DeliveryState.SENT,
            deliveries.c.changed_at < before,
            ~bounced,
        )
    )
    return sorted(conn.execute(query).scalars())
