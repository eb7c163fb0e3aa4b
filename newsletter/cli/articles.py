"""article list, release, drop: articles that were collected, and a person's word on those that are held."""

import getpass
from typing import Annotated

import typer

from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, say, table
from newsletter.model import ArticleState
from newsletter.store import articles

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[list[str], typer.Argument(metavar="ARTICLE…", help="Their ids; `article list` shows them.")]
Why = Annotated[str, typer.Option(help="Kept beside your name; `why ARTICLE` shows it.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="List articles; release or drop those that are held.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("list")(show_all)
    group.command("release")(release)
    group.command("drop")(drop)
    app.add_typer(group, name="article")


def show_all(
    ctx: typer.Context,
    state: Annotated[ArticleState | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List articles, the latest first, with the reason for the state each is in."""
    with opened(ctx) as app:
        zone = app.settings.timezone
        with app.db.read() as conn:
            found = articles.listed(conn, state=state, limit=limit)
    if as_json:
        names = (
            "id",
            "title",
            "source_name",
            "url",
            "published",
            "first_seen_at",
            "state",
            "reason",
            "doubt",
            "decided",
        )
        emit([{name: getattr(article, name) for name in names} for article in found])
        return
    rows = [(a.id, a.state, moment(a.first_seen_at, zone), a.source_name, a.title, a.reason) for a in found]
    table(("article", "state", "first seen", "source", "title", "reason"), rows)


def release(ctx: typer.Context, which: Which, *, why: Why = "") -> None:
    """Let articles that were held because they may be known already go on their way."""
    with opened(ctx) as app, app.db.begin() as conn:
        for article_id in which:
            articles.release(conn, article_id, by=me(), now=app.clock.now(), why=why)
    say(f"{len(which)} released; the next run summarises them")


def drop(ctx: typer.Context, which: Which, *, why: Why = "") -> None:
    """Take held articles out for good; they stay known and never come back."""
    with opened(ctx) as app, app.db.begin() as conn:
        for article_id in which:
            articles.drop(conn, article_id, by=me(), now=app.clock.now(), why=why)
    say(f"{len(which)} dropped")


def me() -> str:
    """Who decides at a command line: the name of the login."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user without a name
        return "command line"
