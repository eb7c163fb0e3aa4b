"""summary edit, regenerate, revert, history, costs: what a person does to an article's blurb; issue intro is in `issues`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli.articles import me
from newsletter.cli.opening import opened
from newsletter.cli.output import confirm, emit, moment, note, say, table
from newsletter.errors import BadInput
from newsletter.model import Summary, SummaryVersion
from newsletter.store import Connection, articles, summaries
from newsletter.summarise.edit import Changed
from newsletter.summarise.edit import edit as edit_summary
from newsletter.summarise.edit import regenerate as make_anew
from newsletter.summarise.edit import revert as give_back

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Which = Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id; the staff pages and `why` show it.")]
By = Annotated[str | None, typer.Option(help="Who does it; else the user of this machine.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Edit, regenerate or revert a summary.", no_args_is_help=True, rich_markup_mode=None)
    group.command("edit")(edit)
    group.command("regenerate")(regenerate)
    group.command("revert")(revert)
    group.command("history")(history)
    group.command("costs")(costs)
    app.add_typer(group, name="summary")


def edit(
    ctx: typer.Context,
    which: Which,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The words; else --file, else input.")] = None,
    *,
    file: Annotated[Path | None, typer.Option(help="Where the words stand, as UTF-8.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Put your words in place of the machine's. The guard's findings are warnings; markup and orders are refused.

    An issue that waits for approval is composed again; an approved one keeps what was approved.
    """
    words = text if text is not None else _read(file)
    with opened(ctx) as app, app.db.begin() as conn:
        changed = edit_summary(conn, which, words, by=by or me(), now=app.clock.now())
    _tell(changed, as_json=as_json)


def regenerate(ctx: typer.Context, which: Which, *, by: By = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Have the machine make it anew, with the model if one is set. An edit gives way, and stays in the history."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            edited = _by_a_person(conn, which)
        if edited:
            confirm(
                f"Replace the words of {edited.by} by the machine's? “{edited.text}” stays in the history.", yes=yes
            )
        changed = make_anew(app, which, by=by or me(), now=app.clock.now())
    _tell(changed, as_json=as_json)


def revert(ctx: typer.Context, which: Which, *, by: By = None, as_json: AsJson = False) -> None:
    """Take back an edit: the machine's last summary again, or one made anew if the article changed since."""
    with opened(ctx) as app:
        changed = give_back(app, which, by=by or me(), now=app.clock.now())
    _tell(changed, as_json=as_json)


def history(ctx: typer.Context, which: Which, as_json: AsJson = False) -> None:
    """Show every summary the article had, the latest first: who, when, what."""
    with opened(ctx) as app, app.db.read() as conn:
        article = articles.get(conn, which)
        if article is None:
            raise BadInput("no such article", where=which)
        versions, zone = summaries.history(conn, article.id), app.settings.timezone
    if as_json:
        emit([_plain(version) for version in versions])
        return
    for version in versions:
        say(f"{moment(version.at, zone)}  {version.act} by {version.by or 'the machine'} ({version.summary.origin})")
        say(f"  {version.summary.text}")
    if not versions:
        say("it has no history yet")


def costs(ctx: typer.Context, as_json: AsJson = False) -> None:
    """What the models cost in all: requests, seconds of waiting, tokens as the endpoint reported them."""
    with opened(ctx) as app, app.db.read() as conn:
        found = list(summaries.costs(conn).values())
    if as_json:
        emit([asdict(use) for use in found])
    elif found:
        rows = [(use.model, use.tries, f"{use.seconds:.1f}", use.tokens_in, use.tokens_out) for use in found]
        table(("model", "requests", "seconds", "tokens in", "tokens out"), rows)
    else:
        say("no model was asked yet")


def _read(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BadInput("it is not UTF-8 text", where=str(file)) from error
    if sys.stdin.isatty():
        note("write the summary; Ctrl-D ends it")
    return sys.stdin.read()


def _by_a_person(conn: Connection, which: str) -> Summary | None:
    article = articles.get(conn, which)
    return article.summary if article and article.summary and article.summary.by else None


def _plain(version: SummaryVersion) -> dict[str, Any]:
    return {"at": version.at, "act": version.act, "by": version.by, **plain_summary(version.summary)}


def plain_summary(summary: Summary) -> dict[str, Any]:
    """A summary without its sentences, as JSON shows it."""
    return {
        "text": summary.text,
        "origin": summary.origin,
        "guard": asdict(summary.guard),
        "note": summary.note or None,
        "model": asdict(summary.use) if summary.use else None,
    }


def _tell(changed: Changed, *, as_json: bool) -> None:
    summary = changed.summary
    if as_json:
        issues = {"composed_again": changed.composed_again, "keep_the_former_words": (*changed.bound, *changed.sent)}
        emit({**plain_summary(summary), **{name: [issue.id for issue in found] for name, found in issues.items()}})
        return
    say(summary.text)
    for reason in summary.guard.reasons:
        note(f"warning: the article does not bear it out: {reason}")
    if summary.note:
        note(f"note: {summary.note}")
    for issue in changed.composed_again:
        note(f"note: issue {issue.id} waited for approval and is composed again with the next run")
    for issue in changed.sent:
        note(f"note: issue {issue.id} went out with the former words; what readers have stays as it is")
    for issue in changed.bound:
        note(
            f"note: issue {issue.id} is approved with the former words; `newsletter back-to-draft {issue.id}` takes these"
        )
