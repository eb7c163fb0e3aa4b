"""demo: the whole pipeline in a fresh folder, on a sample site or on files and URLs of one's own, told stage by stage.

What it does stands in `trying`, which is imported only once the log is set up: its own words must not be drowned by it.
"""

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter import log
from newsletter.cli.failing import WRONG, Options
from newsletter.errors import BadInput

if TYPE_CHECKING:
    from newsletter.cli.trying import Result

MOST_FOLDERS = 1000  # newsletter-demo-2 … tried for a free one


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    ctx: typer.Context,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH_OR_URL", help="Files, folders, feeds or pages; else a sample site."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="A new folder; when it is there already, the next free name.")] = Path(
        "newsletter-demo"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON at the end, the stages to standard error.")
    ] = False,
) -> None:
    """Take articles all the way to delivered messages, in a fresh folder. Nothing is sent: messages become .eml files.

    Code 0: every message is written. Code 1: no article could be taken, or a message is missing.
    """
    options = ctx.find_object(Options)
    if options is not None and options.config is not None:
        raise typer.BadParameter("the demo writes settings of its own; leave --config out, choose a --folder")
    log.configure("error", "text")  # what a person needs to know is told stage by stage
    from newsletter import main
    from newsletter.cli import trying
    from newsletter.cli.narrating import Narrator
    from newsletter.cli.sample import HOST, site
    from newsletter.cli.sample.server import serving
    from newsletter.clock import SystemClock

    narrator = Narrator(quiet=as_json)
    place = free_folder(folder)
    with ExitStack() as stack:
        served = None if places else stack.enter_context(serving(site(SystemClock().now()), HOST))
        app = main.build(trying.prepared(place, served), watch=narrator)
        stack.callback(main.close, app)
        result = trying.run(app, place, list(dict.fromkeys(places or ())), narrator)
    narrator.end(report(result) if as_json else lines(result), as_json=as_json)
    raise typer.Exit(0 if result.complete else WRONG)


def free_folder(wanted: Path) -> Path:
    """`wanted`, or the first of wanted-2, wanted-3 … that is absent or empty. Made. Raises BadInput."""
    for number in range(1, MOST_FOLDERS):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if not folder.exists() or (folder.is_dir() and next(folder.iterdir(), None) is None):
            folder.mkdir(parents=True, exist_ok=True)
            return folder
    raise BadInput("every name like this is taken", where=str(wanted), hint="choose another --folder")


# ---------------------------------------------------------------- closing words


def lines(result: "Result") -> Iterator[tuple[str, str]]:
    """(label, text) of the closing words."""
    counts = result.counts
    for language, subject in result.subjects.items():
        yield f"subject {language}", subject
    for language, paths in result.digest.items():
        yield f"digest {language}", f"{paths['html']} (plain text: {paths['text']})"
    yield "messages", f"{_messages(result)} .eml files in {result.outbox}"
    yield (
        "ledger",
        f"{counts.frozen} frozen = {counts.sent} sent + {counts.failed} failed + {counts.skipped} skipped"
        f" + {counts.unknown} unknown" + (f" + {counts.open} open" if counts.open else ""),
    )
    if result.problems:
        yield "problems", f"{len(result.problems)}, told above"
    for command in commands(result.folder):
        yield "next", command
    yield (
        "",
        f"The second prints a link at {result.base_url}, an invented name: open it at http://127.0.0.1:8000 instead.",
    )


def report(result: "Result") -> dict[str, Any]:
    counts = asdict(result.counts)
    return {
        "folder": str(result.folder),
        "issue": {"id": result.issue.id, "number": result.issue.number, "state": result.issue.state},
        "subject": result.subjects,
        "digest": result.digest,
        "outbox": str(result.outbox),
        "messages": _messages(result),
        "ledger": {name: counts[name] for name in ("frozen", "sent", "failed", "skipped", "unknown")},
        "dkim": result.dkim,
        "problems": result.problems,
        "next": commands(result.folder),
    }


def _messages(result: "Result") -> int:
    return sum(1 for _ in result.outbox.glob("*.eml"))


def commands(folder: Path) -> list[str]:
    """What to try next, as it can be typed here."""
    calling = f"{program()} --config {shlex.quote(str(folder / 'newsletter.toml'))}"
    return [f"{calling} serve", f"{calling} staff add you@example.org"]


def program() -> str:
    if shutil.which("newsletter"):
        return "newsletter"
    called = Path(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m newsletter" if called.name == "__main__.py" else shlex.quote(str(called))
