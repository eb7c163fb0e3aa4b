"""Newsletters and their issues: what they say, what was found in them, how they fare. What is decided of them: deciding."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from newsletter import schedule, track
from newsletter.errors import BadInput
from newsletter.mail.markers import fill
from newsletter.model import EventType, Issue, IssueState, MailingId, Newsletter, Scope
from newsletter.store import Connection, events, issues, mailings, newsletters
from newsletter.web.api.door import Asked, By, Room
from newsletter.web.api.problems import Problem
from newsletter.web.api.shapes import Cursor, Limit, Page, Shape, paged
from newsletter.web.public.issues import neutral_values, rendering_in

room = Room("issues")

Which = Annotated[str, Path(description="an issue's id")]
Slug = Annotated[str, Path(description="a newsletter's slug")]


# ---------------------------------------------------------------- newsletters


class NewsletterShape(Shape):
    id: str
    slug: str
    name: str
    languages: tuple[str, ...] = Field(description="the default first")
    list: str
    segment: str | None = Field(description="its readers; null: the whole list")
    design: str
    cron: str = Field(description="names the send moment, in `timezone`")
    timezone: str
    approval: str
    active: bool
    public: bool
    next_send: datetime | None = Field(description="null: not active, or a schedule that cannot be used")


@room.does("GET", "/newsletters", Scope.ISSUES_READ, summary="All newsletters")
def list_newsletters(by: By) -> Page[NewsletterShape]:
    with by.app.db.read() as conn:
        known = newsletters.listed(conn)
    return Page(data=[_newsletter(by, one) for one in known], next_cursor=None)


@room.does("GET", "/newsletters/{slug}", Scope.ISSUES_READ, summary="Get one newsletter", problems=(404,))
def get_newsletter(by: By, slug: Slug) -> NewsletterShape:
    with by.app.db.read() as conn:
        return _newsletter(by, newsletter_of(conn, slug))


def newsletter_of(conn: Connection, slug: str) -> Newsletter:
    found = newsletters.by_slug(conn, slug)
    if found is None:
        raise Problem(404, "there is no newsletter of this name")
    return found


def _newsletter(by: Asked, one: Newsletter) -> NewsletterShape:
    return NewsletterShape(
        id=one.id,
        slug=one.slug,
        name=one.name,
        languages=one.languages,
        list=one.list_slug,
        segment=one.segment,
        design=one.design,
        cron=one.cron,
        timezone=one.timezone,
        approval=one.approval,
        active=one.active,
        public=one.public,
        next_send=_next_send(one, by.app.clock.now()) if one.active else None,
    )


def _next_send(one: Newsletter, now: datetime) -> datetime | None:
    try:
        return schedule.next_moments(one.cron, one.timezone, after=now, count=1)[0]
    except BadInput:
        return None


# ---------------------------------------------------------------- issues


class FindingShape(Shape):
    level: str = Field(description="error (blocks sending), warning or note")
    check: str
    where: str
    message: str


class ItemShape(Shape):
    article_id: str
    included: bool
    reason: str = Field(description="why it is, or is not, in the issue")
    position: int | None


class IssueShape(Shape):
    id: str
    newsletter: str
    number: int | None
    occurrence: str
    state: IssueState
    reason: str | None
    subject: str | None
    preheader: str | None
    send_at: datetime
    content_hash: str | None = Field(description="of what was composed; approving names it")
    approved_hash: str | None
    approved_by: str | None
    approved_at: datetime | None
    errors: int = Field(description="found by preflight; they block sending")
    warnings: int


class WholeIssue(IssueShape):
    findings: tuple[FindingShape, ...]
    items: tuple[ItemShape, ...] = Field(description="every article that was considered")


@room.does("GET", "/issues", Scope.ISSUES_READ, summary="List issues, the latest first", problems=(404,))
def list_issues(
    by: By,
    cursor: Cursor = None,
    limit: Limit = 50,
    newsletter: Annotated[str | None, Query(description="only of this newsletter (slug)")] = None,
    state: Annotated[IssueState | None, Query(description="only in this state")] = None,
) -> Page[IssueShape]:
    with by.app.db.read() as conn:
        mine = newsletter_of(conn, newsletter).id if newsletter is not None else None
        found = issues.page(conn, limit=limit + 1, before=cursor, newsletter_id=mine, state=state)
        slugs = {one.id: one.slug for one in newsletters.listed(conn)}
    return paged([issue_shape(one, slugs[one.newsletter_id]) for one in found], limit, lambda one: one.id)


@room.does("GET", "/issues/{id}", Scope.ISSUES_READ, summary="Get one issue with its findings", problems=(404,))
def get_issue(by: By, id: Which) -> WholeIssue:
    with by.app.db.read() as conn:
        found = issue_of(conn, id)
        considered = issues.decisions(conn, found.id)
        slug = newsletters.get(conn, found.newsletter_id).slug
    items = tuple(
        ItemShape(
            article_id=one.article_id,
            included=one.included,
            reason=one.reason,
            position=one.item.position if one.item else None,
        )
        for one in considered
    )
    findings = tuple(
        FindingShape(level=one.level, check=one.check, where=one.where, message=one.message) for one in found.preflight
    )
    return WholeIssue(**issue_shape(found, slug).model_dump(), findings=findings, items=items)


def issue_of(conn: Connection, issue_id: str) -> Issue:
    try:
        return issues.get(conn, issue_id)
    except BadInput:
        raise Problem(404, "there is no such issue") from None


def issue_shape(one: Issue, slug: str) -> IssueShape:
    levels = [finding.level for finding in one.preflight]
    return IssueShape(
        id=one.id,
        newsletter=slug,
        number=one.number,
        occurrence=one.occurrence,
        state=one.state,
        reason=one.reason,
        subject=one.subject,
        preheader=one.preheader,
        send_at=one.send_at,
        content_hash=one.content_hash,
        approved_hash=one.approved_hash,
        approved_by=one.approved_by,
        approved_at=one.approved_at,
        errors=levels.count("error"),
        warnings=levels.count("warning"),
    )


class ContentShape(Shape):
    language: str
    subject: str
    preheader: str
    content_hash: str
    html: str
    text: str


@room.does(
    "GET",
    "/issues/{id}/content",
    Scope.ISSUES_READ,
    summary="What the issue says, as HTML and as text",
    problems=(404, 409),
)
def get_content(
    by: By,
    id: Which,
    language: Annotated[str, Query(max_length=35, description="none: the newsletter's default")] = "",
) -> ContentShape:
    """Where a mail names its reader, neutral words stand."""
    with by.app.db.read() as conn:
        found = issue_of(conn, id)
        if found.mailing_id is None:
            raise Problem(409, "the issue is not composed yet")
        mailing = mailings.get(conn, found.mailing_id)
    rendering = rendering_in(mailing, language)
    values = neutral_values(by.app.url(f"/only-in-your-mail?lang={rendering.language}"))
    return ContentShape(
        language=rendering.language,
        subject=rendering.subject,
        preheader=rendering.preheader,
        content_hash=mailing.content_hash,
        html=fill(rendering.html, mailing.nonce, values, html=True),
        text=fill(rendering.text, mailing.nonce, values, html=False),
    )


# ---------------------------------------------------------------- numbers


class Numbers(Shape):
    """Of one issue, in the field's words. People, not events: who opened twice is one."""

    issue: str
    newsletter: str
    number: int | None
    state: IssueState
    recipients: int
    sent: int
    failed: int
    skipped: int
    unknown: int
    open: int = Field(description="deliveries under way")
    delivered: int
    opens: int
    clicks: int
    bounces: int
    complaints: int
    unsubscribes: int


