"""A file says that somebody left, bounced, complained or must not be written to, and here they are subscribed.

What rests on imports alone ends: the person never asked us, and the newest file says no. Whoever joined by their own
hand, or was added by staff, stays: an old file must not undo that.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from subscribers.bulk import one_of
from subscribers.columns import Candidate
from subscribers.consent import ConsentSource
from subscribers.ids import PersonId
from subscribers.known import Found, Known
from subscribers.loading import Destination
from subscribers.states import NotMailableReason, PersonState, SubscriptionState, SuppressionReason
from subscribers.subscriptions import unsubscribe
from subscribers.suppression import suppress
from subscribers.tables import consents

_ENDING = (SubscriptionState.UNSUBSCRIBED, PersonState.BOUNCED, PersonState.COMPLAINED, NotMailableReason.SUPPRESSED)
_RECEIVING = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


def says_no(row: Candidate) -> bool:
    return row.state in _ENDING


def to_end(
    conn: Connection, destination: Destination, rows: Iterable[Candidate], found: Found
) -> list[tuple[Candidate, Known]]:
    """The rows that end a subscription, each person once. One statement, and none when no row says no."""
    doubted = {
        row.key: (row, known)
        for row in rows
        if says_no(row)
        and (known := found.known.get(row.key)) is not None
        and known.state == PersonState.ACTIVE
        and known.subscription in _RECEIVING
    }
    if not doubted:
        return []
    query = select(consents.c.person_id).where(
        one_of(conn, consents.c.person_id, [known.person_id for _, known in doubted.values()]),
        consents.c.list_id == destination.list_id,
        consents.c.source != ConsentSource.IMPORT,
    )
    asked_themselves = set(conn.execute(query).scalars())
    return [pair for pair in doubted.values() if pair[1].person_id not in asked_themselves]


def ended(pairs: Sequence[tuple[Candidate, Known]]) -> dict[str, Known]:
    """The people as they are afterwards, by address key (pure)."""
    after = {}
    for row, known in pairs:
        left = row.state == SubscriptionState.UNSUBSCRIBED
        after[row.key] = known._replace(subscription=row.state.value) if left else known._replace(state=row.state.value)
    return after


def end(conn: Connection, destination: Destination, pairs: Sequence[tuple[Candidate, Known]]) -> None:
    """Unsubscribe or suppress, with a record of it."""
    for row, known in sorted(pairs, key=lambda pair: pair[1].person_id):
        who = PersonId(known.person_id)
        if row.state == SubscriptionState.UNSUBSCRIBED:
            unsubscribe(conn, destination.list_slug, who, now=row.left or destination.now, reason="import")
            continue
        suppressed = row.state == NotMailableReason.SUPPRESSED
        reason = SuppressionReason.STAFF if suppressed else SuppressionReason(row.state.value)
        suppress(conn, who, reason=reason, now=destination.now, key=destination.key)
