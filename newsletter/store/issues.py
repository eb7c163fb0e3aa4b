"""Issues: opened for one occurrence, composed, approved for one content hash, released, closed.

Each change is a compare-and-set on the state, so whoever comes second is told, and nothing is done twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.errors import BadInput, NotAllowed
from newsletter.model import (
    ArticleId,
    Decision,
    Finding,
    Issue,
    IssueId,
    IssueState,
    MailingId,
    Newsletter,
    NewsletterId,
    new_id,
)
from newsletter.store import changes
from newsletter.store.decisions import decision_of, of_issue, write
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.publishing import issue_articles, issues, newsletters

# States that no stage will touch again.
CLOSED = (IssueState.SENT, IssueState.CANCELLED, IssueState.SKIPPED, IssueState.FAILED)


def open_issue(
    conn: Connection, newsletter: Newsletter, occurrence: str, *, send_at: datetime, now: datetime
) -> IssueId | None:
    """Open the issue of one occurrence. None when it exists already: the unique key decides, however many ask at once."""
    statement = (
        insert(conn, issues)
        .values(
            id=new_id(),
            newsletter_id=newsletter.id,
            occurrence=occurrence,
            state=IssueState.DRAFT,
            send_at=send_at,
            opened_at=now,
        )
        .on_conflict_do_nothing(index_elements=["newsletter_id", "occurrence"])
        .returning(issues.c.id)
    )
    return conn.execute(statement).scalar_one_or_none()


def get(conn: Connection, issue_id: str) -> Issue:
    """Raises BadInput when there is no such issue."""
    row = conn.execute(sa.select(issues).where(issues.c.id == issue_id)).mappings().first()
    if row is None:
        raise BadInput("no such issue", where=issue_id, hint="`newsletter issues` lists them")
    return _issue(row)


def find(conn: Connection, text: str) -> Issue:
    """The issue a person means: its id, the beginning of its id, or `latest`. Raises BadInput when none or several."""
    if text == "latest":
        query = sa.select(issues).order_by(issues.c.opened_at.desc(), issues.c.id.desc()).limit(1)
    else:
        query = sa.select(issues).where(issues.c.id.startswith(text, autoescape=True)).limit(2)
    rows = conn.execute(query).mappings().all()
    if len(rows) != 1:
        what = "several issues begin like this" if rows else "no such issue"
        raise BadInput(what, where=text, hint="`newsletter issues` lists them")
    return _issue(rows[0])


def listed(conn: Connection, *, newsletter_id: NewsletterId | None = None, limit: int = 50) -> list[Issue]:
    query = sa.select(issues).order_by(issues.c.send_at.desc(), issues.c.id.desc()).limit(limit)
    if newsletter_id is not None:
        query = query.where(issues.c.newsletter_id == newsletter_id)
    return [_issue(row) for row in conn.execute(query).mappings()]


def page(
    conn: Connection,
    *,
    limit: int,
    before: str | None = None,
    newsletter_id: NewsletterId | None = None,
    state: IssueState | None = None,
) -> list[Issue]:
    """The next `limit` issues older than the one with the id `before`, the latest opened first."""
    query = sa.select(issues).order_by(issues.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(issues.c.id < before)
    if newsletter_id is not None:
        query = query.where(issues.c.newsletter_id == newsletter_id)
    if state is not None:
        query = query.where(issues.c.state == state)
    return [_issue(row) for row in conn.execute(query).mappings()]


def released(conn: Connection, newsletter_id: NewsletterId, *, limit: int, offset: int = 0) -> list[Issue]:
    """What went out, or is going out, the latest first: the archive."""
    out = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)
    query = (
        sa.select(issues)
        .where(issues.c.newsletter_id == newsletter_id, issues.c.state.in_(out))
        .order_by(issues.c.send_at.desc(), issues.c.id.desc())
    )
    return [_issue(row) for row in conn.execute(query.limit(limit).offset(offset)).mappings()]


def in_state(conn: Connection, *states: IssueState) -> list[Issue]:
    query = sa.select(issues).where(issues.c.state.in_(states)).order_by(issues.c.send_at, issues.c.id)
    return [_issue(row) for row in conn.execute(query).mappings()]


def last_occurrence(conn: Connection, newsletter_id: NewsletterId, *, since: datetime) -> datetime | None:
    """The latest send moment for which an issue by schedule was opened; `since` the present schedule was set."""
    query = sa.select(sa.func.max(issues.c.send_at)).where(
        issues.c.newsletter_id == newsletter_id,
        issues.c.occurrence.notlike("extra-%"),
        issues.c.opened_at >= since,
    )
    moment: datetime | None = conn.execute(query).scalar()
    return moment


def last_sent_to(conn: Connection, list_slug: str) -> Issue | None:
    """The latest issue that the readers of a list got: a welcome letter links to it."""
    query = (
        sa.select(issues)
        .join(newsletters, newsletters.c.id == issues.c.newsletter_id)
        .where(newsletters.c.list_slug == list_slug, issues.c.state == IssueState.SENT)
        .order_by(issues.c.send_at.desc(), issues.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().first()
    return _issue(row) if row else None


def used(conn: Connection, newsletter_id: NewsletterId, *, besides: IssueId | None = None) -> dict[ArticleId, str]:
    """Articles that stand in an issue of this newsletter that was, or may still be, sent -> that issue's name.

    `besides`: an issue that does not count.
    """
    query = (
        sa.select(issue_articles.c.article_id, issues.c.number, issues.c.occurrence)
        .join(issues, issues.c.id == issue_articles.c.issue_id)
        .where(
            issues.c.newsletter_id == newsletter_id,
            issue_articles.c.included,
            issues.c.state.notin_((IssueState.CANCELLED, IssueState.SKIPPED, IssueState.FAILED, IssueState.DRAFT)),
        )
    )
    if besides is not None:
        query = query.where(issues.c.id != besides)
    return {row.article_id: str(row.number or row.occurrence) for row in conn.execute(query)}


def sent_with(conn: Connection, article_id: ArticleId, *, before: datetime) -> list[str]:
    """The names of the issues that had taken the article to readers at that moment."""
    query = (
        sa.select(issues.c.number, issues.c.occurrence)
        .join(issue_articles, issue_articles.c.issue_id == issues.c.id)
        .where(
            issue_articles.c.article_id == article_id,
            issue_articles.c.included,
            issues.c.state.in_((IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)),
            issues.c.send_at <= before,
        )
        .order_by(issues.c.send_at)
    )
    return [str(row.number or row.occurrence) for row in conn.execute(query)]


def next_number(conn: Connection, issue: Issue) -> int:
    """Its own number where that leaves no gap and nobody else has it, so that an issue composed again stays what it was;
    else one more than the highest of another issue that was, or may still be, sent.
    """
    query = sa.select(issues.c.number).where(
        issues.c.newsletter_id == issue.newsletter_id,
        issues.c.id != issue.id,
        issues.c.number.is_not(None),
        issues.c.state.notin_((IssueState.CANCELLED, IssueState.SKIPPED, IssueState.FAILED, IssueState.DRAFT)),
    )
    taken = set(conn.execute(query).scalars())
    after = max(taken, default=0) + 1
    return issue.number if issue.number and issue.number < after and issue.number not in taken else after


def composed(
    conn: Connection,
    issue: Issue,
    *,
    number: int,
    decisions: Sequence[Decision],
    mailing_id: MailingId,
    subject: str,
    preheader: str,
    content_hash: str,
    preflight: Sequence[Finding],
) -> None:
    """A draft has its content: it waits for approval. The change of state comes first, so the second of two is told."""
    _change(
        conn,
        issue.id,
        (IssueState.DRAFT,),
        state=IssueState.PENDING_APPROVAL,
        number=number,
        mailing_id=mailing_id,
        subject=subject,
        preheader=preheader,
        content_hash=content_hash,
        preflight=[asdict(finding) for finding in preflight],
        reason=None,
    )
    write(conn, issue.id, decisions)


def approve(conn: Connection, issue_id: IssueId, content_hash: str, *, by: str, now: datetime) -> None:
    """Approve exactly this content. Raises NotAllowed when the issue is not waiting or its content is another by now."""
    issue = get(conn, issue_id)
    if issue.state is not IssueState.PENDING_APPROVAL:
        raise NotAllowed(f"the issue is {issue.state}, not waiting for approval", where=issue_id)
    if issue.content_hash != content_hash:
        raise NotAllowed("the content changed since it was looked at", where=issue_id, hint="preview it again")
    _change(
        conn,
        issue_id,
        (IssueState.PENDING_APPROVAL,),
        and_hash=content_hash,
        state=IssueState.SCHEDULED,
        approved_hash=content_hash,
        approved_by=by,
        approved_at=now,
        reason=None,
    )


def back_to_draft(conn: Connection, issue_id: IssueId, *, reason: str) -> None:
    """Undo an approval or refuse a composition: it will be composed again from the present articles."""
    _drafted(conn, issue_id, (IssueState.PENDING_APPROVAL, IssueState.SCHEDULED), reason)


def edited(conn: Connection, issue_id: IssueId, *, reason: str) -> None:
    """Staff said something else of it: it is a draft again, also when it was approved. Raises NotAllowed once it is sent."""
    _drafted(conn, issue_id, (IssueState.DRAFT, IssueState.PENDING_APPROVAL, IssueState.SCHEDULED), reason)


def _drafted(conn: Connection, issue_id: IssueId, allowed: Collection[IssueState], reason: str) -> None:
    _change(
        conn,
        issue_id,
        allowed,
        state=IssueState.DRAFT,
        reason=reason,
        approved_hash=None,
        approved_by=None,
        approved_at=None,
    )


def considered(conn: Connection, issue_id: IssueId, found: Sequence[Decision]) -> None:
    """Keep why none of the articles considered can be taken, beside a draft that has nothing to say."""
    known = {decision.article_id: decision for decision in decisions(conn, issue_id)}
    if known != {decision.article_id: decision for decision in found}:
        write(conn, issue_id, found)


def holding(conn: Connection, article_id: ArticleId, *states: IssueState) -> list[Issue]:
    """The issues in one of these states that hold the article."""
    query = (
        sa.select(issues)
        .join(issue_articles, issue_articles.c.issue_id == issues.c.id)
        .where(issue_articles.c.article_id == article_id, issue_articles.c.included, issues.c.state.in_(states))
        .order_by(issues.c.send_at, issues.c.id)
    )
    return [_issue(row) for row in conn.execute(query).mappings()]


def set_intro(conn: Connection, issue_id: IssueId, language: str, text: str) -> None:
    """What staff say at the top of the issue in one language; empty: the made line again. It is composed again.

    Raises NotAllowed once the content is approved: approval binds what was seen.
    """
    kept = {**get(conn, issue_id).intros, language: text}
    intros = {tag: words for tag, words in kept.items() if words}
    _change(
        conn,
        issue_id,
        (IssueState.DRAFT, IssueState.PENDING_APPROVAL),
        state=IssueState.DRAFT,
        intros=intros or None,
        reason="the intro was changed",
    )


def waits(conn: Connection, issue_id: IssueId, *, reason: str) -> None:
    """Say why an issue waits, without changing its state."""
    conn.execute(sa.update(issues).where(issues.c.id == issue_id).values(reason=reason))


def goes_on(conn: Connection, issue_id: IssueId, *, waited_for: str) -> None:
    """It no longer waits for what its reason began with."""
    mine = (issues.c.id == issue_id, issues.c.reason.startswith(waited_for))
    conn.execute(sa.update(issues).where(*mine).values(reason=None))


def sending(conn: Connection, issue_id: IssueId) -> None:
    """Its audience is frozen. What it may have waited for before is over."""
    _change(conn, issue_id, (IssueState.SCHEDULED,), state=IssueState.SENDING, reason=None)


def skip(conn: Connection, issue_id: IssueId, reason: str, *, seen: IssueState) -> None:
    """Close an issue that will not be sent, visibly: `nothing new`, `too late`.

    `seen` is the state the decision was made on; an issue that has moved on since is left alone (NotAllowed).
    """
    _change(conn, issue_id, (seen,), state=IssueState.SKIPPED, reason=reason)


def fail(conn: Connection, issue_id: IssueId, reason: str) -> None:
    """It could not be composed. The reason is the error's one line."""
    _change(conn, issue_id, (IssueState.DRAFT,), state=IssueState.FAILED, reason=reason)


