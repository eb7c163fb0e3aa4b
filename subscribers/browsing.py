"""The people of a list, page by page, for staff and the API to look at. Changes nothing; addresses mask themselves."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from subscribers.ids import PersonId
from subscribers.lists import get_list
from subscribers.people import Person, person_in
from subscribers.states import SubscriptionState
from subscribers.tables import people, subscriptions

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person of a list and how they stand on it."""

    person: Person
    state: SubscriptionState
    since: datetime | None
    requested_at: datetime


def members(
    conn: Connection,
    list_slug: str,
    *,
    state: SubscriptionState | None = None,
    before: PersonId | None = None,
    limit: int = PAGE,
) -> list[Member]:
    """Those who came last first; `before` is the last id of the page before. Raises UnknownList."""
    query = (
        select(people, subscriptions.c.state.label("standing"), subscriptions.c.since, subscriptions.c.requested_at)
        .join(subscriptions, subscriptions.c.person_id == people.c.id)
        .where(subscriptions.c.list_id == get_list(conn, list_slug).id)
        .order_by(subscriptions.c.person_id.desc())
        .limit(limit)
    )
    if state is not None:
        query = query.where(subscriptions.c.state == state.value)
    if before is not None:
        query = query.where(subscriptions.c.person_id < before)
    return [
        Member(
            person=person_in(row),
            state=SubscriptionState(row.standing),
            since=row.since,
            requested_at=row.requested_at,
        )
        for row in conn.execute(query)
    ]
