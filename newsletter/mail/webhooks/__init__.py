"""What the mail providers tell us over HTTP: one module per provider, one vocabulary of events. Pure, no rows.

Every provider module has NAME and `read(request, credentials, now)`: it proves the request, then reads it, and raises
Refused for whatever is not proven. Replays: signed times must lie near `now`, and the caller remembers event ids.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.mail.webhooks import brevo, mailersend, mailgun, mailjet, postmark, resend, sendgrid, ses
from newsletter.mail.webhooks.event import Credentials, Refused, Request, Told, WebhookEvent, Why

__all__ = ["PROVIDERS", "Credentials", "Provider", "Refused", "Request", "Told", "WebhookEvent", "Why", "provider"]

Read = Callable[[Request, Credentials, datetime | None], list[WebhookEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """`slug` stands in the webhook's URL and in the settings; `name` is what people call it.

    `one_event_each`: an event id is a token that was signed without the body, so it may tell one event and no second.
    """

    slug: str
    name: str
    read: Read
    one_event_each: bool = False


PROVIDERS = (
    Provider(slug="ses", name=ses.NAME, read=ses.read),
    Provider(slug="mailgun", name=mailgun.NAME, read=mailgun.read, one_event_each=True),
    Provider(slug="postmark", name=postmark.NAME, read=postmark.read),
    Provider(slug="brevo", name=brevo.NAME, read=brevo.read),
    Provider(slug="resend", name=resend.NAME, read=resend.read),
    Provider(slug="sendgrid", name=sendgrid.NAME, read=sendgrid.read),
    Provider(slug="mailjet", name=mailjet.NAME, read=mailjet.read),
    Provider(slug="mailersend", name=mailersend.NAME, read=mailersend.read),
)
_BY_NAME: Mapping[str, Provider] = {
    name.lower(): provider for provider in PROVIDERS for name in (provider.slug, provider.name)
}


def provider(name: str) -> Provider | None:
    """By slug or name, in any case; None for a provider that is not understood."""
    return _BY_NAME.get(name.strip().lower())
