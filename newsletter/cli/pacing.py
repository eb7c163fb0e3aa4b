"""pace: the limits of sending, where the plan of a new domain stands, who was slowed or stopped; and to let a group go on."""

from typing import Annotated

import typer

from newsletter.cli.failing import NOTHING_TO_DO
from newsletter.cli.opening import opened, rate
from newsletter.cli.output import emit, moment, say
from newsletter.deliver import pace
from newsletter.deliver.pace.report import Held, Planned, Report, report
from newsletter.store import mailings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Show limits, slowed and stopped receivers; let one go on.")
    group.command("show")(show)
    group.command("resume")(resume)
    app.add_typer(group, name="pace")


def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The limits, today's part of each sending domain's plan, and the receivers that get less than they might."""
    with opened(ctx) as app:
        zone = app.settings.timezone
        with app.db.read() as conn:
            told = report(app, conn, app.clock.now())
    if as_json:
        emit({"limits": told.limits, "plans": told.plans, "held": told.held})
        return
    for name, span, most in told.limits:
        say(f"limit      {name}: {most:,} {span.replace('_', ' ')}")
    if not told.limits:
        say("limit      none in the settings")
    for line in lines_of(told, zone):
        say(line)


def lines_of(told: Report, zone: str) -> list[str]:
    """The plans and the held groups, one line each; none when nothing waits for pace."""
    found = [_plan_line(planned, zone) for planned in told.plans]
    return found + [_line(held, zone) for held in told.held]


def _plan_line(planned: Planned, zone: str) -> str:
    domain, today = planned.domain, planned.today
    if today.allowed is None:
        return f"plan       {domain}: done"
    more = f"; the rest goes on {moment(today.until, zone)}" if planned.waits else ""
    return f"plan       {domain}: day {today.day}, {today.sent:,} of {today.allowed:,} sent{more}"


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
