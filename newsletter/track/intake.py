"""What arrives (a message, a webhook) is read, matched with a delivery, and left as rows for the track stage.

Nothing is acted on here. Rows hold no address and no message; `subscribers` keeps a proved message with its person. A
return is matched by a token of ours, a provider's id, or by asking `subscribers` whose address it is. A token or a provider
proves it; an address alone, which anybody can write into a message, does not.
"""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.mail.bounces import Returned, read_returned
from newsletter.mail.bounces.parts import open_message
from newsletter.mail.replies import mask_addresses
from newsletter.mail.tokens import TOKEN_LENGTH, Purpose
from newsletter.model import MailingId, PersonId
from newsletter.store import Connection, returns
from newsletter.store.returns import Return

log = get_logger("intake")

MOST_SAID = 400  # characters of a reply that are kept, masked
SLACK = timedelta(days=1)  # for the clocks of others
_LEAVING = re.compile(rf"(?<![0-9a-z])u\.([0-9a-hjkmnp-tv-z]{{{TOKEN_LENGTH}}})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The delivery something is about, as far as it is known. `proven`: not by an address alone."""

    mailing_id: MailingId | None = None
    person_id: PersonId | None = None
    proven: bool = False


def receive_message(app: App, raw: bytes, *, source: str, rcpt: str | None = None) -> list[Return]:
    """A message that came to a bounce address or to the List-Unsubscribe address. Returns what was new in it."""
    now = app.clock.now()
    digest = hashlib.sha256(raw).hexdigest()[:40]
    leaving = _leaver(app, raw, rcpt)
    found = [] if leaving else read_returned(raw, rcpt=rcpt)
    made: list[Return] = []
    with app.db.begin() as conn:
        if leaving is not None:
            made.append(_return(leaving, source=source, kind="left", at=now, dedupe_key=f"{digest}:left"))
        for number, one in enumerate(found):
            match = match_message(app, conn, one, now=now)
            made.append(
                _return(
                    match,
                    source=source,
                    kind=one.kind,
                    at=now,
                    dedupe_key=f"{digest}:{number}",
                    reason=one.reason,
                    status=one.status,
                    said=mask_addresses(one.said)[:MOST_SAID],
                )
            )
        if not made:
            made.append(_return(Match(), source=source, kind="unread", at=now, dedupe_key=f"{digest}:unread"))
        fresh = [one for one in made if returns.add(conn, one, now=now)]
        _keep_original(conn, raw, fresh, now=now)
    for kept in fresh:
        log.info("returned", source=source, kind=kept.kind, reason=kept.reason, matched=kept.person_id is not None)
    return fresh


def _keep_original(conn: Connection, raw: bytes, fresh: Sequence[Return], *, now: datetime) -> None:
    """With the person whose address it speaks of, and only there: `subscribers` forgets it in time and with them."""
    about = {one.person_id for one in fresh if one.proven and one.person_id is not None and one.kind != "left"}
    for person_id in sorted(about):
        with suppress(subscribers.UnknownPerson):
            subscribers.keep_original(conn, person_id, raw, now=now)


def _return(
    match: Match,
    *,
    source: str,
    kind: str,
    at: datetime,
    dedupe_key: str,
    reason: str = "",
    status: str = "",
    said: str = "",
) -> Return:
    return Return(
        source=source,
        kind=kind,
        at=at,
        dedupe_key=dedupe_key,
        reason=reason,
        status=status,
        said=said,
        proven=match.proven,
        mailing_id=match.mailing_id,
        person_id=match.person_id,
    )


def _leaver(app: App, raw: bytes, rcpt: str | None) -> Match | None:
    """Who wrote to the List-Unsubscribe address: its reader token alone says so, and allows nothing but leaving."""
    fields = open_message(raw).fields
    for place in (rcpt or "", *fields.all("x-original-to", "delivered-to", "envelope-to", "to")):
        found = _LEAVING.search(place)
        read = app.keyring.read(Purpose.READER, found[1].lower()) if found else None
        if read is not None:
            return Match(mailing_id=read[0], person_id=read[1], proven=True)
    return None


def match_message(app: App, conn: Connection, one: Returned, *, now: datetime) -> Match:
    """By the trace token; else by the address, which proves nothing."""
    read = app.keyring.read(Purpose.TRACE, one.token) if one.token else None
    if read is not None:
        return Match(mailing_id=read[0], person_id=read[1], proven=True)
    return by_address(conn, [name for name in (one.address, one.original) if name], before=now)


def by_address(conn: Connection, names: Sequence[str], *, before: datetime) -> Match:
    """The person of one of these addresses and the last mailing that left for them."""
    for name in names:
        try:
            person_id = subscribers.find(conn, subscribers.parse_address(name))
        except subscribers.InvalidAddress:
            continue
        if person_id is not None:
            return Match(mailing_id=returns.latest_mailing(conn, person_id, before=before), person_id=person_id)
    return Match()


def between(at: datetime | None, now: datetime) -> datetime:
    """A foreign time as it is, but the future is now, and so is none."""
    return now if at is None else min(at, now)


def forgotten_before(app: App, now: datetime) -> datetime:
    """What came before this may be dropped once it was acted on."""
    return now - timedelta(days=app.settings.bounces.keep_days)


def oldest_believed(app: App, now: datetime) -> datetime:
    """What tells of a moment before this does nothing: if it was told before, that may be forgotten soon."""
    return forgotten_before(app, now) + SLACK
