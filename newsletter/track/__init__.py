"""What comes back: bounces, complaints, replies and refusals become events and suppressions; and the numbers of a mailing.

`mailbox`, `intake` and `hooks` leave what arrives as rows; `settling` acts on them; `judging` (pure) says when an address
is given up. `forgetting` lets go in time of what need not be kept.
"""

from dataclasses import dataclass
from datetime import datetime

from newsletter.app import App
from newsletter.model import EventType, MailingId
from newsletter.store import events, receipts
from newsletter.track import forgetting, mailbox, settling


def run(app: App, now: datetime) -> int:
    """Read the mailbox, if there is one, and act on everything that came back. Returns how many things were settled.

    Raises MailboxUnreachable, after all that had arrived was settled.
    """
    try:
        mailbox.poll(app, now)
    finally:
        done = settling.settle_refused(app, now) + settling.settle_returned(app, now)
        forgetting.forget(app, now)
    return done


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
    complaints: int
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
        complaints=told.get(EventType.COMPLAINED, 0),
        unsubscribes=told.get(EventType.UNSUBSCRIBED, 0),
    )
