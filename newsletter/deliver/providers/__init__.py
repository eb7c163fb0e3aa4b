"""Mail providers over HTTP: an adapter each, one transport for all of them (transport.py), one contract (contract.py)."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from newsletter.deliver.providers.account import Pause, SharedRests
from newsletter.deliver.providers.brevo import BrevoAdapter
from newsletter.deliver.providers.contract import Adapter
from newsletter.deliver.providers.generic import GenericAdapter
from newsletter.deliver.providers.mailersend import MailerSendAdapter
from newsletter.deliver.providers.mailgun import MailgunAdapter
from newsletter.deliver.providers.mailjet import MailjetAdapter
from newsletter.deliver.providers.postmark import PostmarkAdapter
from newsletter.deliver.providers.resend import ResendAdapter
from newsletter.deliver.providers.sendgrid import SendGridAdapter
from newsletter.deliver.providers.ses import SesAdapter
from newsletter.deliver.providers.transport import ProviderTransport
from newsletter.http import Fetcher
from newsletter.settings import Settings
from newsletter.settings.providers import Provider
from newsletter.store import Database

__all__ = ["ADAPTERS", "ProviderTransport", "make", "notes"]

ADAPTERS: dict[str, Callable[..., Adapter]] = {
    "brevo": BrevoAdapter,
    "generic": GenericAdapter,
    "mailersend": MailerSendAdapter,
    "mailgun": MailgunAdapter,
    "mailjet": MailjetAdapter,
    "postmark": PostmarkAdapter,
    "resend": ResendAdapter,
    "sendgrid": SendGridAdapter,
    "ses": SesAdapter,
}


def make(
    settings: Settings,
    fetcher: Fetcher,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Pause = time.sleep,
    db: Database | None = None,
) -> ProviderTransport:
    """The transport of the provider that `[transport] kind` names. `pause` waits so many seconds; True: the program ends.

    `db`: through which processes tell each other that the provider asked for patience.
    """
    account = account_of(settings)
    adapter = ADAPTERS[settings.transport.kind](account)
    rests = None if db is None else SharedRests(db, adapter.name)
    return ProviderTransport(
        adapter, fetcher, timeout=account.timeout, connections=account.connections, now=now, pause=pause, rests=rests
    )


def account_of(settings: Settings) -> Provider:
    found = getattr(settings.transport, settings.transport.kind)
    assert isinstance(found, Provider), "asked only for providers"
    return found


def notes(settings: Settings) -> Iterator[tuple[bool, str]]:
    """What a person should know of the chosen account before it is used: (is it a fault?, one sentence)."""
    kind, account = settings.transport.kind, account_of(settings)
    if not account.url.startswith("https://"):
        yield True, f"transport.{kind}.url is not https: readers' addresses and the key travel in the open"
    if kind == "brevo":
        yield False, 'brevo takes no pictures inside a message: images = "hosted" or "linked"'
    domain = getattr(account, "domain", "")
    if domain and domain != settings.sender.domain and not domain.endswith(f".{settings.sender.domain}"):
        yield True, f"transport.{kind}.domain {domain} is not the sender's {settings.sender.domain} or under it (DMARC)"
    if kind == "mailersend" and getattr(account, "bulk", False):
        yield False, "mailersend's bulk endpoint tells refusals in its events alone"
