"""Deliver: takes deliveries due, leaves one explicit state each. Never retries a row of unknown fate blindly.

    recover what dead senders held → claim 500 → build → crew of connections ⇄ recorder (intents, results) → finish

What a sender died holding goes last and in ever smaller groups, so that a message that kills every sender ends alone, and
then in quarantine, while all others are sent.

The crew (crew.py) holds the connections, the recorder (recorder.py) is the only one that writes the ledger meanwhile.
"""

import time
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
from newsletter.store import Connection, DatabaseUnavailable, deliveries, issues, letters, mailings, receipts
from newsletter.store.deliveries import Claim, Result

log = get_logger("deliver")

CHUNK = 500  # rows claimed at once, at most
ROUNDS = 20  # messages each connection gets of a chunk: between chunks letters are looked for
MOST_RESENT = 3
NARROWER = 8  # of rows that d senders died holding, CHUNK / 8^d go together: from 500 to one in three deaths
DEADLY = 5  # deaths that put a row in quarantine: at least the last two it died alone
MOST_DEADLY = 10  # rows of a mailing in quarantine; more than that, and it is hardly the rows: the mailing pauses


def run(app: App, now: datetime) -> int:
    """Send everything that is due. Returns how many rows were claimed; raises TransportDown when mail cannot leave now."""
    try:
        return _run(app, now)
    except DatabaseUnavailable as error:  # what was claimed comes back at the next start: this sender is gone then
        raise TransportDown(f"the ledger cannot be used: {one_line(error)}", hint="check the database") from error


def _run(app: App, now: datetime) -> int:
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
            _quarantine(app, conn, mailing_id, now)
    if back or lost:
        log.warning("recovered", back_to_pending=back, now_unknown=lost)


def _resend(app: App, conn: Connection, mailing_id: MailingId, now: datetime) -> None:
    """The declared policy `resend`: again after the usual pause, and not for ever: each time may be a double."""
    mailing = mailings.get(conn, mailing_id)
    if mailing.unknown_policy == "resend" and mailing.state is MailingState.SENDING:
        deliveries.resend_unknown(conn, mailing_id, now=now, next_at=now + RETRY_AFTER[0], most_tries=MOST_RESENT)


def _quarantine(app: App, conn: Connection, mailing_id: MailingId, now: datetime) -> None:
    """Give up the messages that kill every sender, and tell staff; pause a mailing that seems to kill with any message."""
    given_up, more = deliveries.quarantine(conn, mailing_id, deaths=DEADLY, most=MOST_DEADLY, now=now)
    if not given_up and not more:
        return
    reason = f"{DEADLY} senders died with a message in their hands"
    log.error("quarantined", mailing=mailing_id, count=given_up, paused=more)
    if more:
        deliveries.pause(conn, mailing_id)
        reason += "; so many messages did this that the sending is paused"
    _tell_trouble(app, conn, mailings.get(conn, mailing_id), f"quarantined:{mailing_id}:{more}", reason)


def _send(app: App, me: str) -> tuple[int, TransportDown | None]:
    """Claim, build and send until nothing is due. Letters come first in every round: a person waits for them."""
    tried = 0
    compiled: dict[MailingId, Messages | None] = {}
    progress = Progress(app)
    while True:
        with Recorder(app, me) as recorder, Crew(app.transport, recorder) as crew:
            while (claimed := _round(app, me, recorder, crew, compiled, progress)) and not crew.trouble:
                tried += claimed
        tried += claimed
        suspects = None if crew.trouble else _suspects(app, me, compiled)
        if suspects is None:
            break
        with Recorder(app, me) as recorder, Crew(app.transport, recorder) as crew:  # leaving it waits for all results
            _hand_over(app, recorder, crew, *suspects)
        tried += len(suspects[1])
        if crew.trouble:
            break
    # Whoever was claimed and never reached the peer is given back; what was sent has been recorded above.
    with app.db.begin() as conn:
        deliveries.release_all(conn, me, now=app.clock.now())
    return tried, crew.trouble


def _suspects(app: App, me: str, compiled: dict[MailingId, Messages | None]) -> tuple[Messages, list[Claim]] | None:
    """The next group of what senders died holding, those with the fewest deaths first; None when there is none."""
    for mailing in compiled.values():
        if mailing is None or app.stopping.is_set():
            continue
        with app.db.begin() as conn:
            now, mailing_id = app.clock.now(), mailing.mailing.id
            deaths = deliveries.suspicion(conn, mailing_id, now=now)
            if deaths is None:
                continue
            limit = max(1, _chunk_size(app) // NARROWER**deaths)
            claims = deliveries.claim(conn, mailing_id, worker=me, now=now, lease=LEASE, limit=limit, deaths=deaths)
        if claims:
            return mailing, claims
    return None


def _round(
    app: App,
    me: str,
    recorder: Recorder,
    crew: Crew,
    compiled: dict[MailingId, Messages | None],
    progress: "Progress",
) -> int:
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
            progress.tell(mailing.mailing)
    return claimed


def _chunk_size(app: App) -> int:
    return min(CHUNK, ROUNDS * app.transport.connections * app.transport.batch)


def _chunk(app: App, me: str, recorder: Recorder, crew: Crew, mailing: Messages) -> int:
    with app.db.begin() as conn:
        claims = deliveries.claim(
            conn, mailing.mailing.id, worker=me, now=app.clock.now(), lease=LEASE, limit=_chunk_size(app)
        )
    if claims:
        _hand_over(app, recorder, crew, mailing, claims)
    return len(claims)


def _hand_over(app: App, recorder: Recorder, crew: Crew, mailing: Messages, claims: list[Claim]) -> None:
    with app.db.read() as conn:
        built = list(mailing.build(conn, claims))
    recorder.skip(mailing.mailing.id, [entry for entry in built if isinstance(entry, Result)])
    for entry in built:
        if not isinstance(entry, Result) and (app.stopping.is_set() or not crew.put(entry)):
            break


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
            _tell_trouble(app, conn, mailing, f"refused:{mailing_id}", str(error))
        return None


class Progress:
    """Tells who looks on how far a mailing is. Counting reads all its rows, so it may take a twentieth of the time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._next = 0.0  # by the monotonic clock

    def tell(self, mailing: Mailing) -> None:
        start = time.monotonic()
        if mailing.kind is not MailingKind.ISSUE or start < self._next:
            return
        with self._app.db.read() as conn:
            counts = receipts.count(conn, mailing.id)
        now = time.monotonic()
        self._next = now + 20 * (now - start)
        self._app.watch("deliver", mailing.renderings[0].subject, counts.frozen - counts.open, counts.frozen)


def _tell_trouble(app: App, conn: Connection, mailing: Mailing, key: str, reason: str) -> None:
    if mailing.issue_id is None:
        return
    variables = {
        "topic": "compose_failed",
        "name": mailing.renderings[0].subject,
        "lines": [reason],
        "url": app.url(f"/staff/issues/{mailing.issue_id}"),
    }
    letters.tell_staff(conn, key, variables, now=app.clock.now())


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
