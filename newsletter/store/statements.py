"""The ledger's statements that run for every message, prepared once. What each transition means stands in deliveries.py.

Rows are sought by their key, or by the index of what is due: no plan may read a whole mailing for each claim.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa

from newsletter.model import DeliveryState, MailingState
from newsletter.store.engine import Connection, insert_of
from newsletter.store.schema.delivering import deliveries, mailings, workers
from subscribers import Prepared, one_of

# A result may be written from these states. A late reply settles an `unknown` of the same epoch: it is evidence. One that
# refuses for now does not: the mailing may be closed, and nobody would ask again.
FROM: Mapping[DeliveryState, tuple[DeliveryState, ...]] = {
    DeliveryState.SENT: (DeliveryState.INTENT, DeliveryState.UNKNOWN),
    DeliveryState.FAILED: (DeliveryState.CLAIMED, DeliveryState.INTENT, DeliveryState.UNKNOWN),
    DeliveryState.DEFERRED: (DeliveryState.CLAIMED, DeliveryState.INTENT),
    DeliveryState.SKIPPED: (DeliveryState.CLAIMED,),
    # certainly not sent, and not the reader's fault
    DeliveryState.PENDING: (DeliveryState.CLAIMED, DeliveryState.INTENT),
    DeliveryState.UNKNOWN: (DeliveryState.INTENT,),
}
_ROW = ("person", "epoch", "reply", "reply_kind", "provider_id", "reason", "next_at")
_ARRAYS: tuple[Any, ...] = (sa.Text, sa.Integer, sa.Text, sa.Text, sa.Text, sa.Text, sa.DateTime(timezone=True))


def is_state(*states: DeliveryState) -> sa.ColumnElement[bool]:
    """The row is in one of these, said as a literal."""
    return deliveries.c.state.in_([_literal(state) for state in states])


def _literal(state: DeliveryState) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{state.value}'")


_SENDING = sa.exists().where(
    mailings.c.id == sa.bindparam("mailing"),
    mailings.c.state == sa.literal_column(f"'{MailingState.SENDING.value}'"),
)


def _claim(dialect: str) -> sa.Executable:
    """The state is tested again in the outer WHERE: without it Postgres hands most rows out twice (4,500 of 5,000)."""
    is_due = is_state(DeliveryState.PENDING, DeliveryState.DEFERRED)
    due = (
        sa.select(deliveries.c.person_id)
        .where(deliveries.c.mailing_id == sa.bindparam("mailing"), is_due, deliveries.c.next_at <= sa.bindparam("now"))
        .where(deliveries.c.deaths == sa.bindparam("deaths", type_=sa.Integer))
        .order_by(deliveries.c.next_at)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    chosen = sa.select(due.c.person_id)
    these: sa.ColumnElement[bool] = deliveries.c.person_id.in_(chosen)
    if dialect == "postgresql":  # an array is sought by the key; a set is joined, and for that the whole table read
        these = deliveries.c.person_id == sa.func.any(sa.func.array(chosen.scalar_subquery()))
    return (
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == sa.bindparam("mailing"),
            these,
            is_state(DeliveryState.PENDING, DeliveryState.DEFERRED),
            _SENDING,
        )
        .values(
            state=_literal(DeliveryState.CLAIMED),
            worker=sa.bindparam("worker"),
            next_at=sa.null(),
            epoch=deliveries.c.epoch + sa.literal_column("1"),
            tries=deliveries.c.tries + sa.literal_column("1"),
            changed_at=sa.bindparam("now"),
        )
        .returning(
            deliveries.c.person_id,
            deliveries.c.epoch,
            deliveries.c.tries,
            deliveries.c.language,
            deliveries.c.mail_group,
            deliveries.c.frozen_at,
            deliveries.c.refused_at,
        )
    )


def _intend(dialect: str) -> sa.Executable:
    return (
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == sa.bindparam("mailing"),
            one_of(dialect, deliveries.c.person_id, "people"),
            deliveries.c.epoch == sa.bindparam("epoch"),
            is_state(DeliveryState.CLAIMED),
            _SENDING,
        )
        .values(state=_literal(DeliveryState.INTENT), changed_at=sa.bindparam("now"))
        .returning(deliveries.c.person_id)
    )


def _settle(dialect: str, state: DeliveryState) -> sa.Executable:
    """SQLite: one row. Postgres: any number, each column an array, because its driver needs 20 µs to bind a row.

    Nothing but the arrays may name the rows: with a list of them beside it Postgres compares each row with each (28 µs of 57).
    And it must not know which mailing: of one that its statistics have not seen it expects a row, and reads it whole.
    """
    row: Any
    mailing: Any = sa.bindparam("mailing")
    if dialect == "postgresql":
        arrays: list[Any] = [sa.bindparam(name, type_=sa.ARRAY(kind)) for name, kind in zip(_ROW, _ARRAYS, strict=True)]
        mailing = sa.select(mailing).scalar_subquery()
        row = sa.func.unnest(*arrays).table_valued(*_ROW, name="r").render_derived().c
    else:
        row = {name: sa.bindparam(name) for name in _ROW}
    waiting: dict[str, Any] = {}
    if state in (DeliveryState.PENDING, DeliveryState.DEFERRED):
        waiting["next_at"] = sa.func.coalesce(row["next_at"], sa.bindparam("now"))
    if state is DeliveryState.DEFERRED:  # the first refusal stays
        waiting["refused_at"] = sa.func.coalesce(deliveries.c.refused_at, sa.bindparam("now"))
    return (
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == mailing,
            deliveries.c.person_id == row["person"],
            deliveries.c.epoch == row["epoch"],
            is_state(*FROM[state]),
        )
        .values(
            state=_literal(state),
            worker=sa.null(),
            changed_at=sa.bindparam("now"),
            # given back because mail can leave for nobody: that says nothing of this one
            tries=deliveries.c.tries - sa.literal_column("1" if state is DeliveryState.PENDING else "0"),
            reply=row["reply"],
            reply_kind=row["reply_kind"],
            provider_id=row["provider_id"],
            reason=row["reason"],
            **waiting,
        )
    )


def _work(dialect: str) -> sa.Executable:
    """This sender is at work until then; whoever took it for dead meanwhile is told otherwise by its next claim."""
    made = insert_of(dialect, workers).values(name=sa.bindparam("worker"), lease_until=sa.bindparam("until"))
    return cast(
        sa.Executable,
        made.on_conflict_do_update(index_elements=["name"], set_={"lease_until": made.excluded.lease_until}),
    )


CLAIM, INTEND, WORK = Prepared(_claim), Prepared(_intend), Prepared(_work)
_SETTLE = {state: Prepared(lambda dialect, state=state: _settle(dialect, state)) for state in FROM}  # type: ignore[misc]


def settle(conn: Connection, state: DeliveryState, rows: Sequence[tuple[Any, ...]], **shared: Any) -> int:
    """Write results that all mean `state`. `rows`: person, epoch, reply, kind, provider id, reason, next_at.

    Returns how many were written: not those whose row is in another state, or another sender's.
    """
    if conn.dialect.name == "postgresql":
        columns = zip(*rows, strict=True)
        return _SETTLE[state].change(conn, **shared, **{name: list(c) for name, c in zip(_ROW, columns, strict=True)})
    return _SETTLE[state].run_many(conn, _ROW, rows, **shared)
