"""Why each article is, or is not, in an issue: one row for every article considered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import Basis, Decision, IssueId, Item, ItemField, Report
from newsletter.store.engine import Connection
from newsletter.store.schema.publishing import issue_articles


def write(conn: Connection, issue_id: IssueId, decisions: Sequence[Decision]) -> None:
    """Put these in place of what was decided before."""
    conn.execute(sa.delete(issue_articles).where(issue_articles.c.issue_id == issue_id))
    if decisions:
        conn.execute(sa.insert(issue_articles), [_row(issue_id, decision) for decision in decisions])


def of_issue(conn: Connection, issue_id: IssueId) -> list[Decision]:
    """Every article considered for the issue: those in it in their order, then the others, best ranked first."""
    query = sa.select(issue_articles).where(issue_articles.c.issue_id == issue_id)
    return sorted((decision_of(row) for row in conn.execute(query).mappings()), key=_in_order)


def _in_order(decision: Decision) -> tuple[bool, int, float, str]:
    position = decision.item.position if decision.item else 0
    return (not decision.included, position, -decision.basis.score if decision.basis else 0.0, decision.article_id)


def _row(issue_id: IssueId, decision: Decision) -> dict[str, Any]:
    item = None
    if decision.item is not None:
        item = asdict(decision.item)
        item["published"] = item["published"].isoformat() if item["published"] else None
    return {
        "issue_id": issue_id,
        "article_id": decision.article_id,
        "included": decision.included,
        "reason": decision.reason,
        "position": decision.item.position if decision.item else None,
        "item": item,
        "basis": asdict(decision.basis) if decision.basis else None,
    }


def decision_of(row: Mapping[Any, Any]) -> Decision:
    """`row`: the columns of issue_articles, by their names."""
    return Decision(
        article_id=row["article_id"],
        included=row["included"],
        reason=row["reason"],
        item=_item(row["item"]) if row["item"] is not None else None,
        basis=Basis(**row["basis"]) if row["basis"] is not None else None,
    )


def _item(kept: Mapping[str, Any]) -> Item:
    """What an issue composed by an earlier version lacks is as if nobody had said anything."""
    published = kept["published"]
    if published is not None:
        published = date.fromisoformat(published) if len(published) == 10 else datetime.fromisoformat(published)
    read = {
        "published": published,
        "also": tuple(Report(**one) for one in kept.get("also", ())),
        "topics": tuple(kept.get("topics", ())),
        "edited": tuple(ItemField(name) for name in kept.get("edited", ())),
    }
    return Item(**{**kept, **read})
