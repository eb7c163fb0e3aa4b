"""Tells how far a sending has come: to whoever looks on here, and in a row to those who look on elsewhere.

The rows of a mailing are counted at most once a second, and never for more than a fiftieth of the time: counting a million
after each chunk would take longer than sending them.
"""

import time
from collections.abc import Callable

from newsletter.app import App
from newsletter.model import Mailing, MailingId, MailingKind
from newsletter.store import receipts, sendings

SELDOM = 50  # times as long as a count took, until the next
SOON = 1.0  # second


class Progress:
    def __init__(self, app: App, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: monotonic seconds."""
        self._app, self._clock = app, clock
        self._due: dict[MailingId, float] = {}

    def tell(self, mailing: Mailing, *, at_once: bool = False) -> None:
        """Of an issue only: a letter or a test has one reader."""
        began = self._clock()
        if mailing.kind is not MailingKind.ISSUE or (not at_once and began < self._due.get(mailing.id, 0.0)):
            return
        with self._app.db.read() as conn:
            counts = receipts.count(conn, mailing.id)
            before = sendings.find(conn, mailing.id)
        took = self._clock() - began
        self._due[mailing.id] = began + max(SOON, SELDOM * took)
        with self._app.db.begin() as conn:
            sendings.save(conn, mailing.id, sendings.followed(before, counts, now=self._app.clock.now()))
        self._app.watch("deliver", mailing.renderings[0].subject, counts.frozen - counts.open, counts.frozen)
