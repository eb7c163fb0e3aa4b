"""Amazon SES through SNS: a JSON notification that holds a JSON event.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. SNS's signature proves that Amazon sent
it, not that the topic is ours: anybody may point a topic here. So either basic authentication in the subscription's URL,
or the topic's name, one of those in the settings, together with the signature (amazon.py judges its certificate).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

NAME = "Amazon SES"

_AMAZON = re.compile(r"https://sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?/[\x21-\x7e]{1,2000}")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."


def read(
    request: Request, credentials: Credentials, now: datetime | None, *, certificate: bytes | None = None
) -> list[WebhookEvent]:
    """`certificate`: what `certificate_url` names, fetched by the caller and found to be Amazon SNS's (amazon.trusted);
    needed where a topic is the proof."""
    note = reading.one_object(request.body)
    _check_envelope(request, note)
    _check_proof(request, credentials, note, certificate)
    if now is not None and (at := reading.from_iso(note.get("Timestamp"))) is not None:
        _check_age(at, now)
    if note["Type"] != "Notification":
        return []
    message = reading.text(note, "Message") or ""
    if message == _VALIDATED:
        return []
    return list(_events(reading.one_object(message.encode("utf-8", "replace")), note))


def subscribe_url(request: Request) -> str | None:
    """The address that confirms a new subscription; only Amazon's own. To be asked after `read` accepted the request."""
    note = reading.one_object(request.body)
    url = note.get("SubscribeURL")
    confirming = note.get("Type") == "SubscriptionConfirmation"
    return url if confirming and isinstance(url, str) and _AMAZON.fullmatch(url) else None


def certificate_url(request: Request) -> str | None:
    """Where the certificate of the signature lies; only Amazon's own, in the region of the topic it speaks for."""
    note = reading.one_object(request.body)
    url = note.get("SigningCertURL")
    if not isinstance(url, str) or not _AMAZON.fullmatch(url) or not url.endswith(".pem") or "?" in url:
        return None
    region = str(note.get("TopicArn")).split(":")[3:4]
    return url if url.split(".")[1:2] == region else None


def is_of_a_topic(request: Request, credentials: Credentials) -> bool:
    """Whether it claims to come through one of our topics: before that nobody is asked for anything on its behalf."""
    return reading.one_object(request.body).get("TopicArn") in credentials.topics


def _check_envelope(request: Request, note: Mapping[str, Any]) -> None:
    kind = note.get("Type")
    if kind not in _SIGNED or request.header("x-amz-sns-message-type") != kind:
        raise Refused("this is no notification of Amazon SNS")
    if not note.get("MessageId") or request.header("x-amz-sns-message-id") != note.get("MessageId"):
        raise Refused("the id of this notification differs between header and body")


def _check_proof(
    request: Request, credentials: Credentials, note: Mapping[str, Any], certificate: bytes | None
) -> None:
    if credentials.basic or not credentials.topics:
        proof.check_basic(request, credentials)
    if credentials.topics:
        if note.get("TopicArn") not in credentials.topics:
            raise Refused("this notification is of another topic")
        _check_signature(note, certificate)


def _check_signature(note: Mapping[str, Any], certificate: bytes | None) -> None:
    hashes = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 is Amazon's default, and its only protection
    hashed = hashes.get(str(note.get("SignatureVersion")))
    if certificate is None or hashed is None:
        raise Refused("the signature of this notification cannot be verified")
    lines = [f"{name}\n{note[name]}\n" for name in _SIGNED[str(note["Type"])] if note.get(name) is not None]
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise Refused("the certificate of this notification is of another kind")
        signature = base64.b64decode(str(note.get("Signature")), validate=True)
        key.verify(signature, "".join(lines).encode(), padding.PKCS1v15(), hashed)
    except (InvalidSignature, ValueError, binascii.Error):
        raise Refused("the signature of this notification is wrong or missing") from None


def _check_age(at: datetime, now: datetime) -> None:
    # SNS repeats a notification for an hour by default and signs the first time: an hour and the window are let pass.
    if (now - at).total_seconds() > 3600 + proof.WINDOW.total_seconds() or (at - now) > proof.WINDOW:
        raise Refused("the time of this notification is too far from now")


