"""Opens the App for a verb and closes it: settings, logs, progress on a terminal, and a clean end on Ctrl-C or SIGTERM."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from newsletter import log, main
from newsletter.app import App, Watch, nobody
from newsletter.cli.failing import Options
from newsletter.cli.output import note, printable
from newsletter.settings import Settings, load


def settings_of(ctx: typer.Context, *, service: bool = False) -> Settings:
    """The settings this call means, and the log as they say. Raises ConfigError.

    On a terminal only a `service` logs what goes well: the other verbs have words and a progress of their own.
    """
    options = ctx.find_object(Options)
    settings = load(options.config if options is not None else None)
    quiet = not service and settings.log.level == "info" and sys.stderr.isatty()
    log.configure("warning" if quiet else settings.log.level, settings.log.format)
    return settings


@contextmanager
def opened(ctx: typer.Context, *, service: bool = False) -> Iterator[App]:
    """The App, for a verb that is done in a moment. A signal breaks it off; its transaction is rolled back."""
    app = main.build(settings_of(ctx, service=service))
    try:
        yield app
    finally:
        main.close(app)


@contextmanager
def working(ctx: typer.Context) -> Iterator[App]:
    """The App, for a verb that takes its time: shows progress, and a signal lets it finish what is in flight.

    Ends with code 130 (Ctrl-C) or 143 (SIGTERM) when a signal came.
    """
    settings = settings_of(ctx)
    with progress() as watch:
        app = main.build(settings, watch=watch)
        try:
            with _signals(app.stopping) as received:
                yield app
        except KeyboardInterrupt:
            if not received:
                raise
        finally:
            main.close(app)
    if received:
        raise typer.Exit(128 + received[0])


@contextmanager
def _signals(stopping: threading.Event) -> Iterator[list[int]]:
    """The first signal asks for an end, the second breaks off. Gives the signals that came."""
    received: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        note("stopping: what is in flight is finished first")

    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread may listen
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress() -> Iterator[Watch]:
    """A bar per stage on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield nobody
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second, lately."""

        def render(self, task: Task) -> Text:
            return Text(rate(task.speed) if task.total else "")

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=False),
        TextColumn("{task.fields[what]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as bars:

        def watch(stage: str, what: str, done: int = 0, total: int | None = None) -> None:
            if stage not in tasks:  # what was done before this run is no speed of it
                tasks[stage] = bars.add_task(stage, total=None, completed=done, what="")
            bars.update(tasks[stage], completed=done, total=total, what=escape(printable(what))[:60])

        yield watch


def rate(speed: float | None) -> str:
    """A speed in units a second, or a minute when it is slow; empty while unknown."""
    if not speed:
        return ""
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s" if speed >= 1 else f"{speed * 60:.1f}/min"
