"""Asks the sources that are due, in threads, and hands over what each gave in the order of arrival. Writes no row.

Those of one host wait for one another, so that a slow host holds one thread however many sources it has. Must never hand
over pages that are half read because the program stops, nor begin anything after its patience is over.
"""

import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from newsletter.app import App
from newsletter.collect import poll
from newsletter.collect.identity.choose import New, is_partial, needs_page
from newsletter.collect.lists.serial import Knows
from newsletter.collect.poll import Polled
from newsletter.collect.settle import decided
from newsletter.model import ArticleState, Source
from newsletter.store import articles

WORKERS = 20  # connections in all; each host has one
PATIENCE = 90.0  # seconds after which a run begins no further source or page: an issue may be waiting to go out
READ_IN_DOUBT = 200  # pages read of articles that a person must release anyway
_GLANCE = 0.2  # seconds between two looks at whether the program stops


@dataclass(frozen=True, slots=True)
class _Reading:
    source: Source
    others: deque[Source]  # of the same host, which wait for it
    completed: bool = False  # its pages have been read, too


class Gathering:
    """One look at each of `due`. Iterate over `results`; what the program's stop or the end of patience leaves out stays due."""

    def __init__(self, app: App, due: Sequence[Source], *, now: datetime) -> None:
        self._app, self._now, self._until = app, now, time.monotonic() + PATIENCE
        self._pool = ThreadPoolExecutor(max_workers=min(WORKERS, len(due)), thread_name_prefix="collect")
        self._done: SimpleQueue[tuple[_Reading, Future[Polled]]] = SimpleQueue()
        self._open = 0
        for queue in _by_host(due):
            self._begin(queue)

    def results(self) -> Iterator[tuple[Source, Polled | Exception]]:
        """What each source gave, its pages read, or the error it met. The next source of its host begins afterwards."""
        try:
            while self._open and not self._app.stopping.is_set():
                try:
                    reading, job = self._done.get(timeout=_GLANCE)
                except Empty:
                    continue
                self._open -= 1
                if self._app.stopping.is_set():  # its pages may be half read: the next run reads it again
                    return
                outcome = self._outcome(reading, job)
                if outcome is None:
                    continue
                yield reading.source, outcome
                if time.monotonic() < self._until:
                    self._begin(reading.others)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _outcome(self, reading: _Reading, job: "Future[Polled]") -> Polled | Exception | None:
        """None: pages of it are being read now."""
        try:
            polled = job.result()
            if not reading.completed and not polled.unchanged and self._read_pages(reading, polled):
                return None
        except Exception as error:
            return error
        return polled

    def _begin(self, queue: deque[Source]) -> None:
        if queue:
            source = queue.popleft()
            job = self._pool.submit(
                poll.poll, self._app.fetcher, source, now=self._now, knows=knows_of(self._app, source)
            )
            self._await(_Reading(source, queue), job)

    def _read_pages(self, reading: _Reading, polled: Polled) -> bool:
        """Whether pages of new entries known only by a link or an excerpt are to be read first."""
        if not any(is_partial(reading.source, candidate.item) for candidate in polled.found):
            return False
        with self._app.db.read() as conn:
            decisions = decided(conn, reading.source, polled, self._now)
        wanted = {decision.keys for decision in decisions if needs_page(reading.source, decision)}
        doubtful = [d.keys for d in decisions if isinstance(d, New) and d.doubt and d.keys in wanted]
        wanted -= set(doubtful[READ_IN_DOUBT:])
        chosen = [candidate for candidate in polled.found if candidate.keys in wanted]
        if not chosen:
            return False
        job = self._pool.submit(
            poll.complete,
            self._app.fetcher,
            polled,
            chosen,
            self._app.stopping,
            offered=frozenset(
                d.keys[0] for d in decisions if isinstance(d, New) and d.state is not ArticleState.SKIPPED
            ),
            until=self._until,
            now=self._now,
            source_id=reading.source.id,
        )
        self._await(replace(reading, completed=True), job)
        return True

    def _await(self, reading: _Reading, job: "Future[Polled]") -> None:
        self._open += 1
        job.add_done_callback(lambda done: self._done.put((reading, done)))


def _by_host(due: Iterable[Source]) -> list[deque[Source]]:
    queues: dict[str, deque[Source]] = {}
    for source in due:
        try:
            host = urlsplit(source.url).hostname
        except ValueError:
            host = None
        queues.setdefault(host or f"/{source.slug}", deque()).append(source)
    return list(queues.values())


def knows_of(app: App, source: Source) -> Knows:
    """Asked by the thread that reads the source, over a connection of its own."""

    def knows(keys: Sequence[str]) -> Collection[str]:
        with app.db.read() as conn:
            return articles.known(conn, source.id, keys).keys()

    return knows
