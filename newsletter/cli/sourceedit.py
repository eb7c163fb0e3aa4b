"""What a person may say about a source beside its place, as options of `source add` and `source edit`; and `source edit`."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from newsletter.cli.opening import opened
from newsletter.cli.output import emit, say
from newsletter.cli.sitefile import SourceEntry, change_of, entry_of_source, explained, source_of
from newsletter.errors import BadInput
from newsletter.model import Source
from newsletter.store import Connection, sources

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="See `newsletter source list`.")]
Name = Annotated[str | None, typer.Option(help="What readers see as the source.")]
Section = Annotated[str | None, typer.Option(help="The section its articles stand in.")]
Language = Annotated[str | None, typer.Option(help="Like vi or en; else found out per article.")]
Include = Annotated[
    list[str] | None, typer.Option(metavar="WORD", help="Take only articles with this word or phrase; repeat for more.")
]
Exclude = Annotated[
    list[str] | None, typer.Option(metavar="WORD", help="Skip articles with this word or phrase; repeat for more.")
]
Topic = Annotated[list[str] | None, typer.Option(help="A label its articles carry; repeat for more.")]
Newest = Annotated[int | None, typer.Option(help="How many of the backlog a first run offers.", show_default=False)]
MaxAge = Annotated[float | None, typer.Option(metavar="DAYS", help="Older articles are no candidates.")]
FullText = Annotated[
    bool | None, typer.Option("--full-text/--teaser", help="Read whole articles, or be content with teasers.")
]
Weight = Annotated[int | None, typer.Option(help="How far its articles stand ahead: -3 to 3.", show_default=False)]


class Clearable(StrEnum):
    SECTION = "section"
    LANGUAGE = "language"
    INCLUDE = "include"
    EXCLUDE = "exclude"
    TOPICS = "topics"


def said(**options: Any) -> dict[str, Any]:
    """The options that were given, by the keys of a site file."""
    renamed = {"topic": "topics", "max_age": "max_age_days"}
    return {renamed.get(name, name): value for name, value in options.items() if value is not None}


def entry(**values: Any) -> SourceEntry:
    """Raises BadInput in the words of the site file, whose rules hold here too."""
    try:
        return SourceEntry.model_validate(values)
    except ValidationError as error:
        raise explained(error, str(values["slug"])) from None


def edit(
    ctx: typer.Context,
    slug: Slug,
    *,
    url: Annotated[str | None, typer.Option(help="Its new place; what was seen there stays known.")] = None,
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
    clear: Annotated[list[Clearable] | None, typer.Option(help="Empty this; repeat for more.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Change what a source gives. Words given anew take the place of the old ones; it holds for articles to come."""
    given = said(
        url=url,
        name=name,
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
    cleared = {str(each): () if each in ("include", "exclude", "topics") else None for each in clear or ()}
    both = given.keys() & cleared.keys()
    if both:
        raise BadInput(f"{min(both)} is given and cleared at once", where=slug)
    with opened(ctx) as app, app.db.begin() as conn:
        before = entry_of_source(source_of_slug(conn, slug))
        after = entry(**before.model_dump() | given | cleared)
        change = change_of("source", before, after)
        if change.fields and not dry_run:
            sources.add(conn, source_of(after), now=app.clock.now())
    if as_json:
        emit(change)
        return
    say(str(change))
    if dry_run:
        say("dry run: nothing was written")


def source_of_slug(conn: Connection, slug: str) -> Source:
    source = sources.by_slug(conn, slug)
    if source is None:
        raise BadInput("there is no such source", where=slug, hint="`newsletter source list` shows them")
    return source
