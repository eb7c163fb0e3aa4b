"""source add, list, check, pause, resume; edit, import and export are beside this."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.app import App
from newsletter.cli.failing import WRONG
from newsletter.cli.issues import newsletter_of
from newsletter.cli.opening import opened, working
from newsletter.cli.outlines import export_opml, import_opml
from newsletter.cli.output import emit, moment, note, say, table
from newsletter.cli.sitefile import source_of
from newsletter.cli.sourceedit import (
    Exclude,
    FullText,
    Include,
    Language,
    MaxAge,
    Name,
    Newest,
    Section,
    Slug,
    Topic,
    Weight,
    edit,
    entry,
    said,
    source_of_slug,
)
from newsletter.collect import discover
from newsletter.collect.documents.files import read_file, read_folder
from newsletter.collect.poll import Polled, Told, poll
from newsletter.errors import BadInput, LayoutChanged, SourceError
from newsletter.model import RawItem, Source, SourceKind, SourceState
from newsletter.store import newsletters, sources

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Add, edit, list, check, pause, import and export sources.", no_args_is_help=True, rich_markup_mode=None
    )
    verbs: dict[str, Callable[..., None]] = {
        "add": add,
        "edit": edit,
        "list": show_all,
        "check": check,
        "pause": pause,
        "resume": resume,
        "import": import_opml,
        "export": export_opml,
    }
    for name, verb in verbs.items():
        group.command(name)(verb)
    app.add_typer(group, name="source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands at a place: enough to make a source of it."""

    kind: SourceKind
    url: str
    title: str
    articles: int
    items: tuple[RawItem, ...] = ()
    how: str = ""


def add(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="URL_OR_PATH", help="A site, feed, article, folder or file.")],
    *,
    slug: Annotated[str | None, typer.Option(help="Its short name; else made from its title.")] = None,
    name: Name = None,
    section: Section = None,
    language: Language = None,
    include: Include = None,
    exclude: Exclude = None,
    topic: Topic = None,
    newest: Newest = None,
    max_age: MaxAge = None,
    full_text: FullText = None,
    weight: Weight = None,
    newsletter: Annotated[str | None, typer.Option(metavar="SLUG", help="The newsletter that uses it.")] = None,
    kind: Annotated[SourceKind | None, typer.Option(help="What it is, where looking finds something else.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and change nothing.")] = False,
) -> None:
    """Find out what stands at a place (feed, sitemap, listing, article, folder), show its newest articles, collect it.

    The feed a page names comes first, then well-known feed paths, a sitemap, and the structure of a listing page.
    """
    with working(ctx) as app:
        found = look_at(app, place, kind=kind)
        _preview(app, found)
        _told(app)(found.url)
        given = said(
            section=section,
            language=language,
            include=include,
            exclude=exclude,
            topic=topic,
            newest=newest,
            max_age=max_age,
            full_text=full_text,
            weight=weight,
        )
        source = source_of(
            entry(
                slug=slug or discover.slug_of(name or found.title or found.url),
                kind=found.kind,
                url=found.url,
                name=name or found.title,
                **given,
            )
        )
        _keep(app, source, newsletter, dry_run=dry_run)
    say(
        f"{'would add' if dry_run else 'added'} {found.kind} {source.slug}: {source.name} ({found.articles} article(s))"
    )
    if newsletter is None and not dry_run:
        note("no newsletter uses it yet: name it in the site file, or add it with --newsletter")


def _keep(app: App, source: Source, newsletter: str | None, *, dry_run: bool) -> None:
    """Write the source, and put it last among those of the newsletter; only the checks where it is a dry run."""
    now = app.clock.now()
    with app.db.begin() as conn:
        if sources.by_slug(conn, source.slug) is not None:
            raise BadInput("there is a source of this name already", where=source.slug, hint="choose another --slug")
        user = newsletter_of(conn, newsletter) if newsletter else None
        if dry_run:
            return
        source_id = sources.add(conn, source, now=now)
        if user is not None:
            newsletters.save(conn, replace(user, source_ids=(*user.source_ids, source_id)), now=now)


def look_at(app: App, place: str, *, kind: SourceKind | None = None) -> Found:
    """Decide by looking what stands at `place`, unless `kind` says it. Raises SourceError, or BadInput when it is
    neither URL nor path, or cannot be of this kind."""
    is_url = re.match(r"https?://", place, re.I) is not None
    if kind is SourceKind.MANUAL or (kind is not None and is_url == (kind is SourceKind.FOLDER)):
        raise BadInput(f"this cannot be a source of kind {kind}", where=place)
    if is_url:
        return _look_at_url(app, place, kind)
    path = Path(place).expanduser()
    if path.is_dir():
        readable = tuple(item for _, item in read_folder(path, _told(app)) if not isinstance(item, SourceError))
        return Found(
            kind=SourceKind.FOLDER,
            url=str(path.resolve()),
            title=path.resolve().name,
            articles=len(readable),
            items=readable,
            how="a folder of files",
        )
    if path.exists():
        return Found(kind=SourceKind.FOLDER, url=str(path.resolve()), title=read_file(path).title, articles=1)
    raise BadInput("there is no such file or folder", where=place, hint="a URL begins with https:// or http://")


