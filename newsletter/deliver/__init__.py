"""Deliver: takes deliveries due, leaves one explicit state each. Never retries a row of unknown fate blindly.

    recover what dead senders held → claim 500 → build → crew of connections ⇄ recorder (intents, results) → finish

The crew (crew.py) holds the connections, the recorder (recorder.py) is the only one that writes the ledger meanwhile.
"""

from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.deliver import messages, worker
from newsletter.deliver.crew import Crew
from newsletter.deliver.messages import Messages
from newsletter.deliver.outcomes import RETRY_AFTER
from newsletter.deliver.recorder import LEASE, Recorder
from newsletter.errors import NewsletterError, TransportDown
from newsletter.log import get_logger, one_line
from newsletter.model import Counts, Mailing, MailingId, MailingKind, MailingState
from newsletter.store import Connection, deliveries, issues, letters, mailings, receipts
from newsletter.store.deliveries import Result

log = get_logger("deliver")

CHUNK = 500  # rows claimed at once, at most
ROUNDS = 20  # messages each connection gets of a chunk: between chunks letters are looked for
MOST_RESENT = 3


def run(app: App, now: datetime) -> int:
    """Send everything that is due. Returns how many rows were claimed; raises TransportDown when mail cannot leave now."""
    recover(app, now)
    with app.db.read() as conn:
        running = mailings.sending(conn)
    if not running:
        return 0
    with worker.Worker(_locks(app)) as me:
        tried, trouble = _send(app, me.name)
    _close(app, running)
    if trouble is not None:
        _tell_of_trouble(app, running, trouble)
        raise trouble
    return tried


def recover(app: App, now: datetime) -> None:
    """Take back what dead senders held, give up what was refused for 48 hours, apply the policy for unknown fates."""
    with app.db.read() as conn:
        held_by = deliveries.holders(conn)
        running = mailings.sending(conn)
    gone = worker.dead(_locks(app), held_by)
    with app.db.begin() as conn:
        back, lost = deliveries.recover(conn, dead=gone, now=now)
        for mailing_id in running:
            deliveries.expire(conn, mailing_id, now=now)
            _resend(app, conn, mailing_id, now)
    if back or lost:
        log.warning("recovered", back_to_pending=back, now_unknown=lost)


def _resend(app: App, conn: Connection, mailing_id: MailingId, now: datetime) -> None:
    """The declared policy `resend`: again after the usual pause, and not for ever: each time may be a double."""
    mailing = mailings.get(conn, mailing_id)
    if mailing.unknown_policy == "resend" and mailing.state is MailingState.SENDING:
        deliveries.resend_unknown(conn, mailing_id, now=now, next_at=now + RETRY_AFTER[0], most_tries=MOST_RESENT)


def _send(app: App, me: str) -> tuple[int, TransportDown | None]:
    """Claim, build and send until nothing is due. Letters come first in every round: a person waits for them."""
    tried = 0
    compiled: dict[MailingId, Messages | None] = {}
    with Recorder(app, me) as recorder, Crew(app.transport, recorder) as crew:
        while not crew.trouble and not app.stopping.is_set():
            claimed = _round(app, me, recorder, crew, compiled)
            tried += claimed
            if not claimed:
                break
    # Whoever was claimed and never reached the peer is given back; what was sent has been recorded above.
    with app.db.begin() as conn:
        deliveries.release_all(conn, me, now=app.clock.now())
    return tried, crew.trouble


def _round(app: App, me: str, recorder: Recorder, crew: Crew, compiled: dict[MailingId, Messages | None]) -> int:
    """One chunk of each mailing under way. Returns how many rows were claimed."""
    with app.db.read() as conn:
        running = mailings.sending(conn)
    claimed = 0
    for mailing_id in running:
        if mailing_id not in compiled:
            compiled[mailing_id] = _compile(app, mailing_id)
        mailing = compiled[mailing_id]
        if mailing is not None and not crew.trouble and not app.stopping.is_set():
            claimed += _chunk(app, me, recorder, crew, mailing)
    return claimed


