"""Deliver: takes deliveries due, leaves one explicit state each. Never retries a row of unknown fate blindly.

    recover what dead senders held → claim 500 → build → crew of connections ⇄ recorder (intents, results) → finish

What a sender died holding goes last and in ever smaller groups, so that a message that kills every sender ends alone, and
then in quarantine, while all others are sent.

The crew (crew.py) holds the connections, the recorder (recorder.py) is the only one that writes the ledger meanwhile.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.deliver import messages, pace, worker
from newsletter.deliver.crew import Crew
from newsletter.deliver.messages import Messages
from newsletter.deliver.outcomes import RETRY_AFTER
from newsletter.deliver.progress import Progress
from newsletter.deliver.recorder import LEASE, Recorder
from newsletter.errors import NewsletterError, TransportDown
from newsletter.log import get_logger, one_line
from newsletter.model import Counts, Mailing, MailingId, MailingKind, MailingState
from newsletter.store import (
    Connection,
    DatabaseUnavailable,
    deliveries,
    issues,
    letters,
    mailings,
    receipts,
    recovering,
    sendings,
)
from newsletter.store.deliveries import Claim, Result

log = get_logger("deliver")

CHUNK = 500  # rows claimed at once, at most
ROUNDS = 20  # messages each connection gets of a chunk: between chunks letters are looked for
MOST_RESENT = 3
NARROWER = 8  # of rows that d senders died holding, CHUNK / 8^d go together: from 500 to one in three deaths
DEADLY = 5  # deaths that put a row in quarantine: at least the last two it died alone
MOST_DEADLY = 10  # rows of a mailing in quarantine; more than that, and it is hardly the rows: the mailing pauses
LOOK_EVERY = 2.0  # seconds between two looks at what other processes heard of pace
GLANCE = 0.1  # seconds between two looks for room, where pace is limited


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
        compiled: dict[MailingId, Messages | None] = {}
        tried, trouble = _send(app, me.name, compiled)
        _close(app, me.name, dict.fromkeys([*running, *compiled]))
    if trouble is not None:
        _tell_of_trouble(app, running, trouble)
        raise trouble
    return tried


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
    gone = worker.dead(_locks(app), held_by)
    with app.db.begin() as conn:
        back, lost = recovering.recover(conn, dead=gone, now=now)
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
    _tell_trouble(app, conn, mailings.get(conn, mailing_id), f"quarantined:{mailing_id}:{more}", reason)


def _send(app: App, me: str, compiled: dict[MailingId, Messages | None]) -> tuple[int, TransportDown | None]:
    """Claim, build and send until nothing is due. Letters come first in every round: a person waits for them.

    `compiled` is filled: the mailings that rows were claimed of.
    """
    tried, ears, progress = 0, pace.Ears(app), Progress(app)
    while True:
        pacer = pace.opened(app, me)
        with (
            pacer or nullcontext(),
            Recorder(app, me) as recorder,
            Crew(app.transport, recorder, lanes=pacer.lanes if pacer else None, heard=ears.heard) as crew,
        ):
            run = _Run(
                app=app,
                me=me,
                recorder=recorder,
                crew=crew,
                pacer=pacer,
                ears=ears,
                compiled=compiled,
                progress=progress,
            )
            moved, again = run.go()
        tried += moved
        if again or (ears.say(app.clock.now()) and pacer is None and not run.ended):
            continue  # with a pacer: a receiver asks for it
        suspects = None if crew.trouble else _suspects(app, me, compiled)
        if suspects is None:
            break
        with Recorder(app, me) as recorder, Crew(app.transport, recorder, heard=ears.heard) as crew:
            _hand_over(app, recorder, crew, *suspects)  # leaving waits for all results
        tried += len(suspects[1])
        if crew.trouble:
            break
    return tried, crew.trouble


def _suspects(app: App, me: str, compiled: dict[MailingId, Messages | None]) -> tuple[Messages, list[Claim]] | None:
    """The next group of what senders died holding, those with the fewest deaths first; None when there is none."""
    for mailing in compiled.values():
        if mailing is None or app.stopping.is_set():
            continue
        with app.db.begin() as conn:
            now, mailing_id = app.clock.now(), mailing.mailing.id
            deaths = recovering.suspicion(conn, mailing_id, now=now)
            if deaths is None:
                continue
            limit = max(1, _chunk_size(app) // NARROWER**deaths)
            claims = deliveries.claim(conn, mailing_id, worker=me, now=now, lease=LEASE, limit=limit, deaths=deaths)
        if claims:
            return mailing, claims
    return None


def _chunk_size(app: App) -> int:
    return min(CHUNK, ROUNDS * app.transport.connections * app.transport.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Sending until nothing is due, or until a first receiver asks for pace and there was none."""

    app: App
    me: str
    recorder: Recorder
    crew: Crew
    pacer: pace.Pacer | None
    ears: pace.Ears
    compiled: dict[MailingId, Messages | None]  # kept from run to run
    progress: Progress

    @property
    def ended(self) -> bool:
        return self.crew.trouble is not None or self.app.stopping.is_set()

    def go(self) -> tuple[int, bool]:
        """(rows claimed, whether to go on with a pacer)."""
        tried, looked = 0, time.monotonic()
        while not self.ended:
            claimed = self._round()
            tried += claimed
            if time.monotonic() - looked > LOOK_EVERY:  # other processes hear of receivers too
                looked = time.monotonic()
                if self.pacer is not None:
                    self.pacer.look()
                elif pace.limited(self.app):
                    return tried, True
            self.crew.grow()
            if self.ears.say(self.app.clock.now()):
                if self.pacer is None:
                    return tried, True
                self.pacer.look()
            if claimed:
                continue
            if self.pacer is None or not self.pacer.worth_waiting():
                break
            self.app.stopping.wait(GLANCE)
        return tried, False

    def _round(self) -> int:
        """One chunk of each mailing under way. Returns how many rows were claimed."""
        with self.app.db.read() as conn:
            running = mailings.sending(conn)
        claimed = 0
        for mailing_id in running:
            if mailing_id not in self.compiled:
                self.compiled[mailing_id] = _compile(self.app, mailing_id)
            mailing = self.compiled[mailing_id]
            if mailing is not None and not self.ended:
                claimed += self._chunk(mailing)
                self.progress.tell(mailing.mailing)
        if self.pacer is not None and not claimed:
            self.pacer.pull(running, self.app.clock.now())
        return claimed

    def _chunk(self, mailing: Messages) -> int:
        """Returns how many rows were claimed, also those that pace put aside at once."""
        number, claims = self._claim(mailing)
        if not claims:
            return number
        closed = _hand_over(self.app, self.recorder, self.crew, mailing, claims)
        if self.pacer is not None and closed:
            nobody = {result.person_id for result in closed}
            self.pacer.not_sent([claim for claim in claims if claim.person_id in nobody], self.app.clock.now())
        return number

    def _claim(self, mailing: Messages) -> tuple[int, Sequence[Claim]]:
        """(rows claimed, those of them to be sent now)."""
        mailing_id, pacer, now = mailing.mailing.id, self.pacer, self.app.clock.now()
        most = _chunk_size(self.app)
        letter = mailing.mailing.kind is not MailingKind.ISSUE
        if pacer is not None and not letter:
            most = pacer.ahead(most)
        if not most:
            return 0, ()
        with self.app.db.begin() as conn:
            if pacer is not None:
                most = pacer.room(conn, most, letter=letter, now=now)
            if not most:
                return 0, ()
            claims = deliveries.claim(conn, mailing_id, worker=self.me, now=now, lease=LEASE, limit=most)
            if pacer is None or not claims:
                return len(claims), claims
            return len(claims), pacer.admit(conn, mailing_id, claims, letter=letter, now=now)


