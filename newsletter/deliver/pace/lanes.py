"""What waits to be sent when pace is limited: a lane per mail group that has limits of its own, one lane for all others.

A sender thread asks for a message and gets one together with its grant: a token of every quota it falls under, taken at
this moment. So whatever waits for a token has no intent yet, and a slow lane holds up no other. Takes the place of the
crew's queue; where nothing is limited it is not there at all.
"""

import heapq
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count

from newsletter.app import Outgoing
from newsletter.deliver.pace.tokens import Ring

NEVER = 1 << 62
LOOKED_AT = 8  # lanes that one request for company looks into


class _Lane:
    """Messages under the same limits. Letters go first: a person waits for them."""

    __slots__ = ("letters", "listed", "others", "rings")

    def __init__(self) -> None:
        self.letters: deque[Outgoing] = deque()
        self.others: deque[Outgoing] = deque()
        self.rings: tuple[Ring, ...] = ()
        self.listed = False  # it stands in the heap

    def __len__(self) -> int:
        return len(self.letters) + len(self.others)

    def ready_at(self, now: int) -> int:
        return ready_at(self.rings, now)


def ready_at(rings: Iterable[Ring], now: int) -> int:
    """The earliest moment at which all of them have a token; NEVER when one has none to wait for."""
    latest = now
    for ring in rings:
        moment = ring.ready_at(now)
        if moment is None:
            return NEVER
        latest = max(latest, moment)
    return latest


class Lanes:
    """Safe between threads. `lock` also guards the rings, which the keeper changes."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`clock`: monotonic nanoseconds."""
        self.lock = threading.Condition()
        self.waiting = 0
        self._clock = clock
        self._turn = threading.Lock()  # one thread at a time waits for the next token; the others wait for their turn
        self._common: tuple[Ring, ...] = ()
        self._open = _Lane()
        self._lanes: dict[str, _Lane] = {}
        self._heap: list[tuple[int, int, int, _Lane]] = []  # (ready at, 0 with a letter, order, lane)
        self._order = count()
        self._asking = self._ended = 0

    # ------------------------------------------------------------ limits

    def limit(self, group: str | None, rings: Iterable[Ring]) -> None:
        """The rings of a mail group, or of all messages (None)."""
        with self.lock:
            if group is None:
                self._common = tuple(rings)
            else:
                lane = self._lanes.setdefault(group, _Lane())
                lane.rings, lane.listed = tuple(rings), False
                self._list(lane, self._clock())
            self.lock.notify_all()

    def look_again(self) -> None:
        """Tokens came or went: whoever waits looks again. With the lock held."""
        lanes = [self._open, *self._lanes.values()]
        self._heap.clear()
        for lane in lanes:
            lane.listed = False
            self._list(lane, self._clock())
        self.lock.notify_all()

    def length(self, group: str | None) -> int:
        """Messages that wait in a group's lane, or in all (None)."""
        return self.waiting if group is None else len(self._lanes.get(group, ()))

    def soonest(self) -> int | None:
        """When the next message may go; None: none waits, or none has tokens to wait for."""
        with self.lock:
            now = self._clock()
            at = max(ready_at(self._common, now), self._heap[0][0] if self._heap else NEVER)
            return at if at < NEVER and self.waiting else None

    def behind(self) -> bool:
        """Whether a message may go this very moment and no thread asks for it."""
        soonest = self.soonest()
        return soonest is not None and soonest <= self._clock() and not self._asking

    # ------------------------------------------------------------ the crew's side, as of a queue

    def put(self, item: Outgoing | None, timeout: float | None = None) -> None:
        """None: the work is over for one thread; what still waits then is given back by whoever claimed it."""
        with self.lock:
            if item is None:
                self._ended += 1
            else:
                lane = self._lanes.get(item.mail_group or "", self._open)
                (lane.others if item.list_slug else lane.letters).append(item)
                self.waiting += 1
                lane.listed = lane.listed and item.list_slug is not None  # a letter gives its lane a better place
                self._list(lane, self._clock())
            self.lock.notify()

    def qsize(self) -> int:
        """Messages for which no thread is waiting: none while one asks."""
        return 0 if self._asking else self.waiting

    def get(self, timeout: float) -> Outgoing | None:
        """The next message with its grant. Raises queue.Empty when there is none within `timeout` seconds."""
        deadline = self._clock() + int(timeout * 1e9)
        with self.lock:
            self._asking += 1
        try:
            if not self._turn.acquire(timeout=timeout):
                raise queue.Empty
            try:
                with self.lock:
                    return self._wait(deadline)
            finally:
                self._turn.release()
        finally:
            with self.lock:
                self._asking -= 1

    def _wait(self, deadline: int) -> Outgoing | None:
        while True:
            if self._ended:
                self._ended -= 1
                return None
            now = self._clock()
            item, at = self._pick(now)
            if item is not None:
                return item
            if now >= deadline:
                raise queue.Empty
            self.lock.wait((min(at, deadline) - now) / 1e9)

    def get_nowait(self) -> Outgoing | None:
        with self.lock:
            if self._ended:
                self._ended -= 1
                return None
            item, _ = self._pick(self._clock())
            if item is None:
                raise queue.Empty
            return item

    def more(self, most: int) -> list[Outgoing]:
        """Company for a message that goes with others in one request: those with tokens now, at most so many."""
        found: list[Outgoing] = []
        if most < 1:
            return found
        with self.lock:
            now = self._clock()
            while len(found) < most and (item := self._company(now)) is not None:
                found.append(item)
        return found

    # ------------------------------------------------------------ choosing

    def _pick(self, now: int) -> tuple[Outgoing | None, int]:
        """(the message whose turn it is, …) or (None, when to look again)."""
        at = ready_at(self._common, now)
        if at > now:
            return None, at
        while self._heap:
            at, _, _, lane = self._heap[0]
            if at > now:
                return None, at
            heapq.heappop(self._heap)
            lane.listed = False
            if lane and lane.ready_at(now) <= now:
                return self._grant(lane, now), now
            self._list(lane, now)
        return None, NEVER

    def _company(self, now: int) -> Outgoing | None:
        if not all(ring.has(now) for ring in self._common):
            return None
        for _, _, _, lane in heapq.nsmallest(LOOKED_AT, self._heap, key=lambda entry: entry[:3]):
            if lane and all(ring.has(now) for ring in lane.rings):
                return self._grant(lane, now)
        return None

    def _grant(self, lane: _Lane, now: int) -> Outgoing:
        for ring in (*self._common, *lane.rings):
            ring.use(now)
        self.waiting -= 1
        item = lane.letters.popleft() if lane.letters else lane.others.popleft()
        self._list(lane, now)
        return item

    def _list(self, lane: _Lane, now: int) -> None:
        """Stand the lane in the heap, once, with the moment its own limits let it go on."""
        if lane and not lane.listed:
            at = lane.ready_at(now)
            heapq.heappush(self._heap, (0 if at <= now else at, not lane.letters, next(self._order), lane))
            lane.listed = True
