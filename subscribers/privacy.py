"""A person's own rights: see everything that is held, and be forgotten; and the evidence that consent was given."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from subscribers.address import reveal
from subscribers.changes import ChangeKind, note
from subscribers.consent import ConsentAction, Evidence, record, verify
from subscribers.engagement import engagement_of
from subscribers.errors import KeyMismatch, UnknownPerson
from subscribers.ids import PersonId
from subscribers.keyed import SuppressionKey, suppression_hash
from subscribers.originals import originals_of
from subscribers.people import address_of, lock
from subscribers.states import PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import DOMAIN, EVERYWHERE, add
from subscribers.tables import (
    as_text,
    consent_forms,
    consents,
    engagements,
    lists,
    originals,
    people,
    subscriptions,
    suppressions,
)

ERASED_REASON = "erased"


def erase(conn: Connection, person_id: PersonId, *, now: datetime, key: SuppressionKey) -> bool:
    """Forget somebody: address, name, attributes, tags, what they opened, IPs, returned mail and the salt go; subscriptions
    close; a keyed hash stays.

    The hash keeps later imports from bringing them back. False when they were erased before.
    Raises UnknownPerson; KeyMismatch before anything changes, because under another key the hash would be worthless.
    """
    row = lock(conn, person_id)
    if row is None:
        raise UnknownPerson(f"there is no person {person_id}")
    if row.state == PersonState.ERASED:
        return False
    if suppression_hash(row.address_key, key) != row.address_hash:
        raise KeyMismatch("the suppression key is not the one this person was stored with", hint="restore the key")
    close_subscriptions(conn, person_id, now=now, reason=ERASED_REASON)
    empty(conn, person_id, now=now)
    add(conn, row.address_hash, EVERYWHERE, reason=SuppressionReason.ERASED, now=now)
    note(conn, person_id, ChangeKind.ERASED, now=now)
    return True


def empty(conn: Connection, person_id: PersonId, *, now: datetime) -> None:
    """Take everything personal out of somebody's rows; the caller has closed their subscriptions and holds their row."""
    conn.execute(update(consents).where(consents.c.person_id == person_id).values(ip=None))
    conn.execute(delete(originals).where(originals.c.person_id == person_id))
    conn.execute(delete(engagements).where(engagements.c.person_id == person_id))
    emptied = dict.fromkeys(("address_local", "address_domain", "address_key", "address_hash", "mail_group"))
    emptied |= dict.fromkeys(("language", "time_zone", "salt"))
    conn.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(**emptied, name="", attributes={}, tags=None, state=PersonState.ERASED.value, erased_at=now)
    )


def close_subscriptions(conn: Connection, person_id: PersonId, *, now: datetime, reason: str) -> None:
    """End what is left of them, with a consent row for each; the caller holds the person's row."""
    mine = subscriptions.c.person_id == person_id
    still = mine & (subscriptions.c.state != SubscriptionState.UNSUBSCRIBED)
    for list_id in conn.execute(select(subscriptions.c.list_id).where(still)).scalars().all():
        record(conn, person_id, list_id=list_id, action=ConsentAction.UNSUBSCRIBE, now=now, source=reason)
    gone = {"state": SubscriptionState.UNSUBSCRIBED.value, "left_at": now, "left_reason": reason}
    conn.execute(update(subscriptions).where(still).values(gone))
    conn.execute(update(subscriptions).where(mine).values(topics=None))


def evidence(conn: Connection, person_id: PersonId) -> list[Evidence]:
    """Every consent row of a person in order, with the words that were shown and whether the chain up to it is whole.

    Raises UnknownPerson.
    """
    who = _person_row(conn, person_id)
    rows = _ledger(conn, person_id)
    intact = verify(rows, address_key=who.address_key, salt=who.salt)
    return [
        Evidence(
            list_slug=row["slug"],
            at=row["at"],
            action=ConsentAction(row["action"]),
            source=row["source"],
            form=row["version"] or "",
            wording=row["wording"] or "",
            language=row["language"] or "",
            ip=row["ip"],
            intact=whole,
        )
        for row, whole in zip(rows, intact, strict=True)
    ]


def verify_chain(conn: Connection, person_id: PersonId) -> bool:
    """Is every consent row of this person as it was written, and none missing in between? Raises UnknownPerson."""
    return all(row.intact for row in evidence(conn, person_id))


def export_person(conn: Connection, person_id: PersonId) -> dict[str, Any]:
    """All that is held about one person, ready for JSON, with the address in the clear: for that person only.

    Raises UnknownPerson.
    """
    row = _person_row(conn, person_id)
    address = address_of(row)
    return {
        "id": row.id,
        "address": None if address is None else reveal(address),
        "name": row.name,
        "language": row.language,
        "time_zone": row.time_zone,
        "attributes": row.attributes,
        "tags": list(row.tags or ()),
        "state": row.state,
        "created_at": as_text(row.created_at),
        "erased_at": as_text(row.erased_at) if row.erased_at else None,
        "subscriptions": _subscriptions(conn, person_id),
        "consents": [
            {
                "list": seen.list_slug,
                "at": as_text(seen.at),
                "action": seen.action.value,
                "source": seen.source,
                "form": seen.form,
                "wording": seen.wording,
                "ip": seen.ip,
            }
            for seen in evidence(conn, person_id)
        ],
        "engagement": [
            {name: as_text(value) if isinstance(value, datetime) else value for name, value in one.items()}
            for one in engagement_of(conn, person_id)
        ],
        "suppressions": _suppressions(conn, row),
        "returned": [
            {"at": as_text(at), "message": message.decode("utf-8", "replace")}
            for at, message in originals_of(conn, person_id)
        ],
    }


def _person_row(conn: Connection, person_id: PersonId) -> Any:
    row = conn.execute(select(people).where(people.c.id == person_id)).first()
    if row is None:
        raise UnknownPerson(f"there is no person {person_id}")
    return row


def _ledger(conn: Connection, person_id: PersonId) -> list[Any]:
    query = (
        select(
            consents,
            lists.c.slug,
            consent_forms.c.version,
            consent_forms.c.wording,
            consent_forms.c.language,
        )
        .join_from(consents, lists, lists.c.id == consents.c.list_id)
        .outerjoin(consent_forms, consent_forms.c.digest == consents.c.form)
        .where(consents.c.person_id == person_id)
        .order_by(consents.c.seq)
    )
    return list(conn.execute(query).mappings())


def _subscriptions(conn: Connection, person_id: PersonId) -> list[dict[str, Any]]:
    query = (
        select(lists.c.slug.label("list"), subscriptions)
        .join_from(subscriptions, lists, lists.c.id == subscriptions.c.list_id)
        .where(subscriptions.c.person_id == person_id)
        .order_by(lists.c.slug)
    )
    hidden = ("list_id", "person_id")
    return [
        {
            name: as_text(value) if isinstance(value, datetime) else value
            for name, value in row.items()
            if name not in hidden
        }
        for row in conn.execute(query).mappings()
    ]


def _suppressions(conn: Connection, person: Any) -> list[dict[str, str]]:
    """Of the address and of its domain. `by` says which; a list "" is all of them."""
    keys = [] if person.address_hash is None else [person.address_hash, f"{DOMAIN}{person.address_domain}"]
    query = select(suppressions).where(suppressions.c.key.in_(keys)).order_by(suppressions.c.at, suppressions.c.id)
    return [
        {
            "list": row.list_slug,
            "reason": row.reason,
            "at": as_text(row.at),
            "by": "domain" if row.key.startswith(DOMAIN) else "address",
        }
        for row in conn.execute(query)
    ]
