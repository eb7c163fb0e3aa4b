"""Approval: binds an issue to exactly one content hash. Never edits content.

An issue of policy `auto` without preflight errors approves itself; any other waits for a person, and staff are told once.
"""

from datetime import datetime

from newsletter.app import App
from newsletter.errors import NotAllowed
from newsletter.log import get_logger
from newsletter.model import ApprovalPolicy, Issue, IssueId, IssueState
from newsletter.store import Connection, issues, letters, newsletters

log = get_logger("approve")

BY_POLICY = "policy auto"


def run(app: App, now: datetime) -> int:
    """Approve what the declared policy approves; tell staff about the rest."""
    approved = 0
    with app.db.read() as conn:
        waiting = issues.in_state(conn, IssueState.PENDING_APPROVAL)
    for issue in waiting:
        try:
            approved += _approve(app, issue, now)
        except NotAllowed:  # another process, or a person, was first
            log.info("approved_elsewhere", issue=issue.id)
    return approved


def _approve(app: App, issue: Issue, now: datetime) -> int:
    with app.db.begin() as conn:
        newsletter = newsletters.get(conn, issue.newsletter_id)
        if not newsletter.active:
            return 0
        reason = why_it_waits(issue, newsletter.approval)
        if reason is None and issue.content_hash is not None:
            issues.approve(conn, issue.id, issue.content_hash, by=BY_POLICY, now=now)
            log.info("issue_approved", issue=issue.id, by=BY_POLICY)
            app.watch("approve", f"#{issue.number} {issue.subject}")
            return 1
        if issue.reason != reason:
            issues.waits(conn, issue.id, reason=reason or "")
            tell_staff(app, conn, issue, now=now)
    return 0


def why_it_waits(issue: Issue, policy: ApprovalPolicy) -> str | None:
    """None when the policy lets it go by itself (pure)."""
    errors = [finding for finding in issue.preflight if finding.level == "error"]
    if errors:
        return f"preflight found {len(errors)} error(s): {errors[0].message}"
    if policy is not ApprovalPolicy.AUTO:
        return "waits for a person's approval"
    return None


def by_person(
    conn: Connection, issue_id: IssueId, content_hash: str, *, by: str, now: datetime, despite_errors: bool = False
) -> None:
    """A person approves what they looked at. Raises NotAllowed for other content, or for errors not waved through."""
    issue = issues.get(conn, issue_id)
    errors = [finding for finding in issue.preflight if finding.level == "error"]
    if errors and not despite_errors:
        raise NotAllowed(
            f"preflight found {len(errors)} error(s): {errors[0].message}", where=issue_id, hint="mend them first"
        )
    issues.approve(conn, issue_id, content_hash, by=by, now=now)
    log.info("issue_approved", issue=issue_id, by=by)


def tell_staff(app: App, conn: Connection, issue: Issue, *, now: datetime) -> None:
    """One letter to each of the staff for each content that waits."""
    errors = [finding for finding in issue.preflight if finding.level == "error"]
    variables = {
        "topic": "preflight_errors" if errors else "draft_waiting",
        "name": issue.subject or issue.occurrence,
        "count": len(errors),
        "lines": [f"{finding.where}: {finding.message}" for finding in errors],
        "url": app.url(f"/staff/issues/{issue.id}"),
    }
    letters.tell_staff(conn, f"waits:{issue.id}:{issue.content_hash}", variables, now=now)
