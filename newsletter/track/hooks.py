"""Webhooks: a request that a provider sent becomes returns. Raises Refused for what is not proved; then nothing is kept."""

import hashlib
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.app import App
from newsletter.errors import NewsletterError
from newsletter.http import Fetcher
from newsletter.log import get_logger
from newsletter.mail.bounces.reasons import cause_of
from newsletter.mail.bounces.returned import BounceKind, Reason, kind_of
from newsletter.mail.replies import mask_addresses
from newsletter.mail.tokens import Purpose
from newsletter.mail.webhooks import Credentials, Provider, Refused, Request, Told, WebhookEvent, Why, amazon, ses
from newsletter.mail.webhooks.amazon import Trusted
from newsletter.settings.incoming import Webhook
from newsletter.store import Connection, returns
from newsletter.store.returns import Return
from newsletter.track.intake import MOST_SAID, Match, between, by_address, oldest_believed

log = get_logger("hooks")

_KINDS = {
    Told.DELIVERED: "delivered",
    Told.OPENED: "opened",
    Told.CLICKED: "clicked",
    Told.COMPLAINED: "complaint",
    Told.UNSUBSCRIBED: "left",
    Told.AUTORESPONDED: "autoreply",
    Told.DEFERRED: "deferred",
    Told.SENT: "accepted",
    Told.QUEUED: "accepted",
}
TOKEN_NAMES = ("delivery",)  # under which our transports send the trace token along


def credentials_of(settings: Webhook) -> Credentials:
    basic = [one.get_secret_value() for one in (settings.password, settings.former_password) if one is not None]
    signing = settings.signing.get_secret_value() if settings.signing else None
    return Credentials(basic=tuple(basic), signing=signing, topics=settings.topic)


class Amazon:
    """Asks Amazon SNS what SES's webhook needs: the certificate of a signature (kept), the address that subscribes."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._certificates: dict[str, Trusted] = {}

    def certificate(self, url: str, *, now: datetime) -> bytes:
        """The PEM certificate at one of SNS's addresses, when it is SNS's and valid `now`. Raises Refused."""
        kept = self._certificates.get(url)
        if kept is None or kept.until < now:
            kept = self._examined(url, now)
            if len(self._certificates) >= 8:  # Amazon has one for months
                self._certificates.clear()
            self._certificates[url] = kept
        return kept.pem

    def _examined(self, url: str, now: datetime) -> Trusted:
        """SNS sends the certificate alone: those above it are fetched from where each names the next, until a root is met."""
        chain = amazon.read_chain(self.ask(url))
        roots, host = self._fetcher.roots(amazon.ROOT), urlsplit(url).hostname or ""
        while True:
            try:
                return amazon.trusted(chain, roots, host=host, now=now)
            except Refused:
                above = amazon.issuer_url(chain[-1])
                if above is None or len(chain) >= amazon.MOST_CERTIFICATES:
                    raise
                chain.append(amazon.read_issuer(self.ask(above)))

    def ask(self, url: str) -> bytes:
        """The answer behind one of Amazon's own addresses (`ses` decides which are). Raises Refused."""
        try:
            found = self._fetcher.get(url, max_body=64_000)
        except NewsletterError as error:
            raise Refused(f"Amazon could not be asked: {error.what}") from error
        if found.url != url:
            raise Refused("Amazon's answer came from another address")
        return found.body


def receive_webhook(app: App, provider: Provider, request: Request, *, asking: Amazon | None = None) -> int:
    """Keep what a request tells. Returns how many events were new. Raises Refused.

    Four providers prove no time, so a request may be sent again for ever: what is older than what is kept does nothing.
    """
    now = app.clock.now()
    credentials = credentials_of(getattr(app.settings.webhooks, provider.slug))
    events = _proved(provider, request, credentials, now, asking or Amazon(app.fetcher))
    oldest = oldest_believed(app, now)
    told = [(at, one) for at, one in enumerate(events) if one.timestamp is None or one.timestamp >= oldest]
    fresh = 0
    with app.db.begin() as conn:
        for number, event in told:
            match = _match(app, conn, event, now=now)
            fresh += returns.add(conn, return_of(event, match, provider=provider, number=number, now=now), now=now)
    log.info("webhook", provider=provider.slug, events=len(events), fresh=fresh, too_old=len(events) - len(told))
    return fresh


def _proved(
    provider: Provider, request: Request, credentials: Credentials, now: datetime, asking: Amazon
) -> list[WebhookEvent]:
    if provider.read is not ses.read:
        return provider.read(request, credentials, now)
    return _from_ses(request, credentials, now, asking)


