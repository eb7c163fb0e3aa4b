"""How many letters one mailbox may be sent because somebody asked here. Knows no list and no kind of letter."""

from datetime import timedelta

import subscribers
from newsletter.app import App
from newsletter.limits import Rule
from subscribers import Address

MAILBOX = Rule(name="join-mailbox", most=4, within=timedelta(days=1))  # letters a day to one mailbox, whatever the list


def mailbox_may(app: App, address: Address) -> bool:
    """Whether one more letter may be asked for this mailbox today. Silent to the asker: it is nobody else's business."""
    hashed = subscribers.address_hash(address, key=app.suppression_key)
    return app.limits.take(MAILBOX, hashed, now=app.clock.now())