def _chunk_size(app: App) -> int:
    return min(CHUNK, ROUNDS * app.transport.connections * app.transport.batch)


def _chunk(app: App, me: str, recorder: Recorder, crew: Crew, mailing: Messages) -> int:
    with app.db.begin() as conn:
        claims = deliveries.claim(
            conn, mailing.mailing.id, worker=me, now=app.clock.now(), lease=LEASE, limit=_chunk_size(app)
        )
    if not claims:
        return 0
    with app.db.read() as conn:
        built = list(mailing.build(conn, claims))
    recorder.skip(mailing.mailing.id, [entry for entry in built if isinstance(entry, Result)])
    for entry in built:
        if not isinstance(entry, Result) and (app.stopping.is_set() or not crew.put(entry)):
            break
    _progress(app, mailing)
    return len(claims)


def _compile(app: App, mailing_id: MailingId) -> Messages | None:
    """None, and the mailing paused with its reason, when its content is not what was approved."""
    try:
        with app.db.read() as conn:
            return messages.of_mailing(app, conn, mailing_id)
    except NewsletterError as error:
        log.error("mailing_refused", mailing=mailing_id, reason=str(error))
        with app.db.begin() as conn:
            deliveries.pause(conn, mailing_id)
            mailing = mailings.get(conn, mailing_id)
            if mailing.issue_id is not None:
                issues.waits(conn, mailing.issue_id, reason=str(error))
                variables = {
                    "topic": "compose_failed",
                    "name": mailing.renderings[0].subject,
                    "lines": [str(error)],
                    "url": app.url(f"/staff/issues/{mailing.issue_id}"),
                }
                letters.tell_staff(conn, f"refused:{mailing_id}", variables, now=app.clock.now())
        return None


def _progress(app: App, mailing: Messages) -> None:
    if mailing.mailing.kind is MailingKind.ISSUE:
        with app.db.read() as conn:
            counts = receipts.count(conn, mailing.mailing.id)
        app.watch("deliver", mailing.mailing.renderings[0].subject, counts.frozen - counts.open, counts.frozen)


def _close(app: App, touched: list[MailingId]) -> None:
    for mailing_id in touched:
        with app.db.begin() as conn:
            now = app.clock.now()
            mailing = mailings.get(conn, mailing_id)
            if mailing.state is MailingState.CANCELLED:
                deliveries.skip_cancelled(conn, mailing_id, now=now)
            _resend(app, conn, mailing_id, now)
            counts = deliveries.finish(conn, mailing_id, now=now)
            if counts is not None and counts.unknown and mailing.kind is MailingKind.ISSUE:
                _tell_staff(app, conn, mailing, counts.unknown)
        if counts is not None:
            _say_finished(app, mailing_id, counts)


def _tell_staff(app: App, conn: Connection, mailing: Mailing, unknown: int) -> None:
    """A delivery of unknown fate waits for a person: to hold it, or to send it again."""
    variables = {
        "topic": "unknown_left",
        "name": mailing.renderings[0].subject,
        "count": unknown,
        "url": app.url(f"/staff/issues/{mailing.issue_id}"),
    }
    letters.tell_staff(conn, f"unknown:{mailing.id}", variables, now=app.clock.now())


def _tell_of_trouble(app: App, running: list[MailingId], trouble: TransportDown) -> None:
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
    except Exception as error:  # the trouble may be the database's own; it must not be hidden by this
        log.error("staff_not_told", reason=one_line(error))


def _say_finished(app: App, mailing_id: MailingId, counts: Counts) -> None:
    sums = {"sent": counts.sent, "failed": counts.failed, "skipped": counts.skipped, "unknown": counts.unknown}
    log.info("mailing_finished", mailing=mailing_id, **sums)
    app.watch("deliver", ", ".join(f"{number} {state}" for state, number in sums.items()), counts.frozen, counts.frozen)


def _locks(app: App) -> Path:
    return app.settings.data_dir / "senders"
