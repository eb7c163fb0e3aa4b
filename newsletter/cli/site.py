"""apply and dump: the site file against the database, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

import subscribers
from newsletter.app import App
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, say
from newsletter.cli.sitefile import (
    Change,
    NewsletterEntry,
    Site,
    SourceEntry,
    check_newsletters,
    compare,
    entry_of_list,
    entry_of_newsletter,
    entry_of_source,
    read_site,
    source_of,
    written,
)
from newsletter.cli.sitepeople import check_people, entry_of_attribute, entry_of_segment, write
from newsletter.compose.design import find_design
from newsletter.compose.options import Mended
from newsletter.model import Newsletter, NewsletterId, SectionRule, SourceId, SourceState, new_id
from newsletter.schedule import next_moments
from newsletter.store import Connection, newsletters, sources


def register(app: typer.Typer) -> None:
    app.command("apply")(apply)
    app.command("dump")(dump)


def apply(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The site file; `newsletter dump` writes one.")],
    *,
    prune: Annotated[
        bool, typer.Option("--prune", help="Stop the sources and newsletters that the file does not name.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring sources, lists, attributes, segments and newsletters to what FILE says, by their slugs. Shows the plan first.

    All or nothing: a wrong key, an unknown list, an impossible schedule is refused before anything is written.
    Removed newsletters are made inactive, removed sources paused; their issues and articles stay. Lists and attributes
    are never removed.
    """
    with opened(ctx) as app:
        site = read_site(file, timezone=app.settings.timezone)
        now = app.clock.now()
        with app.db.begin() as conn:
            present = present_site(conn)
            kept = Site(lists=present.lists, attributes=present.attributes) if prune else present
            _check(app, site, kept, now=now, path=file)
            plan = compare(site, present, prune=prune)
            if not dry_run:
                _write(conn, site, plan, now=now)
        coming = _coming(site, plan, now)
        mended = _mended(site, app.design_folders)
    _show(plan, coming, mended, dry_run=dry_run, as_json=as_json)


def dump(ctx: typer.Context) -> None:
    """Write sources, lists and newsletters to standard output as a site file that `apply` takes."""
    with opened(ctx) as app, app.db.read() as conn:
        typer.echo(written(present_site(conn)), nl=False)


def present_site(conn: Connection) -> Site:
    """What the database holds, without the sources that were removed."""
    kept = [source for source in sources.listed(conn) if not sources.was_removed(source)]
    slugs = {source.id: source.slug for source in kept}
    return Site(
        sources=tuple(entry_of_source(source) for source in kept),
        lists=tuple(entry_of_list(the_list) for the_list in subscribers.list_lists(conn)),
        attributes=tuple(entry_of_attribute(one) for one in subscribers.list_attributes(conn)),
        segments=tuple(entry_of_segment(one) for one in subscribers.list_segments(conn)),
        newsletters=tuple(entry_of_newsletter(letter, slugs) for letter in newsletters.listed(conn)),
    )


def _check(app: App, site: Site, kept: Site, *, now: datetime, path: Path) -> None:
    """`kept`: what stays there beside the file."""
    lists = {entry.slug for entry in (*site.lists, *kept.lists)}
    check_people((site.attributes, site.segments), kept.attributes, lists=lists, path=path)
    check_newsletters(
        site,
        lists=lists,
        segments={entry.slug for entry in (*site.segments, *kept.segments)},
        sources={entry.slug for entry in (*site.sources, *kept.sources)},
        designs=app.design_folders,
        now=now,
        path=path,
    )


# ---------------------------------------------------------------- writing


