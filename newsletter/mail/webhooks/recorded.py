"""A recorded webhook request and what it tells, as plain values: for `newsletter inspect webhook` and for measuring.

A recording is old by nature, so signed times are not compared with now; everything else is checked as in service.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from newsletter.errors import BadInput
from newsletter.mail import webhooks
from newsletter.mail.webhooks.event import Credentials, Refused, Request, WebhookEvent


def answer(record: Mapping[str, Any]) -> dict[str, Any]:
    """{"events": [...]} or {"refused": reason} for a record {esp, content_type, headers, body_b64, secrets}. Raises BadInput."""
    name = str(record.get("esp") or "")
    provider = webhooks.provider(name)
    if provider is None:
        known = ", ".join(one.name for one in webhooks.PROVIDERS)
        raise BadInput(f"there is no provider {name!r}", hint=f"one of {known}")
    try:
        body = base64.b64decode(str(record.get("body_b64") or ""), validate=True)
    except binascii.Error:
        raise BadInput("body_b64 is not base64") from None
    headers = record.get("headers")
    if not isinstance(headers, Mapping):
        raise BadInput("headers must be an object")
    request = Request(
        headers={str(key): _header(value) for key, value in headers.items()},
        content_type=str(record.get("content_type") or ""),
        body=body,
    )
    try:
        events = provider.read(request, credentials_of(record.get("secrets")), None)
    except Refused as error:
        return {"refused": str(error)}
    return {"events": [_plain(event) for event in events]}


def credentials_of(secrets: Any) -> Credentials:
    """Secrets under the names settings of other projects give them: …WEBHOOK_SECRET is "user:password", or a list of
    such; …SIGNING_KEY, …SIGNING_SECRET or …VERIFICATION_KEY proves the signature. Those for inbound mail are not ours."""
    basic: list[str] = []
    signing: str | None = None
    topics: list[str] = []
    for name, value in (secrets if isinstance(secrets, Mapping) else {}).items():
        upper = str(name).upper()
        if "INBOUND" in upper or not value:
            continue
        if upper.endswith(("WEBHOOK_SECRET", "BASIC")):
            basic += [str(one) for one in value] if isinstance(value, list) else [str(value)]
        elif upper.endswith(("SIGNING_KEY", "SIGNING_SECRET", "VERIFICATION_KEY", "SIGNING")):
            signing = str(value)
        elif upper.endswith("TOPIC"):
            topics += [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return Credentials(basic=tuple(basic), signing=signing, topics=tuple(topics))


def _header(value: Any) -> str:
    """A header as text; some recorders write octets as Python does: b'...'."""
    text = str(value)
    return text[2:-1] if text.startswith("b'") and text.endswith("'") else text


def _plain(event: WebhookEvent) -> dict[str, Any]:
    made = {one.name: getattr(event, one.name) for one in fields(event) if one.name != "permanent"}
    made["type"] = made["event_type"]
    made["timestamp"] = event.timestamp.isoformat() if event.timestamp else None
    made["tags"] = list(event.tags) if isinstance(event.tags, tuple) else event.tags
    made["metadata"] = dict(event.metadata)
    return made
