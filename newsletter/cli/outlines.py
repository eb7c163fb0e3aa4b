"""source import and export: sources as OPML, the list that feed readers exchange."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.app import App
from newsletter.cli.failing import WRONG
from newsletter.cli.issues import newsletter_of
from newsletter.cli.opening import opened, working
from newsletter.cli.output import emit, note, say
from newsletter.cli.sitefile import SourceEntry, entry_of_source, source_of
from newsletter.cli.sourceedit import entry
from newsletter.collect.discover import discover
from newsletter.collect.identity.keys import canonical_url
from newsletter.collect.opml import MAX_BYTES, Outline, read_opml, written
from newsletter.errors import BadInput, NewsletterError
from newsletter.model import Source, SourceKind, SourceState
from newsletter.store import newsletters, sources

_LISTS = ("include", "exclude", "topics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one line of the file. `action`: added, known, left out."""

    action: str
    name: str
    slug: str = ""
    url: str = ""
    reason: str = ""

    def __str__(self) -> str:
        told = f" {self.reason}" if self.reason else ""
        return f"{self.action:<9} {self.slug or self.name}: {self.url or self.name}{told}"


def import_opml(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="As a feed reader exports it.")],
    *,
    newsletter: Annotated[str | None, typer.Option(metavar="SLUG", help="The newsletter that uses them.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be added.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Add the sources of an OPML file; its groups become sections. One bad line does not stop the others.

    What is there already, by its address, is left as it is. A line that names only a site is looked at, as `source add`
    does. Code 1: nothing could be added, and not because it was there.
    """
    with file.open("rb") as stream:
        outlines, problems = read_opml(stream.read(MAX_BYTES + 1), where=str(file))
    done = [Line(action="left out", name=problem.where, reason=problem.what) for problem in problems]
    with working(ctx) as app:
        if newsletter is not None:
            with app.db.read() as conn:
                newsletter_of(conn, newsletter)
        known = _Known(app)
        for number, outline in enumerate(outlines, 1):
            if app.stopping.is_set():
                break
            app.watch("import", outline.name, number, len(outlines))
            done.append(_taken(app, known, outline, newsletter, file=file, dry_run=dry_run))
    _tell(done, dry_run=dry_run, as_json=as_json)


class _Known:
    """The addresses and names that are taken, by sources that are there and by earlier lines of the file."""

    def __init__(self, app: App) -> None:
        with app.db.read() as conn:
            there = sources.listed(conn)
        self.slugs = {source.slug for source in there}
        self.at = {_place(s.kind, s.url, s.slug): s.slug for s in there if not sources.was_removed(s)}
        self.removed = {_place(s.kind, s.url, s.slug): s.slug for s in there if sources.was_removed(s)}

    def slug(self, wanted: str, place: str) -> str:
        """A free name; a source that was removed gets its own back."""
        if place in self.removed:
            return self.removed[place]
        free = (f"{wanted[:56].rstrip('-')}-{number}" for number in range(2, 10_000))
        return wanted if wanted not in self.slugs else next(slug for slug in free if slug not in self.slugs)


def _place(kind: SourceKind, url: str, slug: str) -> str:
    return f"manual {slug}" if kind is SourceKind.MANUAL else canonical_url(url)


def _taken(app: App, known: _Known, outline: Outline, newsletter: str | None, *, file: Path, dry_run: bool) -> Line:
    try:
        wanted = _entry(app, outline)
    except NewsletterError as error:
        reason = f"({file.name}:{outline.line}: {error.what})"
        return Line(
            action="left out", name=outline.name, url=outline.feed or outline.link or outline.site, reason=reason
        )
    place = _place(wanted.kind, wanted.url, wanted.slug)
    if place in known.at:
        there = known.at[place]
        return Line(action="known", name=outline.name, slug=there, url=wanted.url, reason="(it is there already)")
    wanted = wanted.model_copy(update={"slug": known.slug(wanted.slug, place)})
    known.slugs.add(wanted.slug)
    known.at[place] = wanted.slug
    if not dry_run:
        _write(app, source_of(wanted), newsletter)
    return Line(action="added", name=outline.name, slug=wanted.slug, url=wanted.url)


def _write(app: App, source: Source, newsletter: str | None) -> None:
    now = app.clock.now()
    with app.db.begin() as conn:
        before = sources.by_slug(conn, source.slug)
        source_id = sources.add(conn, source, now=now)
        if before is not None:
            sources.set_state(conn, source_id, SourceState.ACTIVE, now=now)
        if newsletter is not None:
            user = newsletter_of(conn, newsletter)
            newsletters.save(conn, replace(user, source_ids=(*user.source_ids, source_id)), now=now)


def _entry(app: App, outline: Outline) -> SourceEntry:
    """Raises BadInput (an attribute cannot be used) or SourceError (nothing is found behind a site)."""
    from newsletter.collect.discover import slug_of

    own: dict[str, Any] = {name: value for name, value in outline.own.items() if name in SourceEntry.model_fields}
    for name in own.keys() & {*_LISTS, "full_text"}:
        own[name] = _value(own[name])
    kind, url = own.pop("kind", SourceKind.FEED), outline.feed or outline.link
    if not url and outline.site and not own:
        found = discover(app.fetcher, outline.site, now=app.clock.now(), told=lambda at: app.watch("looking", at))
        kind, url = found.kind, found.url
    name = own.pop("name", outline.name)
    slug = own.pop("slug", "") or slug_of(outline.name or url)
    given = {"language": outline.language, "section": outline.section} | own
    return entry(slug=slug, kind=kind, url=url, name=name, **given)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadInput(f"{text[:40]!r} is no list") from error


def _tell(done: Sequence[Line], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        emit({"lines": done, "dry_run": dry_run})
    else:
        for line in done:
            (note if line.action == "left out" else say)(str(line))
        counts = {action: sum(line.action == action for line in done) for action in ("added", "known", "left out")}
        say(", ".join(f"{number} {action}" for action, number in counts.items()))
        if dry_run:
            say("dry run: nothing was written")
    if done and all(line.action == "left out" for line in done):
        raise typer.Exit(WRONG)


# ---------------------------------------------------------------- export


def export_opml(ctx: typer.Context) -> None:
    """Write the sources to standard output as OPML 2.0; `source import` reads them back the same."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            kept = [source for source in sources.listed(conn) if not sources.was_removed(source)]
        sender = app.settings.sender
        title, now = sender.organisation or sender.name, app.clock.now()
    typer.echo(written(list(map(_outline, kept)), title=title, now=now), nl=False)


def _outline(source: Source) -> Outline:
    values = entry_of_source(source)
    is_feed = source.kind is SourceKind.FEED
    return Outline(
        name=source.name,
        feed=values.url if is_feed else "",
        link="" if is_feed else values.url,
        section=values.section,
        language=values.language,
        own={name: text for name, text in _own(values) if text is not None},
    )


def _own(values: SourceEntry) -> Iterator[tuple[str, str | None]]:
    """What OPML has no word for, where it is not what an import would take anyway."""
    plain = values.model_dump(mode="json")
    yield "slug", values.slug
    yield "kind", None if values.kind is SourceKind.FEED else str(values.kind)
    yield "name", "" if not values.name else None
    for name in ("newest", "max_age_days", "full_text", "weight", *_LISTS):
        unusual = plain[name] not in (SourceEntry.model_fields[name].default, [])
        yield name, json.dumps(plain[name], ensure_ascii=False) if unusual else None
