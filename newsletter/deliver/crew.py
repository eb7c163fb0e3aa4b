"""The connections that send: one thread each, fed from one short queue. Knows nothing of rows."""

import gc
import queue
import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from types import TracebackType

from newsletter.app import Fate, Flow, Outcome, Outgoing, Permit, Session, Transport
from newsletter.deliver.pace.lanes import Lanes
from newsletter.deliver.recorder import Recorder
from newsletter.errors import BadInput, TransportDown
from newsletter.log import get_logger

log = get_logger("deliver")

BROKEN_IN_A_ROW = 6
GATHER = 0.05  # seconds a request waits for its next message
WAITING = 8  # messages at least that may wait for each connection: they are spliced only when they are sent


class Batches:
    """A Session as a Flow: every call ends what it began."""

    busy = False

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def batch(self) -> int:
        return self._session.batch

    def push(self, batch: Sequence[Outgoing], permit: Permit) -> list[tuple[Outgoing, Outcome]]:
        return list(zip(batch, self._session.send(batch, permit), strict=True))

    def drain(self, permit: Permit) -> list[tuple[Outgoing, Outcome]]:
        return []

    def close(self) -> None:
        self._session.close()


class Crew:
    """Sends what `put` hands over. `trouble` is set once mail cannot leave; nothing more is taken then.

    A context manager: leaving it waits until everything taken has its result.
    """

    def __init__(
        self,
        transport: Transport,
        recorder: Recorder,
        *,
        lanes: Lanes | None = None,
        heard: Callable[[Sequence[tuple[Outgoing, Outcome]]], None] | None = None,
    ) -> None:
        """`lanes`: instead of the queue, where pace is limited. `heard` is told every result."""
        self._transport, self._recorder, self._lanes, self._heard = transport, recorder, lanes, heard
        # A SimpleQueue costs 0.2 µs a message, a bounded Queue 10; so its bound is kept here.
        self._work: queue.SimpleQueue[Outgoing | None] | Lanes = lanes or queue.SimpleQueue()
        self._most = 2 * transport.connections * max(transport.batch, WAITING)
        self._room = threading.Event()
        self.trouble: TransportDown | None = None
        self._broken = 0  # messages of unknown fate in a row, over all connections
        self._threads: list[threading.Thread] = []
        self._opening = False  # the thread hired last has no flow yet
        self._closing = False  # every thread has been told to end when the work is done
        self._hiring = threading.Lock()

    def __enter__(self) -> "Crew":
        gc.freeze()  # of what is there already: one look at all the program's objects takes 90 ms, 28 µs of 3,000 messages each
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._hiring:
            self._closing = True
            for _ in self._threads:
                self._put(None)
        for thread in self._threads:  # one that opens now may still hire another, while it runs itself
            thread.join()
        gc.unfreeze()

    def put(self, outgoing: Outgoing) -> bool:
        """Hand over a message; waits while all are busy. False when mail cannot leave now."""
        waiting = self._work.qsize()  # as many connections as there is work for, so that one letter opens one
        if not self._threads:
            self._hire()
        elif not self._opening and waiting >= self._transport.batch:
            self._hire_one_more()
        return self._put(outgoing)

    def _hire_one_more(self) -> None:
        """One opens after the other: only an open flow knows how many there may be."""
        with self._hiring:
            if not self._opening and len(self._threads) < self._transport.connections:
                self._hire()
                if self._closing:
                    self._put(None)  # behind all work, like those of the others

    def grow(self) -> None:
        """With a pace messages become ready by themselves: one connection more when all are busy and one is."""
        if (
            self._lanes is not None
            and not self._opening
            and len(self._threads) < self._transport.connections
            and self._lanes.behind()
        ):
            self._hire()

    def _put(self, item: Outgoing | None) -> bool:
        while self.trouble is None:
            if self._lanes is not None or self._work.qsize() < self._most:
                self._work.put(item)
                return True
            self._room.clear()
            if self._work.qsize() >= self._most:
                self._room.wait(0.2)
        return False

    def _hire(self) -> None:
        thread = threading.Thread(target=self._run, name=f"sender-{len(self._threads) + 1}", daemon=True)
        self._threads.append(thread)
        self._opening = True
        thread.start()

    # ------------------------------------------------------------ one thread

    def _run(self) -> None:
        flow: Flow | None = None
        try:
            while (first := self._next(flow)) is not None:
                if flow is None:
                    session = self._transport.open()
                    flow = session if isinstance(session, Flow) else Batches(session)
                    self._opening = False
                    if self._lanes is None and self._work.qsize() >= self._transport.batch:
                        self._hire_one_more()  # what waits may all have come while this one connected
                batch = [first, *self._more(flow)]
                for _, group in groupby(batch, key=lambda outgoing: outgoing.mailing_id):  # a permit speaks of people
                    self._push(flow, list(group))
        except TransportDown as error:
            self.trouble = self.trouble or error
        except Exception as error:
            log.exception("sender_broke")
            self.trouble = self.trouble or TransportDown(f"{type(error).__name__}: {error}", where=self._transport.name)
        finally:
            if flow is not None:
                self._finish(flow)

    def _next(self, flow: Flow | None) -> Outgoing | None:
        """The next message; None when the work is over or cannot go on. While none waits, what is under way is finished."""
        while self.trouble is None:
            try:
                return self._work.get_nowait() if flow is not None and flow.busy else self._work.get(timeout=0.2)
            except queue.Empty:
                if flow is not None and flow.busy:
                    self._settle(flow.drain(self._recorder.permit))
        return None

    def _more(self, flow: Flow) -> list[Outgoing]:
        """What else is there and fits. A request waits a moment for it: messages are built in 0.5 ms, a request takes 50.

        With a pace it does not: a message's token is taken when it goes.
        """
        if self._lanes is not None:
            return self._lanes.more(flow.batch - 1)
        found: list[Outgoing] = []
        for _ in range(flow.batch - 1):
            try:
                item = self._work.get(timeout=GATHER) if isinstance(flow, Batches) else self._work.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._work.put(None)  # meant for this thread's next turn, or for another
                break
            found.append(item)
        if 2 * self._work.qsize() < self._most and not self._room.is_set():
            self._room.set()
        return found

    def _push(self, flow: Flow, batch: Sequence[Outgoing]) -> None:
        """Send a batch. When one of its messages cannot be written, send them one by one, so that only that one fails."""
        try:
            self._settle(flow.push(batch, self._recorder.permit))
        except BadInput as error:
            if len(batch) == 1:
                self._recorder.fail(batch[0], str(error))
                return
            for outgoing in batch:
                self._push(flow, [outgoing])

    def _settle(self, settled: Sequence[tuple[Outgoing, Outcome]]) -> None:
        if settled:
            outcomes = [outcome for _, outcome in settled]
            self._recorder.settle([outgoing for outgoing, _ in settled], outcomes)
            if self._heard is not None:
                self._heard(settled)
            self._look_at(outcomes)

    def _finish(self, flow: Flow) -> None:
        """What is under way gets its result, whatever ended the work."""
        try:
            while flow.busy:
                settled = flow.drain(self._recorder.permit)
                try:
                    self._settle(settled)
                except TransportDown as error:  # that is why it ends; what else is under way has results all the same
                    self.trouble = self.trouble or error
        except TransportDown as error:
            self.trouble = self.trouble or error
        except Exception as error:
            log.exception("sender_broke")
            self.trouble = self.trouble or TransportDown(f"{type(error).__name__}: {error}", where=self._transport.name)
        finally:
            flow.close()

    def _look_at(self, outcomes: Sequence[Outcome]) -> None:
        """Stop when mail can leave for nobody, or when a peer breaks the line after every message: it would burn the list."""
        for outcome in outcomes:
            if outcome.down:
                raise TransportDown(outcome.down, where=self._transport.name)
            self._broken = self._broken + 1 if outcome.fate is Fate.UNKNOWN else 0
        if self._broken >= max(BROKEN_IN_A_ROW, self._transport.batch + 1):
            raise TransportDown(
                f"the line broke after each of the last {self._broken} messages",
                where=self._transport.name,
                hint="ask the peer",
            )
