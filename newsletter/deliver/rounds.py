"""Rounds of a sending: claim a chunk of each mailing under way, build it, hand it to the crew, until nothing is due.

What senders died holding goes last, in ever smaller groups, each ended before the next: a message that kills every sender
ends alone. All of it keeps the pace, where there is one.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.app import App
from newsletter.deliver import messages, pace, telling
from newsletter.deliver.crew import Crew
from newsletter.deliver.messages import Messages
from newsletter.deliver.progress import Progress
from newsletter.deliver.recorder import LEASE, Recorder
from newsletter.errors import NewsletterError, TransportDown
from newsletter.log import get_logger
from newsletter.model import MailingId, MailingKind
from newsletter.store import deliveries, issues, mailings, recovering
from newsletter.store.deliveries import Claim, Result

log = get_logger("deliver")

CHUNK = 500  # rows claimed at once, at most
ROUNDS = 20  # messages each connection gets of a chunk: between chunks letters are looked for
NARROWER = 8  # of rows that d senders died holding, CHUNK / 8^d go together: from 500 to one in three deaths
LOOK_EVERY = 2.0  # seconds between two looks at what other processes heard of pace
GLANCE = 0.1  # seconds between two looks for room, where pace is limited

Compiled = dict[MailingId, Messages | None]


class Ended(NamedTuple):
    """How a sending ended. `clean`: every row that was claimed has its result."""

    tried: int  # rows claimed
    trouble: TransportDown | None  # why mail cannot leave now
    clean: bool


def send(app: App, me: str, compiled: Compiled) -> Ended:
    """Claim, build and send until nothing is due. Letters come first in every round: a person waits for them.

    `compiled` is filled: the mailings that rows were claimed of.
    """
    tried, clean, ears, progress = 0, True, pace.Ears(app), Progress(app)
    while True:
        with _opened(app, me, ears, compiled, progress) as rounds:
            moved, again = rounds.go()
        tried, clean = tried + moved, clean and rounds.clean
        if again or (ears.say(app.clock.now()) and rounds.pacer is None and not rounds.ended):
            continue  # with a pacer: a receiver asks for it
        suspects = None if rounds.ended else _suspects(app, compiled)
        if suspects is not None:
            with _opened(app, me, ears, compiled, progress) as rounds:  # leaving waits for all results
                moved = rounds.apart(*suspects)
            tried, clean = tried + moved, clean and rounds.clean
        if suspects is None or not moved or rounds.ended:
            return Ended(tried, rounds.crew.trouble, clean)


@contextmanager
def _opened(app: App, me: str, ears: pace.Ears, compiled: Compiled, progress: Progress) -> Iterator["Rounds"]:
    pacer = pace.opened(app, me)
    with (
        pacer or nullcontext(),
        Recorder(app, me) as recorder,
        Crew(app.transport, recorder, lanes=pacer.lanes if pacer else None, heard=ears.heard) as crew,
    ):
        yield Rounds(
            app=app,
            me=me,
            recorder=recorder,
            crew=crew,
            pacer=pacer,
            ears=ears,
            compiled=compiled,
            progress=progress,
        )


def _suspects(app: App, compiled: Compiled) -> tuple[Messages, int] | None:
    """(a mailing with due rows that senders died holding, how many died with the least of them); None when there is none."""
    with app.db.read() as conn:
        for mailing in compiled.values():
            if mailing is not None:
                deaths = recovering.suspicion(conn, mailing.mailing.id, now=app.clock.now())
                if deaths is not None:
                    return mailing, deaths
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Sending until nothing is due, or until a first receiver asks for pace and there was none."""

    app: App
    me: str
    recorder: Recorder
    crew: Crew
    pacer: pace.Pacer | None
    ears: pace.Ears
    compiled: Compiled  # kept while a sender works
    progress: Progress

    @property
    def ended(self) -> bool:
        return self.crew.trouble is not None or self.app.stopping.is_set()

    @property
    def clean(self) -> bool:
        """Once the crew is gone: nothing that was claimed is left without a result."""
        return not (self.ended or self.recorder.lost or (self.pacer is not None and self.pacer.lanes.waiting))

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

    def apart(self, mailing: Messages, deaths: int) -> int:
        """One group of the rows that so many senders died holding. Returns how many rows were claimed."""
        claimed = self._chunk(mailing, deaths)
        while self.pacer is not None and not self.ended and self.pacer.worth_waiting():
            self.app.stopping.wait(GLANCE)
        return claimed

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

    def _chunk(self, mailing: Messages, deaths: int = 0) -> int:
        """Returns how many rows were claimed, also those that pace put aside at once."""
        number, claims = self._claim(mailing, deaths)
        if not claims:
            return number
        closed = _hand_over(self.app, self.recorder, self.crew, mailing, claims)
        if self.pacer is not None and closed:
            nobody = {result.person_id for result in closed}
            unsent = [claim for claim in claims if claim.person_id in nobody]
            self.pacer.not_sent(mailing.mailing.id, unsent, self.app.clock.now())
        return number

    def _claim(self, mailing: Messages, deaths: int) -> tuple[int, Sequence[Claim]]:
        """(rows claimed, those of them to be sent now)."""
        mailing_id, pacer, now = mailing.mailing.id, self.pacer, self.app.clock.now()
        transport = self.app.transport
        most = max(1, min(CHUNK, ROUNDS * transport.connections * transport.batch) // NARROWER**deaths)
        letter = mailing.mailing.kind is not MailingKind.ISSUE
        if pacer is not None and not letter:
            most = pacer.ahead(most)
        if not most:
            return 0, ()
        with self.app.db.begin() as conn:
            if pacer is not None:
                most = pacer.room(conn, mailing_id, most, now=now)
            if not most:
                return 0, ()
            claims = deliveries.claim(conn, mailing_id, worker=self.me, now=now, lease=LEASE, limit=most, deaths=deaths)
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
            telling.stopped(app, conn, mailing, f"refused:{mailing_id}", str(error))
        return None
