"""Lists people join, and how many are in which state."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, insert, select, update

from subscribers.errors import InvalidValue, UnknownList
from subscribers.ids import new_id
from subscribers.states import SubscriptionState
from subscribers.tables import lists, subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    id: str
    slug: str
    name: str
    description: str
    double_opt_in: bool  # a sign-up waits for the answer to a letter
    created_at: datetime


def create_list(
    conn: Connection, slug: str, *, name: str, now: datetime, description: str = "", double_opt_in: bool = True
) -> List:
    """Raises InvalidValue for a slug that is taken or is not lower-case letters, digits and single hyphens (≤ 60)."""
    check_slug(slug, where="list")
    if conn.execute(select(lists.c.id).where(lists.c.slug == slug)).first():
        raise InvalidValue(f"there is already a list {slug}", where="list", hint="choose another slug")
    row = {
        "id": new_id(),
        "slug": slug,
        "name": name,
        "description": description,
        "double_opt_in": double_opt_in,
        "created_at": now,
    }
    conn.execute(insert(lists), row)
    return get_list(conn, slug)


def check_slug(slug: str, *, where: str) -> None:
    """Raises InvalidValue unless it is lower-case letters, digits and single hyphens, at most 60."""
    if len(slug) > 60 or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise InvalidValue(f"{slug!r} is no slug", where=where, hint="use a-z, 0-9 and hyphens, like institute-news")


def update_list(conn: Connection, slug: str, *, name: str, description: str = "", double_opt_in: bool = True) -> List:
    """Rename or describe a list. Consents keep the wording people agreed to. Raises UnknownList."""
    known = get_list(conn, slug)
    values = {"name": name, "description": description, "double_opt_in": double_opt_in}
    conn.execute(update(lists).where(lists.c.id == known.id).values(values))
    return get_list(conn, slug)


def get_list(conn: Connection, slug: str) -> List:
    """Raises UnknownList."""
    row = conn.execute(select(lists).where(lists.c.slug == slug)).first()
    if row is None:
        raise UnknownList(f"there is no list {slug!r}", hint="see the slugs with: subscribers lists")
    return _list(row)


def list_lists(conn: Connection) -> list[List]:
    """All lists by slug."""
    return [_list(row) for row in conn.execute(select(lists).order_by(lists.c.slug))]


def counts(conn: Connection, slug: str) -> Mapping[SubscriptionState, int]:
    """How many subscriptions of one list are in each state; every state is there. Raises UnknownList."""
    found = conn.execute(
        select(subscriptions.c.state, func.count())
        .where(subscriptions.c.list_id == get_list(conn, slug).id)
        .group_by(subscriptions.c.state)
    )
    return dict.fromkeys(SubscriptionState, 0) | {SubscriptionState(state): number for state, number in found}


def _list(row: Row[tuple[object, ...]]) -> List:
    return List(**row._mapping)
