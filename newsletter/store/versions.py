"""The versions of an issue: each composition that differs from the one before, as the manifest it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import IssueId
from newsletter.store.engine import Connection
from newsletter.store.schema.publishing import issue_versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    issue_id: IssueId
    version: int  # from 1
    composed_at: datetime
    content_hash: str
    manifest: Mapping[str, Any]


def keep(conn: Connection, issue_id: IssueId, manifest: Mapping[str, Any], *, content_hash: str, now: datetime) -> int:
    """Keep a composition. Composing the same again makes no new version. Returns the version's number."""
    latest = next(iter(of_issue(conn, issue_id)), None)
    if latest is not None and latest.manifest == manifest:
        return latest.version
    number = latest.version + 1 if latest is not None else 1
    values = {"version": number, "composed_at": now, "content_hash": content_hash, "manifest": manifest}
    conn.execute(sa.insert(issue_versions).values(issue_id=issue_id, **values))
    return number


def of_issue(conn: Connection, issue_id: IssueId) -> list[Version]:
    """The latest first."""
    query = (
        sa.select(issue_versions).where(issue_versions.c.issue_id == issue_id).order_by(issue_versions.c.version.desc())
    )
    return [Version(**row) for row in conn.execute(query).mappings()]
