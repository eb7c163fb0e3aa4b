"""Deliver: takes deliveries due, leaves one explicit state each. Never retries a row of unknown fate blindly.

    recover what dead senders held → rounds: claim 500 → build → crew of connections ⇄ recorder (intents, results) → finish

A message that kills every sender ends alone, and then in quarantine, while all others are sent. The rounds (rounds.py) claim
and build, the crew (crew.py) holds the connections, the recorder (recorder.py) is the only one that writes the ledger meanwhile.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.deliver import rounds, telling, worker
from newsletter.deliver.outcomes import RETRY_AFTER
from newsletter.errors import TransportDown
from newsletter.log import get_logger, one_line
from newsletter.model import Counts, MailingId, MailingKind, MailingState
from newsletter.store import (
    Connection,
    DatabaseUnavailable,
    deliveries,
    issues,
    mailings,
    receipts,
    recovering,
    sendings,
)

log = get_logger("deliver")

MOST_RESENT = 3
DEADLY = 5  # deaths that put a row in quarantine: at least the last two it died alone
MOST_DEADLY = 10  # rows of a mailing in quarantine; more than that, and it is hardly the rows: the mailing pauses


def run(app: App, now: datetime) -> int:
    """Send everything that is due. Returns how many rows were claimed; raises TransportDown when mail cannot leave now."""
    try:
        helpers = app.engine.start(_due(app, now))
        try:
            tried = _run(app, now)
        finally:
            died = helpers.wait()
        return tried + _run(app, app.clock.now()) if died else tried
    except DatabaseUnavailable as error:  # what was claimed comes back at the next start: this sender is gone then
        raise TransportDown(f"the ledger cannot be used: {one_line(error)}", hint="check the database") from error


def _run(app: App, now: datetime) -> int:
    recover(app, now)
    with app.db.read() as conn:
        running = mailings.sending(conn)
    if not running:
        return 0
    with worker.Worker(_locks(app)) as me:
        compiled: rounds.Compiled = {}
        ended = rounds.send(app, me.name, compiled)
        _close(app, me.name, dict.fromkeys([*running, *compiled]), clean=ended.clean)
    if ended.trouble is not None:
        telling.transport_down(app, running, ended.trouble)
        raise ended.trouble
    return ended.tried


def _due(app: App, now: datetime) -> int:
    """How many deliveries are due, counted no further than it matters."""
    if not app.engine.worth_counting:
        return 0
    with app.db.read() as conn:
        return deliveries.due(conn, now=now, most=app.engine.worth_counting)


def recover(app: App, now: datetime) -> None:
    """Take back what dead senders held, give up what was refused for 48 hours, apply the policy for unknown fates."""
    with app.db.read() as conn:
        held_by = recovering.senders(conn)
        running = mailings.sending(conn)
    gone = worker.gone(_locks(app), held_by)
    with app.db.begin() as conn:
        back, lost = recovering.recover(conn, dead=gone.dead, ended=gone.ended, now=now)
    worker.forget(_locks(app), gone.dead)
    with app.db.begin() as conn:
        for mailing_id in running:
            recovering.expire(conn, mailing_id, now=now)
            _resend(app, conn, mailing_id, now)
            _quarantine(app, conn, mailing_id, now)
    if back or lost:
        log.warning("recovered", back_to_pending=back, now_unknown=lost)


def _resend(app: App, conn: Connection, mailing_id: MailingId, now: datetime) -> None:
    """The declared policy `resend`: again after the usual pause, and not for ever: each time may be a double."""
    mailing = mailings.get(conn, mailing_id)
    if mailing.unknown_policy == "resend" and mailing.state is MailingState.SENDING:
        recovering.resend_unknown(conn, mailing_id, now=now, next_at=now + RETRY_AFTER[0], most_tries=MOST_RESENT)


def _quarantine(app: App, conn: Connection, mailing_id: MailingId, now: datetime) -> None:
    """Give up the messages that kill every sender, and tell staff; pause a mailing that seems to kill with any message."""
    given_up, more = recovering.quarantine(conn, mailing_id, deaths=DEADLY, most=MOST_DEADLY, now=now)
    if not given_up and not more:
        return
    reason = f"{DEADLY} senders died with a message in their hands"
    log.error("quarantined", mailing=mailing_id, count=given_up, paused=more)
    if more:
        deliveries.pause(conn, mailing_id)
        reason += "; so many messages did this that the sending is paused"
    telling.stopped(app, conn, mailings.get(conn, mailing_id), f"quarantined:{mailing_id}:{more}", reason)


def _close(app: App, me: str, touched: Iterable[MailingId], *, clean: bool) -> None:
    """Give back what was claimed and never reached the peer, then finish what can be. What was sent is recorded already.

    `clean`: nothing can be left in this sender's hands. Else the mailings are read whole (0.1 s for 300,000 rows).
    """
    held = False
    for mailing_id in touched:
        with app.db.begin() as conn:
            now = app.clock.now()
            mailing = mailings.get(conn, mailing_id)
            if not clean:
                deliveries.release_all(conn, mailing_id, me, now=now)
                held = held or deliveries.holds(conn, mailing_id, me)
            if mailing.state is MailingState.CANCELLED:
                deliveries.skip_cancelled(conn, mailing_id, now=now)
            _resend(app, conn, mailing_id, now)
            if clean and mailing.issue_id is not None:
                issues.goes_on(conn, mailing.issue_id, waited_for=telling.DOWN)
            counts = None if deliveries.any_waiting(conn, mailing_id) else _finish(conn, mailing_id, now)
            if counts is not None and mailing.kind is MailingKind.ISSUE:
                sendings.save(conn, mailing_id, sendings.followed(sendings.find(conn, mailing_id), counts, now=now))
            if counts is not None and counts.unknown and mailing.kind is MailingKind.ISSUE:
                telling.left_unknown(app, conn, mailing, counts.unknown)
        if counts is not None:
            _say_finished(app, mailing_id, counts)
    if not held:  # else it stays known, and the next run looks after what it left
        with app.db.begin() as conn:
            recovering.sign_off(conn, me)


def _finish(conn: Connection, mailing_id: MailingId, now: datetime) -> Counts | None:
    if receipts.count(conn, mailing_id).held:
        recovering.adopt(conn, mailing_id, now=now)
    return deliveries.finish(conn, mailing_id, now=now)


def _say_finished(app: App, mailing_id: MailingId, counts: Counts) -> None:
    sums = {"sent": counts.sent, "failed": counts.failed, "skipped": counts.skipped, "unknown": counts.unknown}
    log.info("mailing_finished", mailing=mailing_id, **sums)
    app.watch("deliver", ", ".join(f"{number} {state}" for state, number in sums.items()), counts.frozen, counts.frozen)


def _locks(app: App) -> Path:
    return app.settings.data_dir / "senders"
