"""Joining, confirming and leaving a list. Every step is idempotent, holds the person's row and leaves a consent record."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from subscribers import consent as ledger
from subscribers.address import Address, key_of
from subscribers.changes import ChangeKind, note
from subscribers.consent import OWN_HAND, Act, ConsentAction, ConsentGiven, ConsentSource
from subscribers.errors import InvalidValue
from subscribers.ids import PersonId
from subscribers.keyed import SuppressionKey, suppression_hash
from subscribers.lists import get_list
from subscribers.people import ensure_person, lock
from subscribers.states import PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import barred, lift_erased
from subscribers.tables import subscriptions

LONGEST_TOPIC = 80
CONFIRM_WITHIN = timedelta(days=7)
ASK_AGAIN_AFTER = timedelta(
    hours=1
)  # a stranger's address typed a hundred times gets one letter an hour, not a hundred


class Outcome(StrEnum):
    PENDING = "pending"  # send the confirmation letter
    ALREADY_PENDING = "already_pending"  # a letter went out within the hour: send none
    ACTIVE = "active"  # subscribed now
    ALREADY_ACTIVE = "already_active"
    VOUCHED = "vouched"  # active on others' word alone: send the confirmation letter, its answer is their own word
    SUPPRESSED = "suppressed"  # nothing was stored
    LEFT = "left"  # left earlier; only their own hand brings them back


class ConfirmOutcome(StrEnum):
    CONFIRMED = "confirmed"
    AGREED = "agreed"  # was active on others' word alone; their own is written down now
    ALREADY = "already"
    EXPIRED = "expired"  # asked too long ago; they may sign up again
    GONE = "gone"  # left, was erased, or never asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """For the caller's next step only: a public page answers the same whatever the outcome."""

    person_id: PersonId | None  # None when nobody was stored
    state: SubscriptionState | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    outcome: ConfirmOutcome


def subscribe(
    conn: Connection,
    list_slug: str,
    address: Address,
    *,
    now: datetime,
    key: SuppressionKey,
    consent: ConsentGiven,
    name: str = "",
    language: str | None = None,
    time_zone: str | None = None,
    confirmed: bool = False,
) -> Subscribed:
    """Ask to join. On a double opt-in list the subscription waits for `confirm`, unless `confirmed` says it is proven.

    Somebody who left, or was erased, comes back only by their own hand (consent source form, or api with a letter:
    a program that calls an address proven speaks for somebody else). For who is active on others' word alone nothing is
    recorded before they answer a letter (`Outcome.VOUCHED`). Raises UnknownList, InvalidValue (language, time zone).
    """
    chosen = get_list(conn, list_slug)
    hashed = suppression_hash(key_of(address.local, address.domain), key)
    why_not = barred(conn, {hashed: address.domain}, list_slug).get(hashed)
    own_hand = consent.source in OWN_HAND and not (confirmed and consent.source == ConsentSource.API)
    if why_not and not (why_not == SuppressionReason.ERASED and own_hand):
        return Subscribed(person_id=None, state=None, outcome=Outcome.SUPPRESSED)
    person_id = ensure_person(conn, address, now=now, key=key, name=name, language=language, time_zone=time_zone)
    row = _subscription(conn, chosen.id, person_id)
    outcome = decide_join(row, now=now, own_hand=own_hand, proven=confirmed or not chosen.double_opt_in)
    if outcome == Outcome.ALREADY_ACTIVE and own_hand and not confirmed:
        outcome = decide_own_word(row, ledger.acts(conn, person_id, chosen.id), now=now)
        if outcome == Outcome.VOUCHED:
            _write(conn, chosen.id, person_id, row, {"requested_at": now})
    if outcome not in (Outcome.PENDING, Outcome.ACTIVE):
        return Subscribed(person_id=person_id, state=SubscriptionState(row.state), outcome=outcome)
    state = SubscriptionState.PENDING if outcome == Outcome.PENDING else SubscriptionState.ACTIVE
    _write(conn, chosen.id, person_id, row, _joined(state, now=now, proven=confirmed))
    came_back = row is not None and row.state == SubscriptionState.UNSUBSCRIBED
    action = ConsentAction.RESUBSCRIBE if came_back else ConsentAction.SUBSCRIBE
    ledger.record(conn, person_id, list_id=chosen.id, action=action, now=now, given=consent)
    note(conn, person_id, ChangeKind.SUBSCRIBED, now=now, list_slug=list_slug)
    if state == SubscriptionState.ACTIVE and why_not:
        lift_erased(conn, hashed)
    return Subscribed(person_id=person_id, state=state, outcome=outcome)


def decide_join(row: Any, *, now: datetime, own_hand: bool, proven: bool) -> Outcome:
    """What becomes of a wish to join, given the present subscription row or None (pure)."""
    fresh = Outcome.ACTIVE if proven else Outcome.PENDING
    if row is None:
        return fresh
    match SubscriptionState(row.state):
        case SubscriptionState.ACTIVE | SubscriptionState.PAUSED:
            return Outcome.ALREADY_ACTIVE
        case SubscriptionState.UNSUBSCRIBED:
            return fresh if own_hand else Outcome.LEFT
        case SubscriptionState.PENDING:
            waits = not proven and now - row.requested_at < ASK_AGAIN_AFTER
            return Outcome.ALREADY_PENDING if waits else fresh


def decide_own_word(row: Any, acts: Sequence[Act], *, now: datetime) -> Outcome:
    """Whether who is active and signs up must still say so themselves, given what was recorded of them here (pure)."""
    if said_themselves(row, acts):
        return Outcome.ALREADY_ACTIVE
    open_wish = bool(acts) and row.requested_at > acts[-1].at  # asked, and nothing recorded since
    return Outcome.ALREADY_ACTIVE if open_wish and now - row.requested_at < ASK_AGAIN_AFTER else Outcome.VOUCHED


