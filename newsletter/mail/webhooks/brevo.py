"""Brevo: one JSON object a request; HTTP basic authentication only.

https://developers.brevo.com/docs/transactional-webhooks — `ts_epoch` (milliseconds) is the only time in UTC: the others
follow the account's zone. There is no event id.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Request, Told, WebhookEvent, Why

NAME = "Brevo"

_TYPES: Mapping[str | None, tuple[Told, Why | None]] = {
    "request": (Told.QUEUED, None),
    "delivered": (Told.DELIVERED, None),
    "hard_bounce": (Told.BOUNCED, Why.BOUNCED),
    "soft_bounce": (Told.BOUNCED, Why.BOUNCED),
    "blocked": (Told.REJECTED, Why.BLOCKED),
    "spam": (Told.COMPLAINED, Why.SPAM),
    "complaint": (Told.COMPLAINED, Why.SPAM),
    "invalid_email": (Told.BOUNCED, Why.INVALID),
    "deferred": (Told.DEFERRED, None),
    "error": (Told.FAILED, None),
    "opened": (Told.OPENED, None),
    "unique_opened": (Told.OPENED, None),
    "proxy_open": (Told.OPENED, None),
    "unique_proxy_open": (Told.OPENED, None),
    "click": (Told.CLICKED, None),
    "unsubscribe": (Told.UNSUBSCRIBED, None),
    "unsubscribed": (Told.UNSUBSCRIBED, None),
    "list_addition": (Told.SUBSCRIBED, None),
}
_PERMANENT = {"hard_bounce": True, "invalid_email": True, "soft_bounce": False}


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    proof.check_basic(request, credentials)
    return [_event(reading.one_object(request.body))]


def _event(told: Mapping[str, Any]) -> WebhookEvent:
    kind = reading.text(told, "event")
    event_type, why = _TYPES.get(kind, (Told.UNKNOWN, None))
    tags = told["tags"] if "tags" in told else [told["tag"]] if "tag" in told else []
    return WebhookEvent(
        event_type=event_type,
        timestamp=reading.from_epoch(told.get("ts_epoch"), per_second=1000),
        message_id=reading.text(told, "message-id"),
        recipient=reading.text(told, "email"),
        reject_reason=why,
        mta_response=reading.text(told, "reason"),
        tags=tags,
        metadata=reading.json_object(told.get("X-Mailin-custom")),
        click_url=reading.text(told, "link"),
        permanent=_PERMANENT.get(kind or ""),
    )
