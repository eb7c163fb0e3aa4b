"""See, take away or erase what is held about oneself: always by a fresh letter, because an old mail may have been passed on.

Whoever asks learns nothing; only the mailbox does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import LetterKind, PersonId
from newsletter.readers import letter_of, look_at_leaving
from newsletter.readers.mailbox import mailbox_may
from newsletter.readers.signup import Answer, visitor_may
from newsletter.store import Connection, letters, receipts, staff
from subscribers import Address

log = get_logger("readers")

GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the link of such a letter opens."""

    person_id: PersonId
    list_slug: str | None
    language: str
    in_time: bool
    is_staff: bool  # their login hangs on the address: another member of staff must take it away first


def ask_for_address(app: App, address: Address, *, client: str, proven: bool, language: str) -> Answer:
    """Send the letter if the address is known. The answer is the same either way."""
    if not visitor_may(app, client, proven=proven):
        return Answer.LATER
    if mailbox_may(app, address):
        with app.db.begin() as conn:
            person_id = subscribers.find(conn, address)
            if person_id is not None:
                _ask(app, conn, person_id, language=language, list_slug=None)
    return Answer.TAKEN


def ask_by_link(app: App, token: str) -> Answer | None:
    """Send the letter to the reader of a link in their mail. None for a damaged or forged token."""
    leaving = look_at_leaving(app, token)
    if leaving is None:
        return None
    with app.db.begin() as conn:
        address = subscribers.person(conn, leaving.person_id).address
        if address is not None and mailbox_may(app, address):
            _ask(app, conn, leaving.person_id, language=leaving.language, list_slug=leaving.mailing.list_slug)
    return Answer.TAKEN


def _ask(app: App, conn: Connection, person_id: PersonId, *, language: str, list_slug: str | None) -> None:
    now = app.clock.now()
    letters.ask(
        conn,
        LetterKind.YOUR_DATA,
        person_id,
        language=language,
        dedupe_key=f"your_data:{person_id}:{now.isoformat()}",
        now=now,
        list_slug=list_slug,
        variables={"expires_hours": int(GOOD_FOR / timedelta(hours=1))},
    )


def look(app: App, token: str) -> Access | None:
    """Read the link of the letter; changes nothing. None for any other link, and once the person is erased."""
    letter = letter_of(app, token)
    if letter is None or letter.kind is not LetterKind.YOUR_DATA:
        return None
    with app.db.read() as conn:
        if subscribers.person(conn, letter.person_id).address is None:
            return None
        is_staff = staff.of_person(conn, letter.person_id) is not None
    return Access(
        person_id=letter.person_id,
        list_slug=letter.list_slug,
        language=letter.language,
        in_time=app.clock.now() - letter.asked_at <= GOOD_FOR,
        is_staff=is_staff,
    )


def export(app: App, token: str) -> dict[str, Any] | None:
    """All that is held about the person, ready for JSON, address in the clear. None for a link that is none or too old."""
    access = look(app, token)
    if access is None or not access.in_time:
        return None
    with app.db.read() as conn:
        held = subscribers.export_person(conn, access.person_id)
        mail = receipts.held_about(conn, access.person_id)
    return held | {name: [_plain(row) for row in rows] for name, rows in mail.items()}


def erase(app: App, token: str) -> bool:
    """Forget the person. False for a link that is none or too old, and for staff. Raises subscribers.KeyMismatch."""
    access = look(app, token)
    if access is None or not access.in_time or access.is_staff:
        return False
    with app.db.begin() as conn:
        done = subscribers.erase(conn, access.person_id, now=app.clock.now(), key=app.suppression_key)
    log.info("erased_by_themselves")
    return done


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
