"""Mailings and their renderings: what exactly is sent, whoever it goes to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import (
    IssueId,
    Mailing,
    MailingId,
    MailingKind,
    MailingState,
    Rendering,
    Segments,
)
from newsletter.store.engine import Connection
from newsletter.store.schema.delivering import mailings, renderings
from newsletter.store.schema.picturing import mailing_images


def add(conn: Connection, mailing: Mailing, *, now: datetime) -> None:
    """Write a mailing with its renderings; the first rendering is the default language."""
    conn.execute(
        sa.insert(mailings).values(
            id=mailing.id,
            kind=mailing.kind,
            state=mailing.state,
            issue_id=mailing.issue_id,
            list_slug=mailing.list_slug,
            sender_name=mailing.sender_name,
            unknown_policy=mailing.unknown_policy,
            content_hash=mailing.content_hash,
            nonce=mailing.nonce,
            created_at=now,
        )
    )
    _add_renderings(conn, mailing.id, mailing.renderings)
    _add_images(conn, mailing.id, mailing.images)


def discard_composed(conn: Connection, issue_id: IssueId) -> None:
    """Forget earlier compositions of an issue that nobody was frozen for."""
    old = conn.execute(
        sa.select(mailings.c.id).where(mailings.c.issue_id == issue_id, mailings.c.state == MailingState.COMPOSED)
    ).scalars()
    ids = list(old)
    conn.execute(sa.delete(renderings).where(renderings.c.mailing_id.in_(ids)))
    conn.execute(sa.delete(mailing_images).where(mailing_images.c.mailing_id.in_(ids)))
    conn.execute(sa.delete(mailings).where(mailings.c.id.in_(ids)))


def get(conn: Connection, mailing_id: MailingId) -> Mailing:
    row = conn.execute(sa.select(mailings).where(mailings.c.id == mailing_id)).mappings().one()
    return _mailing(conn, row)


def find(conn: Connection, mailing_id: str) -> Mailing | None:
    row = conn.execute(sa.select(mailings).where(mailings.c.id == mailing_id)).mappings().first()
    return _mailing(conn, row) if row else None


def any_there(conn: Connection) -> bool:
    return conn.execute(sa.select(mailings.c.id).limit(1)).first() is not None


def sending(conn: Connection) -> list[MailingId]:
    """Mailings under way: letters and tests first, because a person waits for them; then the oldest issue."""
    query = (
        sa.select(mailings.c.id)
        .where(mailings.c.state == MailingState.SENDING)
        .order_by(mailings.c.kind == MailingKind.ISSUE, mailings.c.started_at, mailings.c.id)
    )
    return list(conn.execute(query).scalars())


def started_at(conn: Connection, mailing_id: MailingId) -> datetime:
    moment: datetime = conn.execute(sa.select(mailings.c.started_at).where(mailings.c.id == mailing_id)).scalar_one()
    return moment


def _add_renderings(conn: Connection, mailing_id: MailingId, made: Sequence[Rendering]) -> None:
    rows = [
        {
            "mailing_id": mailing_id,
            "language": r.language,
            "position": position,
            "subject": r.subject,
            "preheader": r.preheader,
            "html": r.html,
            "text": r.text,
            "segments": asdict(r.segments) if r.segments is not None else None,
        }
        for position, r in enumerate(made)
    ]
    if rows:
        conn.execute(sa.insert(renderings), rows)


def _add_images(conn: Connection, mailing_id: MailingId, names: Sequence[str]) -> None:
    rows = [{"mailing_id": mailing_id, "name": name, "position": position} for position, name in enumerate(names)]
    if rows:
        conn.execute(sa.insert(mailing_images), rows)


def _mailing(conn: Connection, row: Mapping[Any, Any]) -> Mailing:
    made = conn.execute(
        sa.select(renderings).where(renderings.c.mailing_id == row["id"]).order_by(renderings.c.position)
    ).mappings()
    shown = sa.select(mailing_images.c.name).where(mailing_images.c.mailing_id == row["id"])
    return Mailing(
        id=row["id"],
        kind=MailingKind(row["kind"]),
        state=MailingState(row["state"]),
        issue_id=row["issue_id"],
        list_slug=row["list_slug"],
        sender_name=row["sender_name"],
        unknown_policy=row["unknown_policy"],
        content_hash=row["content_hash"],
        nonce=row["nonce"],
        renderings=tuple(
            Rendering(
                language=r["language"],
                subject=r["subject"],
                preheader=r["preheader"],
                html=r["html"],
                text=r["text"],
                segments=_segments(r["segments"]),
            )
            for r in made
        ),
        images=tuple(conn.execute(shown.order_by(mailing_images.c.position)).scalars()),
    )


def _segments(kept: Mapping[str, Any] | None) -> Segments | None:
    if kept is None:
        return None
    return Segments(
        topics=tuple(map(tuple, kept["topics"])),
        phrases=tuple((singular, plural) for singular, plural in kept["phrases"]),
    )
