"""run, serve and one verb per stage: the pipeline by hand."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from newsletter import pipeline, schedule
from newsletter.app import App
from newsletter.cli.failing import NOTHING_TO_DO, TRANSPORT_DOWN, WRONG
from newsletter.cli.foresight import foresee
from newsletter.cli.opening import opened, working
from newsletter.cli.output import emit, moment, note, say, table
from newsletter.cli.troubles import Trouble, troubles
from newsletter.errors import BadInput
from newsletter.pipeline import StageReport
from newsletter.store import issues, newsletters

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]

SENDING = ("release", "deliver", "track")


def register(app: typer.Typer) -> None:
    app.command("run")(run)
    app.command("serve")(serve)
    app.command("collect")(collect)
    app.command("summarise")(summarise)
    app.command("schedule")(schedule_due)
    app.command("compose")(compose)
    app.command("send")(send)


def run(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="What it always does; said for clarity in a crontab.")] = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run all stages once, in order, and print one line for each: for cron. `newsletter serve` does it all the time.

    Code 3: mail cannot leave now; the rows stay as they are and the next run sends them.
    """
    _stages(ctx, [name for name, _ in pipeline.STAGES], dry_run=dry_run, as_json=as_json)


def collect(ctx: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Fetch the sources that are due. A source that fails is tried again later; the others go on."""
    _stages(ctx, ["collect"], dry_run=dry_run, as_json=as_json)


def summarise(ctx: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Summarise new articles. What the guard refuses is held, with the reason, for a person."""
    _stages(ctx, ["summarise"], dry_run=dry_run, as_json=as_json)


def send(ctx: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Deliver now what is due: approved issues at their send moment, letters, messages refused for a while.

    Code 3: mail cannot leave now. Code 4: nothing was due.
    """
    _stages(ctx, SENDING, dry_run=dry_run, as_json=as_json, empty=NOTHING_TO_DO)


def compose(
    ctx: typer.Context,
    issue: Annotated[str | None, typer.Argument(help="Only this issue: its id, how it begins, or `latest`.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Choose articles for the issues in draft and render them, and the letters asked for. Code 4: nothing was in draft."""
    if issue is None:
        _stages(ctx, ["compose"], dry_run=dry_run, as_json=as_json, empty=NOTHING_TO_DO)
        return
    from newsletter.compose import compose_issue

    with working(ctx) as app:
        with app.db.read() as conn:
            draft = issues.find(conn, issue)
        if draft.state != "draft":
            raise BadInput(
                f"the issue is {draft.state}, not a draft", where=draft.id, hint="`newsletter back-to-draft`"
            )
        if dry_run:
            say(f"would compose {draft.id}")
            return
        done = compose_issue(app, draft, app.clock.now())
    say("composed" if done else "nothing new")
    raise typer.Exit(0 if done else NOTHING_TO_DO)


def schedule_due(
    ctx: typer.Context,
    show_next: Annotated[bool, typer.Option("--next", help="Only show the next three send moments.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Open the issues that are due; with --next, show when each active newsletter is sent next."""
    if not show_next:
        _stages(ctx, ["open"], dry_run=dry_run, as_json=as_json)
        return
    with opened(ctx) as app:
        coming, wrong = _coming(app)
    if as_json:
        emit(coming)
    for entry in () if as_json else coming:
        say(f"{entry['newsletter']}: {', '.join(entry['next'])}")
    for line in wrong:
        note(f"error: {line}")
    raise typer.Exit(WRONG if wrong else 0)


def _coming(app: App) -> tuple[list[dict[str, Any]], list[str]]:
    with app.db.read() as conn:
        active = newsletters.listed(conn, active_only=True)
    coming: list[dict[str, Any]] = []
    wrong: list[str] = []
    for letter in active:
        try:
            found = schedule.next_moments(letter.cron, letter.timezone, after=app.clock.now())
        except BadInput as error:
            wrong.append(f"{letter.slug}: {error}")
        else:
            texts = [moment(at, letter.timezone) for at in found]
            coming.append({"newsletter": letter.slug, "cron": letter.cron, "timezone": letter.timezone, "next": texts})
    return coming, wrong


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Else web.host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Else web.port.")] = None,
) -> None:
    """Run everything in one process until it is stopped: staff and public pages, schedule, senders."""
    from newsletter.serve import serve as serve_until_stopped

    with opened(ctx, service=True) as app:
        web = app.settings.web
        serve_until_stopped(
            app,
            host=host or web.host,
            port=web.port if port is None else port,
            on_ready=lambda url: note(f"serving at {url}; staff pages at {url}/staff; Ctrl-C stops"),
        )


# ---------------------------------------------------------------- running and telling


def _stages(ctx: typer.Context, names: Iterable[str], *, dry_run: bool, as_json: bool, empty: int = 0) -> None:
    """Run these stages in order, tell, and end with their code."""
    only = frozenset(names)
    if dry_run:
        with opened(ctx) as app:
            expected = [entry for entry in foresee(app) if entry["stage"] in only]
        if as_json:
            emit({"dry_run": True, "stages": expected})
        else:
            table(("stage", "would"), [(entry["stage"], entry["would"]) for entry in expected])
        return
    with working(ctx) as app:
        before = troubles(app)
        reports = pipeline.run_once(app, only)
        met = sorted((troubles(app) - before).elements())
    code = code_of(reports, met, empty=empty)
    if as_json:
        emit({"stages": reports, "troubles": [{"level": t.level, "what": t.line} for t in met], "exit": code})
    else:
        _tell(reports, met)
    raise typer.Exit(code)


def _tell(reports: Sequence[StageReport], met: Sequence[Trouble]) -> None:
    for report in reports:
        say(f"{report.stage:<10} {report.changed:>6}{'   failed' if report.error else ''}")
    for report in reports:
        if report.error:
            note(f"error: {report.stage}: {report.error}")
    for trouble in met:
        note(f"{trouble.level}: {trouble.line}")


def code_of(reports: Sequence[StageReport], met: Sequence[Trouble], *, empty: int = 0) -> int:
    """The exit code of a run: 3 when only mail cannot leave, 1 when anything else failed, `empty` when nothing moved.

    A source that is tried again later is no failure of the run.
    """
    failed = [report for report in reports if report.error]
    errors = any(trouble.level == "error" for trouble in met)
    if failed and all(report.transport_down for report in failed) and not errors:
        return TRANSPORT_DOWN
    if failed or errors:
        return WRONG
    return 0 if any(report.changed for report in reports) else empty
