"""Changes become events, and events become calls to the webhooks that want them; in one transaction, so none is lost."""

from datetime import datetime

import subscribers
from newsletter.app import App
from newsletter.errors import BadInput
from newsletter.http import check_form, check_literal
from newsletter.model import IssueState
from newsletter.settings import Settings
from newsletter.store import Connection, changes, webhooks
from newsletter.store.webhooks import EVERYTHING, Event, Webhook
from subscribers import ChangeKind

AT_ONCE = 500  # changes in one transaction
TEST = "webhook.test"
SUBSCRIBER, ISSUE = "subscriber", "issue"
TYPES = (
    *(f"{SUBSCRIBER}.{kind}" for kind in ChangeKind),
    *(f"{ISSUE}.{state}" for state in IssueState),
)


def add(app: App, url: str, events: list[str], *, addresses: bool) -> Webhook:
    """A new webhook; its secret is shown this one time. Raises BadInput for an event there is not or an unusable URL."""
    unknown = [name for name in events if name not in (*TYPES, EVERYTHING)]
    if unknown or not events:
        what = f"there is no event {unknown[0]}" if unknown else "a webhook without an event is never called"
        raise BadInput(what, where="event", hint="there are " + ", ".join(TYPES) + ", and * for all")
    check_url(app.settings, url)
    with app.db.begin() as conn:
        return webhooks.add(conn, url, events, addresses=addresses, now=app.clock.now())


def check_url(settings: Settings, url: str) -> None:
    """https to what may be public, but for names that the settings map to an address of one's own.

    Where a name leads is judged at each call. Raises FetchRefused, BadInput.
    """
    host = check_form(url)
    if host in {name.lower() for name in settings.fetch.resolve}:
        return
    check_literal(host)
    if not url.startswith("https://"):
        raise BadInput("a webhook is called over https", where="url", hint="names in [fetch] resolve may use http")


def gather(app: App, now: datetime) -> int:
    """Everything that happened since, however much. Returns the number of changes taken."""
    taken = 0
    while not app.stopping.is_set():
        with app.db.begin() as conn:
            found = _taken(conn)
            listening = webhooks.listed(conn, active_only=True)
            for event in found:
                wanted = [one.id for one in listening if one.wants(event.type)]
                if wanted:
                    webhooks.tell(conn, event, wanted, now=now)
        taken += len(found)
        if len(found) < AT_ONCE:
            break
    return taken


def _taken(conn: Connection) -> list[Event]:
    people = [
        Event(id=one.id, type=f"{SUBSCRIBER}.{one.kind}", at=one.at, subject_id=one.person_id, list_slug=one.list_slug)
        for one in subscribers.take_changes(conn, AT_ONCE)
    ]
    issues = [
        Event(id=one.id, type=f"{ISSUE}.{one.state}", at=one.at, subject_id=one.issue_id)
        for one in changes.take(conn, AT_ONCE)
    ]
    return people + issues
