"""Invariant I, in one place: what must hold at the sink and in the ledger after any fault, once somebody has sent again.

every frozen recipient arrived exactly once, or is failed, skipped or unknown in the ledger
nobody arrived twice (policy `hold`); nobody is `sent` who did not arrive; nobody arrived who is failed or skipped
unknown <= what the faults may have left; frozen = sent + failed + skipped + unknown; nothing is open
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from newsletter.app import App
from newsletter.model import CLOSED_DELIVERIES, Counts, DeliveryState, MailingId
from newsletter.store import receipts


@dataclass(frozen=True, kw_only=True)
class Books:
    """`arrived`: of those of unknown fate, how many the sink has."""

    counts: Counts
    arrived: int
    doubled: int
    lost: int

    def __str__(self) -> str:
        n = self.counts
        return (
            f"{n.frozen} people: {n.sent} sent, {n.failed} failed, {n.skipped} skipped, {n.unknown} unknown "
            f"({self.arrived} had arrived), {self.doubled} doubled, {self.lost} lost"
        )


def states(app: App, mailing_id: MailingId) -> dict[str, str]:
    """Address -> its state in the ledger."""
    query = sa.text(
        "SELECT p.address_local || '@' || p.address_domain, d.state FROM deliveries d JOIN people p ON p.id = d.person_id"
        " WHERE d.mailing_id = :mailing"
    )
    with app.db.read() as conn:
        return {address: state for address, state in conn.execute(query, {"mailing": mailing_id})}  # noqa: C416


def hold_invariant(
    app: App, mailing_id: MailingId, taken: Mapping[str, int], *, unknown: int = 0, failed: int = 0, skipped: int = 0
) -> Books:
    """Assert invariant I. `taken`: address -> messages at the sink. `unknown`, `failed`, `skipped`: at most so many."""
    with app.db.read() as conn:
        counts = receipts.count(conn, mailing_id)
        due = sa.text("SELECT count(*) FROM deliveries WHERE mailing_id = :mailing AND next_at IS NOT NULL")
        assert conn.execute(due, {"mailing": mailing_id}).scalar_one() == counts.pending + counts.deferred
    found = states(app, mailing_id)
    known = Counter(found.values())
    doubled = {address: number for address, number in taken.items() if number > 1}
    lost = [address for address, state in found.items() if state == DeliveryState.SENT and address not in taken]
    stray = [a for a in taken if found.get(a) not in (DeliveryState.SENT, DeliveryState.UNKNOWN)]
    assert doubled == {}
    assert lost == []
    assert stray == [], "mailed, and not so in the ledger"
    assert counts.open == 0
    assert counts.balanced
    assert counts.frozen == len(found) == sum(known[state] for state in CLOSED_DELIVERIES)
    assert counts.unknown <= unknown
    assert counts.failed <= failed
    assert counts.skipped <= skipped
    unsure = [address for address, state in found.items() if state == DeliveryState.UNKNOWN]
    return Books(
        counts=counts, arrived=sum(address in taken for address in unsure), doubled=len(doubled), lost=len(lost)
    )
