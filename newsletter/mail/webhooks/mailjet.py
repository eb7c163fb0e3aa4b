"""Mailjet: a JSON list of events, or one event when grouping is off; HTTP basic authentication only.

https://dev.mailjet.com/email/guides/webhooks/ — message ids are numbers beyond 2**53; there is no event id.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.mail.webhooks import proof, reading
from newsletter.mail.webhooks.event import Credentials, Request, Told, WebhookEvent, Why

NAME = "Mailjet"

_TYPES = {
    "sent": Told.DELIVERED,  # the receiving server has accepted it
    "open": Told.OPENED,
    "click": Told.CLICKED,
    "bounce": Told.BOUNCED,
    "blocked": Told.REJECTED,
    "spam": Told.COMPLAINED,
    "unsub": Told.UNSUBSCRIBED,
}
_WHY = {
    **dict.fromkeys(("user unknown", "mailbox inactive", "quota exceeded"), Why.BOUNCED),
    **dict.fromkeys(("invalid domain", "no mail host", "relay/access denied"), Why.BOUNCED),
    **dict.fromkeys(("blacklisted", "sender blocked", "content blocked", "policy issue", "preblocked"), Why.BLOCKED),
    "spam reporter": Why.SPAM,
    "typofix": Why.INVALID,
}


def read(request: Request, credentials: Credentials, now: datetime | None) -> list[WebhookEvent]:
    proof.check_basic(request, credentials)
    return [_event(told) for told in reading.objects(request.body)]


def _event(told: Mapping[str, Any]) -> WebhookEvent:
    event_type = _TYPES.get(reading.text(told, "event") or "", Told.UNKNOWN)
    error = reading.text(told, "error")
    hard = told.get("hard_bounce")
    if error == "greylisted" and not hard:
        event_type = Told.DEFERRED  # Mailjet goes on trying
    tag = reading.text(told, "customcampaign")
    return WebhookEvent(
        event_type=event_type,
        timestamp=reading.from_epoch(told.get("time")),
        message_id=reading.text(told, "MessageID"),
        recipient=reading.text(told, "email"),
        reject_reason=_WHY.get(error or "", Why.OTHER) if "error" in told else None,
        mta_response=reading.text(told, "smtp_reply"),
        tags=[tag] if tag else [],
        metadata=reading.json_object(told.get("Payload")),
        click_url=reading.text(told, "url"),
        user_agent=reading.text(told, "agent"),
        permanent=hard if isinstance(hard, bool) else None,
    )
