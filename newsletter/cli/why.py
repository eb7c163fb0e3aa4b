"""why: of an article, an issue or a person, the reasons for what was decided. Nothing is changed."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

import subscribers
from newsletter.app import App
from newsletter.cli.issues import plain
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, say
from newsletter.cli.pacing import lines_of
from newsletter.cli.whom import of_domain, person_of
from newsletter.cli.wording import plain_summary
from newsletter.deliver.pace.report import report
from newsletter.errors import BadInput
from newsletter.model import Article, Decision, Issue, IssueState, PersonId, Summary
from newsletter.store import Connection, articles, edits, issues, newsletters, receipts, stories
from newsletter.summarise.support import Match, supports

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LAST_ISSUES = 10  # looked at by `why PERSON` without an issue
PARTS = ("fresh", "story", "source", "article")  # of a score, see compose.rank


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="An article's, issue's or person's id, an address, or `latest`.")
    ],
    which: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="Only this issue.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why an article is (not) in an issue and where each sentence of its summary stands; of an issue all its articles; why
    a person did (not) get one."""
    with opened(ctx) as app, app.db.read() as conn:
        article = None if "@" in what else articles.get(conn, what)
        issue = None if article or which else _issue(conn, what)
        only = issues.find(conn, which) if which else None
        zone = app.settings.timezone
        if issue is not None:
            told = about_issue(conn, issue)
        else:
            told = _about_article(conn, article, only) if article else _about_person(app, conn, what, only)
            if "mail_group" in told:
                told["pace"] = _paced(app, conn, told["mail_group"])
    if as_json:
        emit(told)
    elif issue is not None:
        tell_issue(told, zone)
    elif article is not None:
        _tell_article(told, zone)
    else:
        _tell_person(told, zone)


def _issue(conn: Connection, what: str) -> Issue | None:
    """The issue of this id, or the latest: what begins alike may be a person."""
    if what == "latest":
        return issues.find(conn, what)
    with suppress(BadInput):
        return issues.get(conn, what)
    return None


def about_issue(conn: Connection, issue: Issue) -> dict[str, Any]:
    """The issue with every article considered for it, and all that staff said of them."""
    letter = newsletters.get(conn, issue.newsletter_id)
    found = [(decision, articles.get(conn, decision.article_id)) for decision in issues.decisions(conn, issue.id)]
    return {
        **plain(issue, letter),
        "articles": [_decided(decision) | _named(decision, article) for decision, article in found],
        "edits": [asdict(edit) for edit in edits.history(conn, issue.id)],
    }


def _named(decision: Decision, article: Article | None) -> dict[str, Any]:
    title = decision.item.title if decision.item else article.title if article else None
    return {"article": decision.article_id, "title": title, "source": article.source_name if article else None}


def _decided(decision: Decision) -> dict[str, Any]:
    """A decision with its place, section and rank, as JSON shows it."""
    item, rests_on = decision.item, decision.basis
    return {
        "included": decision.included,
        "reason": decision.reason,
        "place": item.position if item else None,
        "only_web": item.only_web if item else None,
        "section": rests_on.section if rests_on else item.section if item else None,
        "rule": rests_on.rule if rests_on else None,
        "score": round(rests_on.score, 3) if rests_on else None,
        "parts": {name: round(getattr(rests_on, name), 3) for name in PARTS} if rests_on else None,
        "edited": list(item.edited) if item else [],
    }


def tell_issue(told: Mapping[str, Any], zone: str) -> None:
    say(f"{told['newsletter']} #{told['number'] or '–'} ({told['state']}), {told['subject'] or 'not composed yet'}")
    for entry in told["articles"]:
        say(f"{entry['article']}  {entry['title']} ({entry['source']})")
        say(f"  {_verdict(entry)}")
    if not told["articles"]:
        say("no article was considered yet")
    for edit in told["edits"]:
        say(told_edit(edit, zone))