def _hand_over(app: App, recorder: Recorder, crew: Crew, mailing: Messages, claims: Sequence[Claim]) -> list[Result]:
    """Build what was claimed and give it to the crew. Returns the rows that turned out to have nobody to mail."""
    with app.db.read() as conn:
        built = list(mailing.build(conn, claims))
    closed = [entry for entry in built if isinstance(entry, Result)]
    recorder.skip(mailing.mailing.id, closed)
    for entry in built:
        if not isinstance(entry, Result) and (app.stopping.is_set() or not crew.put(entry)):
            break
    return closed


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


def _close(app: App, me: str, touched: Iterable[MailingId]) -> None:
    """Give back what was claimed and never reached the peer, then finish what can be. What was sent is recorded already."""
    held = 0
    for mailing_id in touched:
        with app.db.begin() as conn:
            now = app.clock.now()
            mailing = mailings.get(conn, mailing_id)
            there = receipts.count(conn, mailing_id)
            if there.held:
                held += there.held - deliveries.release_all(conn, mailing_id, me, now=now)
            if mailing.state is MailingState.CANCELLED:
                deliveries.skip_cancelled(conn, mailing_id, now=now)
            _resend(app, conn, mailing_id, now)
            counts = None if there.open else deliveries.finish(conn, mailing_id, now=now)
            if counts is not None and mailing.kind is MailingKind.ISSUE:
                sendings.save(conn, mailing_id, sendings.followed(sendings.find(conn, mailing_id), counts, now=now))
            if counts is not None and counts.unknown and mailing.kind is MailingKind.ISSUE:
                _tell_staff(app, conn, mailing, counts.unknown)
        if counts is not None:
            _say_finished(app, mailing_id, counts)
    if (
        not held
    ):  # by the ledger's own count; whatever others hold, the next run looks after this sender as after a dead one
        with app.db.begin() as conn:
            recovering.sign_off(conn, me)


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
