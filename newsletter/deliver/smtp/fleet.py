"""Several connections to PIPELINING relays, driven by one thread: one permit for all of them, each reply when it comes.

A thread for each connection pays for every message a switch to the thread that commits and one back, and commits in small
groups (measured: 250 of 500 µs a message). Here the intents of all connections are asked for together, and the commit of
these falls into the round trip of those before. Each connection keeps its own window (offers.py): one message whose content
is on its way and one whose envelope is. One that is slow is waited for only when all are: the others go on meanwhile.
"""

import select
import time
from collections import deque
from collections.abc import Callable, Sequence

from newsletter.app import Outcome, Outgoing, Permit
from newsletter.deliver.smtp.dialogue import Flight, ask, flight_of
from newsletter.deliver.smtp.session import Settled, SmtpSession
from newsletter.errors import TransportDown
from newsletter.log import get_logger
from newsletter.model import MailingId

log = get_logger("deliver")

STRAGGLE = 0.05  # seconds that those with replies wait for those without
PATIENCE = 1.0  # seconds between two looks at who never answers
AGAIN = 60.0  # seconds until one more connection is tried after one was refused


class Fleet:
    """A Flow (newsletter/app.py). Used by one thread."""

    def __init__(self, first: SmtpSession, another: Callable[[], SmtpSession], *, most: int) -> None:
        """`another` opens one more connection; `most`: how many there may be."""
        self._lanes, self._another, self._most = [first], another, most
        self._todo: deque[Flight] = deque()  # on no connection yet
        self._not_before = 0.0  # the monotonic moment at which one more connection may be tried

    @property
    def batch(self) -> int:
        """One message for each connection, and one for a connection more, while there may be one."""
        more = len(self._lanes) < self._most and time.monotonic() >= self._not_before
        return max(1, len(self._lanes) + more - len(self._todo))

    @property
    def busy(self) -> bool:
        return bool(self._todo) or any(lane.busy for lane in self._lanes)

    def push(self, batch: Sequence[Outgoing], permit: Permit) -> list[Settled]:
        """Send, or have under way, each of `batch`. Raises BadInput, and nothing was begun, when one cannot be written."""
        raw = self._lanes[0].raw
        self._todo.extend([flight_of(outgoing, eight_bit=raw) for outgoing in batch])
        if len(self._todo) > len(self._lanes) < self._most and time.monotonic() >= self._not_before:
            self._grow()
        for lane in self._lanes:
            lane.expire()
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
            self._listen([lane for lane in self._lanes if lane.waits], PATIENCE)
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

    def _grow(self) -> None:
        """One connection more. A relay may allow fewer than we are told to open: those that are there go on."""
        try:
            self._lanes.append(self._another())
        except TransportDown as error:
            self._not_before = time.monotonic() + AGAIN
            log.warning("no_more_connections", have=len(self._lanes), reason=str(error))

    def _ask(self, permit: Permit) -> None:
        """The intents of all messages whose envelopes are out, mailing by mailing: a permit speaks of people."""
        by_mailing: dict[MailingId, list[Flight]] = {}
        for lane in self._lanes:
            if lane.held is not None:
                by_mailing.setdefault(lane.held.outgoing.mailing_id, []).append(lane.held)
        for group in by_mailing.values():
            ask(permit, group)

    def _load(self, permit: Permit) -> None:
        """Each waiting message goes to a connection that has heard everything; the late are left, until too much waits."""
        free, late = list(self._lanes), 0.0
        while self._todo and free:
            waiting = []
            for lane in free:
                if lane.waits or not self._todo:
                    waiting.append(lane)
                else:
                    lane.carry(self._todo.popleft(), permit)
            if len(waiting) < len(free) and not late:
                late = time.monotonic() + STRAGGLE
            free = waiting
            if self._todo and free:
                if late and time.monotonic() > late and len(self._todo) < len(self._lanes):
                    return
                self._listen(free, STRAGGLE if late else PATIENCE)

    def _listen(self, lanes: Sequence[SmtpSession], seconds: float) -> None:
        """Hear what has come on these connections; wait for the first of it, so long at most."""
        if not lanes:
            return
        by_number = {lane.number: lane for lane in lanes}
        poll = select.poll()
        for number in by_number:
            poll.register(number, select.POLLIN)
        hidden = [lane.number for lane in lanes if lane.hidden]  # TLS has read it already: poll would not see it
        seen = hidden or [number for number, _ in poll.poll(seconds * 1000)]
        for number in seen:
            by_number[number].listen()
        if not seen:
            for lane in lanes:
                lane.expire()

    def _collect(self) -> list[Settled]:
        return [one for lane in self._lanes for one in lane.collect()]
