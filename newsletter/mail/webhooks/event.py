"""What a provider's webhook tells, in one vocabulary for all of them. Data only, and how a request is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from newsletter.errors import NewsletterError


class Refused(NewsletterError):
    """A request that does not prove to come from the provider, or is none of its. Nothing of it is acted on."""


class Told(StrEnum):
    """The types of events. The names are those of django-anymail, the reference for normalised webhooks."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    REJECTED = "rejected"  # the provider did not even try: suppressed there, or invalid
    FAILED = "failed"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    AUTORESPONDED = "autoresponded"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """Why a provider rejected or gave up, as far as it says."""

    INVALID = "invalid"
    BOUNCED = "bounced"
    TIMED_OUT = "timed_out"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """One event of one recipient. `timestamp`: aware, the provider's own. `metadata`: what we sent along, echoed."""

    event_type: Told
    timestamp: datetime | None = None
    event_id: str | None = None  # tells repeats apart; None: the provider has none
    message_id: str | None = None
    recipient: str | None = field(default=None, repr=False)
    reject_reason: Why | None = None
    description: str | None = field(default=None, repr=False)
    mta_response: str | None = field(default=None, repr=False)
    tags: Any = ()  # a list; SendGrid passes one tag as a bare text
    metadata: Mapping[str, Any] = field(default_factory=dict)
    click_url: str | None = None
    user_agent: str | None = None
    permanent: bool | None = None  # of a bounce, when the provider says: True it is gone, False it may recover


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request as it came. Header names are looked up in any case."""

    headers: Mapping[str, str]
    content_type: str
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What proves a request. `basic`: "user:password" pairs, any of which will do (two while one is being changed).

    `signing`: the provider's signing secret or public key. `topics`: the SNS topics that SES may tell through.
    """

    basic: tuple[str, ...] = field(default=(), repr=False)
    signing: str | None = field(default=None, repr=False)
    topics: tuple[str, ...] = ()
