"""When a host may be asked: one question at a time, and a pause between two. Different hosts never wait for each other.

Must never hold a thread once `stopping` is set, nor let a site's own wish (crawl-delay) hold it longer than half a minute.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from newsletter.errors import SourceError

LONGEST = 30.0  # seconds between two questions, whatever a site asks for
_MOST_LANES = 2000  # hosts remembered; redirects may lead through any number of names
_GLANCE = 0.1  # seconds between two looks at `stopping` while another thread has the lane


class Stopped(SourceError):
    """The program ends; nothing is wrong with the source."""


@dataclass(slots=True)
class _Lane:
    busy: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0  # monotonic seconds
    wish: float = 0.0  # the site's crawl-delay


class Pace:
    """`seconds`: from the end of one answer to the next question to the same host. 0 switches it all off: then a host
    (a server of one's own) is asked at once, and from several threads. Safe to share between threads."""

    def __init__(self, seconds: float, stopping: threading.Event) -> None:
        self._seconds, self._stopping = seconds, stopping
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """The host is the caller's alone, and its pause is over. Raises Stopped."""
        if self._seconds <= 0:
            yield
            return
        lane = self._lane(host)
        while not lane.busy.acquire(timeout=_GLANCE):
            self._check()
        try:
            self.rest(lane.free_at - time.monotonic())
            yield
        finally:
            lane.free_at = time.monotonic() + self.between(host)
            lane.busy.release()

    def wish(self, host: str, seconds: float) -> None:
        """The site asks for this pause (crawl-delay of its robots.txt)."""
        if self._seconds > 0:
            self._lane(host).wish = seconds

    def between(self, host: str) -> float:
        """Seconds from one answer of the host to the next question."""
        return min(max(self._seconds, self._lane(host).wish), max(self._seconds, LONGEST)) if self._seconds > 0 else 0.0

    def before_try(self, number: int) -> float:
        """Seconds before the second (1), third (2) … try of one question: growing and jittered, so that many who failed
        together do not come back together."""
        return self._seconds * float(2 ** (number - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret

    def rest(self, seconds: float) -> None:
        """Raises Stopped when the program ends, before or meanwhile."""
        if seconds > 0:
            self._stopping.wait(seconds)
        self._check()

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Stopped("stopped before it was read", hint="the next run reads it")

    def _lane(self, host: str) -> _Lane:
        with self._lock:
            if host not in self._lanes and len(self._lanes) >= _MOST_LANES:
                now = time.monotonic()
                self._lanes = {k: v for k, v in self._lanes.items() if v.busy.locked() or v.free_at > now}
            return self._lanes.setdefault(host, _Lane())
