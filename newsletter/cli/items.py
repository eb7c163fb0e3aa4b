"""item: what a person does to the articles of one issue before it is sent. Each takes the issue back to draft and composes it
again, so that an approval always is for what is sent."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from newsletter import compose
from newsletter.app import App
from newsletter.cli.articles import me
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, note, say, table
from newsletter.cli.why import about_issue, told_edit
from newsletter.compose import items as doing
from newsletter.compose.context import LABEL_LIMIT, TITLE_LIMIT
from newsletter.compose.design import find_design
from newsletter.errors import BadInput, NewsletterError
from newsletter.model import Issue, IssueState, ItemField, Pin, Presence
from newsletter.store import Connection, articles, edits, issues, newsletters
from newsletter.summarise.edit import judged, plain_words

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")]
What = Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id, or its place in the issue.")]
By = Annotated[str | None, typer.Option(help="Who does it; else the user of this machine.")]

SHOWN = ("place", "article", "section", "source", "title", "edited")


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Order, reword, pin, leave out, take in articles.", no_args_is_help=True, rich_markup_mode=None
    )
    verbs: Mapping[str, Callable[..., None]] = {
        "list": show_all, "edit": edit, "move": move, "up": up, "down": down, "pin": pin, "leave-out": leave_out,
        "take-in": take_in, "reset": reset, "history": history,
    }  # fmt: skip
    for name, verb in verbs.items():
        group.command(name)(verb)
    app.add_typer(group, name="item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of one person on one article of one issue, in an open transaction."""

    app: App
    conn: Connection
    issue: Issue
    article_id: str
    by: str
    now: datetime

    def says(self, said: doing.Said, doubts: tuple[str, ...] = ()) -> bool:
        return doing.change(self.conn, self.issue.id, self.article_id, said, by=self.by, now=self.now, doubts=doubts)

    def moves(self, step: int) -> bool:
        letter = newsletters.get(self.conn, self.issue.newsletter_id)
        lead = find_design(letter.design, self.app.design_folders).layout.lead
        return doing.move(self.conn, self.issue.id, self.article_id, step=step, lead=lead, by=self.by, now=self.now)


# ---------------------------------------------------------------- verbs


def show_all(ctx: typer.Context, which: Which, as_json: AsJson = False) -> None:
    """List the articles in an issue in their order, and what of them a person changed. `why ISSUE` names the others too."""
    with opened(ctx) as app:
        _show(app, which, as_json=as_json)


