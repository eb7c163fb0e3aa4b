"""Mailgun: JSON since 2018, form fields before; signed with HMAC-SHA256 over time and a token used once.

https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks — the body is not in the signature, so the token
must be remembered: it is the event id here, and one id tells one event, whatever a second body says.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qsl

from newsletter.mail.webhooks import forms, proof, reading
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

NAME = "Mailgun"

_TYPES = {
    "accepted": Told.QUEUED,
    "rejected": Told.REJECTED,
    "delivered": Told.DELIVERED,
    "failed": Told.BOUNCED,
    "opened": Told.OPENED,
    "clicked": Told.CLICKED,
    "unsubscribed": Told.UNSUBSCRIBED,
    "complained": Told.COMPLAINED,
}
_FORM_TYPES = {
    "delivered": Told.DELIVERED,
    "dropped": Told.REJECTED,
    "bounced": Told.BOUNCED,
    "complained": Told.COMPLAINED,
    "unsubscribed": Told.UNSUBSCRIBED,
    "opened": Told.OPENED,
    "clicked": Told.CLICKED,
}
_WHY = {"bounce": Why.BOUNCED, "suppress-bounce": Why.BOUNCED}
_WHY_OF_CODE = {499: Why.TIMED_OUT, 605: Why.BOUNCED, 607: Why.SPAM}  # Mailgun's own beside the SMTP codes


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    if credentials.basic:
        proof.check_basic(request, credentials)
    if not credentials.signing:
        raise Refused("the signing key of this webhook is not set")
    if request.content_type.split(";")[0].strip().lower() == "application/json":
        told = reading.one_object(request.body)
        _check_signature(reading.obj(told.get("signature")), credentials.signing, now)
        return [_event(told)]
    fields = _fields(request)
    _check_signature({name: values[-1] for name, values in fields.items()}, credentials.signing, now)
    return [_from_form(fields)]


def _check_signature(signed: Mapping[str, Any], key: str, now: datetime | None) -> None:
    token, stamp = reading.text(signed, "token") or "", reading.text(signed, "timestamp") or ""
    if not token or not stamp:
        raise Refused("the signature of this webhook is missing")
    expected = proof.sha256_of(key, f"{stamp}{token}".encode("utf-8", "replace"))
    proof.check_hmac(reading.text(signed, "signature"), expected)
    proof.check_time(stamp, now)


# ---------------------------------------------------------------- JSON


def _event(told: Mapping[str, Any]) -> WebhookEvent:
    data = reading.obj(told.get("event-data"))
    event_type = _TYPES.get(str(data.get("event")), Told.UNKNOWN)
    severity = data.get("severity")
    if event_type is Told.BOUNCED and severity == "temporary":
        event_type = Told.DEFERRED  # Mailgun goes on trying
    headers = reading.obj(reading.obj(data.get("message")).get("headers"))
    status = reading.obj(data.get("delivery-status"))
    why = _WHY.get(str(data["reason"]), Why.OTHER) if "reason" in data else None
    recipient, description = reading.text(data, "recipient"), reading.text(status, "description")
    if event_type is Told.REJECTED:
        description = description or reading.text(reading.obj(data.get("reject")), "reason")
        why = why or Why.OTHER
        recipient = recipient or parseaddr(reading.text(headers, "to") or "")[1] or None
    return WebhookEvent(
        event_type=event_type,
        timestamp=reading.from_epoch(data.get("timestamp")),
        event_id=reading.text(reading.obj(told.get("signature")), "token"),  # data.id repeats after a day
        message_id=_bracketed(reading.text(headers, "message-id")),
        recipient=recipient,
        reject_reason=why,
        description=description,
        mta_response=reading.text(status, "message"),
        tags=reading.listed(data.get("tags")),
        metadata=reading.obj(data.get("user-variables")),
        click_url=reading.text(data, "url"),
        user_agent=reading.text(reading.obj(data.get("client-info")), "user-agent"),
        permanent=severity == "permanent" if severity in ("permanent", "temporary") else None,
    )


def _bracketed(message_id: str | None) -> str | None:
    return message_id if not message_id or message_id.startswith("<") else f"<{message_id}>"


# ---------------------------------------------------------------- form fields

Form = Mapping[str, Sequence[str]]

# Mailgun mixes our own variables into the fields; what is not among these is ours.
_FIELDS = frozenset(
    [
        "event",
        "recipient",
        "domain",
        "ip",
        "country",
        "region",
        "city",
        "user-agent",
        "device-type",
        "client-type",
        "client-name",
        "client-os",
        "campaign-id",
        "campaign-name",
        "tag",
        "mailing-list",
        "timestamp",
        "token",
        "signature",
        "body-plain",
        "h",
        "message-id",
        "url",
    ]
)
_SIGNED = frozenset(
    ("signature", "timestamp", "token")
)  # with these the last value is Mailgun's, with others the first


def _fields(request: Request) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    pairs: Iterable[tuple[str, str]]
    if "multipart/form-data" in request.content_type.lower():
        pairs = forms.pairs(request.body, request.content_type)
    else:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=500)
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _from_form(fields: Form) -> WebhookEvent:
    first = {name: values[0] for name, values in fields.items()}
    kind = first.get("event", "")
    return WebhookEvent(
        event_type=_FORM_TYPES.get(kind, Told.UNKNOWN),
        timestamp=reading.from_epoch(fields["timestamp"][-1]),
        event_id=fields["token"][-1],
        message_id=_bracketed(reading.text(first, "Message-Id", "message-id")),
        recipient=reading.text(first, "recipient"),
        reject_reason=_why_of(first.get("code")),
        description=reading.text(first, "description"),
        mta_response=reading.text(first, "error", "notification"),
        tags=list(fields.get("tag") or fields.get("X-Mailgun-Tag") or ()),
        metadata=_metadata(fields, kind),
        click_url=reading.text(first, "url"),
        user_agent=reading.text(first, "user-agent"),
        permanent=True if kind == "bounced" else None,
    )


def _why_of(code: str | None) -> Why | None:
    if not code:
        return None
    if code.isdecimal():
        number = int(code[:6])
        return _WHY_OF_CODE.get(number, Why.BOUNCED if 400 <= number < 600 else Why.OTHER)
    return Why.BOUNCED if code.split(".")[0] in ("4", "5") else Why.OTHER


def _metadata(fields: Form, kind: str) -> Mapping[str, Any]:
    """Our own variables: from the headers of the message where they come along, else the fields that are not Mailgun's."""
    if "message-headers" in fields:
        merged: dict[str, Any] = {}
        for pair in _headers(fields["message-headers"][-1]):
            if isinstance(pair, list) and len(pair) == 2 and pair[0] == "X-Mailgun-Variables":
                merged |= reading.json_object(pair[1])
        return merged
    if kind not in ("clicked", "opened", "unsubscribed"):
        return {}
    ours: dict[str, Any] = {}
    for name, values in fields.items():
        if name not in _FIELDS:
            ours[name] = values[-1]
        elif len(values) > 1 and name != "tag":
            ours[name] = values[0] if name in _SIGNED else values[-1]
    return ours


def _headers(value: str) -> list[Any]:
    try:
        return reading.listed(json.loads(value))
    except (ValueError, RecursionError):
        return []
