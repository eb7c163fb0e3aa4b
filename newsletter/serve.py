"""The one-machine service: web pages, scheduler and sending in one process, and a clean end.

    scheduler ──every 15 s──▶ tick (collect … release) ──▶ send (deliver, track)
                               └▶ notify (webhooks of others, which may be slow), imports (files that staff sent)
    a request asked for a letter ──▶ letters (compose them) ──▶ send

Each of the five is one thread that runs when it is due and never beside itself. SIGTERM or SIGINT sets app.stopping: nothing
more is claimed, what is in flight finishes. Nothing here decides what is due; rows do.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler

from newsletter import compose, deliver, pipeline, web
from newsletter.app import App
from newsletter.errors import ConfigError, TransportDown
from newsletter.log import get_logger
from newsletter.track.listener import listening
from newsletter.web import imports

log = get_logger("serve")

TICK = timedelta(seconds=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=10)  # while mail cannot leave
WEB_GRACE = 5  # seconds for requests under way
LAST_WAIT = 20.0  # seconds for stages under way; with WEB_GRACE the end comes within 30
GATHERING = frozenset({"collect", "summarise", "open"})
PUBLISHING = frozenset({"compose", "approve", "release"})


def serve(app: App, *, host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until a signal comes or `app.stopping` is set. Port 0 takes a free one; `on_ready` is told the URL.

    Raises ConfigError when an address cannot be listened on.
    """
    listener = _listen(host, port)
    url = _url(host, listener.getsockname()[1])
    rounds = Rounds(app)

    def ready() -> None:
        log.info("serving", url=url)
        rounds.start()
        if on_ready is not None:
            on_ready(url)

    config = uvicorn.Config(
        web.make(app, wake=rounds.letters.wake, wake_imports=rounds.imports.wake, importing=rounds.importing),
        lifespan="off",
        log_config=None,
        access_log=False,  # its lines would hold readers' tokens
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=WEB_GRACE,
    )
    try:
        with _signals(app.stopping), listening(app, rounds.send.wake):
            _Server(config, app.stopping, ready).run(sockets=[listener])
    finally:
        app.stopping.set()
        rounds.stop()
        listener.close()
        log.info("stopped")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise ConfigError(
            f"cannot listen: {error.strerror or error}", where=f"{host}:{port}", hint="choose another with --port"
        ) from error


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


# ---------------------------------------------------------------- what runs when


class Loop:
    """One thread that works when it is woken; being woken while it works means once more afterwards."""

    def __init__(self, name: str, work: Callable[[], None], stopping: threading.Event) -> None:
        self._work, self._stopping = work, stopping
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._due.set()

    def join(self, timeout: float) -> bool:
        """Whether it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            self._due.wait()
            if self._stopping.is_set():
                return
            self._due.clear()
            try:
                self._work()
            except Exception:  # a fault of ours: the service goes on, and says so
                log.exception("loop_broke", loop=self._thread.name)


class Rounds:
    """The five loops and the scheduler that wakes them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._composing = threading.Lock()  # tick and letters both render letters: never the same one at once
        self._backoff = Backoff()
        self.tick = Loop("tick", self._tick, app.stopping)
        self.letters = Loop("letters", self._letters, app.stopping)
        self.send = Loop("send", self._send, app.stopping)
        self.notify = Loop("notify", self._notify, app.stopping)
        self.imports = Loop("imports", self._imports, app.stopping)
        self.importing = threading.Lock()  # one file of people at a time, also those of the API
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})

    def start(self) -> None:
        """At once a first round, for what waited while nothing ran; then every 15 seconds."""
        for name, loop in self._beating():
            loop.start()
            loop.wake()
            self._scheduler.add_job(loop.wake, "interval", seconds=TICK.total_seconds(), id=name)
        self.letters.start()
        self._scheduler.start()

    def _beating(self) -> tuple[tuple[str, Loop], ...]:
        return ("tick", self.tick), ("deliver", self.send), ("notify", self.notify), ("imports", self.imports)

    def stop(self) -> None:
        """After app.stopping is set: wait for what is under way, at most 20 seconds together."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        deadline = time.monotonic() + LAST_WAIT
        loops = {**dict(self._beating()), "letters": self.letters}
        for loop in loops.values():
            loop.wake()
        for name, loop in loops.items():
            if not loop.join(max(0.0, deadline - time.monotonic())):
                log.warning("ended_while_busy", loop=name)  # rows say how far it came; the next start goes on

    def _tick(self) -> None:
        pipeline.run_once(self._app, only=GATHERING)
        if self._app.stopping.is_set():
            return
        with self._composing:
            pipeline.run_once(self._app, only=PUBLISHING)
        self.letters.wake()  # approvals may have asked for notices
        self.send.wake()

    def _letters(self) -> None:
        with self._composing:
            compose.compose_letters(self._app, self._app.clock.now())
        self.send.wake()

    def _notify(self) -> None:
        pipeline.run_once(self._app, only=frozenset({"notify"}))

    def _imports(self) -> None:
        imports.run_waiting(self._app, self.importing)

    def _send(self) -> None:
        if not self._backoff.over:
            return
        try:
            deliver.run(self._app, self._app.clock.now())
            self._backoff.clear()
        except TransportDown as error:
            pause = self._backoff.lengthen()
            log.warning("transport_down", reason=str(error), again_in_seconds=int(pause.total_seconds()))
        finally:
            pipeline.run_once(self._app, only=frozenset({"track"}))


class Backoff:
    """While mail cannot leave, it is tried again after 15 s, 30 s … 10 min."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._pause = timedelta()

    @property
    def over(self) -> bool:
        return self._clock() >= self._until

    def lengthen(self) -> timedelta:
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self._until = self._clock() + self._pause.total_seconds()
        return self._pause

    def clear(self) -> None:
        self._pause, self._until = timedelta(), 0.0


# ---------------------------------------------------------------- beginning and end


class _Server(uvicorn.Server):
    """Says when it listens, and ends when `stopping` is set, whoever set it."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping, self._ready = stopping, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stopping.is_set()

    @contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Ours are set already; uvicorn's would end the process with the signal instead of 0."""
        yield


@contextmanager
def _signals(stopping: threading.Event):  # type: ignore[no-untyped-def]
    """SIGTERM and SIGINT set `stopping`. Outside the main thread signals cannot be caught: then whoever called stops us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
