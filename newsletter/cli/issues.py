"""What a person decides about an issue: issues, issue new and intro, approve, back-to-draft, pause, resume, cancel,
resend-unknown, retry-failed; and apart, about an article in it."""

from datetime import datetime
from typing import Annotated, Any

import typer

from newsletter import approve as approval
from newsletter import schedule
from newsletter.app import App
from newsletter.cli.articles import me
from newsletter.cli.failing import NOTHING_TO_DO
from newsletter.cli.opening import opened
from newsletter.cli.output import confirm, emit, moment, say, table
from newsletter.errors import BadInput, NotAllowed
from newsletter.model import ArticleId, Counts, Issue, IssueState, MailingId, Newsletter
from newsletter.store import Connection, articles, deliveries, issues, newsletters, receipts, recovering, stories
from newsletter.summarise.edit import plain_words

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Which = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")]


def register(app: typer.Typer) -> None:
    app.command("issues")(show_all)
    group = typer.Typer(help="Make an extra issue; write an intro.", no_args_is_help=True, rich_markup_mode=None)
    group.command("new")(new)
    group.command("intro")(intro)
    app.add_typer(group, name="issue")
    app.command("approve")(approve)
    for name in ("back-to-draft", "reject"):
        app.command(name)(back_to_draft)
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("cancel")(cancel)
    app.command("resend-unknown")(resend_unknown)
    app.command("retry-failed")(retry_failed)
    app.command("apart")(tell_apart)