def _write(conn: Connection, site: Site, plan: Sequence[Change], *, now: datetime) -> None:
    to_do = {(change.kind, change.slug): change.action for change in plan}
    for entry in site.lists:
        if to_do["list", entry.slug] == "created":
            subscribers.create_list(conn, **entry.model_dump(), now=now)
        elif to_do["list", entry.slug] == "changed":
            subscribers.update_list(conn, **entry.model_dump())
    write(conn, (site.attributes, site.segments), to_do, now=now)
    for source in site.sources:
        if to_do["source", source.slug] != "unchanged":
            _save_source(conn, source, now=now)
    ids = {source.slug: source.id for source in sources.listed(conn)}
    for letter in site.newsletters:
        if to_do["newsletter", letter.slug] != "unchanged":
            newsletters.save(conn, newsletter_of(letter, ids), now=now)
    sources.remove(conn, [change.slug for change in plan if (change.kind, change.action) == ("source", "removed")])
    newsletters.deactivate(
        conn, [change.slug for change in plan if (change.kind, change.action) == ("newsletter", "removed")]
    )
    for change in plan:
        if (change.kind, change.action) == ("segment", "removed"):
            subscribers.remove_segment(conn, change.slug)


def _save_source(conn: Connection, entry: SourceEntry, *, now: datetime) -> None:
    known = sources.by_slug(conn, entry.slug)
    sources.add(conn, source_of(entry), now=now)
    if known is not None and sources.was_removed(known):
        sources.set_state(conn, known.id, SourceState.ACTIVE, now=now)


def newsletter_of(entry: NewsletterEntry, ids: Mapping[str, SourceId]) -> Newsletter:
    """`ids`: of the sources, by their slugs."""
    return Newsletter(
        id=NewsletterId(new_id()),
        slug=entry.slug,
        name=entry.name,
        language=entry.languages[0],
        languages=entry.languages,
        design=entry.design,
        options=entry.options,
        list_slug=entry.list,
        segment=entry.segment,
        cron=entry.cron,
        timezone=entry.timezone,
        approval=entry.approval,
        compose_lead=timedelta(hours=entry.compose_lead_hours),
        latest_start=timedelta(hours=entry.latest_start_hours),
        max_items=entry.max_items,
        unknown_policy=entry.unknown_policy,
        images=entry.images,
        public=entry.public,
        active=entry.active,
        source_ids=tuple(ids[slug] for slug in entry.sources),
        sections=tuple(
            SectionRule(
                title=section.title,
                titles=section.titles,
                source_ids=tuple(ids[slug] for slug in section.sources),
                topics=section.topics,
                words=section.words,
                limit=section.limit,
            )
            for section in entry.sections
        ),
        max_per_source=entry.max_per_source,
    )


# ---------------------------------------------------------------- telling


def _coming(site: Site, plan: Sequence[Change], now: datetime) -> dict[str, list[str]]:
    """The next three send moments of each newsletter that is saved."""
    saved = {change.slug for change in plan if change.kind == "newsletter" and change.action in ("created", "changed")}
    return {
        entry.slug: [
            moment(at, entry.timezone) for at in next_moments(entry.cron, entry.timezone, after=now) if entry.active
        ]
        for entry in site.newsletters
        if entry.slug in saved
    }


def _mended(site: Site, designs: Sequence[Path]) -> dict[str, tuple[Mended, ...]]:
    """The colours of each newsletter that are not used as they were given, because nobody could read them."""
    found = {entry.slug: find_design(entry.design, designs).mended(entry.options) for entry in site.newsletters}
    return {slug: mended for slug, mended in found.items() if mended}


def _show(
    plan: Sequence[Change],
    coming: dict[str, list[str]],
    mended: dict[str, tuple[Mended, ...]],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    if as_json:
        emit({"plan": plan, "next": coming, "mended": mended, "dry_run": dry_run})
        return
    for change in plan:
        say(str(change))
    for slug, colours in mended.items():
        for one in colours:
            say(f"{slug}: {one}")
    for slug, moments in coming.items():
        say(f"{slug} is sent next: {', '.join(moments) or 'never, it is not active'}")
    if dry_run:
        say("dry run: nothing was written")
