"""Sources: what is due, and how the last attempt went."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.model import NewsletterId, Source, SourceId, SourceKind, SourceState, new_id
from newsletter.store.engine import Connection
from newsletter.store.health import LONGEST_PAUSE, Answer, address, after_failure
from newsletter.store.schema.collecting import sources
from newsletter.store.schema.publishing import newsletter_sources

REMOVED = "removed from the site file"

# What a source answered before says nothing of another address, nor of a layout a person has looked at.
_UNREAD: dict[str, None] = dict.fromkeys(
    ("etag", "last_modified", "validators_url", "body_hash", "signature", "reading")
)
_WELL = {"reason": None, "failures": 0, "failing_since": None, "gone": 0}
_SETTLED = {"moved_to": None, "moved_seen": 0}


def add(conn: Connection, source: Source, *, now: datetime) -> SourceId:
    """Write a new source, or bring the one with the same slug up to date; health and validators are kept, unless it has
    a new address: then it is looked at anew, also when it had been given up."""
    known = by_slug(conn, source.slug)
    settings: dict[str, Any] = {
        "kind": source.kind,
        "url": source.url,
        "name": source.name,
        "language": source.language,
        "section": source.section,
        "newest": source.newest,
        "max_age_seconds": int(source.max_age.total_seconds()),
        "include": list(source.include),
        "exclude": list(source.exclude),
        "topics": list(source.topics),
        "full_text": source.full_text,
        "weight": source.weight,
    }
    if known is not None:
        if (known.kind, known.url) != (source.kind, source.url):
            settings |= _UNREAD | _SETTLED
            if known.state is SourceState.FAILING or known.given_up:
                settings |= _WELL | {"state": SourceState.ACTIVE, "next_check_at": now}
        conn.execute(sa.update(sources).where(sources.c.id == known.id).values(**settings))
        return known.id
    polled = source.kind is not SourceKind.MANUAL
    conn.execute(
        sa.insert(sources).values(
            id=source.id,
            slug=source.slug,
            state=SourceState.ACTIVE,
            next_check_at=now if polled else None,
            created_at=now,
            **settings,
        )
    )
    return source.id


def new(
    slug: str,
    kind: SourceKind,
    url: str,
    *,
    name: str = "",
    language: str | None = None,
    section: str | None = None,
    newest: int = 5,
    max_age: timedelta = timedelta(days=14),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    topics: Sequence[str] = (),
    full_text: bool = True,
    weight: int = 0,
) -> Source:
    """A source that is not yet written."""
    return Source(
        id=SourceId(new_id()),
        slug=slug,
        kind=kind,
        url=url,
        name=name or slug,
        language=language,
        section=section,
        state=SourceState.ACTIVE,
        newest=newest,
        max_age=max_age,
        include=tuple(include),
        exclude=tuple(exclude),
        topics=tuple(topics),
        full_text=full_text,
        weight=weight,
    )


def by_slug(conn: Connection, slug: str) -> Source | None:
    row = conn.execute(sa.select(sources).where(sources.c.slug == slug)).mappings().first()
    return _source(row) if row else None


def listed(conn: Connection) -> list[Source]:
    return [_source(row) for row in conn.execute(sa.select(sources).order_by(sources.c.slug)).mappings()]


def due(conn: Connection, *, now: datetime) -> list[Source]:
    """Sources whose next check has come, the longest waiting first. Paused ones are left alone.

    A check further ahead than any pause was set by a clock that ran ahead: it is due too, or the source would fall silent.
    """
    come = sa.or_(sources.c.next_check_at <= now, sources.c.next_check_at > now + 2 * LONGEST_PAUSE)
    query = (
        sa.select(sources)
        .where(come, sources.c.state != SourceState.PAUSED)
        .order_by(sources.c.next_check_at, sources.c.id)
    )
    return [_source(row) for row in conn.execute(query).mappings()]


def of_newsletter(conn: Connection, newsletter_id: NewsletterId) -> list[Source]:
    query = (
        sa.select(sources)
        .join(newsletter_sources, newsletter_sources.c.source_id == sources.c.id)
        .where(newsletter_sources.c.newsletter_id == newsletter_id)
        .order_by(newsletter_sources.c.position)
    )
    return [_source(row) for row in conn.execute(query).mappings()]


def checked(conn: Connection, answers: Sequence[tuple[Source, Answer]], *, now: datetime) -> None:
    """The sources answered: they are healthy, and due again after what each answer says.

    Where permanent redirects led becomes a source's URL after several equal sightings (see health).
    """
    if answers:
        conn.execute(_CHECKED, [_left(source, answer, now) for source, answer in answers])


def _left(source: Source, answer: Answer, now: datetime) -> dict[str, Any]:
    place = address(source, answer.moved)
    return {
        "of": source.id,
        "to_url": place.url if place.url != source.url else None,
        "moved_to": place.moved_to,
        "moved_seen": place.moved_seen,
        "last_ok_at": now,
        "next_check_at": now + answer.every if source.kind is not SourceKind.MANUAL else None,
        **{name: getattr(answer, name) for name in _UNREAD},
    }


def failed(
    conn: Connection,
    source: Source,
    reason: str,
    *,
    now: datetime,
    status: int | None = None,
    retry_after: float | None = None,
) -> Source | None:
    """The source could not be read: record why, when to look again, and whether it is given up (see health).

    Returns the source as it is now; None when somebody paused it while it was being read: then nothing is recorded.
    """
    health = after_failure(source, reason, now=now, status=status, retry_after=retry_after)
    left = {field.name: getattr(health, field.name) for field in fields(health)}
    awake = sa.and_(sources.c.id == source.id, sources.c.state != SourceState.PAUSED)
    changed = conn.execute(sa.update(sources).where(awake).values(**left)).rowcount
    return replace(source, **left) if changed else None


def _unless_paused(value: str | None, kept: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A person who pauses a source while it is being read is not overruled by how the reading went."""
    return sa.case((sources.c.state == SourceState.PAUSED, kept), else_=value)