@room.does("GET", "/issues/{id}/stats", Scope.ISSUES_READ, summary="Numbers of one issue", problems=(404,))
def get_stats(by: By, id: Which) -> Numbers:
    with by.app.db.read() as conn:
        found = issue_of(conn, id)
        slug = newsletters.get(conn, found.newsletter_id).slug
    return _numbers(by, found, slug)


@room.does("GET", "/stats", Scope.ISSUES_READ, summary="Numbers of issues, the latest first", problems=(404,))
def list_stats(
    by: By,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=50, description="how many at most")] = 20,
    newsletter: Annotated[str | None, Query(description="only of this newsletter (slug)")] = None,
) -> Page[Numbers]:
    with by.app.db.read() as conn:
        mine = newsletter_of(conn, newsletter).id if newsletter is not None else None
        found = issues.page(conn, limit=limit + 1, before=cursor, newsletter_id=mine)
        slugs = {one.id: one.slug for one in newsletters.listed(conn)}
    return paged([_numbers(by, one, slugs[one.newsletter_id]) for one in found], limit, lambda one: one.issue)


def _numbers(by: Asked, one: Issue, slug: str) -> Numbers:
    mailing_id = one.mailing_id or MailingId("")
    ledger = track.numbers(by.app, mailing_id)
    with by.app.db.read() as conn:
        told = events.count(conn, mailing_id)
    return Numbers(
        issue=one.id,
        newsletter=slug,
        number=one.number,
        state=one.state,
        recipients=ledger.recipients,
        sent=ledger.sent,
        failed=ledger.failed,
        skipped=ledger.skipped,
        unknown=ledger.unknown,
        open=ledger.open,
        delivered=told.get(EventType.DELIVERED, 0),
        opens=told.get(EventType.OPENED, 0),
        clicks=told.get(EventType.CLICKED, 0),
        bounces=told.get(EventType.BOUNCED, 0),
        complaints=told.get(EventType.COMPLAINED, 0),
        unsubscribes=told.get(EventType.UNSUBSCRIBED, 0),
    )