def edit(
    ctx: typer.Context,
    which: Which,
    what: What,
    *,
    title: Annotated[str | None, typer.Option(help='Another title; "" takes the article\'s own again.')] = None,
    summary: Annotated[str | None, typer.Option(help='Another summary; "" takes the article\'s own again.')] = None,
    image: Annotated[str | None, typer.Option(help="The https address of another picture.")] = None,
    no_image: Annotated[bool, typer.Option("--no-image", help="Show no picture.")] = False,
    section: Annotated[str | None, typer.Option(help='A section; "" is the default one.')] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Say it otherwise in this issue only. The guard's findings on a summary are warnings; markup and orders are refused."""
    if no_image and image is not None:
        raise BadInput("--image and --no-image at once")
    said: dict[ItemField, str | None] = {}
    if title is not None:
        said[ItemField.TITLE] = plain_words(title, longest=TITLE_LIMIT) if title.strip() else None
    if no_image or image is not None:
        said[ItemField.IMAGE] = image or ""
    if section is not None:
        said[ItemField.SECTION] = plain_words(section, longest=LABEL_LIMIT) if section.strip() else ""

    def act(one: Act) -> bool:
        words, doubts = _summary(one, summary)
        for doubt in doubts:
            note(f"warning: the article does not bear it out: {doubt}")
        return one.says(said | words, doubts)

    _do(ctx, which, what, act, by=by, as_json=as_json)


def _summary(one: Act, text: str | None) -> tuple[dict[ItemField, str | None], tuple[str, ...]]:
    """(what is said, what the guard found in it)."""
    if text is None:
        return {}, ()
    article = articles.get(one.conn, one.article_id)
    if article is None or not text.strip():
        return {ItemField.SUMMARY: None}, ()
    verdict = judged(article, text, by=one.by)
    return {ItemField.SUMMARY: verdict.text}, verdict.guard.reasons


def move(
    ctx: typer.Context,
    which: Which,
    what: What,
    place: Annotated[int, typer.Argument(metavar="PLACE", min=1, help="From 1, in the order of the issue.")],
    *,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Put an article at a place. It stays there whatever else changes."""
    _do(ctx, which, what, lambda one: one.says({ItemField.PLACE: str(place)}), by=by, as_json=as_json)


def up(ctx: typer.Context, which: Which, what: What, *, by: By = None, as_json: AsJson = False) -> None:
    """Change places with the one before it in its section."""
    _do(ctx, which, what, lambda one: one.moves(-1), by=by, as_json=as_json)


def down(ctx: typer.Context, which: Which, what: What, *, by: By = None, as_json: AsJson = False) -> None:
    """Change places with the one after it in its section."""
    _do(ctx, which, what, lambda one: one.moves(1), by=by, as_json=as_json)


def pin(
    ctx: typer.Context,
    which: Which,
    what: What,
    *,
    lead: Annotated[bool, typer.Option("--lead", help="The first of the whole issue.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Put an article before the others of its section, or before all."""
    kind = Pin.LEAD if lead else Pin.FIRST
    _do(ctx, which, what, lambda one: one.says({ItemField.PIN: kind}), by=by, as_json=as_json)


def leave_out(ctx: typer.Context, which: Which, what: What, *, by: By = None, as_json: AsJson = False) -> None:
    """Keep an article out of this issue; a later one may take it."""
    _do(ctx, which, what, lambda one: one.says({ItemField.PRESENCE: Presence.OUT}), by=by, as_json=as_json)


def take_in(ctx: typer.Context, which: Which, what: What, *, by: By = None, as_json: AsJson = False) -> None:
    """Take an article that was over a limit, too old, left out or told by another; never one of another issue."""
    _do(ctx, which, what, lambda one: one.says({ItemField.PRESENCE: Presence.IN}), by=by, as_json=as_json)


def reset(
    ctx: typer.Context,
    which: Which,
    what: What,
    *,
    only: Annotated[list[ItemField] | None, typer.Option(help="Only this; repeat for more.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Take back what was said of an article in this issue."""
    _do(ctx, which, what, lambda one: one.says(dict.fromkeys(only or ItemField)), by=by, as_json=as_json)


def history(ctx: typer.Context, which: Which, as_json: AsJson = False) -> None:
    """Show what was said of the articles of an issue: who, when, what."""
    with opened(ctx) as app, app.db.read() as conn:
        told = [asdict(edit) for edit in edits.history(conn, issues.find(conn, which).id)]
        zone = app.settings.timezone
    if as_json:
        emit(told)
        return
    for entry in told:
        say(told_edit(entry, zone))
    if not told:
        say("nothing was said of its articles")


# ---------------------------------------------------------------- shared


def _do(
    ctx: typer.Context, which: str, what: str, act: Callable[[Act], bool], *, by: str | None, as_json: bool
) -> None:
    with opened(ctx) as app:
        now = app.clock.now()
        with app.db.begin() as conn:
            issue = issues.find(conn, which)
            one = Act(app=app, conn=conn, issue=issue, article_id=_id(conn, issue, what), by=by or me(), now=now)
            changed = act(one)
        if not changed:
            note("it is so already")
        elif issue.state is IssueState.SCHEDULED:
            note("it was approved; the new content needs another approval")
        _compose(app, issue, now)
        _show(app, issue.id, as_json=as_json)


def _id(conn: Connection, issue: Issue, what: str) -> str:
    """An article's id, given as such or by its place."""
    if not (what.isdigit() and len(what) <= 3):
        return what
    items = [decision.item for decision in issues.decisions(conn, issue.id) if decision.item]
    found = next((item.article_id for item in items if item.position == int(what)), None)
    if found is None:
        raise BadInput("the issue has no such place", where=what, hint=f"it has {len(items)} articles")
    return found


def _compose(app: App, issue: Issue, now: datetime) -> None:
    """At once, so that the next act finds the places as they are. What fails here is told by the next run."""
    with app.db.read() as conn:
        present = issues.get(conn, issue.id)
    if present.state is IssueState.DRAFT:
        with suppress(NewsletterError):
            compose.compose_issue(app, present, now)


def _show(app: App, which: str, *, as_json: bool) -> None:
    with app.db.read() as conn:
        told = about_issue(conn, issues.find(conn, which))
    found: list[dict[str, Any]] = [entry for entry in told["articles"] if entry["included"]]
    if as_json:
        emit(found)
        return
    rows = [[entry[name] for name in SHOWN[:-1]] + [", ".join(entry["edited"])] for entry in found]
    table(SHOWN, rows)
    if not found:
        say("no article is in it")
