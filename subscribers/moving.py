"""A reader's change of address: the person stays, with consent, choices and history; only where mail goes is new.

The new address is held by a person of its own until its owner has answered a letter there. Must never take an address
away from somebody who uses it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select, update

from subscribers import consent as ledger
from subscribers.address import Address
from subscribers.changes import ChangeKind, note
from subscribers.consent import ConsentAction, ConsentGiven
from subscribers.ids import PersonId
from subscribers.people import address_of, lock
from subscribers.privacy import empty
from subscribers.states import PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import barred, lift_erased
from subscribers.tables import consents, people, subscriptions

_OF_ADDRESS = ("address_local", "address_domain", "address_key", "address_hash", "mail_group")


class Moved(StrEnum):
    MOVED = "moved"
    TAKEN = "taken"  # the new address has a subscription of its own: nothing was changed
    GONE = "gone"  # one of the two was erased, has complained, or must not be written to


def move(
    conn: Connection, person_id: PersonId, to: PersonId, *, now: datetime, consent: ConsentGiven
) -> tuple[Moved, Address | None]:
    """Give `person_id` the address of `to`, who is emptied. The caller has proof that the owner of the new address agrees.

    Returns also the address that was left, if mail may go there: nobody holds it any more. Each subscription keeps its state
    and gets a ledger row `move` with `consent`; a bounced person is active again.
    """
    locked = {one: lock(conn, one) for one in sorted((person_id, to))}  # in one order, so that two moves cannot block
    old, new = locked[person_id], locked[to]
    bounced = old is not None and old.state == PersonState.BOUNCED
    if not _may_move(old) or not _may_move(new) or person_id == to or _barred(conn, new):
        return Moved.GONE, None
    if _in_use(conn, to):
        return Moved.TAKEN, None
    address = {column: getattr(new, column) for column in _OF_ADDRESS}
    empty(conn, to, now=now)
    conn.execute(update(people).where(people.c.id == person_id).values(**address, state=PersonState.ACTIVE.value))
    mine = select(subscriptions.c.list_id).where(subscriptions.c.person_id == person_id)
    for list_id in conn.execute(mine.order_by(subscriptions.c.list_id)).scalars().all():
        ledger.record(conn, person_id, list_id=list_id, action=ConsentAction.MOVE, now=now, given=consent)
    lift_erased(conn, address["address_hash"])
    note(conn, person_id, ChangeKind.MOVED, now=now)
    return Moved.MOVED, None if bounced or _barred(conn, old) else address_of(old)


def last_moved(conn: Connection, person_id: PersonId) -> datetime | None:
    """When the person's mail last went to another address than before; None: it never did."""
    mine = (consents.c.person_id == person_id) & (consents.c.action == ConsentAction.MOVE)
    return conn.execute(select(consents.c.at).where(mine).order_by(consents.c.seq.desc()).limit(1)).scalar()


def _may_move(row: Any) -> bool:
    return row is not None and row.state in (PersonState.ACTIVE, PersonState.BOUNCED)


def _barred(conn: Connection, row: Any) -> bool:
    why = barred(conn, {row.address_hash: row.address_domain}, None).get(row.address_hash)
    return why is not None and why != SuppressionReason.ERASED


def _in_use(conn: Connection, person_id: PersonId) -> bool:
    held = (subscriptions.c.person_id == person_id) & (subscriptions.c.state != SubscriptionState.UNSUBSCRIBED)
    return bool(conn.execute(select(func.count()).select_from(subscriptions).where(held)).scalar())
