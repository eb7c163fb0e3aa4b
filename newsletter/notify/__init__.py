"""Other programs are told what happened here: webhooks of theirs that we call, signed as Standard Webhooks says.

A change leaves a row in its own transaction (`subscribers.changes`, `store/changes`). `telling` turns rows into events and
calls to make, `wording` says what a call says, `calling` (pure but for the post) makes it and decides when it is tried
again. Must never hold up mail: a webhook that does not answer costs one try a round.
"""

from datetime import datetime, timedelta

from newsletter.app import App
from newsletter.notify import calling, telling
from newsletter.store import answers, polls, webhooks

KEPT = timedelta(days=30)  # for which events and calls can be looked at


def run(app: App, now: datetime) -> int:
    """Take what happened since, and make the calls that are due. Returns how many were taken by their webhooks."""
    telling.gather(app, now)
    done = calling.make_calls(app, now)
    forget(app, now)
    return done


def forget(app: App, now: datetime) -> None:
    """What programs were told and answered, when its time is over; looked at once an hour."""
    with app.db.begin() as conn:
        if polls.may_poll(conn, "forget-told", every=timedelta(hours=1), now=now):
            webhooks.forget(conn, before=now - KEPT)
            answers.forget(conn, now=now)
