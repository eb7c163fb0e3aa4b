"""Several connections to PIPELINING relays, driven by one thread: one permit for all of them, each reply when it comes.

A thread for each connection pays for every message a switch to the thread that commits and one back, and commits in small
groups (measured: 250 of 500 µs a message). Here the intents of all connections are asked for together, and the commit of
these falls into the round trip of those before. Each connection keeps its own window (offers.py): one message whose content
is on its way and one whose envelope is. One that is slow is waited for only when all are: the others go on meanwhile.
"""

import select
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence

from newsletter.app import Outcome, Outgoing, Permit
from newsletter.deliver.smtp.dialogue import Flight, ask, flight_of
from newsletter.deliver.smtp.session import Settled, SmtpSession
from newsletter.errors import TransportDown
from newsletter.log import get_logger
from newsletter.model import MailingId

log = get_logger("deliver")

STRAGGLE = 0.05  # seconds that those with replies wait for those without
PATIENCE = 1.0  # seconds between two looks at who never answers
GATHER = 0.002  # seconds to wait for half of them, before the first is heard
AGAIN = 60.0  # seconds until one more connection is tried after one was refused


class Fleet:
    """A Flow (newsletter/app.py). Used by one thread."""

    def __init__(self, first: SmtpSession, another: Callable[[], SmtpSession], *, most: int) -> None:
        """`another` opens one more connection; `most`: how many there may be."""
        self._lanes, self._another, self._most = [first], another, most
        self._looked_at = time.monotonic()  # whether replies are overdue
        self._todo: deque[Flight] = deque()  # on no connection yet
        self._not_before = 0.0  # the monotonic moment at which one more connection may be tried

    @property
    def batch(self) -> int:
        """One message for each connection, and one for a connection more, while there may be one."""
        return max(1, len(self._lanes) + self._may_grow(time.monotonic()) - len(self._todo))

    @property
    def busy(self) -> bool:
        return bool(self._todo) or any(lane.busy for lane in self._lanes)

    def push(self, batch: Sequence[Outgoing], permit: Permit) -> list[Settled]:
        """Send, or have under way, each of `batch`. Raises BadInput, and nothing was begun, when one cannot be written."""
        raw = self._lanes[0].raw
        self._todo.extend([flight_of(outgoing, eight_bit=raw) for outgoing in batch])
        now = time.monotonic()
        if len(self._todo) > len(self._lanes) and self._may_grow(now):
            self._grow()
        if now > self._looked_at + PATIENCE:
            self._expire(now)
        self._ask(permit)
        self._load(permit)
        return self._collect()

    def drain(self, permit: Permit) -> list[Settled]:
        """Go on with what is under way until something is settled: it is to be recorded before the next intents."""
        settled: list[Settled] = []
        while self.busy and not settled:
            self._ask(permit)
            for lane in self._lanes:
                if not lane.waits and (self._todo or lane.busy):
                    lane.carry(self._todo.popleft() if self._todo else None, permit)
            late = [lane for lane in self._lanes if lane.waits]
            if late:
                _Late(late).hear(PATIENCE)
            settled = self._collect()
        return settled

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        """One outcome per message, in order, when all are known."""
        settled = self.push(batch, permit)
        while self.busy:
            settled += self.drain(permit)
        settled += self._collect()
        known = {id(outgoing): outcome for outgoing, outcome in settled}
        return [known[id(outgoing)] for outgoing in batch]

    def close(self) -> None:
        for lane in self._lanes:
            lane.leave()
        for lane in self._lanes:
            lane.close()

    # ------------------------------------------------------------ one turn

    def _may_grow(self, now: float) -> bool:
        return len(self._lanes) < self._most and now >= self._not_before

    def _grow(self) -> None:
        """One connection more. A relay may allow fewer than we are told to open: those that are there go on."""
        try:
            self._lanes.append(self._another())
        except TransportDown as error:
            self._not_before = time.monotonic() + AGAIN
            log.warning("no_more_connections", have=len(self._lanes), reason=str(error))

    def _ask(self, permit: Permit) -> None:
        """The intents of all messages whose envelopes are out, mailing by mailing: a permit speaks of people."""
        by_mailing: dict[MailingId, list[Flight]] = defaultdict(list)
        for lane in self._lanes:
            held = lane.held
            if held is not None and not held.asked:
                by_mailing[held.outgoing.mailing_id].append(held)
        for group in by_mailing.values():
            ask(permit, group)

    def _load(self, permit: Permit) -> None:
        """Each waiting message goes to a connection that has heard everything; the late are left, until too much waits."""
        until = 0.0
        ready = [lane for lane in self._lanes if not lane.waits]
        late = _Late([lane for lane in self._lanes if lane.waits] if len(ready) < len(self._todo) else ())
        while True:
            for lane in ready[: len(self._todo)]:
                self._lanes.remove(lane)
                self._lanes.append(lane)
                lane.carry(self._todo.popleft(), permit)
            if not self._todo or not late.lanes:
                return
            if ready and not until:
                until = time.monotonic() + STRAGGLE
            if until and time.monotonic() > until and len(self._todo) < len(self._lanes):
                return
            ready = late.hear(STRAGGLE if until else PATIENCE)

    def _expire(self, now: float) -> None:
        self._looked_at = now
        for lane in self._lanes:
            lane.expire()

    def _collect(self) -> list[Settled]:
        return [one for lane in self._lanes if lane.settled for one in lane.collect()]


class _Late:
    """Connections whose replies are waited for, in the order in which they were written to."""

    def __init__(self, lanes: Iterable[SmtpSession]) -> None:
        self.lanes = {lane.number: lane for lane in lanes}
        self._poll = select.poll()
        for number in self.lanes:
            self._poll.register(number, select.POLLIN)

    def hear(self, seconds: float) -> list[SmtpSession]:
        """Hear what has come; wait for the first of it, so long at most. Returns those that now wait for nothing."""
        came = self._poll.poll(0)
        if 2 * len(came) < len(self.lanes):
            self._wait_for_half()
            came = self._poll.poll(0) or self._poll.poll(seconds * 1000)
        seen = [number for number, _ in came]
        for number in seen:
            self.lanes[number].listen()
        if not seen:
            for lane in self.lanes.values():
                lane.expire()
        heard = [number for number in seen or self.lanes if not self.lanes[number].waits]
        for number in heard:
            self._poll.unregister(number)
        return [self.lanes.pop(number) for number in heard]

    def _wait_for_half(self) -> None:
        """For the one in the middle alone: those before it will have answered by then. To wake up for each costs 45 µs."""
        poll = select.poll()
        poll.register(list(self.lanes)[len(self.lanes) // 2], select.POLLIN)
        poll.poll(GATHER * 1000)
