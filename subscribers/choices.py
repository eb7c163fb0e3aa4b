"""What a reader settles about a subscription they have: a pause until a day, and looking at how it stands.

A pause ends by itself: `resume_due` is asked before an audience is frozen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from subscribers.errors import InvalidValue
from subscribers.ids import PersonId
from subscribers.lists import get_list
from subscribers.people import lock
from subscribers.states import SubscriptionState
from subscribers.tables import subscriptions, utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    state: SubscriptionState
    topics: tuple[str, ...]  # those chosen; none: everything
    since: datetime | None  # active from
    paused_until: datetime | None


def subscription(conn: Connection, list_slug: str, person_id: PersonId) -> Subscription | None:
    """None for somebody who was never on the list. Raises UnknownList."""
    mine = (subscriptions.c.list_id == get_list(conn, list_slug).id) & (subscriptions.c.person_id == person_id)
    row = conn.execute(select(subscriptions).where(mine)).first()
    if row is None:
        return None
    return Subscription(
        state=SubscriptionState(row.state),
        topics=tuple(row.topics or ()),
        since=row.since,
        paused_until=row.paused_until,
    )


def pause(conn: Connection, list_slug: str, person_id: PersonId, *, until: datetime, now: datetime) -> bool:
    """Nothing is sent before `until`; then all goes on. False for who is not subscribed.

    Raises UnknownList; InvalidValue for a moment that is not ahead.
    """
    if until <= now:
        raise InvalidValue("a pause ends later than now", where="until")
    able = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    values = {"state": SubscriptionState.PAUSED.value, "paused_until": utc(until)}
    return _change(conn, list_slug, person_id, able, values)


def resume(conn: Connection, list_slug: str, person_id: PersonId) -> bool:
    """End a pause now. False for who is not paused. Raises UnknownList."""
    values = {"state": SubscriptionState.ACTIVE.value, "paused_until": None}
    return _change(conn, list_slug, person_id, (SubscriptionState.PAUSED,), values)


def resume_due(conn: Connection, *, now: datetime) -> int:
    """End the pauses whose day has come, on all lists. Returns how many."""
    due = (subscriptions.c.paused_until <= utc(now)) & (subscriptions.c.state == SubscriptionState.PAUSED.value)
    values = {"state": SubscriptionState.ACTIVE.value, "paused_until": None}
    return conn.execute(update(subscriptions).where(due).values(values)).rowcount


def _change(
    conn: Connection,
    list_slug: str,
    person_id: PersonId,
    able: tuple[SubscriptionState, ...],
    values: Mapping[str, object],
) -> bool:
    list_id = get_list(conn, list_slug).id
    lock(conn, person_id)
    mine = (subscriptions.c.list_id == list_id) & (subscriptions.c.person_id == person_id)
    able_now = subscriptions.c.state.in_([state.value for state in able])
    return conn.execute(update(subscriptions).where(mine, able_now).values(dict(values))).rowcount == 1