def said_themselves(row: Any, acts: Iterable[Act]) -> bool:
    """Whether the person answered a letter, or their own sign-up is what made the subscription active (pure).

    A sign-up of theirs that was never answered says nothing: it may have been somebody else's.
    """
    own = (
        {ConsentSource.FORM} if row.confirmed_at else OWN_HAND
    )  # a program that calls an address proven sets confirmed_at
    joined = (ConsentAction.SUBSCRIBE, ConsentAction.RESUBSCRIBE)
    return any(
        act.action == ConsentAction.CONFIRM or (act.action in joined and act.source in own and act.at == row.since)
        for act in acts
    )


def confirm(
    conn: Connection,
    list_slug: str,
    person_id: PersonId,
    *,
    now: datetime,
    max_age: timedelta = CONFIRM_WITHIN,
    consent: ConsentGiven | None = None,
) -> Confirmed:
    """The confirmation letter was answered (by a POST). Twice is once. Raises UnknownList.

    `consent` is what they had been shown: recorded of who was active on others' word alone. Who waits has it recorded since
    they asked.
    """
    chosen = get_list(conn, list_slug)
    who = lock(conn, person_id)
    row = _subscription(conn, chosen.id, person_id)
    if who is None or who.state == PersonState.ERASED or row is None or row.state == SubscriptionState.UNSUBSCRIBED:
        return Confirmed(outcome=ConfirmOutcome.GONE)
    waits = row.state == SubscriptionState.PENDING
    shown = consent is not None and consent.source in OWN_HAND
    if not waits and (not shown or said_themselves(row, ledger.acts(conn, person_id, chosen.id))):
        return Confirmed(outcome=ConfirmOutcome.ALREADY)
    if now - row.requested_at > max_age:
        return Confirmed(outcome=ConfirmOutcome.EXPIRED if waits else ConfirmOutcome.ALREADY)
    came = {"state": SubscriptionState.ACTIVE, "since": now} if waits else {}
    _write(conn, chosen.id, person_id, row, {"confirmed_at": now} | came)
    given = None if waits else consent
    ledger.record(
        conn, person_id, list_id=chosen.id, action=ConsentAction.CONFIRM, now=now, given=given, source="letter"
    )
    note(conn, person_id, ChangeKind.CONFIRMED, now=now, list_slug=list_slug)
    lift_erased(conn, who.address_hash)
    return Confirmed(outcome=ConfirmOutcome.CONFIRMED if waits else ConfirmOutcome.AGREED)


def unsubscribe(
    conn: Connection,
    list_slug: str,
    person_id: PersonId,
    *,
    now: datetime,
    reason: str,
    said_at: datetime | None = None,
) -> bool:
    """Leave the list now. `reason` says how (one-click, page, staff …). False when there was nothing to leave.

    `said_at`: when they said so, if that is told later: who joined or confirmed after it stays. Raises UnknownList.
    """
    chosen = get_list(conn, list_slug)
    lock(conn, person_id)
    row = _subscription(conn, chosen.id, person_id)
    if row is None or row.state == SubscriptionState.UNSUBSCRIBED:
        return False
    begun = row.since or row.requested_at
    if said_at is not None and begun is not None and begun > said_at:
        return False
    gone = {"state": SubscriptionState.UNSUBSCRIBED, "left_at": now, "left_reason": reason, "paused_until": None}
    _write(conn, chosen.id, person_id, row, gone)
    ledger.record(conn, person_id, list_id=chosen.id, action=ConsentAction.UNSUBSCRIBE, now=now, source=reason)
    note(conn, person_id, ChangeKind.UNSUBSCRIBED, now=now, list_slug=list_slug)
    return True


def choose_topics(conn: Connection, list_slug: str, person_id: PersonId, topics: Iterable[str]) -> bool:
    """From now on only what has one of these topics; none: everything. False when they are not on the list.

    Kept in NFC without blanks around them, each once, in alphabetical order, so that equal choices are equal rows.
    Raises UnknownList; InvalidValue for one that is empty or longer than 80 characters.
    """
    chosen = sorted({unicodedata.normalize("NFC", topic).strip() for topic in topics})
    if any(not 1 <= len(topic) <= LONGEST_TOPIC for topic in chosen):
        raise InvalidValue(f"a topic has 1 to {LONGEST_TOPIC} characters")
    list_id = get_list(conn, list_slug).id
    lock(conn, person_id)
    row = _subscription(conn, list_id, person_id)
    if row is None or row.state == SubscriptionState.UNSUBSCRIBED:
        return False
    _write(conn, list_id, person_id, row, {"topics": chosen or None})
    return True


def _joined(state: SubscriptionState, *, now: datetime, proven: bool) -> dict[str, Any]:
    active = state == SubscriptionState.ACTIVE
    return {
        "state": state,
        "since": now if active else None,
        "requested_at": now,
        "confirmed_at": now if active and proven else None,
        "left_at": None,
        "left_reason": None,
    }


def _subscription(conn: Connection, list_id: str, person_id: PersonId) -> Any:
    mine = (subscriptions.c.list_id == list_id) & (subscriptions.c.person_id == person_id)
    return conn.execute(select(subscriptions).where(mine).with_for_update()).first()


def _write(conn: Connection, list_id: str, person_id: PersonId, present: Any, values: dict[str, Any]) -> None:
    if present is None:
        conn.execute(insert(subscriptions), {"list_id": list_id, "person_id": person_id} | values)
        return
    mine = (subscriptions.c.list_id == list_id) & (subscriptions.c.person_id == person_id)
    conn.execute(update(subscriptions).where(mine).values(values))
