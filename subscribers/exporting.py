"""A list as rows that import again as the same list. These rows hold addresses in the clear: for files people ask for."""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, select

from subscribers.address import Address, reveal
from subscribers.lists import get_list
from subscribers.states import PersonState, SubscriptionState
from subscribers.tables import as_text, people, subscriptions

EXPORT_COLUMNS = ("email", "name", "language", "time_zone", "attributes", "state", "since")


def export_list(conn: Connection, list_slug: str) -> Iterator[dict[str, str]]:
    """One row per person by id, with the keys of EXPORT_COLUMNS. Streams: the caller reads within its transaction.

    Not there: the erased, and who has not confirmed (nobody may turn a pending wish into consent by moving a file).
    A bounced or complained person has that as state. Raises UnknownList.
    """
    query = (
        select(people, subscriptions.c.state.label("subscription"), subscriptions.c.since)
        .join_from(subscriptions, people, people.c.id == subscriptions.c.person_id)
        .where(
            subscriptions.c.list_id == get_list(conn, list_slug).id,
            subscriptions.c.state != SubscriptionState.PENDING,
            people.c.state != PersonState.ERASED,
        )
        .order_by(subscriptions.c.person_id)
    )
    for row in conn.execute(query, execution_options={"yield_per": 1_000}):
        yield {
            "email": reveal(Address(row.address_local, row.address_domain)),
            "name": row.name,
            "language": row.language or "",
            "time_zone": row.time_zone or "",
            "attributes": json.dumps(row.attributes, ensure_ascii=False, sort_keys=True) if row.attributes else "",
            "state": row.subscription if row.state == PersonState.ACTIVE else row.state,
            "since": as_text(row.since) if row.since else "",
        }