def reopen(conn: Connection, issue_id: IssueId, *, now: datetime) -> None:
    """A failed or skipped issue is tried again; its send moment is now when it has passed, or it would be too late again."""
    _change(
        conn,
        issue_id,
        (IssueState.FAILED, IssueState.SKIPPED),
        state=IssueState.DRAFT,
        reason=None,
        send_at=sa.case((issues.c.send_at < now, sa.literal(now, issues.c.send_at.type)), else_=issues.c.send_at),
    )


def cancel(conn: Connection, issue_id: IssueId, *, reason: str) -> None:
    """Only before the sending begins; a running one is cancelled through its mailing (store.deliveries.cancel)."""
    _change(
        conn,
        issue_id,
        (IssueState.DRAFT, IssueState.PENDING_APPROVAL, IssueState.SCHEDULED),
        state=IssueState.CANCELLED,
        reason=reason,
    )


def decisions(conn: Connection, issue_id: IssueId) -> list[Decision]:
    """Every article considered for the issue: those in it in their order, then the others, best ranked first."""
    return of_issue(conn, issue_id)


def decisions_about(conn: Connection, article_id: ArticleId) -> list[tuple[Issue, Decision, str]]:
    """Where one article was considered: (issue, decision, newsletter's name), latest first."""
    query = (
        sa.select(issues, newsletters.c.name.label("newsletter_name"))
        .add_columns(
            issue_articles.c.article_id,
            issue_articles.c.included,
            issue_articles.c.reason.label("why"),
            issue_articles.c.item,
            issue_articles.c.basis,
        )
        .join(issue_articles, issue_articles.c.issue_id == issues.c.id)
        .join(newsletters, newsletters.c.id == issues.c.newsletter_id)
        .where(issue_articles.c.article_id == article_id)
        .order_by(issues.c.send_at.desc())
    )
    rows = conn.execute(query).mappings().all()
    return [(_issue(row), decision_of({**row, "reason": row["why"]}), row["newsletter_name"]) for row in rows]


