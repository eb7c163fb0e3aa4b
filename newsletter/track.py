"""What comes back: refusals at sending time become events and suppressions; and the numbers of a mailing."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import EventType, MailingId, PersonId
from newsletter.store import Connection, events, receipts

log = get_logger("track")


def run(app: App, now: datetime) -> int:
    """Turn refusals that speak about the address into events; an address that does not exist is suppressed."""
    with app.db.read() as conn:
        refused = receipts.refused_without_event(conn)
    for row in refused:
        mailing_id, person_id, kind = row["mailing_id"], row["person_id"], row["reply_kind"]
        with app.db.begin() as conn:
            fresh = events.record(
                conn,
                EventType.BOUNCED,
                mailing_id,
                person_id,
                at=row["changed_at"],
                dedupe_key=f"refused:{mailing_id}:{person_id}",
                detail={"kind": kind, "reply": row["reply"]},
            )
            if fresh and kind == "hard":
                _suppress(app, conn, person_id, now)
    return len(refused)


def _suppress(app: App, conn: Connection, person_id: PersonId, now: datetime) -> None:
    with suppress(subscribers.UnknownPerson):  # erased meanwhile: nothing is left to suppress
        subscribers.suppress(
            conn, person_id, reason=subscribers.SuppressionReason.BOUNCED, now=now, key=app.suppression_key
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Per-issue numbers in the field's words."""

    recipients: int
    sent: int
    failed: int
    skipped: int
    unknown: int
    open: int
    bounces: int
    unsubscribes: int


def numbers(app: App, mailing_id: MailingId) -> Numbers:
    with app.db.read() as conn:
        counts = receipts.count(conn, mailing_id)
        told = events.count(conn, mailing_id)
    return Numbers(
        recipients=counts.frozen,
        sent=counts.sent,
        failed=counts.failed,
        skipped=counts.skipped,
        unknown=counts.unknown,
        open=counts.open,
        bounces=told.get(EventType.BOUNCED, 0),
        unsubscribes=told.get(EventType.UNSUBSCRIBED, 0),
    )
