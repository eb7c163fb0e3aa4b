"""source add, list, check, pause, resume."""

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from newsletter.app import App
from newsletter.cli.issues import newsletter_of
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, note, say, table
from newsletter.collect.feed import looks_like_feed, read_feed
from newsletter.collect.files import read_file, read_folder
from newsletter.collect.page import read_page
from newsletter.collect.poll import Polled, poll
from newsletter.errors import BadInput, SourceError
from newsletter.http import ANY_FEED, MAX_FEED
from newsletter.model import Source, SourceKind, SourceState
from newsletter.store import Connection, newsletters, sources

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="See `newsletter source list`.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Add, list, check, pause and resume sources.", no_args_is_help=True, rich_markup_mode=None)
    for name, verb in (("add", add), ("list", show_all), ("check", check), ("pause", pause), ("resume", resume)):
        group.command(name)(verb)
    app.add_typer(group, name="source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands at a place: enough to make a source of it."""

    kind: SourceKind
    url: str
    title: str
    articles: int


def add(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="URL_OR_PATH", help="A feed, an article page, a folder or a file.")],
    *,
    slug: Annotated[str | None, typer.Option(help="Its short name; else made from its title.")] = None,
    name: Annotated[str | None, typer.Option(help="What readers see as the source.")] = None,
    section: Annotated[str | None, typer.Option(help="The section its articles stand in.")] = None,
    language: Annotated[str | None, typer.Option(help="Like vi or en; else found out per article.")] = None,
    newsletter: Annotated[str | None, typer.Option(metavar="SLUG", help="The newsletter that uses it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and change nothing.")] = False,
) -> None:
    """Look at a place, decide whether it is a feed, a page or a folder, and collect it from now on."""
    with opened(ctx) as app:
        found = look_at(app, place)
        source = sources.new(
            slug or slug_of(name or found.title or found.url),
            found.kind,
            found.url,
            name=name or found.title,
            language=language,
            section=section,
        )
        with app.db.begin() as conn:
            if sources.by_slug(conn, source.slug) is not None:
                raise BadInput(
                    "there is a source of this name already", where=source.slug, hint="choose another --slug"
                )
            user = newsletter_of(conn, newsletter) if newsletter else None
            if not dry_run:
                now = app.clock.now()
                source_id = sources.add(conn, source, now=now)
                if user is not None:
                    newsletters.save(conn, replace(user, source_ids=(*user.source_ids, source_id)), now=now)
    say(
        f"{'would add' if dry_run else 'added'} {found.kind} {source.slug}: {source.name} ({found.articles} article(s))"
    )
    if newsletter is None and not dry_run:
        note("no newsletter uses it yet: name it in the site file, or add it with --newsletter")


def look_at(app: App, place: str) -> Found:
    """Decide by looking what stands at `place`. Raises SourceError, or BadInput when it is neither URL nor path."""
    if re.match(r"https?://", place, re.I):
        return _look_at_url(app, place)
    path = Path(place).expanduser()
    if path.is_dir():
        readable = [item for _, item in read_folder(path) if not isinstance(item, SourceError)]
        return Found(kind=SourceKind.FOLDER, url=str(path.resolve()), title=path.resolve().name, articles=len(readable))
    if path.exists():
        return Found(kind=SourceKind.FOLDER, url=str(path.resolve()), title=read_file(path).title, articles=1)
    raise BadInput("there is no such file or folder", where=place, hint="a URL begins with https:// or http://")


def _look_at_url(app: App, url: str) -> Found:
    fetched = app.fetcher.get(url, accept=ANY_FEED, max_body=MAX_FEED)
    if looks_like_feed(fetched.body, fetched.content_type):
        feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
        return Found(kind=SourceKind.FEED, url=url, title=feed.title or "", articles=len(feed.entries))
    page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    if not page.text:
        raise SourceError("this page holds no article text", where=url, hint="give a feed or an article's own page")
    return Found(kind=SourceKind.PAGE, url=url, title=urlsplit(fetched.url).hostname or page.title, articles=1)


def slug_of(text: str) -> str:
    """A slug from a title or URL: `Tin tức Viện Đo đạc` → `tin-tuc-vien-do-dac`."""
    plain = unicodedata.normalize("NFKD", re.sub(r"^https?://", "", text).lower().replace("đ", "d"))
    ascii_only = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:60].strip("-") or "source"


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


def check(ctx: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """Read a source now and show what it gives, without writing anything. Code 1: it cannot be read."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            source = _source(conn, slug)
        # without validators, so that "not modified" cannot hide what is wrong
        polled = poll(app.fetcher, replace(source, etag=None, last_modified=None, validators_url=None, body_hash=None))
    if as_json:
        emit({"slug": slug, "articles": _articles(polled), "problems": [str(problem) for problem in polled.problems]})
        return
    rows = [(entry["published"], entry["characters"], entry["title"]) for entry in _articles(polled)]
    table(("published", "characters", "title"), rows)
    for problem in polled.problems:
        note(f"left out: {problem}")
    if polled.moved:
        note(f"it has moved to {polled.moved}")


def _articles(polled: Polled) -> list[dict[str, Any]]:
    return [
        {
            "title": candidate.item.title,
            "url": candidate.item.url,
            "published": candidate.item.published.isoformat() if candidate.item.published else None,
            "characters": len(candidate.item.text),
            "provenance": dict(candidate.item.provenance),
        }
        for candidate in polled.found
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
        sources.set_state(conn, _source(conn, slug).id, state, now=app.clock.now())


def _source(conn: Connection, slug: str) -> Source:
    source = sources.by_slug(conn, slug)
    if source is None:
        raise BadInput("there is no such source", where=slug, hint="`newsletter source list` shows them")
    return source
