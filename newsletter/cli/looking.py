"""preview, preflight, stats, why: questions about an issue, an article, a person. Nothing is changed."""

import email
import email.policy
from collections.abc import Mapping, Sequence
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
from newsletter.cli.output import emit, moment, say, table
from newsletter.cli.people import person_of
from newsletter.cli.picturing import laid_beside
from newsletter.cli.wording import plain_summary
from newsletter.compose.preflight import preflight as check_rendering
from newsletter.compose.preflight import sample_message
from newsletter.errors import BadInput
from newsletter.model import (
    Article,
    DeliveryState,
    Finding,
    Issue,
    IssueState,
    Mailing,
    MailingId,
    PersonId,
    Rendering,
    Summary,
)
from newsletter.store import Connection, articles, issues, mailings, newsletters, receipts, stories
from newsletter.summarise.support import Match, supports

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")]

NOT_SENT = (DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED)
LAST_ISSUES = 10  # looked at by `why PERSON` without an issue


class Form(StrEnum):
    HTML = "html"
    TEXT = "text"
    EML = "eml"


def register(app: typer.Typer) -> None:
    app.command("preview")(preview)
    app.command("preflight")(preflight)
    app.command("stats")(stats)
    app.command("why")(why)


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


# ---------------------------------------------------------------- why


def why(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="ARTICLE_OR_PERSON", help="An article's or person's id, or an address.")
    ],
    which: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="Only this issue.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why an article is (not) in an issue and where each sentence of its summary stands; why a person did (not) get one."""
    with opened(ctx) as app, app.db.read() as conn:
        article = None if "@" in what else articles.get(conn, what)
        only = issues.find(conn, which) if which else None
        zone = app.settings.timezone
        told = _about_article(conn, article, only) if article else _about_person(conn, what, only)
    if as_json:
        emit(told)
    elif article is not None:
        _tell_article(told, zone)
    else:
        _tell_person(told, zone)


def _story_of(conn: Connection, article: Article) -> dict[str, Any] | None:
    found = stories.of_article(conn, article.id)
    if found is None:
        return None
    own, others = found
    told = [{"article": one.article_id, "title": one.title, "source": one.source_name} for one in others]
    return {"rule": own.rule, "reason": own.reason, "like": own.like, "others": told}


def _about_article(conn: Connection, article: Article, only: Issue | None) -> dict[str, Any]:
    return {
        "article": article.id,
        "title": article.title,
        "source": article.source_name,
        "url": article.url,
        "published": article.published,
        "first_seen_at": article.first_seen_at,
        "state": article.state,
        "reason": article.reason,
        "topics": article.topics,
        "decided": article.decided,
        "corrected_at": article.changed_at,
        "corrected_after_issues": issues.sent_with(conn, article.id, before=article.changed_at)
        if article.changed_at
        else [],
        "provenance": dict(article.provenance),
        "summary": _about_summary(article, article.summary) if article.summary else None,
        "story": _story_of(conn, article),
        "issues": [
            {"issue": issue.id, "newsletter": name, "state": issue.state, "included": d.included, "reason": d.reason}
            for issue, d, name in issues.decisions_about(conn, article.id)
            if only is None or issue.id == only.id
        ],
    }


def _about_summary(article: Article, summary: Summary) -> dict[str, Any]:
    beside = zip(summary.sentences, supports(article), strict=True)
    return {
        **plain_summary(summary),
        "by": summary.by,
        "made_at": summary.made_at,
        "changed_after_edit": article.changed_after_edit,
        "sentences": [
            {
                "text": sentence.text,
                "from": sentence.origin,
                "start": sentence.start,
                "end": sentence.end,
                "match": support.match,
                "source": {
                    "text": support.source,
                    "in": support.place,
                    "start": support.start,
                    "end": support.end,
                }
                if support.source
                else None,
            }
            for sentence, support in beside
        ],
    }


def _tell_article(told: Mapping[str, Any], zone: str) -> None:
    say(f"{told['title']} ({told['source']}, {told['published'] or 'no date'})")
    say(f"state      {told['state']}{': ' + told['reason'] if told['reason'] else ''}")
    say(f"first seen {moment(told['first_seen_at'], zone)}")
    if told["decided"]:
        say(f"decided    {told['decided']}")
    if told["corrected_at"]:
        after = ", ".join(told["corrected_after_issues"])
        say(f"corrected  {moment(told['corrected_at'], zone)}{f', after issue {after} was sent' if after else ''}")
    for name, rule in told["provenance"].items():
        say(f"  {name} came from: {rule}")
    if told["topics"]:
        say(f"topics     {', '.join(told['topics'])}")
    if told["summary"]:
        _tell_summary(told["summary"], zone)
    _tell_story(told["story"])
    for entry in told["issues"]:
        say(f"issue {entry['issue']} ({entry['newsletter']}, {entry['state']}): {_verdict(entry)}")
    if not told["issues"]:
        say("no issue has considered it yet")


