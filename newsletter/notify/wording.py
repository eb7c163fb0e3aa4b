"""What a call says: written when it is made, from the rows as they then are, so that no address waits anywhere.

Who was told of somebody who is erased by then learns only that. Must never reveal an address to a webhook that was not
added with addresses.
"""

import json
from typing import Any

import subscribers
from newsletter.errors import BadInput
from newsletter.model import PersonId
from newsletter.notify.telling import SUBSCRIBER, TEST
from newsletter.store import Connection, issues, newsletters
from newsletter.store.webhooks import Event


def body_of(conn: Connection, event: Event, *, addresses: bool) -> bytes:
    """The payload in the form Standard Webhooks recommends: type, timestamp, data."""
    told = {"type": event.type, "timestamp": event.at.isoformat(), "data": _data(conn, event, addresses=addresses)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _data(conn: Connection, event: Event, *, addresses: bool) -> dict[str, Any]:
    if event.type == TEST:
        return {"message": "this is a test"}
    if event.type.startswith(f"{SUBSCRIBER}."):
        return _subscriber(conn, event, addresses=addresses)
    return _issue(conn, event)


def _subscriber(conn: Connection, event: Event, *, addresses: bool) -> dict[str, Any]:
    """`subscription`: how the one of `list` stands now; None for what is about the person alone."""
    person_id = PersonId(event.subject_id)
    try:
        known = subscribers.person(conn, person_id)
        held = subscribers.subscription(conn, event.list_slug, person_id) if event.list_slug else None
    except subscribers.SubscribersError:  # the rows are gone: the id is all there is to say
        return {"subscriber": {"id": person_id}, "list": event.list_slug, "subscription": None}
    about: dict[str, Any] = {
        "id": person_id,
        "email_masked": None if known.address is None else str(known.address),
        "state": known.state,
        "language": known.language,
    }
    if addresses:
        about["email"] = None if known.address is None else subscribers.reveal(known.address)
    return {"subscriber": about, "list": event.list_slug, "subscription": {"state": held.state} if held else None}


def _issue(conn: Connection, event: Event) -> dict[str, Any]:
    """`state`: what it became; the rest as it is now."""
    try:
        issue = issues.get(conn, event.subject_id)
    except BadInput:
        return {"issue": {"id": event.subject_id}}
    return {
        "issue": {
            "id": issue.id,
            "newsletter": newsletters.get(conn, issue.newsletter_id).slug,
            "number": issue.number,
            "state": event.type.partition(".")[2],
            "subject": issue.subject,
            "send_at": issue.send_at.isoformat(),
            "content_hash": issue.content_hash,
            "reason": issue.reason,
        }
    }