_CHECKED = (
    sa.update(sources)
    .where(sources.c.id == sa.bindparam("of"))
    .values(
        **_WELL
        | {
            "state": _unless_paused(SourceState.ACTIVE.value, sources.c.state),
            "reason": _unless_paused(None, sources.c.reason),
            # only when it moves: somebody may have corrected it meanwhile
            "url": sa.func.coalesce(sa.bindparam("to_url", type_=sa.Text), sources.c.url),
            "first_run_done": True,
        },
        **{name: sa.bindparam(name) for name in ("last_ok_at", "next_check_at", "moved_to", "moved_seen", *_UNREAD)},
    )
)


def set_state(conn: Connection, source_id: SourceId, state: SourceState, *, now: datetime) -> None:
    """Pause or resume by a person; resuming makes it due at once, and a listing's layout is learnt anew."""
    values: dict[str, Any] = {"state": state, "failing_since": None}  # from now on it is the person's pause
    if state is SourceState.ACTIVE:
        values |= {"next_check_at": now, **_WELL, **_SETTLED, **_UNREAD}
    conn.execute(sa.update(sources).where(sources.c.id == source_id).values(**values))


def remove(conn: Connection, slugs: Sequence[str]) -> int:
    """Take sources out of every newsletter and stop polling; their articles and identities stay, so nothing returns."""
    ids = sa.select(sources.c.id).where(sources.c.slug.in_(slugs))
    conn.execute(sa.delete(newsletter_sources).where(newsletter_sources.c.source_id.in_(ids)))
    result = conn.execute(
        sa.update(sources)
        .where(sources.c.slug.in_(slugs))
        .values(state=SourceState.PAUSED, reason=REMOVED, failing_since=None, next_check_at=None)
    )
    return result.rowcount


def _source(row: Any) -> Source:
    return Source(
        id=row["id"],
        slug=row["slug"],
        kind=SourceKind(row["kind"]),
        url=row["url"],
        name=row["name"],
        language=row["language"],
        section=row["section"],
        state=SourceState(row["state"]),
        reason=row["reason"],
        newest=row["newest"],
        max_age=timedelta(seconds=row["max_age_seconds"]),
        include=tuple(row["include"]),
        exclude=tuple(row["exclude"]),
        topics=tuple(row["topics"]),
        full_text=row["full_text"],
        weight=row["weight"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        validators_url=row["validators_url"],
        body_hash=row["body_hash"],
        signature=row["signature"],
        reading=row["reading"],
        failures=row["failures"],
        failing_since=row["failing_since"],
        gone=row["gone"],
        moved_to=row["moved_to"],
        moved_seen=row["moved_seen"],
        next_check_at=row["next_check_at"],
        last_ok_at=row["last_ok_at"],
        first_run_done=row["first_run_done"],
    )


def was_removed(source: Source) -> bool:
    """Whether `remove` took this source away (a pause by a person is something else)."""
    return source.state is SourceState.PAUSED and source.reason == REMOVED
