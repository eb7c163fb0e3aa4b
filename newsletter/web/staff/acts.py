"""What staff do to an issue. Each is a POST; a refusal comes back as the page, saying why."""

from collections.abc import Callable
from contextlib import suppress

from starlette.responses import Response

import subscribers
from newsletter import approve as approval
from newsletter import compose
from newsletter.compose.testing import send_test as ask_for_test
from newsletter.errors import BadInput, NewsletterError, NotAllowed
from newsletter.log import get_logger
from newsletter.model import Issue, IssueState, MailingId
from newsletter.store import Connection, deliveries, issues, newsletters, recovering
from newsletter.summarise.edit import plain_words
from newsletter.web.reasons import reason_in
from newsletter.web.staff import review
from newsletter.web.visit import Visit

log = get_logger("web")

Change = Callable[[Connection, Issue], object]


def approve(visit: Visit) -> Response:
    """Approve the content whose hash the form carries: what was looked at, nothing newer."""
    assert visit.member is not None
    try:
        with visit.app.db.begin() as conn:
            approval.by_person(
                conn,
                issues.get(conn, visit.part("id")).id,
                visit.form.get("content_hash", ""),
                by=visit.member.id,
                now=visit.now,
                despite_errors=visit.form.get("despite_errors") == "yes",
            )
    except NotAllowed as error:
        return review.page(visit, status=409, refused=reason_in(visit.words, error.what))
    visit.site.wake()
    return _back(visit)


def back_to_draft(visit: Visit) -> Response:
    """Refuse the composition, and compose it again at once from the present articles."""
    done = _change(visit, lambda conn, issue: issues.back_to_draft(conn, issue.id, reason="back to draft by staff"))
    return done or _recomposed(visit)


def reopen(visit: Visit) -> Response:
    done = _change(visit, lambda conn, issue: issues.reopen(conn, issue.id, now=visit.now))
    return done or _recomposed(visit)


def intro(visit: Visit) -> Response:
    """Staff's own lines under the heading, in the language of the preview; none: the made ones again."""
    typed, language = visit.form.get("intro", "").strip(), visit.form.get("in", "")
    try:
        words = plain_words(typed) if typed else ""
    except BadInput as error:
        return review.page(visit, status=422, refused=reason_in(visit.words, error.what), typed_intro=typed)

    def change(conn: Connection, issue: Issue) -> None:
        languages = newsletters.get(conn, issue.newsletter_id).languages
        issues.set_intro(conn, issue.id, language if language in languages else languages[0], words)

    return _change(visit, change) or _recomposed(visit)


def _recomposed(visit: Visit) -> Response:
    recompose(visit, visit.part("id"))
    return _back(visit)


def recompose(visit: Visit, issue_id: str) -> None:
    """The next tick composes drafts anyway, and writes down why one cannot be: a fault here may wait for that."""
    with visit.app.db.read() as conn:
        issue = issues.get(conn, issue_id)
    if issue.state is IssueState.DRAFT:
        with suppress(NewsletterError):
            compose.compose_issue(visit.app, issue, visit.now)


def cancel(visit: Visit) -> Response:
    return _change(visit, lambda conn, issue: _cancel(conn, issue, visit)) or _back(visit)


def _cancel(conn: Connection, issue: Issue, visit: Visit) -> None:
    if issue.state in (IssueState.SENDING, IssueState.PAUSED) and issue.mailing_id is not None:
        deliveries.cancel(conn, issue.mailing_id, now=visit.now)
    else:
        issues.cancel(conn, issue.id, reason="cancelled by staff")


def pause(visit: Visit) -> Response:
    return _change(visit, lambda conn, issue: deliveries.pause(conn, _mailing(issue))) or _back(visit)


def resume(visit: Visit) -> Response:
    return _woken(visit, lambda conn, issue: deliveries.resume(conn, _mailing(issue)))


def resend(visit: Visit) -> Response:
    """Once more to those of whom nobody knows whether they got it."""
    return _woken(visit, lambda conn, issue: recovering.resend_unknown(conn, _mailing(issue), now=visit.now))


def retry(visit: Visit) -> Response:
    """Once more to those who failed."""
    return _woken(visit, lambda conn, issue: recovering.retry_failed(conn, _mailing(issue), now=visit.now))


def _woken(visit: Visit, change: Change) -> Response:
    done = _change(visit, change)
    visit.site.wake()
    return done or _back(visit)


def send_test(visit: Visit) -> Response:
    """One test message to any address."""
    typed = visit.form.get("address", "").strip()[:320]
    try:
        address = subscribers.parse_address(typed)
        with visit.app.db.begin() as conn:
            issue = issues.get(conn, visit.part("id"))
            ask_for_test(visit.app, conn, issue, address, language=visit.form.get("in", ""), now=visit.now)
    except subscribers.InvalidAddress:
        return review.page(
            visit, status=422, test_fault=visit.words.gettext("This is not a mail address."), test_address=typed
        )
    except NotAllowed as error:
        return review.page(visit, status=409, refused=reason_in(visit.words, error.what))
    visit.site.wake()
    return visit.go(f"/staff/issues/{visit.part('id')}?tested=1")


# ---------------------------------------------------------------- shared


def _change(visit: Visit, change: Change) -> Response | None:
    """Apply `change` to the issue in one transaction. None when done, else the page that says why not."""
    assert visit.member is not None
    try:
        with visit.app.db.begin() as conn:
            issue = issues.get(conn, visit.part("id"))
            change(conn, issue)
    except NotAllowed as error:
        return review.page(visit, status=409, refused=reason_in(visit.words, error.what))
    act = visit.request.url.path.rsplit("/", 1)[1]
    log.info("staff_act", act=act, issue=issue.id, staff=visit.member.id)
    return None


def _mailing(issue: Issue) -> MailingId:
    if issue.mailing_id is None:
        raise NotAllowed("the issue is not being sent", where=issue.id)
    return issue.mailing_id


def _back(visit: Visit) -> Response:
    return visit.go(f"/staff/issues/{visit.part('id')}")