def _from_ses(request: Request, credentials: Credentials, now: datetime, asking: Amazon) -> list[WebhookEvent]:
    certificate = None
    if ses.is_of_a_topic(request, credentials) and (url := ses.certificate_url(request)) is not None:
        certificate = asking.certificate(url, now=now)
    events = ses.read(request, credentials, now, certificate=certificate)
    subscribing = ses.subscribe_url(request)
    if subscribing is not None:
        asking.ask(subscribing)
        log.info("topic_subscribed")
    return events


def _match(app: App, conn: Connection, event: WebhookEvent, *, now: datetime) -> Match:
    """By our token that the provider echoes, its message id, or the recipient. The provider's proof holds for all three."""
    for name in TOKEN_NAMES:
        token = event.metadata.get(name)
        read = app.keyring.read(Purpose.TRACE, token) if isinstance(token, str) else None
        if read is not None:
            return Match(mailing_id=read[0], person_id=read[1], proven=True)
    known = by_address(conn, [event.recipient], before=now) if event.recipient else Match()
    ours = _by_message_id(app, conn, event.message_id, known)
    return ours or replace(known, proven=known.person_id is not None)


def _by_message_id(app: App, conn: Connection, message_id: str | None, known: Match) -> Match | None:
    if not message_id:
        return None
    bare = message_id.strip("<>")
    read = app.keyring.read(Purpose.TRACE, bare.split("@", 1)[0])
    if read is not None:
        return Match(mailing_id=read[0], person_id=read[1], proven=True)
    found = returns.by_provider_id(conn, {message_id, bare, f"<{bare}>"})
    mine = [one for one in found if one[1] == known.person_id] or (found if len(found) == 1 else [])
    return Match(mailing_id=mine[0][0], person_id=mine[0][1], proven=True) if mine else None


def return_of(event: WebhookEvent, match: Match, *, provider: Provider, number: int, now: datetime) -> Return:
    """An event as a return (pure)."""
    kind, reason, status = judged(event)
    return Return(
        source=provider.slug,
        kind=kind,
        reason=reason,
        status=status,
        said=mask_addresses(event.mta_response or event.description or "")[:MOST_SAID],
        proven=match.proven,
        mailing_id=match.mailing_id,
        person_id=match.person_id,
        at=between(event.timestamp, now),
        dedupe_key=key_of(event, provider=provider, about=match.person_id or str(number)),
    )


def key_of(event: WebhookEvent, *, provider: Provider, about: str) -> str:
    """48 hex digits that make it this event and no other (pure): the provider's event id, or what it tells.

    Of a token that alone was signed nothing else counts: with another body it would be a second event.
    """
    if provider.one_event_each:
        whole = f"{provider.slug}|{event.event_id}"
    else:
        identity = event.event_id or f"{event.event_type}|{event.timestamp}|{event.message_id}|{event.click_url}"
        whole = f"{provider.slug}|{identity}|{event.event_type}|{about}"
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:48]


def judged(event: WebhookEvent) -> tuple[str, str, str]:
    """(kind, reason, status) of an event (pure). Of a bounce: the server's words where they are plain, else the provider's."""
    if event.event_type in _KINDS:
        return _KINDS[event.event_type], event.reject_reason or "", ""
    if event.event_type in (Told.BOUNCED, Told.REJECTED):
        return _bounce(event)
    return "unread", event.event_type, ""


def _bounce(event: WebhookEvent) -> tuple[str, str, str]:
    if event.reject_reason is Why.SPAM:
        return "complaint", Reason.FEEDBACK, ""
    if event.reject_reason is Why.UNSUBSCRIBED:
        return "left", "unsubscribed", ""
    cause = cause_of([event.mta_response or "", event.description or ""])
    kind = kind_of(cause.reason)
    if event.permanent is False and kind is BounceKind.HARD:
        kind = BounceKind.SOFT
    if cause.reason is Reason.ON_HOLD:  # no words that tell anything: the provider's own judgement
        gone = event.permanent or event.reject_reason in (Why.INVALID,)
        refused_there = event.event_type is Told.REJECTED and event.reject_reason is Why.BOUNCED
        blocked = event.reject_reason is Why.BLOCKED
        kind = BounceKind.HARD if gone or refused_there else BounceKind.BLOCK if blocked else BounceKind.SOFT
        return kind, event.reject_reason or "", cause.status
    return kind, cause.reason, cause.status
