"""doctor dns: what the sender's domains publish for mail, asked and judged. Sends nothing, changes nothing."""

from typing import Annotated

import typer

from newsletter.cli.failing import TRANSPORT_DOWN, WRONG
from newsletter.cli.opening import settings_of
from newsletter.cli.output import emit, say
from newsletter.errors import ConfigError
from newsletter.mail.dkim import Signers
from newsletter.mail.domains import Level, Verdict, examine, wanted_of
from newsletter.main import make_signers
from newsletter.names.asking import TOTAL, Resolver
from newsletter.settings import Settings

NOT_ASKED = TRANSPORT_DOWN  # as there: nothing is known to be wrong, try again


def doctor_dns(
    ctx: typer.Context,
    resolver: Annotated[
        str | None, typer.Option(help="Ask this name server (ADDRESS or ADDRESS:PORT), not the system's.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="For all questions together.", min=0.1, max=300)] = TOTAL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check SPF, DKIM, DMARC, MX, hosts and alignment of what the settings name, as bulk receivers would.

    Code 1: a fault. Code 3: no fault is known, but not every question was answered.
    """
    settings = settings_of(ctx)
    asking = Resolver(resolver, total=seconds)
    found = _examined(settings, asking)
    if as_json:
        emit({"sender": settings.sender.domain, "questions": asking.questions, "checks": found})
    else:
        _say(found)
    levels = {verdict.level for verdict in found}
    raise typer.Exit(WRONG if Level.ERROR in levels else NOT_ASKED if Level.UNKNOWN in levels else 0)


def _examined(settings: Settings, asking: Resolver) -> list[Verdict]:
    """A key that cannot be read is one verdict; the others go on."""
    try:
        return examine(wanted_of(settings, make_signers(settings)), asking.ask)
    except ConfigError as error:
        unread = Verdict(
            check="dkim", level=Level.ERROR, where=error.where or "dkim", message=error.what, hint=error.hint
        )
        return [unread, *examine(wanted_of(settings, Signers()), asking.ask)]


def _say(found: list[Verdict]) -> None:
    for one in found:
        hint = f"; {one.hint}" if one.hint else ""
        ground = f" [{one.ground}]" if one.ground and one.level is not Level.OK else ""
        say(f"{one.level:<8} {one.check:<10} {one.where}: {one.message}{hint}{ground}")
    counts = {level: sum(one.level is level for one in found) for level in Level}
    say(", ".join(f"{number} {level}" for level, number in counts.items() if number))
