"""The connections that send: one thread each, fed from one short queue. Knows nothing of rows."""

import queue
import threading
from collections.abc import Sequence
from types import TracebackType

from newsletter.app import Fate, Outcome, Outgoing, Session, Transport
from newsletter.deliver.recorder import Recorder
from newsletter.errors import BadInput, TransportDown
from newsletter.log import get_logger

log = get_logger("deliver")

BROKEN_IN_A_ROW = 6
GATHER = 0.05  # seconds a batch waits for its next message


class Crew:
    """Sends what `put` hands over. `trouble` is set once mail cannot leave; nothing more is taken then.

    A context manager: leaving it waits until everything taken has its result.
    """

    def __init__(self, transport: Transport, recorder: Recorder) -> None:
        self._transport, self._recorder = transport, recorder
        self._work: queue.Queue[Outgoing | None] = queue.Queue(maxsize=2 * transport.connections * transport.batch)
        self.trouble: TransportDown | None = None
        self._broken = 0  # messages of unknown fate in a row, over all connections
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for _ in self._threads:
            self._put(None)
        for thread in self._threads:
            thread.join()

    def put(self, outgoing: Outgoing) -> bool:
        """Hand over a message; waits while all are busy. False when mail cannot leave now."""
        waiting = self._work.qsize()  # as many connections as there is work for, so that one letter opens one
        if not self._threads or (len(self._threads) < self._transport.connections and waiting >= self._transport.batch):
            self._hire()
        return self._put(outgoing)

    def _put(self, item: Outgoing | None) -> bool:
        while self.trouble is None:
            try:
                self._work.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def _hire(self) -> None:
        thread = threading.Thread(target=self._run, name=f"sender-{len(self._threads) + 1}", daemon=True)
        self._threads.append(thread)
        thread.start()

    # ------------------------------------------------------------ one thread

    def _run(self) -> None:
        session: Session | None = None
        try:
            while (batch := self._take()) is not None:
                if session is None:
                    session = self._transport.open()
                self._send(session, batch)
        except TransportDown as error:
            self.trouble = self.trouble or error
        except Exception as error:
            log.exception("sender_broke")
            self.trouble = self.trouble or TransportDown(f"{type(error).__name__}: {error}", where=self._transport.name)
        finally:
            if session is not None:
                session.close()

    def _take(self) -> list[Outgoing] | None:
        """One message, and as many more as are there and fit a batch. None when the work is over or cannot go on."""
        while self.trouble is None:
            try:
                first = self._work.get(timeout=0.2)
            except queue.Empty:
                continue
            if first is None:
                return None
            return [first, *self._more(self._transport.batch - 1)]
        return None

    def _more(self, limit: int) -> list[Outgoing]:
        """What comes within a moment of each other shares a request: messages are built in 0.5 ms, a request takes 50."""
        found: list[Outgoing] = []
        while len(found) < limit:
            try:
                item = self._work.get(timeout=GATHER)
            except queue.Empty:
                break
            if item is None:
                self._work.put(None)  # meant for this thread's next turn, or for another
                break
            found.append(item)
        return found

    def _send(self, session: Session, batch: Sequence[Outgoing]) -> None:
        """Send a batch. When one of its messages cannot be written, send them one by one, so that only that one fails."""
        try:
            outcomes = session.send(batch, self._recorder.permit)
        except BadInput as error:
            if len(batch) == 1:
                self._recorder.fail(batch[0], str(error))
                return
            for outgoing in batch:
                self._send(session, [outgoing])
            return
        self._recorder.settle(batch, outcomes)
        self._look_at(outcomes)

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
