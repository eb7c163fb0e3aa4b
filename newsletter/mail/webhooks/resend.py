"""Resend: one JSON object a request, signed as Svix does (HMAC-SHA256 over id, time and body).

https://resend.com/docs/dashboard/webhooks/event-types and https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

NAME = "Resend"

_TYPES = {
    "email.scheduled": Told.QUEUED,
    "email.sent": Told.SENT,
    "email.delivered": Told.DELIVERED,
    "email.delivery_delayed": Told.DEFERRED,
    "email.complained": Told.COMPLAINED,
    "email.bounced": Told.BOUNCED,
    "email.failed": Told.FAILED,
    "email.suppressed": Told.REJECTED,
    "email.opened": Told.OPENED,
    "email.clicked": Told.CLICKED,
}


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    if credentials.basic or not credentials.signing:
        proof.check_basic(request, credentials)
    if credentials.signing:
        _check_signature(request, credentials.signing, now)
    return [_event(reading.one_object(request.body), request)]


def _check_signature(request: Request, secret: str, now: datetime | None) -> None:
    name, stamp = request.header("svix-id") or "", request.header("svix-timestamp") or ""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise Refused("the signing secret of this webhook is damaged", hint='it begins with "whsec_"') from None
    # The id and the time as Svix writes them: whole seconds. Some senders' recordings carry a fraction.
    expected = {
        base64.b64encode(hmac.new(key, f"{name}.{time}.".encode() + request.body, hashlib.sha256).digest())
        for time in {stamp, stamp.split(".")[0]}
    }
    given = [part[3:] for part in (request.header("svix-signature") or "").split() if part.startswith("v1,")]
    matching = [hmac.compare_digest(one.encode(), good) for one in given for good in expected]
    if not any(matching):
        raise Refused("the signature of this webhook is wrong or missing")
    proof.check_time(stamp, now)


def _event(told: Mapping[str, Any], request: Request) -> WebhookEvent:
    data = reading.obj(told.get("data"))
    bounce, click = reading.obj(data.get("bounce")), reading.obj(data.get("click"))
    words = reading.text(bounce, "message")
    headers = {
        str(one.get("name")).lower(): one.get("value") for one in map(reading.obj, reading.listed(data.get("headers")))
    }
    to = reading.listed(data.get("to"))
    return WebhookEvent(
        event_type=_TYPES.get(str(told.get("type")), Told.UNKNOWN),
        timestamp=reading.from_iso(told.get("created_at")),
        event_id=request.header("svix-id"),  # the same for every repeat of one event
        message_id=reading.text(data, "email_id"),
        recipient=(parseaddr(str(to[0]))[1] or None) if to else None,
        reject_reason=_why(words),
        description=words,
        tags=_tags(headers.get("x-tags")),
        metadata=_metadata(headers.get("x-metadata"), reading.obj(data.get("tags"))),
        click_url=reading.text(click, "link"),
        user_agent=reading.text(click, "userAgent"),
        permanent=_permanent(bounce),
    )


def _metadata(header: Any, tags: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a header of the message says, and the tag of our transport."""
    found = reading.json_object(header)
    delivery = tags.get("delivery")
    return {**found, "delivery": delivery} if isinstance(delivery, str) else found


def _tags(value: Any) -> list[Any]:
    return reading.listed(reading.parsed(value.encode())) if isinstance(value, str) and value.startswith("[") else []


def _why(words: str | None) -> Why | None:
    """Resend gives a sentence; it has the same few."""
    if words is None:
        return None
    if "suppressed sending" in words:
        return Why.BLOCKED
    return Why.BOUNCED if "bounce message" in words else Why.OTHER


def _permanent(bounce: Mapping[str, Any]) -> bool | None:
    kind = reading.text(bounce, "type")
    if kind in ("Permanent", "Transient"):
        return kind == "Permanent"
    return True if "hard bounce" in (reading.text(bounce, "message") or "") else None
