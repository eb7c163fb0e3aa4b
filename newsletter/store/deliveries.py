"""The ledger: one row per person of a mailing, and every transition a row can make. Nothing else writes these rows.

    pending ──claim──▶ claimed ──intent──▶ intent ──▶ sent | failed | deferred | unknown
       ▲                  │ release, dead lease      (deferred is claimed again when due)
       └──────────────────┘

What comes back from dead senders, or is tried again, is in recovering.py, who waits for a turn in aside.py. Every write after
the claim repeats the claim's epoch, so a sender that lost its lease changes nothing. `intent` is committed before the final
dot or the HTTP request; a row found in `intent` without a living sender is `unknown`, never sent again blindly. A mailing is
finished only when its sum closes: frozen = sent + failed + skipped + unknown.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

import subscribers
from newsletter.errors import NewsletterError, NotAllowed
from newsletter.model import (
    Counts,
    DeliveryState,
    IssueState,
    MailingId,
    MailingState,
    PersonId,
)
from newsletter.store import changes, receipts, statements
from newsletter.store.engine import Connection, moment, read_moment
from newsletter.store.schema.delivering import deliveries, mailings
from newsletter.store.schema.publishing import issues
from newsletter.store.statements import is_state

DUE = (DeliveryState.PENDING, DeliveryState.DEFERRED)
UNSURE = (DeliveryState.UNKNOWN, DeliveryState.DEFERRED, DeliveryState.PENDING)  # what proof may still settle
WAITS = deliveries.c.next_at.is_not(None)  # pending or deferred: the index of what is due
SUSPECT = deliveries.c.deaths > sa.literal_column("0")  # as the index has it: a bound 0 would not find it on SQLite


class LedgerBroken(NewsletterError):
    """The closed sum does not close. Never seen; checked all the same, before a mailing is called finished."""


class Claim(NamedTuple):
    """A row that one sender holds. `epoch` goes into every later write about it."""

    person_id: PersonId
    epoch: int
    tries: int
    language: str | None
    mail_group: str | None
    frozen_at: datetime
    refused_at: datetime | None = None  # since when it is refused for now


class Result(NamedTuple):
    """What became of a claimed row. `next_at` only for deferred; `reason` for failed, skipped, unknown."""

    person_id: PersonId
    epoch: int
    state: DeliveryState
    reply: str | None = None
    reply_kind: str | None = None
    provider_id: str | None = None
    reason: str | None = None
    next_at: datetime | None = None


# ---------------------------------------------------------------- freezing


def freeze(conn: Connection, mailing_id: MailingId, audience: sa.Select[Any], *, now: datetime) -> int:
    """Make the deliveries of a mailing, once. `audience` selects person_id, language, mail_group (subscribers.audience).

    Returns how many. Raises NotAllowed when the mailing was frozen before.
    """
    _start(conn, mailing_id, now=now)
    people = audience.subquery("audience")
    constant = {
        "mailing_id": mailing_id,
        "state": DeliveryState.PENDING.value,
        "epoch": 0,
        "tries": 0,
        "next_at": now,
        "frozen_at": now,
        "changed_at": now,
    }
    columns = [sa.literal(value, deliveries.c[name].type).label(name) for name, value in constant.items()]
    select = sa.select(people.c.person_id, people.c.language, people.c.mail_group, *columns)
    names = ["person_id", "language", "mail_group", *constant]
    statement = sa.insert(deliveries).from_select(names, select, include_defaults=False)
    frozen = conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    conn.execute(sa.update(mailings).where(mailings.c.id == mailing_id).values(frozen=frozen))
    return frozen


def freeze_for(
    conn: Connection,
    mailing_id: MailingId,
    person_id: PersonId,
    *,
    language: str,
    mail_group: str | None = None,
    now: datetime,
) -> None:
    """The same for a letter or a test: one person."""
    _start(conn, mailing_id, now=now)
    conn.execute(
        sa.insert(deliveries).values(
            mailing_id=mailing_id,
            person_id=person_id,
            state=DeliveryState.PENDING,
            language=language,
            mail_group=mail_group,
            next_at=now,
            frozen_at=now,
            changed_at=now,
        )
    )
    conn.execute(sa.update(mailings).where(mailings.c.id == mailing_id).values(frozen=1))


def _start(conn: Connection, mailing_id: MailingId, *, now: datetime) -> None:
    started = conn.execute(
        sa.update(mailings)
        .where(mailings.c.id == mailing_id, mailings.c.state == MailingState.COMPOSED)
        .values(state=MailingState.SENDING, started_at=now)
    )
    if started.rowcount != 1:
        raise NotAllowed("the recipients of this mailing were frozen before", where=mailing_id)


# ---------------------------------------------------------------- sending


def due(conn: Connection, *, now: datetime, most: int) -> int:
    """How many rows of mailings under way could be claimed now, counted to `most`."""
    query: sa.Select[Any] = (
        sa.select(sa.literal_column("1", sa.Integer))
        .select_from(deliveries.join(mailings, mailings.c.id == deliveries.c.mailing_id))
        .where(mailings.c.state == MailingState.SENDING, is_state(*DUE), deliveries.c.next_at <= now)
        .limit(most)
    )
    return conn.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar() or 0


def claim(
    conn: Connection,
    mailing_id: MailingId,
    *,
    worker: str,
    now: datetime,
    lease: timedelta,
    limit: int = 500,
    deaths: int = 0,
) -> list[Claim]:
    """Take up to `limit` due rows that so many senders died holding. Empty means "ask again", never "finished".

    The state is tested again in the outer WHERE: without it Postgres hands most rows out twice (measured: 4,500 of 5,000).
    """
    rows = statements.CLAIM.run(
        conn, mailing=mailing_id, worker=worker, now=moment(conn, now), most=limit, deaths=deaths
    )
    if rows:
        keep_lease(conn, worker, until=now + lease)
    frozen_at = cache(read_moment)  # one moment for all of them
    return [
        Claim(person, epoch, tries, language, group, frozen_at(at), None if refused is None else read_moment(refused))
        for person, epoch, tries, language, group, at, refused in rows
    ]


def intend(
    conn: Connection, mailing_id: MailingId, wanted: Iterable[tuple[PersonId, int]], *, now: datetime
) -> set[PersonId]:
    """Write the intent to send, before the final dot. `wanted` are (person, epoch); returns those that may go.

    A row is refused when its claim was lost meanwhile, or the mailing is not being sent any more (paused, cancelled).
    """
    may_go: set[PersonId] = set()
    for epoch, people in _by_epoch(wanted).items():
        rows = statements.INTEND.run(
            conn, mailing=mailing_id, people=subscribers.listed(conn, people), epoch=epoch, now=moment(conn, now)
        )
        may_go.update(person for (person,) in rows)
    return may_go


def settle(conn: Connection, mailing_id: MailingId, results: Sequence[Result], *, now: datetime) -> None:
    """Write what became of claimed rows. Rows whose epoch is no longer theirs stay as they are.

    What has been proved to have arrived is sent, whatever its sender heard.
    """
    by_state: dict[DeliveryState, list[Result]] = defaultdict(list)
    for result in results:
        by_state[result.state].append(result)
    for state, group in by_state.items():
        written = statements.settle(
            conn,
            state,
            [
                (
                    result.person_id,
                    result.epoch,
                    result.reply,
                    result.reply_kind,
                    result.provider_id,
                    result.reason,
                    moment(conn, result.next_at) if result.next_at is not None else None,
                )
                for result in group
            ],
            mailing=mailing_id,
            now=moment(conn, now),
        )
        if state is DeliveryState.SENT and written < len(group):
            _settle_late(conn, mailing_id, group, now=now)
        elif state in UNSURE:
            _heed_evidence(conn, mailing_id, [result.person_id for result in group], now=now)


def _settle_late(conn: Connection, mailing_id: MailingId, sent: Iterable[Result], *, now: datetime) -> None:
    """A row that was unknown and waits to be sent again, and now its first sender says that it was taken: no double."""
    for result in sent:
        conn.execute(
            sa.update(deliveries)
            .where(
                deliveries.c.mailing_id == mailing_id,
                deliveries.c.person_id == result.person_id,
                deliveries.c.epoch == result.epoch,  # the last to be claimed, and whoever has a reply had an intent
                is_state(DeliveryState.PENDING),
            )
            .values(state=DeliveryState.SENT, next_at=None, reply=result.reply, reason=None, changed_at=now)
        )


def _heed_evidence(conn: Connection, mailing_id: MailingId, people: Sequence[PersonId], *, now: datetime) -> None:
    """Proof came while the message was in flight: neither unknown nor to be sent again."""
    conn.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.mailing_id == mailing_id,
            deliveries.c.person_id.in_(people),
            deliveries.c.evidence.is_not(None),
            is_state(*UNSURE),
        )
        .values(
            state=DeliveryState.SENT,
            next_at=None,
            reason=sa.literal("settled by ") + deliveries.c.evidence,
            changed_at=now,
        )
    )


def release(conn: Connection, mailing_id: MailingId, held: Iterable[tuple[PersonId, int]], *, now: datetime) -> None:
    """Give claimed rows back untouched: nothing of them was sent. `held` are (person, epoch)."""
    for epoch, people in _by_epoch(held).items():
        these = (deliveries.c.mailing_id == mailing_id, deliveries.c.person_id.in_(people), deliveries.c.epoch == epoch)
        _give_back(conn, *these, now=now)


def release_all(conn: Connection, mailing_id: MailingId, worker: str, *, now: datetime) -> int:
    """The same for everything of a mailing that this sender still holds untouched. Reads the whole mailing."""
    return _give_back(conn, deliveries.c.mailing_id == mailing_id, deliveries.c.worker == worker, now=now)


def _give_back(conn: Connection, *which: sa.ColumnElement[bool], now: datetime) -> int:
    statement = (
        sa.update(deliveries)
        .where(*which, is_state(DeliveryState.CLAIMED))
        .values(
            state=DeliveryState.PENDING,
            worker=None,
            next_at=now,
            tries=deliveries.c.tries - 1,  # what was not tried does not count
            changed_at=now,
        )
    )
    return conn.execute(statement).rowcount


def holds(conn: Connection, mailing_id: MailingId, worker: str) -> bool:
    """Whether this sender holds any row of a mailing. Reads the whole mailing."""
    query = sa.select(deliveries.c.person_id).where(
        deliveries.c.mailing_id == mailing_id,
        deliveries.c.worker == worker,
        is_state(DeliveryState.CLAIMED, DeliveryState.INTENT),
    )
    return conn.execute(query.limit(1)).first() is not None


def any_waiting(conn: Connection, mailing_id: MailingId) -> bool:
    """Whether rows are pending or deferred, due or not."""
    query = sa.select(deliveries.c.person_id).where(deliveries.c.mailing_id == mailing_id, WAITS)
    return conn.execute(query.limit(1)).first() is not None


def keep_lease(conn: Connection, worker: str, *, until: datetime) -> None:
    """This sender lives and keeps what it holds. Each claim says so: rows are never held by somebody unknown."""
    statements.WORK.run(conn, worker=worker, until=moment(conn, until))


# ---------------------------------------------------------------- stopping and finishing


def pause(conn: Connection, mailing_id: MailingId) -> None:
    """Nothing more is claimed; what is in flight finishes."""
    _set_mailing(conn, mailing_id, MailingState.SENDING, MailingState.PAUSED, IssueState.PAUSED)


def resume(conn: Connection, mailing_id: MailingId) -> None:
    """By a person, who has seen why it paused: what senders died holding is as good as any other again."""
    conn.execute(
        sa.update(deliveries)
        .where(deliveries.c.mailing_id == mailing_id, deliveries.c.state.in_(DUE), SUSPECT)
        .values(deaths=0)
    )
    _set_mailing(conn, mailing_id, MailingState.PAUSED, MailingState.SENDING, IssueState.SENDING)


def cancel(conn: Connection, mailing_id: MailingId, *, now: datetime) -> int:
    """Everyone not yet tried is skipped; what is in flight finishes. Returns how many were skipped."""
    locked(conn, mailing_id)
    stopped = conn.execute(
        sa.update(mailings)
        .where(mailings.c.id == mailing_id, mailings.c.state.in_((MailingState.SENDING, MailingState.PAUSED)))
        .values(state=MailingState.CANCELLED, finished_at=now)
    )
    if stopped.rowcount != 1:
        raise NotAllowed("only a mailing that is being sent can be cancelled", where=mailing_id)
    conn.execute(
        sa.update(issues)
        .where(issues.c.mailing_id == mailing_id)
        .values(state=IssueState.CANCELLED, reason="cancelled while sending", finished_at=now)
    )
    changes.note_of(conn, mailing_id, IssueState.CANCELLED)
    return skip_cancelled(conn, mailing_id, now=now)


def skip_cancelled(conn: Connection, mailing_id: MailingId, *, now: datetime) -> int:
    """Rows of a cancelled mailing that nobody holds: also those a sender gave back after the cancellation."""
    return conn.execute(
        sa.update(deliveries)
        .where(deliveries.c.mailing_id == mailing_id, WAITS, is_state(*DUE))
        .values(state=DeliveryState.SKIPPED, next_at=None, reason="cancelled", changed_at=now)
    ).rowcount


def finish(conn: Connection, mailing_id: MailingId, *, now: datetime) -> Counts | None:
    """Close the mailing, and its issue, when nothing is open. None while something is.

    Raises LedgerBroken when the rows do not add up to the number frozen.
    """
    locked(conn, mailing_id)
    counts = receipts.count(conn, mailing_id)
    if counts.open:
        return None
    if not counts.balanced:
        raise LedgerBroken(f"the ledger does not close: {counts}", where=mailing_id)
    closed = conn.execute(
        sa.update(mailings)
        .where(mailings.c.id == mailing_id, mailings.c.state == MailingState.SENDING)
        .values(state=MailingState.SENT, finished_at=now)
    )
    if not closed.rowcount:
        return None
    ended = conn.execute(
        sa.update(issues)
        .where(issues.c.mailing_id == mailing_id, issues.c.state == IssueState.SENDING)
        .values(state=IssueState.SENT, finished_at=now)
    )
    if ended.rowcount:
        changes.note_of(conn, mailing_id, IssueState.SENT)
    return counts


def _set_mailing(
    conn: Connection, mailing_id: MailingId, before: MailingState, after: MailingState, issue_state: IssueState
) -> None:
    changed = conn.execute(
        sa.update(mailings).where(mailings.c.id == mailing_id, mailings.c.state == before).values(state=after)
    )
    if changed.rowcount != 1:
        raise NotAllowed(f"the mailing is not {before}", where=mailing_id)
    why = {"reason": None} if after is MailingState.SENDING else {}  # a person has seen why it was paused
    conn.execute(sa.update(issues).where(issues.c.mailing_id == mailing_id).values(state=issue_state, **why))
    changes.note_of(conn, mailing_id, issue_state)


def locked(conn: Connection, mailing_id: MailingId) -> str | None:
    """The mailing's state, held until the transaction ends: closing, cancelling and sending again take turns."""
    query = sa.select(mailings.c.state).where(mailings.c.id == mailing_id).with_for_update()
    state: str | None = conn.execute(query).scalar()
    return state


def _by_epoch(pairs: Iterable[tuple[PersonId, int]]) -> dict[int, list[PersonId]]:
    groups: dict[int, list[PersonId]] = defaultdict(list)
    for person_id, epoch in pairs:
        groups[epoch].append(person_id)
    return groups
