"""pace: the limits of sending, where the plan of a new domain stands, who was slowed or stopped; and to let a group go on."""

from typing import Annotated

import typer

from newsletter.cli.failing import NOTHING_TO_DO
from newsletter.cli.opening import opened, rate
from newsletter.cli.output import emit, moment, say
from newsletter.deliver import pace
from newsletter.deliver.pace.report import Held, Report, report
from newsletter.store import mailings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Show limits, slowed and stopped receivers; let one go on.")
    group.command("show")(show)
    group.command("resume")(resume)
    app.add_typer(group, name="pace")


def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The limits, today's part of the plan, and the receivers that get less than they might."""
    with opened(ctx) as app:
        zone = app.settings.timezone
        with app.db.read() as conn:
            told = report(app, conn, app.clock.now())
    if as_json:
        emit({"limits": told.limits, "domain": told.domain, "plan": told.today, "held": told.held})
        return
    for name, span, most in told.limits:
        say(f"limit      {name}: {most:,} {span.replace('_', ' ')}")
    if not told.limits:
        say("limit      none in the settings")
    for line in lines_of(told, zone):
        say(line)


def lines_of(told: Report, zone: str) -> list[str]:
    """The plan and the held groups, one line each; none when nothing waits for pace."""
    found = []
    if told.today is not None:
        if told.today.allowed is None:
            found.append(f"plan       {told.domain}: done")
        else:
            day = f"{told.domain}: day {told.today.day}, {told.today.sent:,} of {told.today.allowed:,} sent"
            more = f"; the rest goes on {moment(told.today.until, zone)}" if told.waits else ""
            found.append(f"plan       {day}{more}")
    return found + [_line(held, zone) for held in told.held]


def _line(held: Held, zone: str) -> str:
    until = f" until {moment(held.until, zone)}" if held.until else ""
    what = "stopped" if held.stopped else f"slowed to {rate(held.rate)},"
    return f"{'stopped' if held.stopped else 'slowed':<11}{held.group}: {what}{until}: {held.reply}"


def resume(ctx: typer.Context, group: Annotated[str, typer.Argument(help="As `pace show` names it.")]) -> None:
    """Send to a stopped receiver again. Code 4: it was not stopped."""
    with opened(ctx) as app, app.db.begin() as conn:
        resumed = pace.resume(app, conn, group, mailings.sending(conn), app.clock.now())
    say(f"{group} is sent to again" if resumed else f"{group} was not stopped")
    raise typer.Exit(0 if resumed else NOTHING_TO_DO)
