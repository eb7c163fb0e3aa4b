"""preflight, stats: questions about an issue. Nothing is changed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

import subscribers
from newsletter import track
from newsletter.app import App
from newsletter.cli.failing import WRONG
from newsletter.cli.issues import plain
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, say, table
from newsletter.compose.preflight import preflight_issue
from newsletter.errors import BadInput
from newsletter.mail.check import worst_first
from newsletter.model import (
    DeliveryState,
    Finding,
    Issue,
    Mailing,
    MailingId,
)
from newsletter.store import Connection, issues, mailings, newsletters, receipts

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")]

NOT_SENT = (DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED)


def register(app: typer.Typer) -> None:
    app.command("preflight")(preflight)
    app.command("stats")(stats)


# ---------------------------------------------------------------- preflight


def composed(app: App, which: str) -> tuple[Issue, Mailing]:
    """The issue and what was composed of it. Raises BadInput when there is no such issue or no content yet."""
    with app.db.read() as conn:
        issue = issues.find(conn, which)
        mailing = mailings.find(conn, issue.mailing_id) if issue.mailing_id else None
    if mailing is None:
        raise BadInput(f"the issue is {issue.state} and has no content", where=issue.id, hint="`newsletter compose`")
    return issue, mailing


def preflight(ctx: typer.Context, which: Which, as_json: AsJson = False) -> None:
    """Check an issue as a strict receiver would. Code 1: there are errors."""
    with opened(ctx) as app:
        issue, mailing = composed(app, which)
        with app.db.read() as conn:
            decided = issues.decisions(conn, issue.id)
        items = [decision.item for decision in decided if decision.item is not None]
        fresh = preflight_issue(app, mailing, items, now=app.clock.now())
    findings = worst_first(list(dict.fromkeys([*_said_when_composed(issue), *fresh])))
    if as_json:
        emit(
            [{name: getattr(finding, name) for name in ("check", "level", "where", "message")} for finding in findings]
        )
    else:
        tell_findings(findings)
    raise typer.Exit(WRONG if any(finding.level == "error" for finding in findings) else 0)


def _said_when_composed(issue: Issue) -> list[Finding]:
    """What only composing could see (what was shrunk, whose words are old); the rest is judged anew."""
    return [finding for finding in issue.preflight if not finding.template]


def tell_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        say(f"{finding.level}: {finding.where}: {finding.message} [{finding.check}]")
    if not findings:
        say("nothing to mend")


# ---------------------------------------------------------------- numbers


def stats(
    ctx: typer.Context,
    which: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="One issue, with the reasons.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recipients, sent, failed, skipped, unknown, bounces and unsubscribes: of the latest issues, or of one."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            chosen = [composed(app, which)[0]] if which else issues.listed(conn, limit=20)
            known = {letter.id: letter for letter in newsletters.listed(conn)}
        rows = [
            {**plain(issue, known[issue.newsletter_id]), **asdict(track.numbers(app, issue.mailing_id))}
            for issue in chosen
            if issue.mailing_id is not None
        ]
        with app.db.read() as conn:
            mailing_id = chosen[0].mailing_id if which else None
            reasons = receipts.reasons(conn, mailing_id, *NOT_SENT) if mailing_id else []
            unknown = _of_unknown_fate(conn, mailing_id) if mailing_id else []
    if as_json:
        told = [{"state": state, "reason": reason, "people": n} for state, reason, n in reasons]
        emit({**rows[0], "reasons": told, "unknown_people": unknown} if which and rows else rows)
        return
    columns = ("recipients", "sent", "failed", "skipped", "unknown", "open", "bounces", "unsubscribes")
    shown = [(r["id"], r["newsletter"], r["number"], r["state"], *(r[c] for c in columns)) for r in rows]
    table(("issue", "newsletter", "no.", "state", *columns), shown)
    for state, reason, number in reasons:
        say(f"{number:>7,} {state}: {reason}")
    for one in unknown:
        say(f"unknown: {one['person']} ({one['address'] or 'erased'})")


def _of_unknown_fate(conn: Connection, mailing_id: MailingId) -> list[dict[str, Any]]:
    """Who may or may not have got it, by person: `why PERSON` and `resend-unknown` go on from there."""
    people = [subscribers.person(conn, person_id) for person_id in receipts.unknown_people(conn, mailing_id)]
    return [{"person": one.id, "address": str(one.address) if one.address else None} for one in people]
