"""Postmark: one JSON object a request; HTTP basic authentication only.

https://postmarkapp.com/developer/webhooks/webhooks-overview — only bounces have an id; the trace token comes back as
Metadata.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

NAME = "Postmark"

_RECORDS = {
    "Bounce": Told.BOUNCED,
    "Click": Told.CLICKED,
    "Delivery": Told.DELIVERED,
    "Open": Told.OPENED,
    "SpamComplaint": Told.COMPLAINED,
    "SubscriptionChange": Told.UNSUBSCRIBED,
}
# https://postmarkapp.com/developer/api/bounce-api#bounce-types
_BOUNCES: Mapping[str, tuple[Told, Why | None]] = {
    "HardBounce": (Told.BOUNCED, Why.BOUNCED),
    "SoftBounce": (Told.BOUNCED, Why.BOUNCED),
    "VirusNotification": (Told.BOUNCED, Why.OTHER),
    "Transient": (Told.DEFERRED, None),
    "DnsError": (Told.DEFERRED, None),
    "OpenRelayTest": (Told.DEFERRED, None),
    "AutoResponder": (Told.AUTORESPONDED, None),
    "AddressChange": (Told.AUTORESPONDED, None),
    "ChallengeVerification": (Told.AUTORESPONDED, None),
    "SpamNotification": (Told.COMPLAINED, Why.SPAM),
    "SpamComplaint": (Told.COMPLAINED, Why.SPAM),
    "BadEmailAddress": (Told.REJECTED, Why.INVALID),
    "ManuallyDeactivated": (Told.REJECTED, Why.BLOCKED),
    "Blocked": (Told.REJECTED, Why.BLOCKED),
    "DMARCPolicy": (Told.REJECTED, Why.BLOCKED),
    "Unconfirmed": (Told.REJECTED, None),
    "Unsubscribe": (Told.UNSUBSCRIBED, Why.UNSUBSCRIBED),
    "ManualSuppression": (Told.UNSUBSCRIBED, Why.UNSUBSCRIBED),
    "Subscribe": (Told.SUBSCRIBED, None),
    "SMTPApiError": (Told.FAILED, None),
    "TemplateRenderingFailed": (Told.FAILED, None),
    "Unknown": (Told.UNKNOWN, None),
}
_PERMANENT = {"HardBounce": True, "BadEmailAddress": True, "SoftBounce": False}


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    proof.check_basic(request, credentials)
    told = reading.one_object(request.body)
    if told.get("RecordType") == "Inbound" or ("RecordType" not in told and "FromFull" in told):
        raise Refused(
            "this is Postmark's inbound webhook", hint="set its delivery, bounce and complaint webhooks instead"
        )
    return [_event(told)]


def _event(told: Mapping[str, Any]) -> WebhookEvent:
    event_type, why = _judged(told)
    return WebhookEvent(
        event_type=event_type,
        timestamp=reading.from_iso(reading.text(told, "DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")),
        event_id=reading.text(told, "ID"),
        message_id=reading.text(told, "MessageID"),
        recipient=reading.text(told, "Email", "Recipient"),
        reject_reason=why,
        description=reading.text(told, "Description"),
        mta_response=reading.text(told, "Details"),
        tags=[told["Tag"]] if "Tag" in told else [],
        metadata=reading.obj(told.get("Metadata")),
        click_url=reading.text(told, "OriginalLink"),
        user_agent=reading.text(told, "UserAgent"),
        permanent=_PERMANENT.get(str(told.get("Type"))),
    )


def _judged(told: Mapping[str, Any]) -> tuple[Told, Why | None]:
    event_type = _RECORDS.get(str(told.get("RecordType")), Told.UNKNOWN)
    if event_type in (Told.BOUNCED, Told.COMPLAINED):
        return _BOUNCES.get(str(told.get("Type")), (event_type, None))
    if event_type is Told.UNSUBSCRIBED:
        if not told.get("SuppressSending"):
            return Told.SUBSCRIBED, None
        return _BOUNCES.get(str(told.get("SuppressionReason")), (event_type, None))
    return event_type, None
