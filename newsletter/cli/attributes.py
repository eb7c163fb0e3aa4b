"""attribute, subscribers tag, subscribers set: what is known of people beside their name."""

from typing import Annotated

import typer

import subscribers
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, note, say, table
from newsletter.cli.whom import person_of
from newsletter.errors import BadInput
from subscribers import AttributeType

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Who = Annotated[str, typer.Argument(metavar="PERSON", help="An address, or a person's id.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Declare the attributes of people: a name, a type, what people see them called.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("list")(listed)
    group.command("remove")(remove)
    app.add_typer(group, name="attribute")


def add(
    ctx: typer.Context,
    slug: Annotated[
        str, typer.Argument(help="a-z, 0-9 and _, like job_title: its name in files, segments, templates.")
    ],
    *,
    kind: Annotated[AttributeType, typer.Option("--type", help="Which values it takes.")],
    label_vi: Annotated[str, typer.Option("--vi", help="What people see it called in Vietnamese.")] = "",
    label_en: Annotated[str, typer.Option("--en", help="What people see it called in English.")] = "",
) -> None:
    """Declare an attribute, or label it anew."""
    with opened(ctx) as app, app.db.begin() as conn:
        labels = {"label_vi": label_vi, "label_en": label_en}
        subscribers.declare_attribute(conn, slug, type=kind, now=app.clock.now(), on_adopted=_adopted, **labels)
    say(f"declared {slug}")


def _adopted(changed: int, unfit: int) -> None:
    if changed:
        note(f"{changed:,} values that were there are kept in the form of this type now")
    if unfit:
        note(f"{unfit:,} values that were there do not fit and count as absent")


def listed(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the attributes and tags there are."""
    with opened(ctx) as app, app.db.read() as conn:
        declared, tags = subscribers.list_attributes(conn), subscribers.list_tags(conn)
    if as_json:
        emit({"attributes": declared, "tags": [{"tag": name, "people": number} for name, number in tags]})
        return
    table(("name", "type", "vi", "en"), [(one.slug, one.type, one.label_vi, one.label_en) for one in declared])
    if tags:
        say()
        table(("tag", "people"), tags)


def remove(ctx: typer.Context, slug: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Take back a declaration. What people's rows hold stays; nothing reads it any more."""
    with opened(ctx) as app, app.db.begin() as conn:
        subscribers.remove_attribute(conn, slug)
    say(f"removed {slug}")


# ---------------------------------------------------------------- one person


def tag(
    ctx: typer.Context,
    who: Who,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Words; quote those with blanks.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take them off.")] = False,
) -> None:
    """Put tags on a person, or take them off."""
    with opened(ctx) as app, app.db.begin() as conn:
        change = subscribers.untag if remove else subscribers.tag
        left = change(conn, person_of(conn, who), tags)
    say(", ".join(left) or "no tags")


def set_values(
    ctx: typer.Context,
    who: Who,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="Declared attributes; NAME= takes one away.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Their name.")] = None,
    language: Annotated[str | None, typer.Option(help='Like vi or en; "": the newsletter\'s.')] = None,
    timezone: Annotated[str | None, typer.Option(help='Like Asia/Ho_Chi_Minh; "": the newsletter\'s.')] = None,
) -> None:
    """Write what is known of a person: attributes, name, language, time zone."""
    given = dict(map(_pair, values or []))
    with opened(ctx) as app, app.db.begin() as conn:
        person_id = person_of(conn, who)
        if name is not None:
            subscribers.rename(conn, person_id, name)
        if language is not None:
            subscribers.set_language(conn, person_id, language)
        if timezone is not None:
            subscribers.set_time_zone(conn, person_id, timezone)
        held = subscribers.set_attributes(conn, person_id, given)
    for slug, value in held.items():
        say(f"{slug} = {', '.join(value) if isinstance(value, list) else value}")


def _pair(text: str) -> tuple[str, str]:
    slug, sign, value = text.partition("=")
    if not sign:
        raise BadInput("no name=value", where=text, hint='like city="Hà Nội"')
    return slug.strip(), value
