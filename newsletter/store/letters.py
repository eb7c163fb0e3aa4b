"""Letters: asked for in the transaction of their cause, rendered by compose, sent through the same ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import Letter, LetterKind, MailingId, PersonId, new_id
from newsletter.store import staff
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.delivering import letters

ASKED, RENDERED, FAILED = "asked", "rendered", "failed"


def ask(
    conn: Connection,
    kind: LetterKind,
    person_id: PersonId,
    *,
    language: str,
    dedupe_key: str,
    now: datetime,
    list_slug: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> MailingId | None:
    """Ask for a letter. None when the same cause has asked before: `dedupe_key` is unique for ever."""
    statement = (
        insert(conn, letters)
        .values(
            mailing_id=new_id(),
            kind=kind,
            person_id=person_id,
            language=language,
            list_slug=list_slug,
            variables=dict(variables or {}),
            dedupe_key=dedupe_key,
            state=ASKED,
            asked_at=now,
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(letters.c.mailing_id)
    )
    return conn.execute(statement).scalar_one_or_none()


def tell_staff(conn: Connection, key: str, variables: Mapping[str, Any], *, now: datetime) -> None:
    """One notice to each of the staff, in their language. `key` names the cause: the same cause tells nobody twice."""
    for member in staff.listed(conn):
        ask(
            conn,
            LetterKind.NOTICE,
            member.person_id,
            language=member.language,
            dedupe_key=f"{key}:{member.id}",
            now=now,
            variables=variables,
        )


def asked(conn: Connection, limit: int = 500) -> list[Letter]:
    query = sa.select(letters).where(letters.c.state == ASKED).order_by(letters.c.asked_at, letters.c.mailing_id)
    return [_letter(row) for row in conn.execute(query.limit(limit)).mappings()]


def get(conn: Connection, mailing_id: MailingId) -> Letter | None:
    row = conn.execute(sa.select(letters).where(letters.c.mailing_id == mailing_id)).mappings().first()
    return _letter(row) if row else None


def rendered(conn: Connection, mailing_id: MailingId) -> bool:
    """Take a letter for rendering. False when another process was first; said before anything else is written."""
    waiting = sa.update(letters).where(letters.c.mailing_id == mailing_id, letters.c.state == ASKED)
    return conn.execute(waiting.values(state=RENDERED)).rowcount == 1


def failed(conn: Connection, mailing_id: MailingId, reason: str) -> None:
    """It cannot be rendered; a person must mend the design. The other letters go on."""
    conn.execute(sa.update(letters).where(letters.c.mailing_id == mailing_id).values(state=FAILED, reason=reason))


def failures(conn: Connection) -> list[tuple[str, str]]:
    query = sa.select(letters.c.kind, letters.c.reason).where(letters.c.state == FAILED)
    return [(row.kind, row.reason) for row in conn.execute(query)]


def _letter(row: Mapping[Any, Any]) -> Letter:
    return Letter(
        mailing_id=row["mailing_id"],
        kind=LetterKind(row["kind"]),
        person_id=row["person_id"],
        language=row["language"],
        list_slug=row["list_slug"],
        variables=row["variables"],
        dedupe_key=row["dedupe_key"],
        asked_at=row["asked_at"],
    )
