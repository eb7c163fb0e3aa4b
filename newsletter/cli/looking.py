"""preflight, stats, receipt: questions about an issue. Nothing is changed."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

import subscribers
from newsletter import track
from newsletter.app import App
from newsletter.cli.failing import WRONG
from newsletter.cli.issues import plain
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, say, table
from newsletter.cli.pacing import lines_of
from newsletter.compose.preflight import preflight_issue
from newsletter.deliver.pace.report import report
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
from newsletter.track import receipt

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")]

NOT_SENT = (DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED)


def register(app: typer.Typer) -> None:
    app.command("preflight")(preflight)
    app.command("stats")(stats)
    app.command("receipt")(show_receipt)


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
            paced = lines_of(report(app, conn, app.clock.now()), app.settings.timezone)
    if as_json:
        told = [{"state": state, "reason": reason, "people": n} for state, reason, n in reasons]
        emit({**rows[0], "reasons": told, "unknown_people": unknown} if which and rows else rows)
        return
    columns = ("recipients", "sent", "failed", "skipped", "unknown", "open", "bounces", "complaints", "unsubscribes")
    shown = [(r["id"], r["newsletter"], r["number"], r["state"], *(r[c] for c in columns)) for r in rows]
    table(("issue", "newsletter", "no.", "state", *columns), shown)
    for line in paced:
        say(line)
    for state, reason, number in reasons:
        say(f"{number:>7,} {state}: {reason}")
    for one in unknown:
        say(f"unknown: {one['person']} ({one['address'] or 'erased'})")


def _of_unknown_fate(conn: Connection, mailing_id: MailingId) -> list[dict[str, Any]]:
    """Who may or may not have got it, by person: `why PERSON` and `resend-unknown` go on from there."""
    people = [subscribers.person(conn, person_id) for person_id in receipts.unknown_people(conn, mailing_id)]
    return [{"person": one.id, "address": str(one.address) if one.address else None} for one in people]


# ---------------------------------------------------------------- receipt


def show_receipt(
    ctx: typer.Context,
    which: Which,
    as_json: Annotated[bool, typer.Option("--json", help="Everybody, as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Everybody, as CSV.")] = False,
) -> None:
    """What became of everybody an issue was frozen for, by id, and the sum that closes. Code 1: it is not closed yet."""
    if as_json and as_csv:
        raise BadInput("a receipt is JSON or CSV, not both")
    with opened(ctx) as app, app.db.read() as conn:
        issue = issues.find(conn, which)
        told = receipt.head(conn, issue)
        if as_json or as_csv:
            for piece in (receipt.as_json if as_json else receipt.as_csv)(conn, issue):
                sys.stdout.write(piece)
        else:
            _tell_receipt(told, app.settings.timezone)
    if not told["closes"]:
        raise typer.Exit(WRONG)


def _tell_receipt(told: Mapping[str, Any], zone: str) -> None:
    say(f"{told['newsletter']} #{told['number'] or '–'} {told['subject']}")
    say(f"content    {told['content_hash']}")
    if told["started_at"]:
        say(f"started    {moment(told['started_at'], zone)}")
    parts = [f"{number:,} {state}" for state, number in told["sum"].items() if state != "frozen" and number]
    say(f"{told['sum']['frozen']:,} frozen = {' + '.join(parts)}")
    say("the sum closes" if told["closes"] else "not closed yet")
    for name, number in told["came_back"].items():
        say(f"{number:>7,} {name}")
