"""preview, preflight, stats: questions about an issue. Nothing is changed."""

import email
import email.policy
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import subscribers
from newsletter import track
from newsletter.app import App
from newsletter.cli.failing import WRONG
from newsletter.cli.issues import plain
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, say, table
from newsletter.cli.picturing import laid_beside
from newsletter.compose.preflight import preflight as check_rendering
from newsletter.compose.preflight import sample_message
from newsletter.errors import BadInput
from newsletter.model import (
    DeliveryState,
    Finding,
    Issue,
    Mailing,
    MailingId,
    Rendering,
)
from newsletter.store import Connection, issues, mailings, newsletters, receipts

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")]

NOT_SENT = (DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED)


class Form(StrEnum):
    HTML = "html"
    TEXT = "text"
    EML = "eml"


def register(app: typer.Typer) -> None:
    app.command("preview")(preview)
    app.command("preflight")(preflight)
    app.command("stats")(stats)


# ---------------------------------------------------------------- preview and preflight


def preview(
    ctx: typer.Context,
    which: Which,
    *,
    out: Annotated[Path | None, typer.Option(help="A folder for the files; else standard output.")] = None,
    lang: Annotated[str | None, typer.Option(help="One language; else all into a folder, the first to output.")] = None,
    form: Annotated[Form | None, typer.Option("--as", help="Else text to output, all three into a folder.")] = None,
) -> None:
    """Show an issue as a sample reader would get it: HTML, plain text or the whole message."""
    with opened(ctx) as app:
        issue, mailing = composed(app, which)
        chosen = _renderings(mailing, lang)
        messages = {r.language: sample_message(app, mailing, r, now=app.clock.now()) for r in chosen}
        if out is None:
            mime = messages[chosen[0].language]
            typer.echo(part_of(mime, form or Form.TEXT), nl=False)
            return
        out.mkdir(parents=True, exist_ok=True)
        for language, mime in messages.items():
            for each in (form,) if form else tuple(Form):
                path = out / f"{issue.id}-{language}.{'txt' if each is Form.TEXT else each}"
                content = part_of(mime, each)
                path.write_bytes(laid_beside(app, mailing, content, out) if each is Form.HTML else content)
                say(str(path))


def composed(app: App, which: str) -> tuple[Issue, Mailing]:
    """The issue and what was composed of it. Raises BadInput when there is no such issue or no content yet."""
    with app.db.read() as conn:
        issue = issues.find(conn, which)
        mailing = mailings.find(conn, issue.mailing_id) if issue.mailing_id else None
    if mailing is None:
        raise BadInput(f"the issue is {issue.state} and has no content", where=issue.id, hint="`newsletter compose`")
    return issue, mailing


def _renderings(mailing: Mailing, lang: str | None) -> Sequence[Rendering]:
    if lang is None:
        return mailing.renderings
    chosen = [rendering for rendering in mailing.renderings if rendering.language == lang]
    if not chosen:
        there = ", ".join(rendering.language for rendering in mailing.renderings)
        raise BadInput("the issue has no such language", where=lang, hint=f"there are: {there}")
    return chosen


def part_of(mime: bytes, form: Form) -> bytes:
    """The message itself, or its HTML or text part decoded to UTF-8."""
    if form is Form.EML:
        return mime
    message = email.message_from_bytes(mime, policy=email.policy.default)
    part = message.get_body(("html" if form is Form.HTML else "plain",))
    assert part is not None, "every message of ours has both parts"
    text: str = part.get_content()
    return text.replace("\r\n", "\n").encode()


def preflight(ctx: typer.Context, which: Which, as_json: AsJson = False) -> None:
    """Check an issue as a strict receiver would. Code 1: there are errors."""
    with opened(ctx) as app:
        issue, mailing = composed(app, which)
        now = app.clock.now()
        fresh = [finding for r in mailing.renderings for finding in check_rendering(app, mailing, r, now=now)]
    findings = list(dict.fromkeys([*issue.preflight, *fresh]))
    if as_json:
        emit([asdict(finding) for finding in findings])
    else:
        tell_findings(findings)
    raise typer.Exit(WRONG if any(finding.level == "error" for finding in findings) else 0)


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