# ---------------------------------------------------------------- events

_PLAIN = {
    "Send": Told.SENT,
    "Reject": Told.REJECTED,
    "Open": Told.OPENED,
    "Click": Told.CLICKED,
    "DeliveryDelay": Told.DEFERRED,
}


def _events(told: Mapping[str, Any], note: Mapping[str, Any]) -> Iterator[WebhookEvent]:
    kind = reading.text(told, "eventType", "notificationType") or "<<type missing>>"
    mail = reading.obj(told.get("mail"))
    common: dict[str, Any] = {
        "timestamp": reading.from_iso(note.get("Timestamp")),
        "event_id": reading.text(note, "MessageId"),
        "message_id": reading.text(mail, "messageId"),
        **_echoed(mail),
    }
    part = reading.obj(told.get("failure" if kind == "Rendering Failure" else kind[:1].lower() + kind[1:]))
    if not part:
        part = reading.obj(told.get(kind.lower()))
    common |= _about(kind, part)
    for own in _recipients(kind, part, mail):
        yield WebhookEvent(**common, **own)


def _echoed(mail: Mapping[str, Any]) -> dict[str, Any]:
    """Tags and metadata, from the headers that came along."""
    tags: list[Any] = []
    metadata: Mapping[str, Any] = {}
    for header in map(reading.obj, reading.listed(mail.get("headers"))):
        name = str(header.get("name")).lower()
        if name == "x-tag":
            tags.append(header.get("value"))
        elif name == "x-metadata":
            metadata = reading.json_object(header.get("value")) or metadata
    delivery = reading.listed(reading.obj(mail.get("tags")).get("delivery"))
    if len(delivery) == 1 and isinstance(delivery[0], str):  # the tag of our transport
        metadata = {**metadata, "delivery": delivery[0]}
    return {"tags": tags, "metadata": metadata}


def _about(kind: str, part: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "Bounce":
        described = f"{part.get('bounceType')}: {part.get('bounceSubType')}"
        permanent = {"Permanent": True, "Transient": False}.get(str(part.get("bounceType")))
        return {
            "event_type": Told.BOUNCED,
            "reject_reason": Why.BOUNCED,
            "description": described,
            "permanent": permanent,
        }
    if kind == "Complaint":
        return {
            "event_type": Told.COMPLAINED,
            "reject_reason": Why.SPAM,
            "description": reading.text(part, "complaintFeedbackType"),
            "user_agent": reading.text(part, "userAgent"),
        }
    if kind == "Delivery":
        return {"event_type": Told.DELIVERED, "mta_response": reading.text(part, "smtpResponse")}
    if kind == "Rendering Failure":
        return {"event_type": Told.FAILED, "description": reading.text(part, "errorMessage")}
    if kind == "Subscription":
        return {"event_type": Told.UNSUBSCRIBED, "description": reading.text(part, "source")}
    if kind not in _PLAIN:
        return {"event_type": Told.UNKNOWN, "description": f"Unknown SES eventType '{kind}'"}
    return {
        "event_type": _PLAIN[kind],
        "description": reading.text(part, "reason"),
        "reject_reason": Why.BLOCKED if kind == "Reject" else None,
        "user_agent": reading.text(part, "userAgent"),
        "click_url": reading.text(part, "link"),
    }


def _recipients(kind: str, part: Mapping[str, Any], mail: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Whom the event is about; opens and clicks do not say, so all whom the message was for."""
    if kind == "Bounce":
        return [
            {"recipient": reading.text(one, "emailAddress"), "mta_response": reading.text(one, "diagnosticCode")}
            for one in map(reading.obj, reading.listed(part.get("bouncedRecipients")))
        ]
    if kind == "Complaint":
        listed = map(reading.obj, reading.listed(part.get("complainedRecipients")))
        return [{"recipient": reading.text(one, "emailAddress")} for one in listed]
    named = reading.listed(part.get("recipients")) if kind == "Delivery" else reading.listed(mail.get("destination"))
    return [{"recipient": str(one)} for one in named]
