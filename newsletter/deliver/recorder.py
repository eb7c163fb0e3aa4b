"""Writes intents and results of all connections in common transactions (group commit).

An fsync costs milliseconds and a message needs two writes, so ten connections committing alone would wait for the disk most
of their time (measured: 137 rows a second one by one, 41,000 in groups of 500). One thread takes whatever has gathered and
commits it together; a sender waits only for the commit that holds its own intent. The result of its last message goes into
the same commit, so a connection never has more than one message with an intent and no result.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

import subscribers
from newsletter.app import App, Outcome, Outgoing
from newsletter.deliver.outcomes import result
from newsletter.errors import TransportDown
from newsletter.log import get_logger, one_line
from newsletter.model import DeliveryState, MailingId, PersonId
from newsletter.store import Connection, DatabaseUnavailable, cannot_be_used, deliveries
from newsletter.store.deliveries import Result

log = get_logger("deliver")

LEASE = timedelta(minutes=15)  # longer than the ten minutes a final dot may take (RFC 5321 4.5.3.2.6)
RENEW_EVERY = 60.0  # seconds
IDLE = 1.0  # seconds without work after which the connection goes back to its pool
LINGER = 0.1  # seconds that results alone wait: a connection's next intent nearly always comes right behind them
STOPPING_TRIES = 3  # of the same, when the service is told to stop: systemd waits 90 seconds
RESULT_TRIES = 10  # a result is worth waiting for: a lost one makes an `unknown`


@dataclass(slots=True)
class _Entry:
    """What one sender hands over: messages that want to go, or results of such that went."""

    wanted: Sequence[Outgoing] = ()
    results: Sequence[tuple[MailingId, Result]] = ()
    answer: Future[set[PersonId]] = field(default_factory=Future)


class Recorder:
    """The only writer of the ledger while a run sends. Used as a context manager; its thread ends with it."""

    def __init__(self, app: App, worker: str, tick: Callable[[float], None] = time.sleep) -> None:
        self._app, self._worker, self._pause = app, worker, tick
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._conn: Connection | None = None  # kept while it works
        self._asked = False  # to commit: from then on nobody knows whether it was
        self.lost = 0  # results that could not be written at all
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._entries.put(None)
        self._thread.join()

    def permit(self, batch: Sequence[Outgoing]) -> set[PersonId]:
        """Make the intents durable and say who may go. Raises TransportDown when they cannot be written: nothing may go."""
        entry = _Entry(wanted=batch)
        self._entries.put(entry)
        return entry.answer.result()

    def settle(self, batch: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        """Hand over results; they are durable with the next commit, which also holds the sender's next intent."""
        now = self._app.clock.now()
        pairs = zip(batch, outcomes, strict=True)
        results = [(o.mailing_id, r) for o, outcome in pairs if (r := result(o, outcome, now=now)) is not None]
        self._entries.put(_Entry(results=results))

    def fail(self, outgoing: Outgoing, reason: str) -> None:
        """One message cannot be written; the others go on."""
        failed = Result(
            person_id=outgoing.person_id,
            epoch=outgoing.epoch,
            state=DeliveryState.FAILED,
            reason=f"unrenderable: {reason}",
        )
        self._entries.put(_Entry(results=[(outgoing.mailing_id, failed)]))

    def skip(self, mailing_id: MailingId, rows: Iterable[Result]) -> None:
        """Rows that turned out not mailable before anything was built."""
        self._entries.put(_Entry(results=[(mailing_id, row) for row in rows]))

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        renewed = time.monotonic()
        open_ = True
        while open_:
            try:
                entries = self._gather()
            except queue.Empty:
                entries = []
                self._hang_up()  # a connection that lay idle may be dead; one of the pool is asked before it is used
            open_ = None not in entries
            self._write([entry for entry in entries if entry is not None])
            if time.monotonic() - renewed > RENEW_EVERY:
                renewed = time.monotonic()
                self._renew()
        self._hang_up()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A write transaction on one connection for all; after any trouble the next one has a new connection."""
        try:
            if self._conn is None:
                self._conn = self._app.db.keep()
            self._asked = False
            with self._app.db.begin(on=self._conn) as conn:
                yield conn
                self._asked = True
        except BaseException:
            self._hang_up(broken=True)
            raise

    def _hang_up(self, *, broken: bool = False) -> None:
        kept, self._conn = self._conn, None
        if kept is not None:
            with suppress(DatabaseUnavailable):
                if broken:
                    kept.invalidate()
                kept.close()

    def _gather(self) -> list[_Entry | None]:
        """Wait for one entry, then take whatever else is there. Results wait a moment for the intents behind them."""
        entries = [self._entries.get(timeout=IDLE)]
        until = time.monotonic() + LINGER
        while entries[-1] is not None:
            waits = 0.0 if any(entry is not None and entry.wanted for entry in entries) else until - time.monotonic()
            try:
                entries.append(self._entries.get(timeout=waits) if waits > 0 else self._entries.get_nowait())
            except queue.Empty:
                break
        return entries

    def _write(self, entries: list[_Entry]) -> None:
        if not entries:
            return
        try:
            answers = self._commit(entries)
        except Exception as error:
            # The group failed as a whole: intents are refused (nothing was sent for them), results are tried again.
            down = TransportDown(f"the ledger cannot be written: {type(error).__name__}", hint="check the database")
            log.error("ledger_unwritable", reason=one_line(error))
            for entry in entries:
                if entry.wanted:
                    entry.answer.set_exception(down)
            self._retry_results([entry for entry in entries if entry.results])
            return
        for entry, answer in zip(entries, answers, strict=True):
            entry.answer.set_result(answer)

    def _commit(self, entries: list[_Entry]) -> list[set[PersonId]]:
        """Once more when a server's connection was found dead, or a deadlock was broken at our cost, before the COMMIT."""
        try:
            return self._commit_once(entries)
        except DatabaseUnavailable:
            if self._asked or self._app.db.is_sqlite:
                raise
            return self._commit_once(entries)

    def _commit_once(self, entries: list[_Entry]) -> list[set[PersonId]]:
        now = self._app.clock.now()
        with self._transaction() as conn:
            grouped: dict[MailingId, list[Result]] = defaultdict(list)
            for entry in entries:
                for mailing_id, row in entry.results:
                    grouped[mailing_id].append(row)
            for mailing_id, rows in grouped.items():
                deliveries.settle(conn, mailing_id, rows, now=now)
            permitted = self._intend(conn, [outgoing for entry in entries for outgoing in entry.wanted])
        return [{o.person_id for o in entry.wanted if (o.mailing_id, o.person_id) in permitted} for entry in entries]

    def _intend(self, conn: Connection, wanted: list[Outgoing]) -> set[tuple[MailingId, PersonId]]:
        """Check once more that the reader has not left, then write the intents, mailing by mailing."""
        now = self._app.clock.now()
        groups: dict[tuple[MailingId, str | None], list[Outgoing]] = defaultdict(list)
        for outgoing in wanted:
            groups[outgoing.mailing_id, outgoing.list_slug].append(outgoing)
        permitted: set[tuple[MailingId, PersonId]] = set()
        for (mailing_id, list_slug), group in groups.items():
            left = subscribers.not_mailable(
                conn, list_slug, [o.person_id for o in group], key=self._app.suppression_key
            )
            skipped = [
                Result(person_id=o.person_id, epoch=o.epoch, state=DeliveryState.SKIPPED, reason=left[o.person_id])
                for o in group
                if o.person_id in left
            ]
            deliveries.settle(conn, mailing_id, skipped, now=now)
            going = [(o.person_id, o.epoch) for o in group if o.person_id not in left]
            allowed = deliveries.intend(conn, mailing_id, going, now=now)
            deliveries.release(conn, mailing_id, [pair for pair in going if pair[0] not in allowed], now=now)
            permitted |= {(mailing_id, person_id) for person_id in allowed}
        return permitted

    def _retry_results(self, entries: list[_Entry]) -> None:
        """Results are worth waiting for: a lost one makes an `unknown`. One by one, so that a bad row is alone with its fault.

        A database that cannot be reached, or is locked, ends the round at its first word: each may take half a minute.
        """
        waiting = [_Entry(results=[pair]) for entry in entries for pair in entry.results]
        for attempt in range(RESULT_TRIES):
            if not waiting or (self._app.stopping.is_set() and attempt >= STOPPING_TRIES):
                break
            self._pause(min(0.1 * 2**attempt, 30.0))
            waiting = self._round(waiting, attempt)
        if waiting:
            self.lost += len(waiting)
            log.error("results_lost", count=len(waiting))

    def _round(self, waiting: list[_Entry], attempt: int) -> list[_Entry]:
        """Try each once. Returns those that still wait."""
        failed: list[_Entry] = []
        for number, entry in enumerate(waiting):
            try:
                self._commit([entry])
            except Exception as error:
                log.error("result_unwritable", attempt=attempt + 1, reason=one_line(error))
                failed.append(entry)
                if cannot_be_used(error):
                    return failed + waiting[number + 1 :]
        return failed

    def _renew(self) -> None:
        try:
            with self._transaction() as conn:
                deliveries.keep_lease(conn, self._worker, until=self._app.clock.now() + LEASE)
        except Exception as error:  # whatever it is, the thread must live: senders wait for it
            log.error("lease_not_renewed", reason=one_line(error))