def _tell_summary(summary: Mapping[str, Any], zone: str) -> None:
    by = f", by {summary['by']}" if summary["by"] else ""
    say(f"summary    {summary['origin']}{by}, {moment(summary['made_at'], zone)}")
    guard = summary["guard"]
    say(
        f"  guard: {'figures, names and quotations stand in the article' if guard['ok'] else '; '.join(guard['reasons'])}"
    )
    if summary["note"]:
        say(f"  note: {summary['note']}")
    if summary["changed_after_edit"]:
        say("  note: the article changed after the edit")
    if summary["model"]:
        say(f"  cost: {cost(summary['model'])}")
    for sentence in summary["sentences"]:
        say(f"- {sentence['text']}")
        say(f"  {_beside(sentence)}")


def cost(use: Mapping[str, Any]) -> str:
    """What asking a model cost, in one line."""
    tokens = [f"{use[name]:,} tokens {name[7:]}" for name in ("tokens_in", "tokens_out") if use[name] is not None]
    requests = "1 request" if use["tries"] == 1 else f"{use['tries']} requests"
    return ", ".join([use["model"], requests, f"{use['seconds']:.1f} s", *(tokens or ["tokens not reported"])])


def _beside(sentence: Mapping[str, Any]) -> str:
    source = sentence["source"]
    if source is None:
        return "stands in: nothing in the article comes near it"
    place = "the text" if source["start"] is None else f"characters {source['start']}–{source['end']} of the text"
    place = place if source["in"] == "text" else f"the {source['in']}"
    if sentence["match"] == Match.NEAREST:
        return f"nearest in {place}: {source['text']}"
    return f"stands in: {place}"


def _tell_story(story: Mapping[str, Any] | None) -> None:
    if story is None:
        say("story      not compared with others yet")
        return
    for other in story["others"]:
        joined = f": {story['reason']}" if other["article"] == story["like"] else ""
        say(f"same story as {other['article']} “{other['title']}” ({other['source']}){joined}")
    if not story["others"] and story["reason"]:
        say(f"story      its own: {story['reason']}")


def _verdict(entry: Mapping[str, Any]) -> str:
    return "in it" if entry["included"] else f"not in it: {entry['reason']}"


def _about_person(conn: Connection, who: str, only: Issue | None) -> dict[str, Any]:
    person_id = person_of(conn, who)
    person = subscribers.person(conn, person_id)
    looked_at = [only] if only else issues.listed(conn, limit=LAST_ISSUES)
    held = subscribers.export_person(conn, person_id)
    return {
        "person": person_id,
        "address": str(person.address) if person.address else None,
        "state": person.state,
        "subscriptions": [{"list": entry["list"], "state": entry["state"]} for entry in held["subscriptions"]],
        "suppressions": held["suppressions"],
        "issues": [_delivery(conn, person_id, issue) for issue in looked_at if issue.mailing_id is not None],
    }


def _delivery(conn: Connection, person_id: PersonId, issue: Issue) -> dict[str, Any]:
    row = receipts.of_person(conn, person_id, issue.mailing_id) if issue.mailing_id else None
    start = {"issue": issue.id, "number": issue.number, "issue_state": issue.state}
    if row is None:
        waiting = issue.state in (IssueState.DRAFT, IssueState.PENDING_APPROVAL, IssueState.SCHEDULED)
        reason = (
            "the recipients are not frozen yet" if waiting else "was not among the recipients when they were frozen"
        )
        return {**start, "state": None, "reason": reason}
    names = ("state", "reason", "reply", "reply_kind", "provider_id", "tries", "frozen_at", "changed_at", "next_at")
    return start | {name: row[name] for name in names}


def _tell_person(told: Mapping[str, Any], zone: str) -> None:
    say(f"person {told['person']} ({told['address'] or 'erased'}), {told['state']}")
    for entry in told["subscriptions"]:
        say(f"list {entry['list']}: {entry['state']}")
    for entry in told["suppressions"]:
        say(f"suppressed on {entry['list'] or 'every list'}: {entry['reason']}")
    for entry in told["issues"]:
        line = f"issue {entry['issue']} #{entry['number']}: {entry['state'] or 'not sent'}"
        told_by = [part for part in (entry.get("reason"), entry.get("reply")) if part]
        when = f" ({moment(entry['changed_at'], zone)}, try {entry['tries']})" if entry["state"] else ""
        say(f"{line}{when}{': ' + '; '.join(told_by) if told_by else ''}")
    if not told["issues"]:
        say("no issue was composed yet")
