"""Webhooks of others that we call: who wants to know what, what happened, and one row for each call there is to make."""

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.errors import BadInput
from newsletter.model import new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.machines import webhook_calls, webhook_events, webhooks

WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"  # the states of a call
EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    id: str
    url: str
    secret: str = field(repr=False)  # whsec_…
    events: tuple[str, ...]  # types, or EVERYTHING
    addresses: bool  # told in the clear
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    reason: str | None

    def wants(self, event_type: str) -> bool:
        return EVERYTHING in self.events or event_type in self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a person or an issue, named by its id."""

    id: str
    type: str  # subscriber.confirmed, issue.sent, …
    at: datetime
    subject_id: str
    list_slug: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One event on its way to one webhook."""

    webhook_id: str
    event: Event
    state: str
    tries: int
    next_at: datetime
    changed_at: datetime
    status: int | None
    reason: str | None


# ---------------------------------------------------------------- who wants to know


def add(conn: Connection, url: str, events: Sequence[str], *, addresses: bool, now: datetime) -> Webhook:
    webhook = Webhook(
        id=new_id(),
        url=url,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        events=tuple(dict.fromkeys(events)),
        addresses=addresses,
        created_at=now,
        failing_since=None,
        disabled_at=None,
        reason=None,
    )
    values = {column.name: getattr(webhook, column.name) for column in webhooks.columns}
    conn.execute(sa.insert(webhooks).values({**values, "events": list(webhook.events)}))
    return webhook


def listed(conn: Connection, *, active_only: bool = False) -> list[Webhook]:
    query = sa.select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)
    if active_only:
        query = query.where(webhooks.c.disabled_at.is_(None))
    return [_webhook(row) for row in conn.execute(query).mappings()]


def get(conn: Connection, webhook_id: str) -> Webhook:
    """Raises BadInput when there is none."""
    row = conn.execute(sa.select(webhooks).where(webhooks.c.id == webhook_id)).mappings().first()
    if row is None:
        raise BadInput("there is no such webhook", where=webhook_id, hint="`newsletter webhook list` shows them")
    return _webhook(row)


def remove(conn: Connection, webhook_id: str) -> None:
    """With all there was to tell it. Raises BadInput when there is none."""
    get(conn, webhook_id)
    conn.execute(sa.delete(webhook_calls).where(webhook_calls.c.webhook_id == webhook_id))
    conn.execute(sa.delete(webhooks).where(webhooks.c.id == webhook_id))


def disable(conn: Connection, webhook_id: str, *, reason: str, now: datetime) -> bool:
    """Nothing more is sent there until a person enables it. False when it was disabled before."""
    active = sa.update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.disabled_at.is_(None))
    return conn.execute(active.values(disabled_at=now, reason=reason)).rowcount == 1


def enable(conn: Connection, webhook_id: str, *, now: datetime) -> None:
    """From now on it is told again; what waited for it goes at once. Raises BadInput when there is none."""
    get(conn, webhook_id)
    values = {"disabled_at": None, "failing_since": None, "reason": None}
    conn.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(values))
    mine = sa.and_(webhook_calls.c.webhook_id == webhook_id, webhook_calls.c.state == WAITING)
    conn.execute(sa.update(webhook_calls).where(mine).values(next_at=now, tries=0))


def _webhook(row: Mapping[Any, Any]) -> Webhook:
    return Webhook(**{**row, "events": tuple(row["events"])})


# ---------------------------------------------------------------- what there is to tell


def tell(conn: Connection, event: Event, to: Collection[str], *, now: datetime) -> None:
    """Write an event and one call for each of these webhooks. The same event again changes nothing."""
    values = {column.name: getattr(event, column.name) for column in webhook_events.columns}
    conn.execute(insert(conn, webhook_events).values(values).on_conflict_do_nothing(index_elements=["id"]))
    for webhook_id in to:
        call = {"webhook_id": webhook_id, "event_id": event.id, "state": WAITING, "tries": 0}
        made = insert(conn, webhook_calls).values({**call, "next_at": now, "changed_at": now})
        conn.execute(made.on_conflict_do_nothing(index_elements=["webhook_id", "event_id"]))


