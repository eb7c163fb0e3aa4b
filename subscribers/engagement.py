"""Who opened and clicked what a list sent: told by whoever sees it happen, so that segments know it.

A row per person and list that ever opened something; erasing a person removes it. Knows no mailings: a sending is a list
and a moment. Telling the same thing twice is for the caller to prevent; the order in which things are told changes nothing.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from subscribers.ids import PersonId
from subscribers.lists import get_list
from subscribers.people import lock
from subscribers.states import PersonState
from subscribers.tables import engagements, insert_or_skip, lists, sendings, upsert, utc


class Engagement(StrEnum):
    OPENED = "opened"
    CLICKED = "clicked"  # also says that it was opened: many read without pictures, and no opening is seen


def record_sending(conn: Connection, list_slug: str, *, at: datetime) -> None:
    """Something is sent to the list at this moment. Twice is once. Raises UnknownList."""
    row = {"list_id": get_list(conn, list_slug).id, "at": utc(at)}
    conn.execute(insert_or_skip(conn, sendings, ["list_id", "at"]), row)


def record_engagement(
    conn: Connection, list_slug: str, person_id: PersonId, what: Engagement, *, at: datetime, sent_at: datetime
) -> bool:
    """`at`: when it happened; `sent_at`: the moment of its sending, as `record_sending` was told.

    False for somebody unknown or erased, of whom nothing is kept. Raises UnknownList.
    """
    list_id = get_list(conn, list_slug).id
    row = lock(conn, person_id)
    if row is None or row.state == PersonState.ERASED:
        return False
    clicked = what is Engagement.CLICKED
    values = {
        "list_id": list_id,
        "person_id": person_id,
        "last_opened_at": utc(at),
        "opened_sending": utc(sent_at),
        "last_clicked_at": utc(at) if clicked else None,
        "clicked_sending": utc(sent_at) if clicked else None,
        "opens": int(not clicked),
        "clicks": int(clicked),
    }
    statement = upsert(conn, engagements)
    told = statement.excluded
    moments = ("last_opened_at", "opened_sending", "last_clicked_at", "clicked_sending")
    newer = {name: _later(engagements.c[name], told[name]) for name in moments}
    counted = {name: engagements.c[name] + told[name] for name in ("opens", "clicks")}
    conn.execute(statement.on_conflict_do_update(index_elements=["list_id", "person_id"], set_=newer | counted), values)
    return True


def _later(kept: ColumnElement[Any], told: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((or_(kept.is_(None), told > kept), told), else_=kept)


def nth_last_sending(conn: Connection, list_id: str, number: int) -> datetime | None:
    """When the list's `number`-th last sending was; of fewer, the first one; None when nothing was ever sent."""
    latest = (
        select(sendings.c.at)
        .where(sendings.c.list_id == list_id)
        .order_by(sendings.c.at.desc())
        .limit(number)
        .subquery()
    )
    found: datetime | None = conn.execute(select(func.min(latest.c.at))).scalar()
    return found


def engagement_of(conn: Connection, person_id: PersonId) -> list[dict[str, Any]]:
    """What is held about one person, by list: list, last_opened_at, last_clicked_at, opens, clicks."""
    columns = [engagements.c[name] for name in ("last_opened_at", "last_clicked_at", "opens", "clicks")]
    query = (
        select(lists.c.slug.label("list"), *columns)
        .join_from(engagements, lists, lists.c.id == engagements.c.list_id)
        .where(engagements.c.person_id == person_id)
        .order_by(lists.c.slug)
    )
    return [dict(row) for row in conn.execute(query).mappings()]
