"""segment: queries over people that newsletters may go by. Whom they name is shown masked. The grammar: docs/segments.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import subscribers
from newsletter.app import App
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, note, say, table
from newsletter.errors import BadInput, NotAllowed
from newsletter.store import Connection, newsletters

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Slug = Annotated[str, typer.Argument(help="Lower-case letters, digits, hyphens.")]
ListSlug = Annotated[str | None, typer.Option("--list", metavar="SLUG", help="Of one list; else of each.")]
SAMPLE = 5


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help='Save queries over people, like: tag = "giảng viên" and (city = "Huế" or opened within 90 days)',
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for verb, command in (("add", add), ("list", listed), ("show", show), ("check", check), ("remove", remove)):
        group.command(verb)(command)
    app.add_typer(group, name="segment")


def add(
    ctx: typer.Context,
    slug: Slug,
    query: Annotated[str | None, typer.Argument(help="The query; else --file.")] = None,
    *,
    name: Annotated[str, typer.Option(help="What staff see; else the slug.")] = "",
    file: Annotated[Path | None, typer.Option(help="A file with the query.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Change the one there is.")] = False,
) -> None:
    """Save a query."""
    text = _query(query, file)
    with opened(ctx) as app, app.db.begin() as conn:
        save = subscribers.update_segment if replace else subscribers.create_segment
        save(conn, slug, name=name or slug, query=text, now=app.clock.now())
        _tell(_counted(app, conn, text, _lists(conn, None)))
    say(f"saved {slug}")


def listed(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the segments."""
    with opened(ctx) as app, app.db.read() as conn:
        known = subscribers.list_segments(conn)
    if as_json:
        emit(known)
        return
    table(("slug", "name", "query"), [(one.slug, one.name, one.query) for one in known])


def show(ctx: typer.Context, slug: Slug, list_slug: ListSlug = None, as_json: AsJson = False) -> None:
    """Show a segment, how many it names now, and a few of them."""
    with opened(ctx) as app, app.db.read() as conn:
        segment = subscribers.get_segment(conn, slug)
        used = newsletters.of_segment(conn, slug)
        counted = _counted(app, conn, segment.query, _lists(conn, list_slug))
    if as_json:
        emit({"slug": slug, "name": segment.name, "query": segment.query, "newsletters": used, "lists": counted})
        return
    say(f"{segment.name}\n{segment.query}")
    say(f"changed {moment(segment.changed_at, 'UTC')}" + (f", used by {', '.join(used)}" if used else ""))
    _tell(counted)


def check(
    ctx: typer.Context,
    query: Annotated[str | None, typer.Argument(help="The query; else --file.")] = None,
    *,
    file: Annotated[Path | None, typer.Option(help="A file with the query.")] = None,
    list_slug: ListSlug = None,
    as_json: AsJson = False,
) -> None:
    """Read a query and show whom it names, without saving it."""
    text = _query(query, file)
    with opened(ctx) as app, app.db.read() as conn:
        subscribers.read_segment(conn, text)
        counted = _counted(app, conn, text, _lists(conn, list_slug))
    if as_json:
        emit({"query": text, "lists": counted})
        return
    _tell(counted)


def remove(ctx: typer.Context, slug: Slug) -> None:
    """Remove a segment that no newsletter goes by."""
    with opened(ctx) as app, app.db.begin() as conn:
        used = newsletters.of_segment(conn, slug)
        if used:
            raise NotAllowed(f"newsletters go by this segment: {', '.join(used)}", where=slug, hint="change them first")
        subscribers.remove_segment(conn, slug)
    say(f"removed {slug}")


def _query(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise BadInput("give the query, or --file", hint="""newsletter segment check 'language = "vi"'""")
    return query if file is None else file.read_text(encoding="utf-8").strip()  # type: ignore[return-value]


def _lists(conn: Connection, chosen: str | None) -> list[str]:
    if chosen is not None:
        return [subscribers.get_list(conn, chosen).slug]
    return [one.slug for one in subscribers.list_lists(conn)]


def _counted(app: App, conn: Connection, query: str, lists: Sequence[str]) -> list[dict[str, Any]]:
    when: dict[str, Any] = {"now": app.clock.now(), "time_zone": app.settings.timezone}
    return [
        {
            "list": slug,
            "people": subscribers.count_segment(conn, slug, query, **when),
            "sample": [
                {"id": one.person_id, "address": str(one.address), "language": one.language, "tags": one.tags}
                for one in subscribers.sample_segment(conn, slug, query, limit=SAMPLE, **when)
            ],
        }
        for slug in lists
    ]


def _tell(counted: Sequence[dict[str, Any]]) -> None:
    if not counted:
        note("there is no list yet, so there is nobody to count")
    for one in counted:
        say(f"{one['list']}: {one['people']:,} people")
        for who in one["sample"]:
            say(f"  {who['address']}  {who['language'] or ''}  {', '.join(who['tags'])}".rstrip())
