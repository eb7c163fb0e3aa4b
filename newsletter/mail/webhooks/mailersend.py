"""MailerSend: one JSON object a request, signed with HMAC-SHA256 over the body.

https://developers.mailersend.com/api/v1/webhooks — two shapes: events since 2025 are flat with `meta`, the older ones
nest `email` and `morph`. No time is signed, so repeats are told by the event id alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

NAME = "MailerSend"

_TYPES = {
    "sent": Told.SENT,
    "delivered": Told.DELIVERED,
    "soft_bounced": Told.BOUNCED,
    "hard_bounced": Told.BOUNCED,
    "deferred": Told.DEFERRED,
    "opened": Told.OPENED,
    "opened_unique": Told.OPENED,
    "clicked": Told.CLICKED,
    "clicked_unique": Told.CLICKED,
    "unsubscribed": Told.UNSUBSCRIBED,
    "spam_complaint": Told.COMPLAINED,
    "spam_complaints": Told.COMPLAINED,
    "suppressed": Told.REJECTED,
}
_WHY = {
    "soft_bounced": Why.BOUNCED,
    "hard_bounced": Why.BOUNCED,
    "unsubscribed": Why.UNSUBSCRIBED,
    "spam_complaints": Why.SPAM,
    "suppressed": Why.BLOCKED,
}
_WHY_OF_MORPH = {
    "recipient_bounce": Why.BOUNCED,
    "spam_complaint": Why.SPAM,
    "recipient_unsubscribe": Why.UNSUBSCRIBED,
}
_PERMANENT = {"hard_bounced": True, "soft_bounced": False}


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    if credentials.basic:
        proof.check_basic(request, credentials)
    if not credentials.signing:
        raise Refused("the signing secret of this webhook is not set")
    proof.check_hmac(request.header("signature"), proof.sha256_of(credentials.signing, request.body))
    told = reading.one_object(request.body)
    if told.get("type") == "webhook.test":
        return []
    if told.get("type") == "inbound.message":
        raise Refused("this is MailerSend's inbound route", hint="set its activity webhook instead")
    data = reading.obj(told.get("data"))
    return [_nested(data) if "email" in data else _flat(told, data)]


def _flat(told: Mapping[str, Any], data: Mapping[str, Any]) -> WebhookEvent:
    kind = reading.text(data, "type") or ""
    meta = reading.obj(data.get("meta"))
    return WebhookEvent(
        event_type=_TYPES.get(kind, Told.UNKNOWN),
        timestamp=reading.from_iso(told.get("created_at")),
        event_id=reading.text(data, "id"),
        message_id=reading.text(data, "message_id"),
        recipient=reading.text(data, "recipient"),
        reject_reason=_WHY.get(kind),
        description=reading.text(meta, "bounce_reason", "reject_reason", "suppression_reason", "unsubscribe_reason"),
        mta_response=reading.text(meta, "bounce_code"),
        tags=reading.listed(data.get("tags")),
        click_url=reading.text(meta, "url"),
        user_agent=reading.text(meta, "user_agent"),
        permanent=_PERMANENT.get(kind),
    )


def _nested(data: Mapping[str, Any]) -> WebhookEvent:
    mail, morph = reading.obj(data.get("email")), reading.obj(data.get("morph"))
    kind = reading.text(data, "type") or ""
    told = "object" in morph
    return WebhookEvent(
        event_type=_TYPES.get(kind, Told.UNKNOWN),
        timestamp=reading.from_iso(data.get("created_at")),
        event_id=reading.text(data, "id"),
        message_id=reading.text(reading.obj(mail.get("message")), "id"),
        recipient=reading.text(reading.obj(mail.get("recipient")), "email"),
        reject_reason=_WHY_OF_MORPH.get(str(morph.get("object"))) if told else None,
        description=(reading.text(morph, "readable_reason") or reading.text(morph, "reason")) if told else None,
        tags=reading.listed(mail.get("tags")),
        click_url=reading.text(morph, "url") if told else None,
        permanent=_PERMANENT.get(kind),
    )
