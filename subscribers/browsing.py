"""People page by page: those of a list, for staff to look at; everybody, for programs to go through.

Changes nothing; addresses mask themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from subscribers.ids import PersonId
from subscribers.lists import get_list
from subscribers.people import Person, person_in
from subscribers.states import PersonState, SubscriptionState
from subscribers.tables import lists, people, subscriptions

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


# ---------------------------------------------------------------- everybody, for programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How somebody stands to one list."""

    list_slug: str
    state: SubscriptionState
    topics: tuple[str, ...]  # none: everything
    since: datetime | None
    left_at: datetime | None
    left_reason: str | None
    paused_until: datetime | None


def people_page(
    conn: Connection,
    *,
    limit: int,
    after: str = "",
    list_slug: str | None = None,
    state: SubscriptionState | None = None,
    person_state: PersonState | None = None,
) -> list[Person]:
    """The next `limit` people after an id. `state` is that of the subscription to `list_slug`, which it needs.

    Raises UnknownList.
    """
    query = select(people).where(people.c.id > after).order_by(people.c.id).limit(limit)
    if list_slug is not None:
        list_id = get_list(conn, list_slug).id
        # By the key (list, person): the page is read in order, however long the list is.
        query = (
            select(people)
            .join_from(subscriptions, people, people.c.id == subscriptions.c.person_id)
            .where(subscriptions.c.list_id == list_id, subscriptions.c.person_id > after)
            .order_by(subscriptions.c.person_id)
            .limit(limit)
        )
        if state is not None:
            query = query.where(subscriptions.c.state == state)
    if person_state is not None:
        query = query.where(people.c.state == person_state)
    return [person_in(row) for row in conn.execute(query)]


def held_by(conn: Connection, person_ids: Sequence[PersonId]) -> Mapping[PersonId, list[Held]]:
    """The subscriptions of some people, at most a page of them, by list; everybody asked for is there."""
    found: dict[PersonId, list[Held]] = {person_id: [] for person_id in person_ids}
    query = (
        select(subscriptions, lists.c.slug)
        .join_from(subscriptions, lists, lists.c.id == subscriptions.c.list_id)
        .where(subscriptions.c.person_id.in_(person_ids))
        .order_by(lists.c.slug)
    )
    for row in conn.execute(query):
        found[PersonId(row.person_id)].append(
            Held(
                list_slug=row.slug,
                state=SubscriptionState(row.state),
                topics=tuple(row.topics or ()),
                since=row.since,
                left_at=row.left_at,
                left_reason=row.left_reason,
                paused_until=row.paused_until,
            )
        )
    return found
