"""suppression: who must not be written to, by address, person or whole domain, whatever any list says."""

from typing import Annotated

import typer

import subscribers
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, say, table
from newsletter.cli.whom import person_of
from newsletter.errors import BadInput
from subscribers import SuppressionReason

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Whom = Annotated[str, typer.Argument(metavar="WHOM", help="An address, a person's id, or @domain for all of a domain.")]
OfList = Annotated[str | None, typer.Option("--list", metavar="SLUG", help="Only by this list; else by all.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Say who must not be written to.")
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("domains")(domains)
    app.add_typer(group, name="suppression")


def add(ctx: typer.Context, whom: Whom, list_slug: OfList = None) -> None:
    """Send nothing there any more. An address need not be known; only its keyed hash is kept, erasing does not lose it."""
    with opened(ctx) as app, app.db.begin() as conn:
        now = app.clock.now()
        if list_slug is not None:
            subscribers.get_list(conn, list_slug)
        if whom.startswith("@"):
            fresh = subscribers.suppress_domain(conn, whom, now=now, list_slug=list_slug)
        else:
            who = subscribers.parse_address(whom) if "@" in whom else person_of(conn, whom)
            fresh = subscribers.suppress(
                conn, who, reason=SuppressionReason.STAFF, now=now, key=app.suppression_key, list_slug=list_slug
            )
    say("suppressed" if fresh else "was suppressed before")


def remove(ctx: typer.Context, whom: Whom, list_slug: OfList = None) -> None:
    """Take back what staff said. Who bounced, complained or was erased stays suppressed."""
    with opened(ctx) as app, app.db.begin() as conn:
        if whom.startswith("@"):
            lifted = subscribers.lift_domain(conn, whom, list_slug=list_slug)
        else:
            address = (
                subscribers.parse_address(whom)
                if "@" in whom
                else subscribers.person(conn, person_of(conn, whom)).address
            )
            if address is None:
                raise BadInput("this person is erased", where=whom, hint="give the address")
            lifted = subscribers.lift_staff(conn, address, key=app.suppression_key, list_slug=list_slug)
    if not lifted:
        raise BadInput(
            "staff did not suppress this", hint="what bounced, complained or was erased is not taken back here"
        )
    say("no longer suppressed by staff")


def domains(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The domains nothing is sent to."""
    with opened(ctx) as app, app.db.read() as conn:
        rules, zone = subscribers.domain_rules(conn), app.settings.timezone
    if as_json:
        emit([{"domain": one.domain, "list": one.list_slug, "at": one.at} for one in rules])
        return
    table(("domain", "list", "since"), [(one.domain, one.list_slug or "every", moment(one.at, zone)) for one in rules])
