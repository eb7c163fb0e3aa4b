"""The ledger's ways back: what dead senders held, what may have arrived, what is tried again, what is given up.

A sender that lives stands in `workers`, with a lease; its rows are taken back only once it is gone from there, in the same
transaction. Must never make a row pending whose message may have been sent, but by a person's or a policy's word.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.errors import NotAllowed
from newsletter.model import DeliveryState, MailingId, MailingState, PersonId
from newsletter.store.deliveries import DUE, SUSPECT, locked, skip_cancelled
from newsletter.store.engine import Connection
from newsletter.store.schema.delivering import deliveries, mailings, workers
from newsletter.store.statements import is_state

EXPIRES_AFTER = timedelta(hours=48)


# ---------------------------------------------------------------- dead senders


def senders(conn: Connection) -> list[str]:
    """The senders that may hold rows."""
    return list(conn.execute(sa.select(workers.c.name)).scalars())


def sign_off(conn: Connection, worker: str) -> None:
    """This sender holds no row any more: the caller has counted. Without this word it is taken for dead, and looked after."""
    conn.execute(sa.delete(workers).where(workers.c.name == worker))


def recover(conn: Connection, *, dead: Collection[str], ended: Collection[str] = (), now: datetime) -> tuple[int, int]:
    """Take back what senders held that are gone: claimed was certainly not sent, intent may have been.

    A sender is gone when it is named in `dead` or `ended` or its lease ran out. Returns (back to pending, now unknown). What
    goes back remembers a death: it may have been the cause; who ended by itself, and left rows, did not die of them. The
    epoch stays, so a reply that a sender writes after all still settles the row. What came back of a cancelled mailing is
    skipped. Reads the open mailings whole, if anybody is gone.
    """
    over = sa.or_(workers.c.name.in_([*dead, *ended]), workers.c.lease_until < now)
    gone = list(conn.execute(sa.delete(workers).where(over).returning(workers.c.name)).scalars())
    if not gone:
        return 0, 0
    died = [name for name in gone if name not in ended]
    back, lost = _take_back(conn, deliveries.c.worker.in_(died), deaths=1, now=now)
    more = _take_back(conn, deliveries.c.worker.in_(ended), deaths=0, now=now) if len(died) < len(gone) else (0, 0)
    back, lost = back + more[0], lost + more[1]
    cancelled = sa.select(mailings.c.id).where(mailings.c.state == MailingState.CANCELLED)
    for mailing_id in list(conn.execute(cancelled).scalars()):
        skip_cancelled(conn, mailing_id, now=now)
    return back, lost


def adopt(conn: Connection, mailing_id: MailingId, *, now: datetime) -> None:
    """Rows held by a sender that nobody knows: never seen, and a mailing must not wait for them for ever."""
    known = sa.select(workers.c.name)
    orphan = sa.or_(deliveries.c.worker.is_(None), deliveries.c.worker.not_in(known))
    _take_back(conn, orphan, deliveries.c.mailing_id == mailing_id, deaths=1, now=now)


def _take_back(conn: Connection, *theirs: sa.ColumnElement[bool], deaths: int, now: datetime) -> tuple[int, int]:
    unfinished = (MailingState.SENDING, MailingState.PAUSED, MailingState.CANCELLED)
    open_ = deliveries.c.mailing_id.in_(sa.select(mailings.c.id).where(mailings.c.state.in_(unfinished)))
    gone: dict[str, object] = {"worker": None, "changed_at": now}
    proved = {"state": DeliveryState.SENT, "reason": sa.literal("settled by ") + deliveries.c.evidence}
    lost = {
        "state": DeliveryState.UNKNOWN,
        "reason": "the sender died after the intent; the message may have arrived",
    }
    pending = {"state": DeliveryState.PENDING, "next_at": now, "deaths": deliveries.c.deaths + deaths}
    these = sa.update(deliveries).where(open_, *theirs)
    back = conn.execute(these.where(is_state(DeliveryState.CLAIMED)).values(**gone, **pending)).rowcount
    in_flight = these.where(is_state(DeliveryState.INTENT))
    conn.execute(in_flight.where(deliveries.c.evidence.is_not(None)).values(**gone, **proved))
    return back, conn.execute(in_flight.values(**gone, **lost)).rowcount


def suspicion(conn: Connection, mailing_id: MailingId, *, now: datetime) -> int | None:
    """The fewest deaths among due rows that some sender died holding; None when there are no such rows."""
    query = sa.select(sa.func.min(deliveries.c.deaths)).where(
        deliveries.c.mailing_id == mailing_id,
        deliveries.c.state.in_(DUE),
        deliveries.c.next_at <= now,
        SUSPECT,
    )
    found: int | None = conn.execute(query).scalar()
    return found


def quarantine(conn: Connection, mailing_id: MailingId, *, deaths: int, most: int, now: datetime) -> tuple[int, bool]:
    """Give up rows that so many senders died holding, `most` of a mailing at most.

    Returns how many were given up now, and whether more are left than may be: then it is hardly the rows that kill.
    """
    mine = sa.and_(deliveries.c.mailing_id == mailing_id, SUSPECT)
    deadly = (mine, deliveries.c.state.in_(DUE), deliveries.c.deaths >= deaths)
    waiting = list(conn.execute(sa.select(deliveries.c.person_id).where(*deadly)).scalars())
    if not waiting:
        return 0, False
    given_up = (mine, deliveries.c.state == DeliveryState.FAILED, deliveries.c.deaths >= deaths)
    before = conn.execute(sa.select(sa.func.count()).where(*given_up)).scalar_one()
    now_failing = waiting[: max(0, most - before)]
    conn.execute(
        sa.update(deliveries)
        .where(*deadly, deliveries.c.person_id.in_(now_failing))
        .values(
            state=DeliveryState.FAILED,
            next_at=None,
            reason=f"quarantined: {deaths} senders died with this message",
            changed_at=now,
        )
    )
    return len(now_failing), len(now_failing) < len(waiting)


# ---------------------------------------------------------------- again, or no more


def resend_unknown(
    conn: Connection,
    mailing_id: MailingId,
    *,
    now: datetime,
    next_at: datetime | None = None,
    most_tries: int | None = None,
) -> int:
    """By a person, or by the policy `resend`: try again with the same Message-ID, so that many receivers fold the two.

    `most_tries`: rows tried as often stay unknown. Raises NotAllowed for a mailing that was cancelled.
    """
    fewer = () if most_tries is None else (deliveries.c.tries < most_tries,)
    values = {"next_at": next_at or now, "changed_at": now, "reason": "sent again: fate unknown"}
    return _again(conn, mailing_id, is_state(DeliveryState.UNKNOWN), *fewer, values=values)


def retry_failed(conn: Connection, mailing_id: MailingId, *, now: datetime) -> int:
    """By a person, when the ground is gone (a block was lifted, a name was mended): everyone who failed is tried again.

    The 48 hours begin anew. Who was given up meanwhile becomes `skipped` before the intent, like everybody else.
    Raises NotAllowed for a mailing that was cancelled.
    """
    values = {"next_at": now, "changed_at": now, "frozen_at": now, "reason": "tried again by a person"}
    values |= {"refused_at": None, "deaths": 0, "tries": 0}
    return _again(conn, mailing_id, is_state(DeliveryState.FAILED), values=values)


def _again(
    conn: Connection, mailing_id: MailingId, *which: sa.ColumnElement[bool], values: Mapping[str, object]
) -> int:
    """Closed rows back to pending; a mailing that was finished is open again. Returns how many rows."""
    if locked(conn, mailing_id) not in (MailingState.SENDING, MailingState.PAUSED, MailingState.SENT):
        raise NotAllowed("what was cancelled is not sent again", where=mailing_id)
    these = sa.update(deliveries).where(deliveries.c.mailing_id == mailing_id, *which)
    again = conn.execute(these.values(state=DeliveryState.PENDING, **values)).rowcount
    if again:
        conn.execute(
            sa.update(mailings)
            .where(mailings.c.id == mailing_id, mailings.c.state == MailingState.SENT)
            .values(state=MailingState.SENDING, finished_at=None)
        )
    return again


def arrived(conn: Connection, mailing_id: MailingId, person_id: PersonId, *, evidence: str, now: datetime) -> bool:
    """Evidence (an open, a click, an unsubscribe, a bounce) says that a message was sent. True when that settled its row.

    Also one that waits to be sent again: it would be a double. While its sender still waits for the reply, the proof is
    kept beside the row and heeded when that sender dies or hears nothing.
    """
    row = (deliveries.c.mailing_id == mailing_id, deliveries.c.person_id == person_id)
    tried = sa.and_(is_state(*DUE, DeliveryState.CLAIMED), deliveries.c.epoch > 0)
    sent = {"state": DeliveryState.SENT, "worker": None, "next_at": None, "reason": f"settled by {evidence}"}
    unsure = sa.update(deliveries).where(*row, sa.or_(is_state(DeliveryState.UNKNOWN), tried))
    if conn.execute(unsure.values(changed_at=now, **sent)).rowcount:
        return True
    conn.execute(sa.update(deliveries).where(*row, is_state(DeliveryState.INTENT)).values(evidence=evidence[:40]))
    return False


def expire(conn: Connection, mailing_id: MailingId, *, now: datetime) -> int:
    """Deferred rows are given up 48 hours after they were first refused; the last reply stays as the reason's ground.

    Not after freezing: who waited three days for a plan of few messages a day is tried as long as everybody.
    """
    return conn.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == mailing_id,
            deliveries.c.next_at <= now,  # a refused row is due again before its 48 hours are over
            is_state(DeliveryState.DEFERRED),
            sa.func.coalesce(deliveries.c.refused_at, deliveries.c.frozen_at) <= now - EXPIRES_AFTER,
        )
        .values(
            state=DeliveryState.FAILED, next_at=None, reason="expired: still refused after 48 hours", changed_at=now
        )
    ).rowcount
