"""SendGrid: a JSON list of events, signed with ECDSA P-256 over time and body when the signed webhook is on.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and .../getting-started-event-webhook-security-features
What we sent as custom arguments stands between SendGrid's own fields.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

NAME = "SendGrid"

_TYPES = {
    "processed": Told.QUEUED,
    "deferred": Told.DEFERRED,
    "delivered": Told.DELIVERED,
    "bounce": Told.BOUNCED,
    "dropped": Told.REJECTED,
    "open": Told.OPENED,
    "click": Told.CLICKED,
    "spamreport": Told.COMPLAINED,
    "unsubscribe": Told.UNSUBSCRIBED,
    "group_unsubscribe": Told.UNSUBSCRIBED,
    "group_resubscribe": Told.SUBSCRIBED,
}
_WHY = {  # of "dropped", in lower case
    "invalid": Why.INVALID,
    "unsubscribed address": Why.UNSUBSCRIBED,
    "bounce": Why.BOUNCED,
    "bounced address": Why.BOUNCED,
    "blocked": Why.BLOCKED,
    "expired": Why.TIMED_OUT,
    "spam reporting address": Why.SPAM,
}
_OWN_FIELDS = frozenset(
    [
        "anymail_id",
        "asm_group_id",
        "attempt",
        "bounce_classification",
        "category",
        "cert_err",
        "email",
        "event",
        "ip",
        "marketing_campaign_id",
        "marketing_campaign_name",
        "newsletter",
        "nlvx_campaign_id",
        "nlvx_campaign_split_id",
        "nlvx_user_id",
        "pool",
        "post_type",
        "reason",
        "response",
        "send_at",
        "sg_content_type",
        "sg_event_id",
        "sg_machine_open",
        "sg_message_id",
        "sg_template_id",
        "sg_template_name",
        "smtp-id",
        "status",
        "timestamp",
        "tls",
        "type",
        "url",
        "url_offset",
        "useragent",
    ]
)
# The message id that a sender chose itself comes before SendGrid's; `anymail_id` is the name such senders share.
_MESSAGE_IDS = ("anymail_id", "smtp-id")


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    if credentials.basic or not credentials.signing:
        proof.check_basic(request, credentials)
    if credentials.signing:
        _check_signature(request, credentials.signing, now)
    return [_event(told) for told in reading.objects(request.body)]


def _check_signature(request: Request, public_key: str, now: datetime | None) -> None:
    stamp = request.header("x-twilio-email-event-webhook-timestamp") or ""
    given = request.header("x-twilio-email-event-webhook-signature") or ""
    try:
        key = load_der_public_key(base64.b64decode("".join(public_key.split())))
    except (ValueError, binascii.Error):
        raise Refused("the verification key of this webhook is damaged") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("the verification key of this webhook is of another kind")
    if not stamp:
        raise Refused("the time of this webhook is missing")
    try:
        key.verify(base64.b64decode(given, validate=True), stamp.encode() + request.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        raise Refused("the signature of this webhook is wrong or missing") from None
    proof.check_time(stamp, now)


def _event(told: Mapping[str, Any]) -> WebhookEvent:
    kind = reading.text(told, "event") or ""
    dropped = kind == "dropped"
    cause = (reading.text(told, "type") or reading.text(told, "reason") or "").lower()
    return WebhookEvent(
        event_type=_TYPES.get(kind, Told.UNKNOWN),
        timestamp=reading.from_epoch(told.get("timestamp")),
        event_id=reading.text(told, "sg_event_id"),
        message_id=reading.text(told, *_MESSAGE_IDS),
        recipient=reading.text(told, "email"),
        reject_reason=_WHY.get(cause, Why.OTHER) if dropped else None,
        mta_response=None if dropped else reading.text(told, "response", "reason"),
        tags=told.get("category", []),
        metadata={name: value for name, value in told.items() if name not in _OWN_FIELDS},
        click_url=reading.text(told, "url"),
        user_agent=reading.text(told, "useragent"),
        permanent={"bounce": True, "blocked": False}.get(str(told.get("type"))) if kind == "bounce" else None,
    )
