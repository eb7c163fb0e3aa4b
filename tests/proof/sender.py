"""Senders in processes of their own, to be killed. They are forked from one server that has imported everything already,

so that one starts in a hundredth of a second; each opens the database, recovers and sends, as `newsletter send` does.
"""

import multiprocessing
import os
import resource
import signal
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from newsletter import deliver, main, pipeline
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.deliver import recorder
from newsletter.errors import TransportDown
from newsletter.log import configure
from newsletter.mail.compile import Compiled
from newsletter.settings import Settings
from newsletter.store import engine
from tests.proof import points

DOWN = 3  # exit code: mail could not leave, nothing is lost
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.proof.sender"])


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What one sender is to do. `now`: its clock stands still."""

    settings: Settings
    now: datetime
    point: str | None = None  # kills itself there …
    nth: int = 1
    stop: bool = False  # … or stops itself, until somebody says SIGCONT
    whole: bool = False  # the whole pipeline, not only deliver
    busy: int = 1_000  # milliseconds it waits for a locked SQLite file; the product waits 30,000
    room: int | None = None  # octets any file of its may have; more is "disk full"
    patience: int = 10  # tries to write a result that could not be written
    stderr: str | None = None  # where its log goes, at level debug
    deadly: str | None = None  # whoever's message holds this kills the process


def start(app: App, **orders: Any) -> BaseProcess:
    """A sender that works on the same database as `app`."""
    made = Orders(settings=app.settings, now=app.clock.now(), **orders)
    os.environ.setdefault("PYTHONPATH", str(Path.cwd()))
    process = _context.Process(target=send, args=(made,), daemon=True)
    process.start()
    return process


def run(app: App, *, within: float = 600, **orders: Any) -> int:
    """Until it ends by itself. Returns its exit code; a negative one is the signal that killed it."""
    process = start(app, **orders)
    process.join(within)
    assert process.exitcode is not None, f"a sender hangs: {orders}"
    return process.exitcode


# ---------------------------------------------------------------- in the process


def send(orders: Orders) -> None:
    if orders.stderr is not None:
        sys.stderr = Path(orders.stderr).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    configure("debug" if orders.stderr else "critical", "text")
    _without_roots()
    engine.BUSY_TIMEOUT_MS = orders.busy
    app = main.build(orders.settings, clock=FixedClock(orders.now))
    signal.signal(signal.SIGTERM, lambda *_: app.stopping.set())
    recorder.RESULT_TRIES = orders.patience
    if orders.room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (orders.room, resource.RLIM_INFINITY))
    if orders.point is not None:
        number = signal.SIGSTOP if orders.stop else signal.SIGKILL
        points.arm(orders.point, orders.nth, lambda: os.kill(os.getpid(), number))
    if orders.deadly is not None:
        _make_deadly(orders.deadly)
    work: Callable[[App, datetime], object] = deliver.run
    if orders.whole:
        work = lambda app, _now: pipeline.run_once(app)  # noqa: E731
    try:
        work(app, app.clock.now())
    except TransportDown:
        sys.exit(DOWN)
    finally:
        main.close(app)
        sys.stderr = sys.__stderr__  # at its end a process writes out what waits, and would fail of it


def _without_roots() -> None:
    """There is no TLS here: reading the machine's trusted roots, three times, was nine tenths of a start."""
    ssl.SSLContext.set_default_verify_paths = lambda self: None  # type: ignore[method-assign]
    ssl.SSLContext.load_verify_locations = lambda self, *_, **__: None  # type: ignore[method-assign]


def _make_deadly(words: str) -> None:
    """As a parser that crashes on one input, or a message that takes all the memory."""
    splice = Compiled.splice

    def deadly(self: Compiled, reader: Any) -> Any:
        if words in (reader.name or ""):
            os.kill(os.getpid(), signal.SIGKILL)
        return splice(self, reader)

    Compiled.splice = deadly  # type: ignore[method-assign]