def show_all(
    ctx: typer.Context,
    newsletter: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this newsletter.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the issues, the latest first, with what each waits for."""
    with opened(ctx) as app, app.db.read() as conn:
        only = newsletter_of(conn, newsletter).id if newsletter else None
        known = {letter.id: letter for letter in newsletters.listed(conn)}
        found = [(issue, known[issue.newsletter_id]) for issue in issues.listed(conn, newsletter_id=only, limit=limit)]
    if as_json:
        emit([plain(issue, letter) for issue, letter in found])
        return
    rows = [
        (
            issue.id,
            letter.slug,
            issue.number,
            issue.state,
            moment(issue.send_at, letter.timezone),
            issue.subject,
            issue.reason,
        )
        for issue, letter in found
    ]
    table(("issue", "newsletter", "no.", "state", "send moment", "subject", "reason"), rows)


def plain(issue: Issue, letter: Newsletter) -> dict[str, Any]:
    names = ("id", "number", "occurrence", "state", "send_at", "subject", "preheader", "reason")
    more = ("content_hash", "approved_by", "approved_at")
    return {"newsletter": letter.slug} | {name: getattr(issue, name) for name in (*names, *more)}


def newsletter_of(conn: Connection, slug: str) -> Newsletter:
    """Raises BadInput naming those that are there."""
    found = newsletters.by_slug(conn, slug)
    if found is None:
        known = ", ".join(letter.slug for letter in newsletters.listed(conn)) or "none"
        raise BadInput("there is no such newsletter", where=slug, hint=f"there are: {known}")
    return found


def new(
    ctx: typer.Context,
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Its slug.")],
) -> None:
    """Make an extra issue, sent as soon as it is approved. `newsletter compose` gives it its content."""
    with opened(ctx) as app, app.db.begin() as conn:
        issue_id = schedule.open_extra(conn, newsletter_of(conn, newsletter), now=app.clock.now())
    say(issue_id)


def intro(
    ctx: typer.Context,
    which: Which,
    text: Annotated[str, typer.Argument(metavar="TEXT", help='The words; "" takes the made ones again.')],
    lang: Annotated[str | None, typer.Option(help="Of which rendering; else the first.")] = None,
) -> None:
    """Write the lines under the heading of one issue yourself. It is composed again with the next run."""
    with opened(ctx) as app, app.db.begin() as conn:
        issue = issues.find(conn, which)
        languages = newsletters.get(conn, issue.newsletter_id).languages
        if lang is not None and lang not in languages:
            raise BadInput("the issue has no such language", where=lang, hint=f"there are: {', '.join(languages)}")
        issues.set_intro(conn, issue.id, lang or languages[0], plain_words(text) if text.strip() else "")
    say(f"{issue.id} is composed again with the next run")


# ---------------------------------------------------------------- approving


def approve(
    ctx: typer.Context,
    which: Which,
    *,
    by: Annotated[str | None, typer.Option(help="Who approves; else the user of this machine.")] = None,
    despite_errors: Annotated[bool, typer.Option("--despite-errors", help="Although preflight found errors.")] = False,
    yes: Yes = False,
) -> None:
    """Show an issue and approve it for exactly this content. Another content needs another approval."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            issue = issues.find(conn, which)
            letter = newsletters.get(conn, issue.newsletter_id)
            items = [decision.item for decision in issues.decisions(conn, issue.id) if decision.item]
        if issue.content_hash is None or issue.state is not IssueState.PENDING_APPROVAL:
            raise NotAllowed(f"the issue is {issue.state}, not waiting for approval", where=issue.id)
        say(f"{letter.name} #{issue.number}, to be sent {moment(issue.send_at, letter.timezone)} to {letter.list_slug}")
        say(f"subject    {issue.subject}")
        say(f"preheader  {issue.preheader}")
        for item in items:
            say(f"{item.position:>4}. {item.title} ({item.source})")
        for finding in issue.preflight:
            say(f"{finding.level}: {finding.where}: {finding.message}")
        say(f"content    {issue.content_hash}")
        confirm("Approve exactly this content?", yes=yes)
        with app.db.begin() as conn:
            approval.by_person(
                conn,
                issue.id,
                issue.content_hash,
                by=by or me(),
                now=app.clock.now(),
                despite_errors=despite_errors,
            )
    say("approved")


def back_to_draft(
    ctx: typer.Context,
    which: Which,
    reason: Annotated[str, typer.Option(help="Why; shown with the issue.")] = "back to draft by hand",
) -> None:
    """Refuse or undo an approval: the issue is composed again from the articles as they then are."""
    with opened(ctx) as app, app.db.begin() as conn:
        issue = issues.find(conn, which)
        issues.back_to_draft(conn, issue.id, reason=reason)
    say(f"{issue.id} is a draft again")


# ---------------------------------------------------------------- while it is sent


def pause(ctx: typer.Context, which: Which) -> None:
    """Stop sending an issue for now; what is in flight arrives."""
    with opened(ctx) as app, app.db.begin() as conn:
        issue = issues.find(conn, which)
        deliveries.pause(conn, _mailing(issue))
    say(f"{issue.id} is paused")


def resume(ctx: typer.Context, which: Which) -> None:
    """Go on with a paused issue."""
    with opened(ctx) as app, app.db.begin() as conn:
        issue = issues.find(conn, which)
        deliveries.resume(conn, _mailing(issue))
    say(f"{issue.id} is sent on with the next run")


def cancel(
    ctx: typer.Context,
    which: Which,
    reason: Annotated[str, typer.Option(help="Why; shown with the issue.")] = "cancelled by hand",
    yes: Yes = False,
) -> None:
    """Give an issue up: before its sending, or in the middle; then whoever has not got it yet will not."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            issue = issues.find(conn, which)
        running = issue.state in (IssueState.SENDING, IssueState.PAUSED)
        confirm(f"Cancel {issue.id}{', which is being sent' if running else ''}?", yes=yes)
        with app.db.begin() as conn:
            skipped = _cancel(conn, issue, reason=reason, now=app.clock.now())
    say(f"{issue.id} is cancelled" + (f"; {skipped:,} will not get it" if running else ""))


def _cancel(conn: Connection, issue: Issue, *, reason: str, now: datetime) -> int:
    if issue.state in (IssueState.SENDING, IssueState.PAUSED):
        return deliveries.cancel(conn, _mailing(issue), now=now)
    issues.cancel(conn, issue.id, reason=reason)
    return 0


def resend_unknown(ctx: typer.Context, which: Which, yes: Yes = False) -> None:
    """Send again to those of whom nobody knows whether they got it. Some may get it twice. Code 4: there are none."""
    with opened(ctx) as app:
        issue, counts = _counted(app, which)
        unknown = counts.unknown
        if not unknown:
            say("there are none of unknown fate")
            raise typer.Exit(NOTHING_TO_DO)
        confirm(f"Send again to {unknown:,} people, some of whom may have got it?", yes=yes)
        with app.db.begin() as conn:
            resent = recovering.resend_unknown(conn, _mailing(issue), now=app.clock.now())
    say(f"{resent:,} are sent again with the next run")


def retry_failed(ctx: typer.Context, which: Which, yes: Yes = False) -> None:
    """Try everybody again who failed, when the ground is gone. Addresses given up since are skipped. Code 4: there are none."""
    with opened(ctx) as app:
        issue, counts = _counted(app, which)
        if not counts.failed:
            say("nobody failed")
            raise typer.Exit(NOTHING_TO_DO)
        confirm(f"Try {counts.failed:,} people again?", yes=yes)
        with app.db.begin() as conn:
            again = recovering.retry_failed(conn, _mailing(issue), now=app.clock.now())
    say(f"{again:,} are tried again with the next run")


def tell_apart(
    ctx: typer.Context, article: Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id, as `why` takes it.")]
) -> None:
    """Say that an article is another story than those it was joined with. It stays so."""
    with opened(ctx) as app, app.db.begin() as conn:
        if articles.get(conn, article) is None:
            raise BadInput("no such article", where=article, hint="`newsletter why ARTICLE` takes the same id")
        others = stories.tell_apart(conn, ArticleId(article), by=me(), now=app.clock.now())
    for other in others:
        say(f"no longer the same story as {other.article_id} “{other.title}” ({other.source_name})")


def _counted(app: App, which: str) -> tuple[Issue, Counts]:
    with app.db.read() as conn:
        issue = issues.find(conn, which)
        return issue, receipts.count(conn, issue.mailing_id) if issue.mailing_id else Counts()


def _mailing(issue: Issue) -> MailingId:
    if issue.mailing_id is None:
        raise NotAllowed(f"the issue is {issue.state}, nothing of it was sent", where=issue.id)
    return issue.mailing_id
