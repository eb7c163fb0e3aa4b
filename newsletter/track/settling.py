"""What came back becomes events, subscriptions that end, and addresses that nothing is sent to any more.

Each return is settled in one transaction, once, whatever process gets it; told twice it is one event, and the order of
arrival changes nothing: the verdict on an address is computed from all its events each time.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import EventType, MailingKind, PersonId
from newsletter.store import Connection, events, mailings, receipts, recovering, returns
from newsletter.store.returns import Return
from newsletter.track.judging import QUIET, judge
from subscribers import Engagement, SuppressionReason

log = get_logger("track")

BOUNCES = ("hard", "soft", "block")
BY_MAIL = ("pipe", "imap", "smtp", "lmtp")
_PLAIN = {kind.value: kind for kind in (EventType.DELIVERED, EventType.OPENED, EventType.CLICKED)}
_NO_EVIDENCE = ("left", "unread")  # all else proves that the message left us


def settle_refused(app: App, now: datetime) -> int:
    """Refusals at sending time that speak about the address."""
    with app.db.read() as conn:
        refused = receipts.refused_without_event(conn)
    for row in refused:
        mailing_id, person_id = row["mailing_id"], row["person_id"]
        with app.db.begin() as conn:
            detail = {"kind": row["reply_kind"], "reply": row["reply"]}
            key = f"refused:{mailing_id}:{person_id}"
            at = row["changed_at"]
            if events.record(conn, EventType.BOUNCED, mailing_id, person_id, at=at, dedupe_key=key, detail=detail):
                _weigh(app, conn, person_id, key, now)
    return len(refused)


def settle_returned(app: App, now: datetime) -> int:
    """Everything that intake left. Returns how many were settled."""
    with app.db.read() as conn:
        waiting = returns.waiting(conn)
    done = 0
    for return_id, one in waiting:
        if app.stopping.is_set():
            break
        with app.db.begin() as conn:
            if not returns.settled(conn, return_id, now=now):
                continue
            _settle(app, conn, one, now)
            done += 1
    return done


def _settle(app: App, conn: Connection, one: Return, now: datetime) -> None:
    if one.mailing_id is None or one.person_id is None:
        return  # nobody we know: the row itself is what is kept
    if one.proven and one.kind not in _NO_EVIDENCE:
        recovering.arrived(conn, one.mailing_id, one.person_id, evidence=f"a return ({one.kind})", now=now)
    handler = _HANDLERS.get(one.kind)
    if handler is not None:
        handler(app, conn, one, now)


def _record(conn: Connection, one: Return, event: EventType) -> str | None:
    """Write the event, one of a kind per mailing and person; its key when it is new."""
    assert one.mailing_id is not None
    assert one.person_id is not None
    key = f"{event}:{one.mailing_id}:{one.person_id}:{one.kind}"
    if event is EventType.BOUNCED and not one.proven:
        key += ":unproven"
    detail = {"kind": one.kind, "reason": one.reason, "status": one.status, "reply": one.said, "proven": one.proven}
    fresh = events.record(
        conn, event, one.mailing_id, one.person_id, at=one.at, dedupe_key=key, detail=detail | {"source": one.source}
    )
    return key if fresh else None


def _bounced(app: App, conn: Connection, one: Return, now: datetime) -> None:
    key = _record(conn, one, EventType.BOUNCED)
    if key is not None and one.person_id is not None:
        _weigh(app, conn, one.person_id, key, now)


def _arrived(app: App, conn: Connection, one: Return, now: datetime) -> None:
    key = _record(conn, one, _PLAIN[one.kind]) if one.proven else None
    if key is not None and one.person_id is not None:
        _engaged(conn, one)
        _weigh(app, conn, one.person_id, key, now)


def _engaged(conn: Connection, one: Return) -> None:
    """Segments know who reads: told once for each issue, as the event is."""
    if one.kind not in set(Engagement) or one.mailing_id is None or one.person_id is None:
        return
    mailing = mailings.find(conn, one.mailing_id)
    if mailing is None or mailing.list_slug is None or mailing.kind is not MailingKind.ISSUE:
        return
    sent_at = mailings.started_at(conn, one.mailing_id)
    with suppress(subscribers.UnknownList):
        subscribers.record_engagement(
            conn, mailing.list_slug, one.person_id, Engagement(one.kind), at=one.at, sent_at=sent_at
        )


def _complained(app: App, conn: Connection, one: Return, now: datetime) -> None:
    """A complaint ends everything at once, when a token or a provider proves it."""
    _record(conn, one, EventType.COMPLAINED)
    if one.proven and one.person_id is not None:
        _suppress(app, conn, one.person_id, SuppressionReason.COMPLAINED, now)


def _left(app: App, conn: Connection, one: Return, now: datetime) -> None:
    """By a mail to the List-Unsubscribe address, or at the provider's own link. What they joined after that stays."""
    if not one.proven or one.mailing_id is None or one.person_id is None:
        return
    mailing = mailings.find(conn, one.mailing_id)
    if mailing is None or mailing.list_slug is None:
        return
    with suppress(subscribers.SubscribersError):
        reason = "mail" if one.source in BY_MAIL else "provider"
        slug, person_id = mailing.list_slug, one.person_id
        if subscribers.unsubscribe(conn, slug, person_id, now=now, reason=reason, said_at=one.at):
            _record(conn, one, EventType.UNSUBSCRIBED)


def _weigh(app: App, conn: Connection, person_id: PersonId, new_key: str, now: datetime) -> None:
    """Judge the address by all that is told of it; an event that turns an earlier verdict lifts what that one did."""
    told = returns.told_of(conn, person_id)
    arrived = returns.went_well(conn, person_id, before=now - QUIET)
    hard_after = app.settings.bounces.hard_after
    verdict = judge(told, arrived=arrived, now=now, hard_after=hard_after)
    if verdict.gone:
        _suppress(app, conn, person_id, SuppressionReason.BOUNCED, now)
        log.info("address_given_up", person=person_id, why=verdict.why)
        return
    before = judge((one for one in told if one.dedupe_key != new_key), arrived=arrived, now=now, hard_after=hard_after)
    if before.gone:
        with suppress(subscribers.UnknownPerson):
            subscribers.lift_bounced(conn, person_id)


def _suppress(app: App, conn: Connection, person_id: PersonId, reason: SuppressionReason, now: datetime) -> None:
    with suppress(subscribers.UnknownPerson):  # erased meanwhile: nothing is left to suppress
        subscribers.suppress(conn, person_id, reason=reason, now=now, key=app.suppression_key)


_Handler = Callable[[App, Connection, Return, datetime], None]
_HANDLERS: dict[str, _Handler] = {
    **dict.fromkeys(BOUNCES, _bounced),
    **dict.fromkeys(_PLAIN, _arrived),
    "complaint": _complained,
    "left": _left,
}
