"""Keeps this process's share of every quota it sends under: a beat with the database twice a second, and at once when new
mail waits. Between two beats senders take tokens from memory, so no message waits for the database.

What is assumed of time: monotonic clocks run at the same speed, and nothing else. A share is believed dead when its row did
not change for its lease and one rest by the clock of whoever looks; the wall clock only shortens that for rows of long ago.
A process whose beats fail stops granting before others may take its tokens.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType

from newsletter.deliver.pace.lanes import Lanes
from newsletter.deliver.pace.rules import Quota
from newsletter.deliver.pace.sharing import divide
from newsletter.deliver.pace.tokens import SECOND, Ring
from newsletter.log import get_logger, one_line
from newsletter.store import Connection, Database, DatabaseUnavailable
from newsletter.store import pace as rows
from newsletter.store.pace import Share

log = get_logger("deliver")

BEAT = 0.5  # seconds
SOONEST = 0.02  # seconds between two beats, however much is asked
LEASE = 5.0  # seconds after a beat in which its tokens may be used
SKEW = timedelta(seconds=10)  # wall clocks are believed to agree within this, for rows of long ago only
FALLING = 0.9  # of what it wanted at the beat before, at least
IDLE_BEATS = 20  # without use; then a quota's row goes too (its tokens were owed to whoever wants them long before)


@dataclass(slots=True)
class _Held:
    """One quota this process sends under. `group` None: it is that of all messages."""

    quota: Quota
    group: str | None
    ring: Ring
    uses: int = 0
    looked: int = 0
    idle: int = 0
    wants: float = 0.0  # what it could use in a span; falls slowly, because a sender may pause for a commit


@dataclass(slots=True)
class _Seen:
    """Rows of others as first seen with this beat, by our own clock."""

    at: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def age(self, share: Share, now: int) -> float:
        """Seconds for which the row has not changed."""
        key = (share.bucket, share.worker)
        beat, since = self.at.get(key, (-1, now))
        if beat != share.beat:
            self.at[key] = (share.beat, now)
            return 0.0
        return (now - since) / SECOND


class Keeper:
    """Used as a context manager: leaving it hands the tokens back, those still resting with the time they need."""

    def __init__(
        self,
        db: Database,
        worker: str,
        lanes: Lanes,
        *,
        wall: Callable[[], datetime],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._db, self._worker, self._lanes, self._wall, self._clock = db, worker, lanes, wall, clock
        self._held: dict[str, _Held] = {}
        self._seen = _Seen()
        self._beats = 0
        self._due, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pace", daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._due.set()
        self._thread.join()
        try:
            self.leave()
        except DatabaseUnavailable as error:  # others wait for our lease to end
            log.warning("pace_not_left", reason=one_line(error))

    def ask(self, group: str | None, quotas: Sequence[Quota]) -> None:
        """From now on the messages of a group (None: all) go under these quotas, and no others."""
        with self._lanes.lock:
            wanted = {quota.bucket: quota for quota in quotas}
            for bucket in [name for name, held in self._held.items() if held.group == group and name not in wanted]:
                held = self._held[bucket]
                held.group, held.idle = "", IDLE_BEATS  # nobody asks for it any more: it is handed back when rested
            rings = []
            for bucket, quota in wanted.items():
                held = self._held.setdefault(
                    bucket, _Held(quota=quota, group=group, ring=Ring(quota.tokens, quota.span))
                )
                held.group, held.idle = group, 0
                if held.quota != quota:
                    held.quota = quota
                    held.ring.change(quota.tokens, quota.span)
                rings.append(held.ring)
            self._lanes.limit(group, rings)
        self._due.set()

    def keeps(self, quotas: Sequence[Quota]) -> bool:
        """Whether these are held as they are; they stay so for a while."""
        with self._lanes.lock:
            found = [self._held.get(quota.bucket) for quota in quotas]
            for held in found:
                if held is not None:
                    held.idle = 0
            return all(held is not None and held.quota == quota for held, quota in zip(found, quotas, strict=True))

    def spare(self, quotas: Sequence[Quota]) -> bool:
        """Whether each of these quotas has a token ready: then its lane is what lacks."""
        with self._lanes.lock:
            now = self._clock()
            found = [self._held.get(quota.bucket) for quota in quotas]
            return all(held is not None and held.ring.has(now) for held in found)

    # ------------------------------------------------------------ the beat

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.beat()
            except DatabaseUnavailable as error:
                log.warning("pace_beat_failed", reason=one_line(error))
            except Exception:  # a fault of ours: the lease ends by itself, and the sending with it
                log.exception("pace_broke")
            self._ended.wait(SOONEST)
            self._due.wait(BEAT)
            self._due.clear()

    def beat(self) -> None:
        """Say what is held and wanted, take and owe what is fair. One transaction, alone."""
        started = self._clock()
        with self._lanes.lock:
            asked = [(held, self._share(held, started)) for held in self._held.values()]
        if not asked:
            return
        self._beats += 1
        with self._db.begin() as conn:
            rows.take_turns(conn)
            decided = self._divide(conn, asked)
        with self._lanes.lock:
            now = self._clock()
            for held, take, owe in decided:
                held.ring.take(take, now)
                held.ring.owe(owe)
                held.ring.usable_until = started + int(LEASE * SECOND)
            self._lanes.look_again()

    def _share(self, held: _Held, now: int) -> Share:
        """Our row as it will be; tokens owed and rested are no longer ours from here on."""
        ring = held.ring
        ring.look(now)
        ring.give()
        waiting = self._lanes.length(held.group)
        used, passed = ring.uses - held.uses, max(1, now - held.looked)
        held.uses, held.looked = ring.uses, now
        held.idle = 0 if used or waiting else held.idle + 1
        if waiting and not ring.spare:
            held.wants = held.quota.tokens  # it could use more than it has
        else:
            held.wants = max(FALLING * held.wants, 1.25 * used * held.quota.span / passed)
        wants = 0 if held.idle else min(held.quota.tokens, math.ceil(held.wants) + 1)
        return Share(
            bucket=held.quota.bucket,
            worker=self._worker,
            tokens=ring.held,
            wants=wants,
            beat=self._beats + 1,
            holds=LEASE + held.quota.span / SECOND,
            beat_at=self._wall(),
        )

    def _divide(self, conn: Connection, asked: Sequence[tuple[_Held, Share]]) -> list[tuple[_Held, int, int]]:
        """(what, tokens to take, tokens to owe) of each, written."""
        there: dict[str, list[Share]] = {share.bucket: [] for _, share in asked}
        for share in rows.shares(conn, list(there)):
            if share.worker != self._worker:
                there[share.bucket].append(share)
        gone = [share for shares in there.values() for share in shares if self._is_gone(share)]
        gone_names = {(share.bucket, share.worker) for share in gone}
        decided, written = [], []
        for held, share in asked:
            if held.idle >= IDLE_BEATS:
                continue
            names = [other.worker for other in there[share.bucket] if (share.bucket, other.worker) in gone_names]
            take, owe = divide(
                held.quota.tokens,
                self._worker,
                held=share.tokens,
                wants=share.wants,
                others=there[share.bucket],
                gone=names,
            )
            decided.append((held, take, owe))
            written.append(replace(share, tokens=share.tokens + take))
        rows.drop_shares(conn, gone)
        rows.write_shares(conn, written)
        self._let_go(conn, [(held, share) for held, share in asked if held.idle >= IDLE_BEATS])
        return decided

    def _is_gone(self, share: Share) -> bool:
        rested = self._seen.age(share, self._clock()) >= share.holds
        return rested or share.beat_at + timedelta(seconds=share.holds) + SKEW < self._wall()

    def _let_go(self, conn: Connection, idle: Sequence[tuple[_Held, Share]]) -> None:
        """Hand idle quotas back: deleted when all tokens have rested, else with the time they still need."""
        for held, share in idle:
            with self._lanes.lock:
                now = self._clock()
                if held.idle < IDLE_BEATS:
                    continue  # asked for again meanwhile
                held.ring.usable_until = 0
                rests = (held.ring.rests_until(now) - now) / SECOND
                self._held.pop(held.quota.bucket, None)
            if rests > 0 and share.tokens:
                rows.write_shares(conn, [replace(share, wants=0, holds=rests)])
            else:
                rows.drop_own(conn, share.bucket, self._worker)

    def leave(self) -> None:
        """Hand everything back."""
        with self._lanes.lock:
            now = self._clock()
            asked = [(held, self._share(held, now)) for held in self._held.values()]
            for held, _ in asked:
                held.idle = IDLE_BEATS
        if asked:
            with self._db.begin() as conn:
                self._let_go(conn, asked)
