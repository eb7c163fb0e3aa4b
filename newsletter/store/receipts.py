"""What the ledger says: the closed sum of a mailing, why rows stand as they do, one person's row. Changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from newsletter.model import (
    CLOSED_DELIVERIES,
    OPEN_DELIVERIES,
    Counts,
    DeliveryState,
    EventType,
    MailingId,
    PersonId,
)
from newsletter.store.engine import Connection
from newsletter.store.schema.delivering import deliveries, events, mailings

DUE = (DeliveryState.PENDING, DeliveryState.DEFERRED)
PAGE = 5_000  # rows read at once of a mailing that may have a million


def count(conn: Connection, mailing_id: MailingId) -> Counts:
    frozen = conn.execute(sa.select(mailings.c.frozen).where(mailings.c.id == mailing_id)).scalar() or 0
    query = (
        sa.select(deliveries.c.state, sa.func.count())
        .where(deliveries.c.mailing_id == mailing_id)
        .group_by(deliveries.c.state)
    )
    found: dict[str, int] = {state: number for state, number in conn.execute(query)}  # noqa: C416 (a result is no mapping)
    known = {state.value: found.get(state, 0) for state in (*OPEN_DELIVERIES, *CLOSED_DELIVERIES)}
    return Counts(frozen=frozen, **known)


def of_person(conn: Connection, person_id: PersonId, mailing_id: MailingId) -> Mapping[str, Any] | None:
    """The whole row, for `why PERSON ISSUE`."""
    row = conn.execute(
        sa.select(deliveries).where(deliveries.c.mailing_id == mailing_id, deliveries.c.person_id == person_id)
    ).mappings()
    found = row.first()
    return dict(found) if found else None


def rows(conn: Connection, mailing_id: MailingId) -> Iterator[Mapping[str, Any]]:
    """Every delivery of a mailing by person, read in pages: whole in time when the caller's transaction is."""
    ledger = deliveries.c
    told = (ledger.person_id, ledger.state, ledger.reason, ledger.reply, ledger.reply_kind, ledger.provider_id)
    more = (ledger.tries, ledger.language, ledger.frozen_at, ledger.changed_at)
    query = sa.select(*told, *more).where(ledger.mailing_id == mailing_id).order_by(ledger.person_id).limit(PAGE)
    last = ""
    while True:
        page = conn.execute(query.where(ledger.person_id > last)).mappings().all()
        yield from map(dict, page)
        if len(page) < PAGE:
            return
        last = page[-1]["person_id"]


def held_about(conn: Connection, person_id: PersonId) -> dict[str, list[dict[str, Any]]]:
    """`mail` and `events` of one person, oldest first, ready for JSON but for their times: what they may take away."""
    mail = (
        sa.select(
            deliveries.c.mailing_id,
            mailings.c.kind,
            deliveries.c.state,
            deliveries.c.language,
            deliveries.c.frozen_at,
            deliveries.c.changed_at,
            deliveries.c.reason,
            deliveries.c.reply,
        )
        .join_from(mailings, deliveries, deliveries.c.mailing_id == mailings.c.id)  # by the ledger's key, not a scan
        .where(deliveries.c.person_id == person_id)
        .order_by(mailings.c.created_at, mailings.c.id)
    )
    seen = (
        sa.select(events.c.type, events.c.mailing_id, events.c.at, events.c.detail)
        .where(events.c.person_id == person_id)
        .order_by(events.c.at, events.c.id)
    )
    return {
        "mail": [dict(row) for row in conn.execute(mail).mappings()],
        "events": [dict(row) for row in conn.execute(seen).mappings()],
    }


def reasons(conn: Connection, mailing_id: MailingId, *states: DeliveryState) -> list[tuple[str, str, int]]:
    """(state, reason or reply, how many), the most frequent first: what failed, was skipped, or is unknown, and why."""
    text = sa.func.coalesce(deliveries.c.reason, deliveries.c.reply, "")
    query = (
        sa.select(deliveries.c.state, text.label("why"), sa.func.count().label("n"))
        .where(deliveries.c.mailing_id == mailing_id, deliveries.c.state.in_(states))
        .group_by(deliveries.c.state, text)
        .order_by(sa.desc("n"))
    )
    return [(row.state, row.why, row.n) for row in conn.execute(query)]


def refused_without_event(conn: Connection, limit: int = 500) -> list[Mapping[str, Any]]:
    """Failed rows whose reply speaks about the address and that no event tells of yet: for the track stage."""
    told = sa.exists().where(
        events.c.mailing_id == deliveries.c.mailing_id,
        events.c.person_id == deliveries.c.person_id,
        events.c.type == EventType.BOUNCED,
    )
    query = sa.select(deliveries).where(
        deliveries.c.state == DeliveryState.FAILED, deliveries.c.reply_kind.is_not(None), ~told
    )
    return [dict(row) for row in conn.execute(query.limit(limit)).mappings()]


def unknown_people(conn: Connection, mailing_id: MailingId, limit: int = 1000) -> list[PersonId]:
    query = sa.select(deliveries.c.person_id).where(
        deliveries.c.mailing_id == mailing_id, deliveries.c.state == DeliveryState.UNKNOWN
    )
    return list(conn.execute(query.order_by(deliveries.c.person_id).limit(limit)).scalars())