def _change(
    conn: Connection,
    issue_id: IssueId,
    allowed: Collection[IssueState],
    *,
    and_hash: str | None = None,
    **values: Any,
) -> None:
    query = sa.update(issues).where(issues.c.id == issue_id, issues.c.state.in_(allowed)).values(**values)
    if and_hash is not None:
        query = query.where(issues.c.content_hash == and_hash)
    if conn.execute(query).rowcount != 1:
        state = conn.execute(sa.select(issues.c.state).where(issues.c.id == issue_id)).scalar()
        if state is None:
            raise BadInput("no such issue", where=issue_id)
        raise NotAllowed(f"an issue that is {state} cannot become {values['state']}", where=issue_id)
    changes.note(conn, issue_id, values["state"])


def _issue(row: Mapping[Any, Any]) -> Issue:
    return Issue(
        id=row["id"],
        newsletter_id=row["newsletter_id"],
        occurrence=row["occurrence"],
        number=row["number"],
        state=IssueState(row["state"]),
        send_at=row["send_at"],
        reason=row["reason"],
        mailing_id=row["mailing_id"],
        subject=row["subject"],
        preheader=row["preheader"],
        content_hash=row["content_hash"],
        approved_hash=row["approved_hash"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        preflight=tuple(map(_finding, row["preflight"] or ())),
        intros=row["intros"] or {},
    )


def _finding(kept: Mapping[str, Any]) -> Finding:
    return Finding(**{**kept, "values": tuple((name, value) for name, value in kept.get("values", ()))})
