"""The first page of staff: the next send moment, what waits for a person, and the issues."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

import subscribers
from newsletter import schedule
from newsletter.deliver.pace.report import Held, report
from newsletter.errors import BadInput
from newsletter.http import shown
from newsletter.model import Counts, Issue, IssueState, Newsletter, NewsletterId, Source, SourceState
from newsletter.store import Connection, articles, issues, letters, newsletters, receipts, sources, webhooks
from newsletter.web import imports
from newsletter.web.imports import Import, Stage
from newsletter.web.visit import Visit

SHOWN = 50
UNDER_WAY = (IssueState.SENDING, IssueState.PAUSED)
FROZEN = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)  # the states in which the ledger has numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `recipients` None: nobody is frozen and the issue is over."""

    issue: Issue
    newsletter: Newsletter
    recipients: int | None
    counts: Counts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSend:
    newsletter: Newsletter
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Everything that waits for a person."""

    approvals: list[Row]
    failing: list[Source]
    letters: list[tuple[str, str]]  # (kind, reason) of those that could not be rendered
    unknown: list[Row]
    unchosen: list[Row]  # approved, and its list or segment cannot be used
    stuck: list[Row]  # being sent, and it does not go on, for a reason
    doubtful: int  # articles that may be known already
    schedules: list[tuple[Newsletter, str]]  # newsletters whose cron line cannot be used, with the fault
    webhooks: list[tuple[str, str]]  # (URL, reason) of those that are not called any more
    stopped: list[Held]  # receivers that block our mail
    imports: list[Import]  # files of people that were looked at; only for staff who may import

    def __bool__(self) -> bool:
        people = (self.approvals, self.letters, self.unknown, self.unchosen, self.stuck, self.doubtful)
        return any((*people, self.failing, self.schedules, self.webhooks, self.stopped, self.imports))


def home(visit: Visit) -> Response:
    return visit.go("/staff/")


def overview(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        known = {newsletter.id: newsletter for newsletter in newsletters.listed(conn)}
        rows = table(visit, conn, issues.listed(conn, limit=SHOWN), known)
        failing = [source for source in sources.listed(conn) if source.state is SourceState.FAILING or source.given_up]
        doubtful = articles.in_doubt(conn)
        unrendered = letters.failures(conn)
        stopped = [held for held in report(visit.app, conn, visit.now).held if held.stopped]
        silent = [(shown(one.url), one.reason or "") for one in webhooks.listed(conn) if one.disabled_at is not None]
    coming, unusable = next_sends([one for one in known.values() if one.active], now=visit.now)
    waiting = Waiting(
        approvals=[row for row in rows if row.issue.state is IssueState.PENDING_APPROVAL],
        failing=failing,
        letters=unrendered,
        unknown=[row for row in rows if row.counts is not None and row.counts.unknown],
        unchosen=[row for row in rows if waits_for_audience(row.issue)],
        stuck=[row for row in rows if row.issue.state in UNDER_WAY and row.issue.reason],
        doubtful=doubtful,
        schedules=unusable,
        stopped=stopped,
        webhooks=silent,
        imports=looked_at(visit),
    )
    return visit.page("staff/issues.html", coming=coming, waiting=waiting, rows=rows, newsletters=known)


def looked_at(visit: Visit) -> list[Import]:
    if visit.member is None or not visit.member.sees_addresses:
        return []
    return [one for one in imports.listed(visit.app) if one.stage is Stage.LOOKED]


def waits_for_audience(issue: Issue) -> bool:
    return issue.state is IssueState.SCHEDULED and (issue.reason or "").startswith(schedule.UNCHOSEN)


def table(visit: Visit, conn: Connection, listed: list[Issue], known: dict[NewsletterId, Newsletter]) -> list[Row]:
    sizes: dict[NewsletterId, int] = {}  # of those asked for: a segment of a large list is counted in a second
    rows = []
    for issue in listed:
        newsletter = known[issue.newsletter_id]
        counts = None
        if issue.mailing_id is not None and issue.state in FROZEN:
            counts = receipts.count(conn, issue.mailing_id)
        recipients = counts.frozen if counts else None
        if counts is None and issue.state not in issues.CLOSED:
            if newsletter.id not in sizes:
                sizes[newsletter.id] = mailable(visit, conn, newsletter)
            recipients = sizes[newsletter.id]
        rows.append(Row(issue=issue, newsletter=newsletter, recipients=recipients, counts=counts))
    return rows


def mailable(visit: Visit, conn: Connection, newsletter: Newsletter) -> int:
    """Who an issue would go to now: the mailable people of its list, or those of them its segment names.

    0 when the list or the segment is gone, or cannot be read any more: then nothing is sent.
    """
    try:
        if newsletter.segment is None:
            return subscribers.count_mailable(conn, newsletter.list_slug)
        query = subscribers.get_segment(conn, newsletter.segment).query
        zone = visit.app.settings.timezone
        return subscribers.count_segment(conn, newsletter.list_slug, query, now=visit.now, time_zone=zone)
    except (subscribers.UnknownList, subscribers.UnknownSegment, subscribers.SegmentFault):
        return 0


def next_sends(active: list[Newsletter], *, now: datetime) -> tuple[list[NextSend], list[tuple[Newsletter, str]]]:
    """The next send moment of each newsletter, soonest first; and those whose schedule cannot be used (pure)."""
    coming, unusable = [], []
    for newsletter in active:
        try:
            at = schedule.next_moments(newsletter.cron, newsletter.timezone, after=now, count=1)[0]
            coming.append(NextSend(newsletter=newsletter, at=at))
        except BadInput as error:
            unusable.append((newsletter, str(error)))
    return sorted(coming, key=lambda one: one.at), unusable
