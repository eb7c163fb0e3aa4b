"""People of a mailing who wait for their turn, because a receiver may get no more for now: how the ledger puts them aside.

A row that is put aside is pending, with its turn's moment and the reason; nothing of it was sent.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.model import DeliveryState, MailingId, PersonId
from newsletter.store.engine import Connection
from newsletter.store.schema.delivering import deliveries
from newsletter.store.statements import is_state


def put(
    conn: Connection,
    mailing_id: MailingId,
    held: Sequence[tuple[PersonId, int, datetime]],
    *,
    reason: str,
    now: datetime,
) -> None:
    """Give claimed rows back until their turn comes. `held` are (person, epoch, moment); the reason stays until then."""
    statement = (
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == mailing_id,
            deliveries.c.person_id == sa.bindparam("p_person"),
            deliveries.c.epoch == sa.bindparam("p_epoch"),
            deliveries.c.state == DeliveryState.CLAIMED,
        )
        .values(
            state=DeliveryState.PENDING,
            worker=None,
            tries=deliveries.c.tries - 1,
            changed_at=now,
            next_at=sa.bindparam("p_next_at", type_=deliveries.c.next_at.type),
            reason=reason,
        )
    )
    if held:
        values = [{"p_person": person, "p_epoch": epoch, "p_next_at": moment} for person, epoch, moment in held]
        conn.execute(statement, values)


def bring_forward(
    conn: Connection, mailing_id: MailingId, mail_group: str | None, *, now: datetime, limit: int | None = None
) -> int:
    """Let the next people who were put aside be due now: of one group, or of all. `limit` None: all of them."""
    waiting = _waiting(mailing_id, now)
    if mail_group is not None:
        waiting = (*waiting, deliveries.c.mail_group == mail_group)
    next_ones = sa.select(deliveries.c.person_id).where(*waiting).order_by(deliveries.c.next_at).limit(limit)
    statement = (
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == mailing_id,
            deliveries.c.person_id.in_(next_ones),
            deliveries.c.state == DeliveryState.PENDING,
        )
        .values(next_at=now, changed_at=now)
    )
    return conn.execute(statement).rowcount


def any_waits(conn: Connection, mailing_id: MailingId, *, now: datetime) -> bool:
    return (
        conn.execute(sa.select(deliveries.c.person_id).where(*_waiting(mailing_id, now)).limit(1)).first() is not None
    )


def _waiting(mailing_id: MailingId, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Rows that wait for their turn, and not for a pause after an unknown fate."""
    return (
        deliveries.c.mailing_id == mailing_id,
        is_state(DeliveryState.PENDING),
        deliveries.c.next_at > now,
        deliveries.c.reason.startswith("waits"),
    )
