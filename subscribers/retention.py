"""What is not kept for ever: sign-ups nobody confirmed, people who left long ago, IP addresses of consents.

A rule is a moment: what is older goes, in bounded numbers a call. Nobody in `spared` (staff) is touched.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select, update

from subscribers.errors import UnknownPerson
from subscribers.ids import PersonId
from subscribers.keyed import SuppressionKey
from subscribers.people import lock
from subscribers.privacy import close_subscriptions, empty, erase
from subscribers.states import PersonState, SubscriptionState
from subscribers.tables import consents, people, subscriptions

MOST = 500  # people of one call: a transaction stays short


def forget_unconfirmed(
    conn: Connection, *, before: datetime, now: datetime, spared: Collection[PersonId] = (), most: int = MOST
) -> int:
    """Whoever asked to join, never confirmed anything, and is on no list: emptied as by `erase`, but free to sign up again.

    So is whoever never was on any list: an address that was held for a letter or a test, and not as that of somebody barred.
    No keyed hash stays: perhaps it was never their own hand. Returns how many.
    """
    asked = subscriptions.c.requested_at
    query = (
        _of_the_living()
        .group_by(subscriptions.c.person_id)
        .having(
            func.min(subscriptions.c.state) == SubscriptionState.PENDING.value,
            func.max(subscriptions.c.state) == SubscriptionState.PENDING.value,
            func.max(asked) < before,
        )
    )
    done = 0
    for person_id in _found(conn, query, spared, most):
        row = lock(conn, person_id)
        still = select(subscriptions.c.state).where(subscriptions.c.person_id == person_id)
        pending = set(conn.execute(still).scalars()) == {SubscriptionState.PENDING}
        if row is None or row.state == PersonState.ERASED or not pending:  # confirmed while we looked
            continue
        close_subscriptions(conn, person_id, now=now, reason="never confirmed")
        empty(conn, person_id, now=now)
        done += 1
    return done + _forget_held(conn, before=before, now=now, spared=spared, most=most - done)


def _forget_held(conn: Connection, *, before: datetime, now: datetime, spared: Collection[PersonId], most: int) -> int:
    theirs = exists().where(subscriptions.c.person_id == people.c.id)
    held = (people.c.state == PersonState.ACTIVE.value) & (people.c.created_at < before) & ~theirs
    query = select(people.c.id).where(held).order_by(people.c.id).limit(most + len(spared))
    found = [PersonId(row[0]) for row in conn.execute(query) if row[0] not in spared][:most]
    done = 0
    for person_id in found:
        row = lock(conn, person_id)
        joined = conn.execute(select(exists().where(subscriptions.c.person_id == person_id))).scalar()
        if row is None or row.state != PersonState.ACTIVE or joined:  # signed up while we looked
            continue
        empty(conn, person_id, now=now)
        done += 1
    return done


def forget_left(
    conn: Connection,
    *,
    before: datetime,
    now: datetime,
    key: SuppressionKey,
    spared: Collection[PersonId] = (),
    most: int = MOST,
) -> int:
    """Whoever left every list before a moment is erased; their keyed hash keeps imports from bringing them back.

    Raises KeyMismatch, and nobody is erased.
    """
    query = (
        _of_the_living()
        .group_by(subscriptions.c.person_id)
        .having(
            func.min(subscriptions.c.state) == SubscriptionState.UNSUBSCRIBED.value,
            func.max(subscriptions.c.state) == SubscriptionState.UNSUBSCRIBED.value,
            func.max(subscriptions.c.left_at) < before,
        )
    )
    done = 0
    for person_id in _found(conn, query, spared, most):
        lock(conn, person_id)
        on_a_list = subscriptions.c.state != SubscriptionState.UNSUBSCRIBED.value
        back = exists().where(subscriptions.c.person_id == person_id, on_a_list)
        if not conn.execute(select(back)).scalar() and _erased(conn, person_id, now=now, key=key):
            done += 1
    return done


def forget_ips(conn: Connection, *, before: datetime) -> int:
    """The IP addresses of consents older than a moment; their salted digests stay, so the chain still verifies."""
    old = update(consents).where(consents.c.at < before, consents.c.ip.is_not(None))
    return conn.execute(old.values(ip=None)).rowcount


def _of_the_living() -> Select[Any]:
    """The ids of subscriptions whose person is not erased."""
    living = people.c.state != PersonState.ERASED.value
    return select(subscriptions.c.person_id).join(people, people.c.id == subscriptions.c.person_id).where(living)


def _found(conn: Connection, query: Select[Any], spared: Collection[PersonId], most: int) -> list[PersonId]:
    rows = conn.execute(query.order_by(subscriptions.c.person_id).limit(most + len(spared)))
    return [PersonId(row[0]) for row in rows if row[0] not in spared][:most]


def _erased(conn: Connection, person_id: PersonId, *, now: datetime, key: SuppressionKey) -> bool:
    try:
        return erase(conn, person_id, now=now, key=key)
    except UnknownPerson:
        return False
