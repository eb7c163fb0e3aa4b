"""A reader changes their address: asked by the link in their mail, proven by a letter to the new one.

The old address is told, once, and its letter's link undoes the change: whoever was passed an old mail may have asked for it.
Whoever asks learns nothing about the new address; what is told is told to its owner, on the page of the letter.
"""

from dataclasses import dataclass
from datetime import timedelta

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import LetterKind, MailingId, PersonId
from newsletter.readers import letter_of, look_at_leaving
from newsletter.readers.mailbox import mailbox_may
from newsletter.readers.signup import Answer, visitor_may
from newsletter.store import Connection, letters, staff
from subscribers import Address, ConsentGiven, ConsentSource, Moved

log = get_logger("readers")

ANSWER_WITHIN = timedelta(hours=24)
UNDO_WITHIN = timedelta(days=7)  # less than [retention] unconfirmed_days can be: until then the old address is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What the link of such a letter stands for."""

    letter: MailingId
    person_id: PersonId  # who moves
    to: PersonId  # holds the new address until then
    list_slug: str
    list_name: str
    language: str
    in_time: bool
    undoes: bool = False  # it is the letter to the address that was left


def ask(app: App, token: str, address: Address, *, client: str) -> Answer | None:
    """Send the letter to `address`. None for a damaged or forged token. The answer is the same for every address."""
    leaving = look_at_leaving(app, token)
    if leaving is None or leaving.mailing.list_slug is None:
        return None
    if subscribers.is_disposable(address):
        return Answer.REFUSED
    if not visitor_may(app, client, proven=True):
        return Answer.LATER
    if not mailbox_may(app, address):
        return Answer.TAKEN
    now = app.clock.now()
    with app.db.begin() as conn:
        if subscribers.is_suppressed(conn, address, key=app.suppression_key) and subscribers.find(conn, address):
            return Answer.TAKEN  # it bounced, complained or is barred: no letter may go there
        to = subscribers.ensure_person(conn, address, now=now, key=app.suppression_key)
        if to != leaving.person_id:
            letters.ask(
                conn,
                LetterKind.MOVE,
                to,
                language=leaving.language,
                dedupe_key=f"move:{leaving.person_id}:{to}:{now.isoformat()}",
                now=now,
                list_slug=leaving.mailing.list_slug,
                variables={"from_person": leaving.person_id, "expires_hours": int(ANSWER_WITHIN / timedelta(hours=1))},
            )
    log.info("move_asked", mailing=leaving.mailing.id)
    return Answer.TAKEN


def look(app: App, token: str) -> Move | None:
    """Read the link of the letter; changes nothing. None for any other link."""
    letter = letter_of(app, token)
    if letter is None or letter.kind not in (LetterKind.MOVE, LetterKind.MOVED) or letter.list_slug is None:
        return None
    undoes = letter.kind is LetterKind.MOVED
    with app.db.read() as conn:
        the_list = subscribers.get_list(conn, letter.list_slug)
    return Move(
        letter=letter.mailing_id,
        person_id=PersonId(letter.variables["from_person"]),
        to=letter.person_id,
        list_slug=the_list.slug,
        list_name=the_list.name,
        language=letter.language,
        in_time=app.clock.now() - letter.asked_at <= (UNDO_WITHIN if undoes else ANSWER_WITHIN),
        undoes=undoes,
    )


def move(app: App, token: str, *, wording: str) -> tuple[Move, Moved] | None:
    """The owner of the new address pressed the button, which says `wording`. Too late is `gone`; twice is `gone` too.

    The change and the letter to the old address commit together. Undoing it tells nobody: the address it takes the mail from
    never was the reader's.
    """
    found = look(app, token)
    if found is None:
        return None
    if not found.in_time:
        return found, Moved.GONE
    form = "move-back/1" if found.undoes else "move/1"
    consent = ConsentGiven(form=form, wording=wording, language=found.language, source=ConsentSource.FORM)
    with app.db.begin() as conn:
        if staff.of_person(conn, found.to) is not None:  # their login hangs on the address
            return found, Moved.TAKEN
        outcome, left = subscribers.move(conn, found.person_id, found.to, now=app.clock.now(), consent=consent)
        if left is not None and not found.undoes:
            _tell(app, conn, found, left)
    log.info("moved", outcome=outcome.value)
    return found, outcome


def _tell(app: App, conn: Connection, found: Move, old: Address) -> None:
    """One letter to the address that was left. Nobody has it now, so somebody of its own holds it until that is forgotten."""
    now = app.clock.now()
    letters.ask(
        conn,
        LetterKind.MOVED,
        subscribers.ensure_person(conn, old, now=now, key=app.suppression_key),
        language=found.language,
        dedupe_key=f"moved:{found.letter}",
        now=now,
        list_slug=found.list_slug,
        variables={"from_person": found.person_id, "expires_days": UNDO_WITHIN.days},
    )
