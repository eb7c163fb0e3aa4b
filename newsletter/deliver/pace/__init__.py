"""Pace: how much leaves in which time, together with all other senders of the database. docs/pace.md.

    settings, brakes ─▶ Rules ─▶ Pacer: what a claim may take, what is put aside
                                  Keeper: this process's tokens, shared through the database (sharing.py)
                                  Lanes: what waits, a message and its grant at a time (tokens.py)
    domains sent from ─▶ Plans: what each may send today (plan.py)
    answers ─▶ Ears ─▶ brake.py (slower), plan.py (stopped)

Limits of all messages bound what is claimed; what exceeds a mail group's own limit is put aside: pending again, with the
moment its turn comes and the reason. So nothing that waits for pace has an intent or holds a connection, and where nothing
is limited there is no Pacer at all. A letter goes first, and is not held by a stop or a plan: a person waits for it.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType

import subscribers
from newsletter.app import App
from newsletter.deliver.pace import brake
from newsletter.deliver.pace.ears import Ears as Ears
from newsletter.deliver.pace.keeper import Keeper
from newsletter.deliver.pace.lanes import Lanes
from newsletter.deliver.pace.plans import Plans
from newsletter.deliver.pace.rules import ALL, Count, Quota, Rules
from newsletter.deliver.pace.tokens import SECOND
from newsletter.model import MailingId, PersonId
from newsletter.store import Connection, aside, mailings
from newsletter.store import pace as rows
from newsletter.store.deliveries import Claim
from newsletter.store.pace import Group

AHEAD = 2.0  # seconds' worth of messages that wait with us: a claim that takes as long leaves no gap
HOPE = 10.0  # seconds a run waits for tokens while it has none: longer than a dead process keeps them
PATIENCE = 60.0  # seconds a run waits for tokens when nothing else is to be done
KEPT = timedelta(days=2)  # counts of slices

PACED = "waits for its turn: mail to this receiver is paced"
STOPPED = "waits: this receiver blocks our mail, so nothing is sent there for now"
USED_UP = "waits: what this receiver may get in this time is used up"


def rules_of(app: App) -> Rules:
    return Rules(app.settings.pace, lambda domain: subscribers.mail_group(domain, app.suppression_key))


def limited(app: App) -> bool:
    """Whether anything is limited now: by the settings, or because a receiver asked for it."""
    now = app.clock.now()
    if app.settings.pace.warmup.on or rules_of(app).any:
        return True
    with app.db.read() as conn:
        groups = rows.groups(conn).values()
    return any(group.is_stopped(now) or brake.rate_of(group, now) for group in groups)


def opened(app: App, worker: str) -> "Pacer | None":
    """A Pacer when anything is limited now; else what an earlier limit put aside becomes due."""
    if limited(app):
        return Pacer(app, worker, rules_of(app))
    now = app.clock.now()
    with app.db.read() as conn:
        waiting = [one for one in mailings.sending(conn) if aside.any_waits(conn, one, now=now)]
    for mailing_id in waiting:
        with app.db.begin() as conn:
            aside.bring_forward(conn, mailing_id, None, now=now)
    return None


def resume(app: App, conn: Connection, group: str, running: Sequence[MailingId], now: datetime) -> bool:
    """A person lets a stopped group go on: its people are due now. False when it was not stopped."""
    known = rows.groups(conn).get(group)
    if known is None or not known.is_stopped(now):
        return False
    rows.save_group(conn, replace(known, stopped_until=None, resumed_at=now))
    for mailing_id in running:
        aside.bring_forward(conn, mailing_id, group, now=now)
    return True


class Pacer:
    """The pace of one run. A context manager; `lanes` takes the place of the crew's queue. Main thread only, but for those."""

    def __init__(self, app: App, worker: str, rules: Rules, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.lanes = Lanes(clock)
        self.keeper = Keeper(app.db, worker, self.lanes, wall=app.clock.now, clock=clock)
        self._app, self._rules, self._clock = app, rules, clock
        self._groups: dict[str, Group] = {}
        self._set: dict[str, tuple[Quota, ...]] = {}  # quotas as the keeper was last asked for
        self._aside: dict[str, datetime] = {}  # until when a group's turns are given out
        self._aside_ends: dict[str, int] = {}  # the same by the monotonic clock
        self._plans = Plans(app)
        self._counts = rules.counted or self._plans.on
        self._spaced: dict[str, float] = {}  # messages a second of groups with limits of their own
        self._pulled = self._hopeless = 0

    def __enter__(self) -> "Pacer":
        now = self._app.clock.now()
        with self._app.db.begin() as conn:
            rows.forget(conn, before=now - KEPT)
            running = mailings.sending(conn)
        self.look()
        for group in [name for name in self._groups if not self._is_bound(name, now)]:
            with self._app.db.begin() as conn:
                for mailing_id in running:
                    aside.bring_forward(conn, mailing_id, group, now=now)
        self.keeper.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.keeper.__exit__(kind, error, at)

    def look(self) -> None:
        """Read which groups are slowed or stopped now, by whatever process."""
        with self._app.db.read() as conn:
            self._groups = rows.groups(conn)
        for group in (ALL, *self._groups):
            self._ensure(group)

    def _is_bound(self, group: str, now: datetime) -> bool:
        return self._groups[group].is_stopped(now) or group in self._spaced or bool(self._rules.counts(group))

    # ------------------------------------------------------------ claiming

    def room(self, conn: Connection, mailing_id: MailingId, most: int, *, now: datetime) -> int:
        """How many of `most` rows of a mailing may be claimed now: what hours, days and its domain's plan leave.

        In the transaction of the claim, which then calls `admit`."""
        if self._counts:
            rows.take_turns(conn)
        left = [most, *(_left(conn, limit, now) for limit in self._rules.counts(ALL))]
        planned = self._plans.left(conn, mailing_id, now)
        left += [] if planned is None else [planned]
        return max(0, min(left))

    def ahead(self, most: int) -> int:
        """Room in the lanes for people of issues; nothing while it is too little to be worth a claim."""
        rates = [quota.rate for quota in self._rules.quotas(ALL)]
        if not rates:
            return most
        whole = max(1, math.ceil(min(rates) * AHEAD))
        room = whole - self.lanes.waiting
        return room if room >= min(most, math.ceil(whole / 4)) else 0

    def admit(
        self, conn: Connection, mailing_id: MailingId, claims: Sequence[Claim], *, letter: bool, now: datetime
    ) -> list[Claim]:
        """Those of the claimed rows that may wait in the lanes; the others are put aside. In the claim's transaction."""
        by_group: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            by_group[claim.mail_group or ""].append(claim)
        kept: list[Claim] = []
        for group, found in by_group.items():
            kept += self._admitted(conn, mailing_id, group, found, letter=letter, now=now)
        self._counted(conn, ALL, len(kept), now)
        self._plans.count(conn, mailing_id, len(kept), now)
        order = {claim.person_id: at for at, claim in enumerate(claims)}
        return sorted(kept, key=lambda claim: order[claim.person_id])

    def _admitted(
        self, conn: Connection, mailing_id: MailingId, group: str, found: list[Claim], *, letter: bool, now: datetime
    ) -> list[Claim]:
        state = self._groups.get(group)
        if state is not None and state.is_stopped(now) and not letter and state.stopped_until is not None:
            _put_aside(conn, mailing_id, found, [state.stopped_until] * len(found), STOPPED, now)
            return []
        for limit in self._rules.counts(group):
            left = _left(conn, limit, now)
            if left < len(found):
                over, found = found[left:], found[:left]
                first = _free_again(conn, limit, now)
                _put_aside(conn, mailing_id, over, self._turns(group, limit.rate, len(over), first), USED_UP, now)
        self._ensure(group)
        rate = self._spaced.get(group)
        if rate is not None and not letter:
            room = max(1, math.ceil(rate * AHEAD)) - self.lanes.length(group)
            if room < len(found):
                over, found = found[max(0, room) :], found[: max(0, room)]
                first = now + timedelta(seconds=AHEAD)
                _put_aside(conn, mailing_id, over, self._turns(group, rate, len(over), first), PACED, now)
        self._counted(conn, group, len(found), now)
        return found

    def _turns(self, group: str, rate: float, count: int, first: datetime) -> list[datetime]:
        """The moments at which so many more of a group will have their turn; the next ones come behind them."""
        step = timedelta(seconds=1 / rate)
        start = max(self._aside.get(group, first), first)
        turns = [start + step * number for number in range(count)]
        self._aside[group] = turns[-1] + step
        if 1 / rate <= PATIENCE:
            ahead = (self._aside[group] - self._app.clock.now()).total_seconds()
            self._aside_ends[group] = self._clock() + int(ahead * SECOND)
        return turns

    def _counted(self, conn: Connection, group: str, number: int, now: datetime) -> None:
        for limit in self._rules.counts(group):
            rows.count(conn, limit.series, limit.slice_of(now), number)

    def not_sent(self, mailing_id: MailingId, claims: Sequence[Claim], now: datetime) -> None:
        """Claimed and counted, but nobody to mail: their places are free again."""
        if not claims:
            return
        groups: dict[str, int] = defaultdict(int)
        for claim in claims:
            groups[claim.mail_group or ""] += 1
        groups[ALL] = len(claims)
        with self._app.db.begin() as conn:
            for group, number in groups.items():
                self._counted(conn, group, -number, now)
            self._plans.count(conn, mailing_id, -len(claims), now)

    def _ensure(self, group: str) -> None:
        """Have the keeper hold tokens for a group, as its limits and its brake say now."""
        now = self._app.clock.now()
        quotas = list(self._rules.quotas(group))
        state = self._groups.get(group)
        rate = brake.rate_of(state, now) if state is not None and group != ALL else None
        if rate is not None:
            tokens, span = brake.quota_of(rate)
            quotas.append(Quota(bucket=f"{group}/slowed", tokens=tokens, span=span))
        if not quotas and not self._set.get(group):
            return
        if self._set.get(group) == tuple(quotas) and self.keeper.keeps(quotas):
            return
        self._set[group] = tuple(quotas)
        if quotas:
            self._spaced[group] = min(quota.rate for quota in quotas)
        else:
            self._spaced.pop(group, None)
        self.keeper.ask(None if group == ALL else group, quotas)

    # ------------------------------------------------------------ waiting

    def worth_waiting(self) -> bool:
        """Whether a message will go, or a turn will come, within a minute."""
        now = self._clock()
        soonest = self.lanes.soonest()
        if soonest is not None and soonest - now < PATIENCE * SECOND:
            return True
        if soonest is not None or not self.lanes.waiting:
            self._hopeless = 0
        elif not self._hopeless:
            self._hopeless = now
        if self._hopeless and now - self._hopeless < HOPE * SECOND:
            return True  # no beat has brought tokens yet; or a process died holding them all
        return any(ends > now for ends in self._aside_ends.values())

    def pull(self, running: Sequence[MailingId], now: datetime) -> None:
        """Groups whose lane is dry although tokens are ready: the rate grew since their people were put aside."""
        if self._clock() - self._pulled < SECOND:
            return
        self._pulled = self._clock()
        dry = [
            group
            for group, ends in self._aside_ends.items()
            if ends > self._pulled and not self.lanes.length(group) and self.keeper.spare(self._set.get(group, ()))
        ]
        for group in dry:
            rate = self._spaced.get(group)
            with self._app.db.begin() as conn:
                for mailing_id in running:
                    limit = None if rate is None else max(1, math.ceil(rate * AHEAD))
                    aside.bring_forward(conn, mailing_id, group, now=now, limit=limit)


def _left(conn: Connection, limit: Count, now: datetime) -> int:
    return max(0, limit.most - rows.counted(conn, limit.series, since=limit.since(now)))


def _free_again(conn: Connection, limit: Count, now: datetime) -> datetime:
    counted = rows.slices(conn, limit.series, since=limit.since(now))
    return limit.free_again(counted[0][0] if counted else limit.slice_of(now))


def _put_aside(
    conn: Connection,
    mailing_id: MailingId,
    claims: Sequence[Claim],
    turns: Sequence[datetime],
    reason: str,
    now: datetime,
) -> None:
    held: list[tuple[PersonId, int, datetime]] = [
        (claim.person_id, claim.epoch, turn) for claim, turn in zip(claims, turns, strict=True)
    ]
    aside.put(conn, mailing_id, held, reason=reason, now=now)
