"""How far each sending has come and how fast it goes: one row a mailing, written by whoever sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.model import Counts, MailingId
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.pacing import mailing_progress

STALE = timedelta(minutes=2)  # a rate of before a pause says nothing about now


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """`rate`: messages settled a second, lately."""

    at: datetime
    frozen: int
    sent: int
    failed: int
    skipped: int
    unknown: int
    rate: float

    @property
    def done(self) -> int:
        return self.sent + self.failed + self.skipped + self.unknown

    @property
    def left(self) -> timedelta | None:
        """How long the rest takes at this rate; None while none is known or nothing is left."""
        if self.rate <= 0 or self.done >= self.frozen:
            return None
        return timedelta(seconds=(self.frozen - self.done) / self.rate)


def followed(before: Sending | None, counts: Counts, *, now: datetime) -> Sending:
    """The next state of a sending. The rate is that since the state before, smoothed by half. Pure."""
    done, rate = counts.frozen - counts.open, 0.0
    if before is not None and timedelta() < now - before.at < STALE:
        lately = max(0.0, (done - before.done) / (now - before.at).total_seconds())
        rate = (lately + before.rate) / 2 if before.rate else lately
    return Sending(
        at=now,
        frozen=counts.frozen,
        sent=counts.sent,
        failed=counts.failed,
        skipped=counts.skipped,
        unknown=counts.unknown,
        rate=rate,
    )


def save(conn: Connection, mailing_id: MailingId, sending: Sending) -> None:
    names = ("at", "frozen", "sent", "failed", "skipped", "unknown", "rate")
    values = {name: getattr(sending, name) for name in names}
    statement = insert(conn, mailing_progress).values(mailing_id=mailing_id, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["mailing_id"], set_=values))


def find(conn: Connection, mailing_id: MailingId) -> Sending | None:
    row = (
        conn.execute(sa.select(mailing_progress).where(mailing_progress.c.mailing_id == mailing_id)).mappings().first()
    )
    if row is None:
        return None
    return Sending(**{name: value for name, value in row.items() if name != "mailing_id"})
