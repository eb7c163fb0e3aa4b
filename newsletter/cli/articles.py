"""article add, list, release, drop, weigh: what a person gives by hand, what was collected, a person's word on what is held."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, note, say, table
from newsletter.collect.documents.files import MAX_BYTES, read_file
from newsletter.collect.pasted import Facts, from_paste, source_for, take, with_facts
from newsletter.collect.text.decode import to_text
from newsletter.errors import BadInput
from newsletter.model import HEAVIEST, ArticleState, RawItem
from newsletter.store import articles, newsletters

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[list[str], typer.Argument(metavar="ARTICLE…", help="Their ids; `article list` shows them.")]
Why = Annotated[str, typer.Option(help="Kept beside your name; `why ARTICLE` shows it.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Add, list and weigh articles; release or drop those that are held.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("list")(show_all)
    group.command("release")(release)
    group.command("drop")(drop)
    group.command("weigh")(weigh)
    app.add_typer(group, name="article")


def add(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="txt, md, html, docx or pdf; else text on standard input.")
    ] = None,
    *,
    title: Annotated[str, typer.Option(help="Else the text's own: its heading or first line.")] = "",
    date: Annotated[str, typer.Option(help="When it was published, else what the text says.")] = "",
    url: Annotated[str, typer.Option(help="Where it stands; else it gets a page under the base URL.")] = "",
    author: Annotated[str, typer.Option(help="Names, parted by commas.")] = "",
    source: Annotated[str, typer.Option(metavar="SLUG", help="A manual source; needed where there are several.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would be, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add an article from a file or a pasted text, under a manual source; it is a candidate whatever its date."""
    facts = Facts(title=title, date=date, url=url, author=author)
    with opened(ctx) as app:
        item = _read(file, facts)
        now = app.clock.now()
        if dry_run:
            _tell("would add", item, "", as_json=as_json)
            return
        place = source_for(app, source, now)
        taken = take(app, place, item, now)
        with app.db.read() as conn:
            article = articles.get(conn, taken.article_id)
            used = any(place.id in letter.source_ids for letter in newsletters.listed(conn))
    assert article is not None
    done = "added" if taken.fresh else "known already, compared"
    if article.state is ArticleState.SKIPPED:
        note(f"it is skipped: {article.reason}")
    _tell(done, item, article.id, as_json=as_json)
    if not used:
        note(f"no newsletter uses the source {place.slug}: name it in the site file")


def _read(file: Path | None, facts: Facts) -> RawItem:
    if file is not None and str(file) != "-":
        return with_facts(read_file(file), facts)
    if sys.stdin.isatty():
        note("paste the text, its title on the first line; end with Ctrl-D")
    body = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise BadInput(f"more than {MAX_BYTES >> 20} MB came on standard input")
    return from_paste(to_text(body), facts)


def _tell(done: str, item: RawItem, article_id: str, *, as_json: bool) -> None:
    day = item.published.isoformat() if item.published else None
    if as_json:
        emit({"done": done, "id": article_id or None, "title": item.title, "published": day, "text": item.text})
        return
    say(f"{done}: {item.title} ({day or 'no date'}, {len(item.text)} characters)" + f" {article_id}".rstrip())


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


def weigh(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id; `article list` shows it.")],
    weight: Annotated[int, typer.Argument(metavar="WEIGHT", min=-HEAVIEST, max=HEAVIEST, help="0 is usual.")],
) -> None:
    """Say how far an article stands ahead of others, or behind (`-- -2`), in the issues that are composed from now on."""
    with opened(ctx) as app, app.db.begin() as conn:
        articles.weigh(conn, which, weight)
    say(f"{which} has the weight {weight}")


def me() -> str:
    """Who decides at a command line: the name of the login."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user without a name
        return "command line"
