"""What the settings promise to receivers: the domains mail comes from and goes back to, the keys, the hosts. Pure."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.mail.dkim import Algorithm, Signers
from newsletter.settings import Settings

SIGNED_BY_US = (
    "outbox",
    "smtp",
    "mailgun",
    "ses",
)  # these hand over finished messages; the others write and sign their own
RETURNED_TO_US = ("outbox", "smtp")  # a provider puts its own return path on the envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """`for_all`: every receiver can verify it; an Ed25519 key stands beside such a one."""

    domain: str
    selector: str
    record: str
    for_all: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`envelope`: the domain of the return path; None: the provider's own, which we do not know."""

    sender: str
    envelope: str | None
    unsubscribe: str | None
    keys: tuple[PublishedKey, ...]
    signs: bool  # False: a provider signs, with a key that it names
    host: str  # of every link, picture and one-click request
    relays: tuple[str, ...]  # host names that take our mail over SMTP
    provider: str = ""


def wanted_of(settings: Settings, signers: Signers) -> tuple[Wanted, ...]:
    """One for each domain that mail comes from, the usual one first."""
    return tuple(_wanted(settings, signers, domain) for domain in settings.sender.domains)


def _wanted(settings: Settings, signers: Signers, domain: str) -> Wanted:
    sender, kind = settings.sender, settings.transport.kind
    envelope = (sender.bounce_domain or domain).lower() if kind in RETURNED_TO_US else None
    keys = [
        PublishedKey(domain=signer.domain, selector=selector, record=key.record, for_all=key.algorithm is Algorithm.RSA)
        for signer in signers.all
        for selector, key in signer.keys
        if signer.domain == domain or (domain == sender.domain and signer.domain not in sender.domains)
    ]
    relays = [relay.host for relay in settings.transport.smtp.all_relays] if kind == "smtp" else []
    return Wanted(
        sender=domain,
        envelope=envelope,
        unsubscribe=sender.unsubscribe_domain.lower() if sender.unsubscribe_domain else None,
        keys=tuple(keys),
        signs=kind in SIGNED_BY_US,
        host=(urlsplit(settings.base_url).hostname or "").lower(),
        relays=tuple(dict.fromkeys(host.lower() for host in relays)),
        provider="" if kind in RETURNED_TO_US else kind,
    )
