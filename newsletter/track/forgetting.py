"""What is let go in time: returned messages and what they told, and people by the rules of [retention]."""

from collections.abc import Callable
from datetime import datetime, timedelta

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import PersonId
from newsletter.store import Connection, polls, returns, staff
from newsletter.track.intake import forgotten_before

log = get_logger("track")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_ROUNDS = 20  # of 500 people; what is left waits for tomorrow


def forget(app: App, now: datetime) -> None:
    """Returned mail is looked at once an hour, people once a day, whichever process asks first."""
    with app.db.begin() as conn:
        if polls.may_poll(conn, "forget", every=HOUR, now=now):
            subscribers.forget_originals(conn, now=now)
            returns.forget(conn, before=forgotten_before(app, now))
        due = polls.may_poll(conn, "retention", every=DAY, now=now)
    if due:
        forget_people(app, now)


def forget_people(app: App, now: datetime) -> dict[str, int]:
    """By the rules of [retention]. Returns how many of each."""
    rules, key = app.settings.retention, app.suppression_key

    def unconfirmed(conn: Connection, before: datetime, spared: list[PersonId]) -> int:
        return subscribers.forget_unconfirmed(conn, before=before, now=now, spared=spared)

    def left(conn: Connection, before: datetime, spared: list[PersonId]) -> int:
        return subscribers.forget_left(conn, before=before, now=now, key=key, spared=spared)

    done = {
        "unconfirmed": _in_rounds(app, unconfirmed, rules.unconfirmed_days, now),
        "left": _in_rounds(app, left, rules.left_days, now),
        "ips": _ips(app, rules.ip_days, now),
    }
    if any(done.values()):
        log.info("forgotten", **done)
    return done


def _in_rounds(
    app: App, rule: Callable[[Connection, datetime, list[PersonId]], int], days: int | None, now: datetime
) -> int:
    if days is None:
        return 0
    done = 0
    for _ in range(MOST_ROUNDS):
        with app.db.begin() as conn:
            spared = [member.person_id for member in staff.listed(conn)]
            number = rule(conn, now - timedelta(days=days), spared)
        done += number
        if not number or app.stopping.is_set():
            break
    return done


def _ips(app: App, days: int | None, now: datetime) -> int:
    if days is None:
        return 0
    with app.db.begin() as conn:
        return subscribers.forget_ips(conn, before=now - timedelta(days=days))
