"""The plan of each sending domain: what is left of it today, and counting what went. A list may be sent from a domain of its own.

The domain is that of the From address, whose reputation receivers keep. Must never let one domain use up another's days.
"""

from datetime import datetime

from newsletter.app import App
from newsletter.deliver.pace import plan
from newsletter.model import MailingId, MailingKind
from newsletter.settings.sender import domain_of
from newsletter.store import Connection, mailings
from newsletter.store import pace as rows


def series_of_plan(domain: str) -> str:
    return f"plan/{domain}"


def plan_today(app: App, conn: Connection, domain: str, now: datetime) -> plan.Today | None:
    """Where the plan of a sending domain stands; None without one."""
    warmup = app.settings.pace.warmup
    if not warmup.on:
        return None
    return plan.today(warmup.plan, rows.slices(conn, series_of_plan(domain)), now=now, zone=app.settings.timezone)


class Plans:
    """The plans of one run. Main thread only."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.on = app.settings.pace.warmup.on
        self._known: dict[MailingId, tuple[str, bool]] = {}  # (domain, whether its plan holds it)

    def left(self, conn: Connection, mailing_id: MailingId, now: datetime) -> int | None:
        """What the plan of a mailing's domain leaves to it today. None: no bound, as for letters and when its plan is over."""
        domain, held = self._of(conn, mailing_id)
        today = plan_today(self._app, conn, domain, now) if held else None
        return None if today is None else today.left

    def count(self, conn: Connection, mailing_id: MailingId, number: int, now: datetime) -> None:
        """So many more of a mailing go today; a negative number takes back."""
        if self.on:
            day = plan.day_of(now, self._app.settings.timezone)[0]
            rows.count(conn, series_of_plan(self._of(conn, mailing_id)[0]), day, number)

    def _of(self, conn: Connection, mailing_id: MailingId) -> tuple[str, bool]:
        if mailing_id not in self._known:
            mailing = mailings.get(conn, mailing_id)
            domain = domain_of(self._app.settings.sender.address_of(mailing.list_slug))
            self._known[mailing_id] = (domain, mailing.kind is MailingKind.ISSUE)
        return self._known[mailing_id]
