"""What is decided of an issue: made, tested, approved, taken back, paused, resumed, cancelled.

A program approves as a person does: it names the hash of the content it looked at, and no other content is approved.
"""

from collections.abc import Callable

from pydantic import Field

import subscribers
from newsletter import approve as approval
from newsletter import schedule
from newsletter.compose.testing import send_test as ask_for_test
from newsletter.errors import NotAllowed
from newsletter.log import get_logger
from newsletter.model import Issue, IssueState, MailingId, Scope
from newsletter.readers.mailbox import mailbox_may
from newsletter.store import Connection, deliveries, issues, newsletters
from newsletter.web.api.door import Asked, By, Room
from newsletter.web.api.problems import Problem
from newsletter.web.api.publishing import IssueShape, Slug, Which, issue_of, issue_shape, newsletter_of
from newsletter.web.api.shapes import Body, Shape

log = get_logger("api")

room = Room("issues")


@room.does(
    "POST",
    "/newsletters/{slug}/issues",
    Scope.ISSUES_WRITE,
    summary="Make an extra issue, sent as soon as it is approved",
    status=201,
    problems=(404,),
)
def make_issue(by: By, slug: Slug) -> IssueShape:
    with by.app.db.begin() as conn:
        found = newsletter_of(conn, slug)
        made = schedule.open_extra(conn, found, now=by.app.clock.now())
        return issue_shape(issues.get(conn, made), found.slug)


class Approving(Body):
    content_hash: str = Field(
        pattern="^[0-9a-f]{64}$", description="of the content that was looked at; any other is refused"
    )
    despite_errors: bool = Field(False, description="approve although preflight found errors")


@room.does(
    "POST",
    "/issues/{id}/approve",
    Scope.ISSUES_APPROVE,
    summary="Approve exactly one content: it is sent at its moment",
    problems=(404, 409),
)
def approve(by: By, id: Which, body: Approving) -> IssueShape:
    def decide(conn: Connection, issue: Issue) -> None:
        now, by_whom = by.app.clock.now(), f"api: {by.token.name}"
        approval.by_person(conn, issue.id, body.content_hash, by=by_whom, now=now, despite_errors=body.despite_errors)

    return _decided(by, id, decide)


@room.does(
    "POST",
    "/issues/{id}/draft",
    Scope.ISSUES_WRITE,
    summary="Take an approval back, or refuse: it is composed again",
    problems=(404, 409),
)
def back_to_draft(by: By, id: Which) -> IssueShape:
    return _decided(by, id, lambda conn, issue: issues.back_to_draft(conn, issue.id, reason="back to draft by api"))


@room.does("POST", "/issues/{id}/pause", Scope.ISSUES_WRITE, summary="Stop the sending for now", problems=(404, 409))
def pause(by: By, id: Which) -> IssueShape:
    return _decided(by, id, lambda conn, issue: deliveries.pause(conn, _mailing(issue)))


@room.does("POST", "/issues/{id}/resume", Scope.ISSUES_WRITE, summary="Go on sending", problems=(404, 409))
def resume(by: By, id: Which) -> IssueShape:
    return _decided(by, id, lambda conn, issue: deliveries.resume(conn, _mailing(issue)))


@room.does(
    "POST",
    "/issues/{id}/cancel",
    Scope.ISSUES_WRITE,
    summary="Give an issue up; who has not got it will not",
    problems=(404, 409),
)
def cancel(by: By, id: Which) -> IssueShape:
    def decide(conn: Connection, issue: Issue) -> None:
        if issue.state in (IssueState.SENDING, IssueState.PAUSED):
            deliveries.cancel(conn, _mailing(issue), now=by.app.clock.now())
        else:
            issues.cancel(conn, issue.id, reason="cancelled by api")

    return _decided(by, id, decide)


def _decided(by: Asked, issue_id: str, decide: Callable[[Connection, Issue], object]) -> IssueShape:
    """Apply a decision in one transaction. A refusal (NotAllowed) is 409."""
    with by.app.db.begin() as conn:
        before = issue_of(conn, issue_id)
        decide(conn, before)
        after, slug = issues.get(conn, issue_id), newsletters.get(conn, before.newsletter_id).slug
    log.info("api_act", issue=issue_id, state=after.state, token=by.token.id)
    by.site.wake()
    return issue_shape(after, slug)


def _mailing(issue: Issue) -> MailingId:
    if issue.mailing_id is None:
        raise NotAllowed("the issue is not being sent", where=issue.id)
    return issue.mailing_id


class Testing(Body):
    email: str = Field(max_length=320, examples=["editor@vien.example"])
    language: str = Field("", max_length=35, description="none: the newsletter's default")


class Tested(Shape):
    mailing_id: str


@room.does(
    "POST",
    "/issues/{id}/test",
    Scope.ISSUES_WRITE,
    summary="Send the issue as it stands to one address",
    status=202,
    problems=(404, 409),
)
def send_test(by: By, id: Which, body: Testing) -> Tested:
    address = subscribers.parse_address(body.email)
    with by.app.db.begin() as conn:
        found = issue_of(conn, id)
        if not mailbox_may(by.app, address):
            raise Problem(429, "this address got enough for today", headers={"Retry-After": "86400"})
        made = ask_for_test(by.app, conn, found, address, language=body.language, now=by.app.clock.now())
    by.site.wake()
    return Tested(mailing_id=made)
