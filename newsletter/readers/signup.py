"""A stranger asks to join: the limits that stand on every public way in, then `join`.

A caller learns only whether to answer as always or to say "later"; never whether the address is known.
"""

from datetime import timedelta
from enum import StrEnum

import subscribers
from newsletter.app import App
from newsletter.limits import Rule, network_of
from newsletter.log import get_logger
from newsletter.readers import join
from newsletter.readers.mailbox import mailbox_may
from subscribers import Address, ConsentGiven

log = get_logger("readers")

# Proven by work: a family, a class or an office behind one address may sign up in one hour. Unproven: a slower few.
PROVEN = Rule(name="join-proven", most=30, within=timedelta(hours=1))
UNPROVEN = Rule(name="join-unproven", most=5, within=timedelta(hours=1))
DOMAIN = Rule(name="join-domain", most=60, within=timedelta(hours=1))  # big receivers are exempt: they are everybody


class Answer(StrEnum):
    TAKEN = "taken"  # answer as always: a letter comes if one is due
    LATER = "later"  # this visitor or this domain asked too often
    REFUSED = "refused"  # a mailbox that is thrown away


def sign_up(
    app: App,
    list_slug: str,
    address: Address,
    *,
    consent: ConsentGiven,
    client: str | None,
    proven: bool,
    language: str | None = None,
    name: str = "",
) -> Answer:
    """Ask to join from outside. `client` is the visitor's IP address, `proven` whether they showed work for it.

    `client` None: a program with a token of its own vouches for its visitors, and is counted by its token. Raises
    what `join` raises.
    """
    if subscribers.is_disposable(address):
        return Answer.REFUSED
    welcome = client is None or visitor_may(app, client, proven=proven)
    if not welcome or not _domain_may(app, address):
        log.warning("sign_up_limited", proven=proven)
        return Answer.LATER
    if mailbox_may(app, address):
        join(app, list_slug, address, consent=consent, name=name, language=language)
    return Answer.TAKEN


def visitor_may(app: App, client: str, *, proven: bool) -> bool:
    return app.limits.take(PROVEN if proven else UNPROVEN, network_of(client), now=app.clock.now())


def _domain_may(app: App, address: Address) -> bool:
    group = subscribers.mail_group(address.domain, app.suppression_key)
    return not group.startswith("h-") or app.limits.take(DOMAIN, group, now=app.clock.now())
