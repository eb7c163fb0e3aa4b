"""What staff said about the articles of an issue: kept one by one, never changed; the latest of each field counts.

Must never change an issue that is being sent: `record` takes the issue back to draft first, which only issues before their
sending allow.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from newsletter.model import ArticleId, Edit, IssueId, ItemField, Override, Pin, Presence, new_id
from newsletter.store import issues
from newsletter.store.engine import Connection
from newsletter.store.schema.publishing import issue_edits

SENT_BACK = "an item was changed"


def record(conn: Connection, issue_id: IssueId, edits: Sequence[Edit]) -> None:
    """Keep them, and take the issue back to draft: it is composed again, and approved again if it was.

    Raises NotAllowed when its sending has begun or it is closed.
    """
    issues.edited(conn, issue_id, reason=SENT_BACK)
    rows = [
        {
            "id": new_id(),
            "issue_id": issue_id,
            "article_id": edit.article_id,
            "at": edit.at,
            "by": edit.by,
            "field": edit.field,
            "value": edit.value,
            "doubts": list(edit.doubts) or None,
        }
        for edit in edits
    ]
    if rows:
        conn.execute(sa.insert(issue_edits), rows)


def history(conn: Connection, issue_id: IssueId) -> list[Edit]:
    """All that was said, in its order."""
    query = sa.select(issue_edits).where(issue_edits.c.issue_id == issue_id).order_by(issue_edits.c.id)
    return [_edit(row) for row in conn.execute(query).mappings()]


def overrides(conn: Connection, issue_id: IssueId) -> dict[ArticleId, Override]:
    """What counts now, for each article of which anything does."""
    return folded(history(conn, issue_id))


def folded(edits: Iterable[Edit]) -> dict[ArticleId, Override]:
    """The latest of each field of each article (pure). An article of which all was taken back is not among them."""
    said: dict[ArticleId, dict[ItemField, Edit]] = {}
    for edit in edits:
        said.setdefault(edit.article_id, {})[edit.field] = edit
    found = {article_id: _override(latest) for article_id, latest in said.items()}
    return {article_id: override for article_id, override in found.items() if override.said}


def _override(latest: Mapping[ItemField, Edit]) -> Override:
    values = {field: edit.value for field, edit in latest.items() if edit.value is not None}
    last = max(latest.values(), key=lambda edit: edit.at)
    place, pin, presence = (values.get(name) for name in (ItemField.PLACE, ItemField.PIN, ItemField.PRESENCE))
    summary = latest.get(ItemField.SUMMARY)
    worded = [latest[name].at for name in (ItemField.TITLE, ItemField.SUMMARY) if name in values]
    placed = [latest[name].at for name in (ItemField.PLACE, ItemField.PIN) if name in values]
    return Override(
        by=last.by,
        at=last.at,
        title=values.get(ItemField.TITLE),
        summary=values.get(ItemField.SUMMARY),
        image=values.get(ItemField.IMAGE),
        section=values.get(ItemField.SECTION),
        place=int(place) if place is not None else None,
        pin=Pin(pin) if pin is not None else None,
        presence=Presence(presence) if presence is not None else None,
        presence_by=latest[ItemField.PRESENCE].by if presence is not None else "",
        doubts=summary.doubts if summary is not None and summary.value is not None else (),
        worded_at=min(worded, default=None),
        placed_at=max(placed, default=None),
    )


def _edit(row: Mapping[Any, Any]) -> Edit:
    return Edit(
        at=row["at"],
        by=row["by"],
        article_id=row["article_id"],
        field=ItemField(row["field"]),
        value=row["value"],
        doubts=tuple(row["doubts"] or ()),
    )