def due(conn: Connection, webhook_id: str, *, now: datetime, limit: int) -> list[Call]:
    """What is to be told one webhook now, the oldest event first."""
    mine = (webhook_calls.c.webhook_id == webhook_id, webhook_calls.c.state == WAITING, webhook_calls.c.next_at <= now)
    return [_call(row) for row in conn.execute(_calls().where(*mine).order_by(webhook_events.c.id).limit(limit))]


def claim(conn: Connection, call: Call, *, until: datetime, now: datetime) -> bool:
    """Take a call for one try; nobody else makes it before `until`. False when somebody was first."""
    mine = _row_of(call) & (webhook_calls.c.state == WAITING) & (webhook_calls.c.tries == call.tries)
    values = {"tries": call.tries + 1, "next_at": until, "changed_at": now}
    return conn.execute(sa.update(webhook_calls).where(mine).values(values)).rowcount == 1


def delivered(conn: Connection, call: Call, *, status: int, now: datetime) -> None:
    """It was taken: the webhook is well."""
    values = {"state": DELIVERED, "status": status, "reason": None, "changed_at": now}
    conn.execute(sa.update(webhook_calls).where(_row_of(call)).values(values))
    ill = sa.and_(webhooks.c.id == call.webhook_id, webhooks.c.failing_since.is_not(None))
    conn.execute(sa.update(webhooks).where(ill).values(failing_since=None))


def refused(
    conn: Connection, call: Call, *, status: int | None, reason: str, again_at: datetime | None, now: datetime
) -> datetime:
    """It was not taken; `again_at` None: given up. Returns since when the webhook has been failing."""
    values = {"status": status, "reason": reason[:300], "changed_at": now}
    values |= {"next_at": again_at} if again_at is not None else {"state": FAILED}
    conn.execute(sa.update(webhook_calls).where(_row_of(call)).values(values))
    well = sa.and_(webhooks.c.id == call.webhook_id, webhooks.c.failing_since.is_(None))
    conn.execute(sa.update(webhooks).where(well).values(failing_since=now))
    query = sa.select(webhooks.c.failing_since).where(webhooks.c.id == call.webhook_id)
    since: datetime | None = conn.execute(query).scalar()
    return since or now


def calls_of(conn: Connection, webhook_id: str, *, limit: int) -> list[Call]:
    """The latest events first."""
    query = _calls().where(webhook_calls.c.webhook_id == webhook_id).order_by(webhook_events.c.id.desc()).limit(limit)
    return [_call(row) for row in conn.execute(query)]


def counts(conn: Connection, webhook_id: str) -> Mapping[str, int]:
    """Calls of a webhook in each state."""
    query = sa.select(webhook_calls.c.state, sa.func.count()).where(webhook_calls.c.webhook_id == webhook_id)
    found = {state: number for state, number in conn.execute(query.group_by(webhook_calls.c.state))}  # noqa: C416
    return {state: found.get(state, 0) for state in (WAITING, DELIVERED, FAILED)}


def forget(conn: Connection, *, before: datetime) -> None:
    """Events older than that, with their calls; those still waiting for a webhook that is enabled stay."""
    waits = sa.exists().where(
        webhook_calls.c.event_id == webhook_events.c.id,
        webhook_calls.c.state == WAITING,
        webhooks.c.id == webhook_calls.c.webhook_id,
        webhooks.c.disabled_at.is_(None),
    )
    old = sa.select(webhook_events.c.id).where(webhook_events.c.at < before, ~waits)
    conn.execute(sa.delete(webhook_calls).where(webhook_calls.c.event_id.in_(old)))
    left = sa.exists().where(webhook_calls.c.event_id == webhook_events.c.id)
    conn.execute(sa.delete(webhook_events).where(webhook_events.c.at < before, ~left))


def _row_of(call: Call) -> sa.ColumnElement[bool]:
    return sa.and_(webhook_calls.c.webhook_id == call.webhook_id, webhook_calls.c.event_id == call.event.id)


def _calls() -> sa.Select[Any]:
    return sa.select(webhook_calls, webhook_events).join(
        webhook_events, webhook_events.c.id == webhook_calls.c.event_id
    )


def _call(row: Any) -> Call:
    names = ("webhook_id", "state", "tries", "next_at", "changed_at", "status", "reason")
    event = Event(**{column.name: row._mapping[column] for column in webhook_events.columns})
    return Call(event=event, **{name: row._mapping[webhook_calls.c[name]] for name in names})