def _look_at_url(app: App, url: str, kind: SourceKind | None) -> Found:
    now = app.clock.now()
    seen = (
        discover.discover(app.fetcher, url, now=now, told=_told(app))
        if kind is None
        else discover.look_as(app.fetcher, sources.new("new", kind, url), now=now, told=_told(app))
    )
    return Found(
        kind=seen.kind, url=seen.url, title=seen.title, articles=len(seen.items), items=seen.items, how=seen.how
    )


def _told(app: App) -> Told:
    """Shows what is read next, and breaks off there when a signal came."""

    def told(what: str) -> None:
        if app.stopping.is_set():
            raise KeyboardInterrupt
        app.watch("looking", what)

    return told


def _preview(app: App, found: Found) -> None:
    """What it would take, before anything is written; on standard error, so that the answer itself stays one line."""
    if not found.items:
        return
    note(f"{found.url}: {found.how}; its newest:")
    for item in discover.newest(app.fetcher, found.items, told=_told(app)):
        day = item.published.isoformat()[:10] if item.published else "no date"
        note(f"  {day:<10}  {item.title or 'no title'}  {item.url or ''}")


# ---------------------------------------------------------------- looking


def show_all(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the sources with their health."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            known = sources.listed(conn)
        zone = app.settings.timezone
    if as_json:
        emit([_plain(source) for source in known])
        return
    rows = [
        (source.slug, source.kind, source.state, moment(source.next_check_at, zone), source.url, source.reason)
        for source in known
    ]
    table(("slug", "kind", "state", "next check", "where", "reason"), rows)


def _plain(source: Source) -> dict[str, Any]:
    names = ("slug", "kind", "url", "name", "language", "section", "state", "reason", "failures", "next_check_at")
    return {name: getattr(source, name) for name in names}


def check(
    ctx: typer.Context,
    slug: Slug,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Show all it gives, as it gives it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a source now and show its newest five articles, without writing anything. Code 1: it cannot be read."""
    with working(ctx) as app:
        with app.db.read() as conn:
            source = source_of_slug(conn, slug)
        # without validators, so that "not modified" cannot hide what is wrong
        source = replace(source, etag=None, last_modified=None, validators_url=None, body_hash=None)
        changed = ""
        try:
            polled = poll(app.fetcher, source, now=app.clock.now(), told=_told(app))
        except LayoutChanged as error:  # what stands there now is what a person needs to see
            changed = str(error)
            polled = _anew(app, source)
        given = [candidate.item for candidate in polled.found]
        shown = given if everything or as_json else discover.newest(app.fetcher, given, told=_told(app))
    if as_json:
        problems = [*([changed] if changed else []), *map(str, polled.problems)]
        emit({"slug": slug, "articles": _articles(given), "problems": problems})
        raise typer.Exit(WRONG if changed else 0)
    rows = [(entry["published"], entry["characters"], entry["title"] or entry["url"]) for entry in _articles(shown)]
    table(("published", "characters", "title"), rows)
    if len(shown) < len(given):
        note(f"the newest {len(shown)} of {len(given)}; --all shows all")
    for problem in polled.problems:
        note(f"left out: {problem}")
    if polled.answer.moved:
        note(f"it has moved to {polled.answer.moved}")
    if changed:
        note(f"error: {changed}")
        raise typer.Exit(WRONG)


def _anew(app: App, source: Source) -> Polled:
    try:
        return poll(app.fetcher, replace(source, signature=None), now=app.clock.now())
    except SourceError:  # no list at all: there is nothing to show beside the alarm
        return Polled()


def _articles(items: Sequence[RawItem]) -> list[dict[str, Any]]:
    return [
        {
            "title": item.title,
            "url": item.url,
            "published": item.published.isoformat() if item.published else None,
            "characters": len(item.text),
            "provenance": dict(item.provenance),
        }
        for item in items
    ]


def pause(ctx: typer.Context, slug: Slug) -> None:
    """Do not look at a source until it is resumed."""
    _set_state(ctx, slug, SourceState.PAUSED)
    say(f"{slug} is paused")


def resume(ctx: typer.Context, slug: Slug) -> None:
    """Look at a source again, at once."""
    _set_state(ctx, slug, SourceState.ACTIVE)
    say(f"{slug} is looked at with the next run")


def _set_state(ctx: typer.Context, slug: str, state: SourceState) -> None:
    with opened(ctx) as app, app.db.begin() as conn:
        sources.set_state(conn, source_of_slug(conn, slug).id, state, now=app.clock.now())
