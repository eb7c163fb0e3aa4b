"""Newsletters: what is published, from which sources, when, to which list."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.model import ApprovalPolicy, Newsletter, NewsletterId, PictureMode, SectionRule, SourceId
from newsletter.store.engine import Connection
from newsletter.store.schema.publishing import newsletter_sources, newsletters


def save(conn: Connection, newsletter: Newsletter, *, now: datetime) -> NewsletterId:
    """Write the newsletter with this slug, new or changed. Send moments before its first writing are never made up for.

    A changed cron or time zone starts afresh from now, so that moments of the old schedule are not sent by the new one.
    """
    values: dict[str, Any] = {
        "name": newsletter.name,
        "languages": list(newsletter.languages),
        "design": newsletter.design,
        "options": dict(newsletter.options),
        "list_slug": newsletter.list_slug,
        "segment": newsletter.segment,
        "cron": newsletter.cron,
        "timezone": newsletter.timezone,
        "approval": newsletter.approval,
        "compose_lead_seconds": int(newsletter.compose_lead.total_seconds()),
        "latest_start_seconds": int(newsletter.latest_start.total_seconds()),
        "max_items": newsletter.max_items,
        "max_per_source": newsletter.max_per_source,
        "sections": [asdict(rule) for rule in newsletter.sections] or None,
        "unknown_policy": newsletter.unknown_policy,
        "images": newsletter.images,
        "active": newsletter.active,
        "public": newsletter.public,
    }
    known = by_slug(conn, newsletter.slug)
    if known is None:
        conn.execute(
            sa.insert(newsletters).values(
                id=newsletter.id, slug=newsletter.slug, scheduled_from=now, created_at=now, **values
            )
        )
        newsletter_id = newsletter.id
    else:
        newsletter_id = known.id
        if (known.cron, known.timezone) != (newsletter.cron, newsletter.timezone):
            values["scheduled_from"] = now
        conn.execute(sa.update(newsletters).where(newsletters.c.id == newsletter_id).values(**values))
    _set_sources(conn, newsletter_id, newsletter.source_ids)
    return newsletter_id


def by_slug(conn: Connection, slug: str) -> Newsletter | None:
    row = conn.execute(sa.select(newsletters).where(newsletters.c.slug == slug)).mappings().first()
    return _newsletter(conn, row) if row else None


def get(conn: Connection, newsletter_id: NewsletterId) -> Newsletter:
    row = conn.execute(sa.select(newsletters).where(newsletters.c.id == newsletter_id)).mappings().one()
    return _newsletter(conn, row)


def listed(conn: Connection, *, active_only: bool = False) -> list[Newsletter]:
    query = sa.select(newsletters).order_by(newsletters.c.slug)
    if active_only:
        query = query.where(newsletters.c.active)
    return [_newsletter(conn, row) for row in conn.execute(query).mappings().all()]


def language_of_list(conn: Connection, list_slug: str) -> str | None:
    """What somebody on this list reads who names no language: the first of its newsletters', active ones before others."""
    known = [one for one in listed(conn) if one.list_slug == list_slug and one.languages]
    return min(known, key=lambda one: not one.active).languages[0] if known else None


def of_segment(conn: Connection, segment: str) -> list[str]:
    """The slugs of the newsletters that go by a segment: it must not be removed while there are any."""
    query = sa.select(newsletters.c.slug).where(newsletters.c.segment == segment).order_by(newsletters.c.slug)
    return list(conn.execute(query).scalars())


def scheduled_from(conn: Connection, newsletter_id: NewsletterId) -> datetime:
    moment: datetime = conn.execute(
        sa.select(newsletters.c.scheduled_from).where(newsletters.c.id == newsletter_id)
    ).scalar_one()
    return moment


def take_turn(conn: Connection, newsletter_id: NewsletterId) -> None:
    """Wait until nobody else is giving an issue of it its content; the row stays locked until the transaction ends."""
    own = newsletters.c.id == newsletter_id
    conn.execute(sa.update(newsletters).where(own).values(slug=newsletters.c.slug))


def deactivate(conn: Connection, slugs: Sequence[str]) -> int:
    return conn.execute(sa.update(newsletters).where(newsletters.c.slug.in_(slugs)).values(active=False)).rowcount


def _set_sources(conn: Connection, newsletter_id: NewsletterId, source_ids: Sequence[SourceId]) -> None:
    conn.execute(sa.delete(newsletter_sources).where(newsletter_sources.c.newsletter_id == newsletter_id))
    rows = [
        {"newsletter_id": newsletter_id, "source_id": source_id, "position": position}
        for position, source_id in enumerate(dict.fromkeys(source_ids))
    ]
    if rows:
        conn.execute(sa.insert(newsletter_sources), rows)


def _newsletter(conn: Connection, row: Mapping[Any, Any]) -> Newsletter:
    chosen = conn.execute(
        sa.select(newsletter_sources.c.source_id)
        .where(newsletter_sources.c.newsletter_id == row["id"])
        .order_by(newsletter_sources.c.position)
    ).scalars()
    return Newsletter(
        id=row["id"],
        slug=row["slug"],
        name=row["name"],
        language=row["languages"][0],
        languages=tuple(row["languages"]),
        design=row["design"],
        options=row["options"],
        list_slug=row["list_slug"],
        segment=row["segment"],
        cron=row["cron"],
        timezone=row["timezone"],
        approval=ApprovalPolicy(row["approval"]),
        compose_lead=timedelta(seconds=row["compose_lead_seconds"]),
        latest_start=timedelta(seconds=row["latest_start_seconds"]),
        max_items=row["max_items"],
        unknown_policy=row["unknown_policy"],
        active=row["active"],
        public=row["public"] is not False,
        source_ids=tuple(chosen),
        sections=tuple(_rule(kept) for kept in row["sections"] or ()),
        max_per_source=row["max_per_source"],
        images=PictureMode(row["images"] or PictureMode.HOSTED),
    )


def _rule(kept: Mapping[str, Any]) -> SectionRule:
    lists = {name: tuple(kept[name]) for name in ("source_ids", "topics", "words")}
    return SectionRule(**{**kept, **lists})
