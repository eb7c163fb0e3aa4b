"""What the stages would do now, told from the rows as they stand: for --dry-run. Changes nothing, sends nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import subscribers
from newsletter import schedule
from newsletter.app import App
from newsletter.approve import why_it_waits
from newsletter.errors import BadInput
from newsletter.model import ArticleState, IssueState
from newsletter.store import Connection, articles, issues, letters, mailings, newsletters, receipts, sources


def foresee(app: App) -> list[dict[str, Any]]:
    """One entry per thing that would be done: {stage, would}. Later stages are judged by what already waits for them."""
    now = app.clock.now()
    with app.db.read() as conn:
        found = [
            *_collecting(conn, now),
            *_opening(conn, now),
            *_composing(conn),
            *_approving(conn),
            *_releasing(conn, now),
            *_delivering(conn),
        ]
    return [{"stage": stage, "would": would} for stage, would in found]


def _collecting(conn: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    for source in sources.due(conn, now=now):
        yield "collect", f"fetch {source.slug} ({source.url})"
    waiting = articles.counts(conn).get(ArticleState.NEW, 0)
    if waiting:
        yield "summarise", f"summarise {waiting} article(s)"


def _opening(conn: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    for letter in newsletters.listed(conn, active_only=True):
        since = newsletters.scheduled_from(conn, letter.id)
        since = max(since, issues.last_occurrence(conn, letter.id, since=since) or since)
        try:
            occurrence, send_at = next(schedule.moments(letter.cron, letter.timezone, after=since))
        except BadInput as error:
            yield "open", f"skip {letter.slug}: {error}"
            continue
        if send_at <= now + letter.compose_lead:
            yield "open", f"open {letter.slug} for {occurrence}"


def _composing(conn: Connection) -> Iterator[tuple[str, str]]:
    for draft in issues.in_state(conn, IssueState.DRAFT):
        ready = len(articles.ready_for(conn, draft.newsletter_id))
        yield "compose", f"compose {draft.id} from {ready} ready article(s)"
    asked = len(letters.asked(conn))
    if asked:
        yield "compose", f"render {asked} letter(s)"


def _approving(conn: Connection) -> Iterator[tuple[str, str]]:
    for issue in issues.in_state(conn, IssueState.PENDING_APPROVAL):
        reason = why_it_waits(issue, newsletters.get(conn, issue.newsletter_id).approval)
        yield "approve", f"leave {issue.id}: {reason}" if reason else f"approve {issue.id} by its policy"


def _releasing(conn: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    for issue in issues.in_state(conn, IssueState.SCHEDULED):
        if issue.send_at <= now:
            slug = newsletters.get(conn, issue.newsletter_id).list_slug
            people = subscribers.count_mailable(conn, slug)
            yield "release", f"start sending {issue.id} to at most {people} of {slug}"


def _delivering(conn: Connection) -> Iterator[tuple[str, str]]:
    for mailing_id in mailings.sending(conn):
        counts = receipts.count(conn, mailing_id)
        subject = mailings.get(conn, mailing_id).renderings[0].subject
        yield "deliver", f"send {counts.open} of {counts.frozen}: {subject}"