def told_edit(edit: Mapping[str, Any], zone: str) -> str:
    """One line of the history of what staff said."""
    value = "taken back" if edit["value"] is None else f"“{edit['value']}”"
    return f"{moment(edit['at'], zone)}  {edit['article_id']}: {edit['field']} {value} by {edit['by']}"


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
        "weight": article.weight,
        "source_weight": article.source_weight,
        "decided": article.decided,
        "corrected_at": article.changed_at,
        "corrected_after_issues": issues.sent_with(conn, article.id, before=article.changed_at)
        if article.changed_at
        else [],
        "provenance": dict(article.provenance),
        "summary": _about_summary(article, article.summary) if article.summary else None,
        "story": _story_of(conn, article),
        "issues": [
            {"issue": issue.id, "number": issue.number, "newsletter": name, "state": issue.state}
            | _decided(d)
            | {"edits": [asdict(e) for e in edits.history(conn, issue.id) if e.article_id == article.id]}
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
        for edit in entry["edits"]:
            say(f"  {told_edit(edit, zone)}")
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
    """In or not, and what that rests on."""
    if not entry["included"]:
        verdict = f"not in it: {entry['reason']}"
    elif entry["reason"] == "in":
        verdict = f"in it, place {entry['place']}"
    else:
        verdict = f"in it, place {entry['place']}: {entry['reason'].removeprefix('in').strip(':, ')}"
    if entry["parts"] is None:
        return verdict
    parts = [f"{name} {value:+.2f}" for name, value in entry["parts"].items() if value]
    if entry["section"] or entry["rule"]:
        verdict += f"; section {entry['section'] or 'default'}" + (f" ({entry['rule']})" if entry["rule"] else "")
    return f"{verdict}; score {entry['score']:.2f}" + (f" = {', '.join(parts)}" if parts else "")


def _about_person(app: App, conn: Connection, who: str, only: Issue | None) -> dict[str, Any]:
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
        "issues": [_delivery(app, conn, person_id, issue) for issue in looked_at if issue.mailing_id is not None],
        "mail_group": person.mail_group,
    }


def _paced(app: App, conn: Connection, group: str | None) -> list[str]:
    """What holds up mail to this person now."""
    told = report(app, conn, app.clock.now())
    held = told.of(group)
    return lines_of(replace(told, held=[held] if held else []), app.settings.timezone)


def _delivery(app: App, conn: Connection, person_id: PersonId, issue: Issue) -> dict[str, Any]:
    row = receipts.of_person(conn, person_id, issue.mailing_id) if issue.mailing_id else None
    start = {"issue": issue.id, "number": issue.number, "issue_state": issue.state}
    if row is None:
        waiting = issue.state in (IssueState.DRAFT, IssueState.PENDING_APPROVAL, IssueState.SCHEDULED)
        reason = (
            "the recipients are not frozen yet" if waiting else "was not among the recipients when they were frozen"
        )
        why_not = _not_mailable(app, conn, person_id, issue) or _named_by_segment(app, conn, person_id, issue)
        return {**start, "state": None, "reason": f"{reason}; {why_not}" if why_not else reason}
    names = ("state", "reason", "reply", "reply_kind", "provider_id", "tries", "frozen_at", "changed_at", "next_at")
    return start | {name: row[name] for name in names}


def _not_mailable(app: App, conn: Connection, person_id: PersonId, issue: Issue) -> str:
    """Why nothing of the newsletter's list may be sent to the person now; "" when it may."""
    list_slug = newsletters.get(conn, issue.newsletter_id).list_slug
    try:
        found = subscribers.not_mailable(conn, list_slug, [person_id], key=app.suppression_key)
    except subscribers.SubscribersError as error:
        return f"the list {list_slug} cannot be asked: {error}"
    return f"not mailable now: {found[person_id].value}" if person_id in found else ""


def _named_by_segment(app: App, conn: Connection, person_id: PersonId, issue: Issue) -> str:
    """What the newsletter's segment says of the person now; "" for a newsletter that goes to its whole list."""
    newsletter = newsletters.get(conn, issue.newsletter_id)
    if newsletter.segment is None:
        return ""
    try:
        query = subscribers.get_segment(conn, newsletter.segment).query
        zone = app.settings.timezone
        named = subscribers.names_person(
            conn, newsletter.list_slug, query, person_id, now=app.clock.now(), time_zone=zone
        )
    except subscribers.SubscribersError as error:
        return f"the segment {newsletter.segment} cannot be asked: {error}"
    return f"the segment {newsletter.segment} {'names' if named else 'does not name'} them now"


def _tell_person(told: Mapping[str, Any], zone: str) -> None:
    say(f"person {told['person']} ({told['address'] or 'erased'}), {told['state']}")
    for entry in told["subscriptions"]:
        say(f"list {entry['list']}: {entry['state']}")
    for entry in told["suppressions"]:
        say(f"suppressed on {entry['list'] or 'every list'}: {entry['reason']}{of_domain(entry)}")
    for line in told["pace"]:
        say(line)
    for entry in told["issues"]:
        line = f"issue {entry['issue']} #{entry['number']}: {entry['state'] or 'not sent'}"
        told_by = [part for part in (entry.get("reason"), entry.get("reply")) if part]
        when = f" ({moment(entry['changed_at'], zone)}, try {entry['tries']})" if entry["state"] else ""
        say(f"{line}{when}{': ' + '; '.join(told_by) if told_by else ''}")
    if not told["issues"]:
        say("no issue was composed yet")
