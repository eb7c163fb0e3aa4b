"""What staff are told of a sending: letters, once for each cause. Must never stop a sending, nor hide what stopped it."""

from collections.abc import Iterable

from newsletter.app import App
from newsletter.errors import TransportDown
from newsletter.log import get_logger, one_line
from newsletter.model import Mailing, MailingId, MailingKind, MailingState
from newsletter.store import Connection, issues, letters, mailings

log = get_logger("deliver")

DOWN = "mail cannot leave"  # begins the reason of an issue that waits for its relay or provider


def stopped(app: App, conn: Connection, mailing: Mailing, key: str, reason: str) -> None:
    """An issue's sending does not go on, or gave somebody up, for this reason."""
    if mailing.issue_id is None:
        return
    variables = {
        "topic": "compose_failed",
        "name": mailing.renderings[0].subject,
        "lines": [reason],
        "url": app.url(f"/staff/issues/{mailing.issue_id}"),
    }
    letters.tell_staff(conn, key, variables, now=app.clock.now())


def left_unknown(app: App, conn: Connection, mailing: Mailing, unknown: int) -> None:
    """A delivery of unknown fate waits for a person: to hold it, or to send it again."""
    variables = {
        "topic": "unknown_left",
        "name": mailing.renderings[0].subject,
        "count": unknown,
        "url": app.url(f"/staff/issues/{mailing.issue_id}"),
    }
    letters.tell_staff(conn, f"unknown:{mailing.id}", variables, now=app.clock.now())


def transport_down(app: App, running: Iterable[MailingId], trouble: TransportDown) -> None:
    """Once for each issue that waits: its rows stay as they are, and it is tried again however often that is needed."""
    now = app.clock.now()
    try:
        with app.db.begin() as conn:
            for mailing in (mailings.get(conn, mailing_id) for mailing_id in running):
                if mailing.kind is MailingKind.ISSUE and mailing.state is MailingState.SENDING:
                    variables = {
                        "topic": "transport_down",
                        "name": mailing.renderings[0].subject,
                        "lines": [f"{now:%Y-%m-%d %H:%M} UTC: {trouble}"],
                        "url": app.url(f"/staff/issues/{mailing.issue_id}"),
                    }
                    letters.tell_staff(conn, f"down:{mailing.id}", variables, now=now)
                    if mailing.issue_id is not None:  # on staff's first page until mail leaves again
                        issues.waits(conn, mailing.issue_id, reason=f"{DOWN}: {trouble}")
    except Exception as error:  # the trouble may be the database's own; it must not be hidden by this
        log.error("staff_not_told", reason=one_line(error))
