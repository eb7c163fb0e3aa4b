"""What happened to issues, for whoever must be told: written in the transaction of the change, taken once, in order."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.model import IssueId, IssueState, MailingId, new_id
from newsletter.model.ids import made_at
from newsletter.store.engine import Connection
from newsletter.store.schema.machines import issue_changes
from newsletter.store.schema.publishing import issues


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueChange:
    id: str
    issue_id: IssueId
    state: IssueState  # what it became
    at: datetime


def note(conn: Connection, issue_id: IssueId, state: IssueState) -> None:
    conn.execute(sa.insert(issue_changes).values(id=new_id(), issue_id=issue_id, state=state))


def note_of(conn: Connection, mailing_id: MailingId, state: IssueState) -> None:
    """The issue that is sent by a mailing, if one is."""
    found = conn.execute(sa.select(issues.c.id).where(issues.c.mailing_id == mailing_id)).scalar()
    if found is not None:
        note(conn, found, state)


def take(conn: Connection, limit: int = 500) -> list[IssueChange]:
    """The oldest that nobody has taken, the earliest first; gone when the transaction commits. No two takers get one."""
    query = sa.select(issue_changes).order_by(issue_changes.c.id).limit(limit).with_for_update(skip_locked=True)
    taken = [
        IssueChange(id=row.id, issue_id=row.issue_id, state=IssueState(row.state), at=made_at(row.id))
        for row in conn.execute(query)
    ]
    if taken:
        conn.execute(sa.delete(issue_changes).where(issue_changes.c.id.in_([one.id for one in taken])))
    return taken
