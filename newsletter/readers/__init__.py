"""What readers do by themselves: join, confirm, leave, come back; more in the modules beside. Acts only on verified tokens.

Each act, its event and the letter it causes commit together. None of these functions says whether an address is known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.mail.tokens import Purpose
from newsletter.model import EventType, Letter, LetterKind, Mailing, PersonId
from newsletter.readers.mailbox import mailbox_may
from newsletter.store import Connection, events, issues, letters, mailings, receipts, recovering
from subscribers import Address, ConfirmOutcome, ConsentGiven, ConsentSource, Outcome, Subscribed, Subscription

log = get_logger("readers")

CONFIRM_WITHIN = timedelta(days=7)


def join(
    app: App, list_slug: str, address: Address, *, consent: ConsentGiven, name: str = "", language: str | None = None
) -> Subscribed:
    """Ask to join. On a double opt-in list a confirmation letter goes out, at most one an hour (subscribers decides).

    It goes as well to who is on the list because others said so: their answer is their own consent.
    Raises what subscribers.subscribe raises (UnknownList, InvalidValue).
    """
    now = app.clock.now()
    with app.db.begin() as conn:
        joined = subscribers.subscribe(
            conn,
            list_slug,
            address,
            now=now,
            key=app.suppression_key,
            consent=consent,
            name=name,
            language=language,
        )
        if joined.outcome in (Outcome.PENDING, Outcome.VOUCHED) and joined.person_id is not None:
            letters.ask(
                conn,
                LetterKind.CONFIRM,
                joined.person_id,
                language=language or app.settings.language,
                dedupe_key=f"confirm:{list_slug}:{joined.person_id}:{now.isoformat()}",
                now=now,
                list_slug=list_slug,
                variables={"form": subscribers.keep_form(conn, consent), "source": consent.source.value},
            )
        elif joined.outcome is Outcome.ACTIVE and joined.person_id is not None:
            _welcome(app, conn, list_slug, joined.person_id, language or app.settings.language, now)
    return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a confirmation link stands for, without changing anything."""

    list_slug: str
    list_name: str
    person_id: PersonId
    language: str


def letter_of(app: App, token: str) -> Letter | None:
    """The letter whose link this is; None for a damaged or forged token."""
    read = app.keyring.read(Purpose.CONFIRM, token)
    if read is None:
        return None
    with app.db.read() as conn:
        letter = letters.get(conn, read[0])
    return letter if letter is not None and letter.person_id == read[1] else None


def look_at_confirmation(app: App, token: str) -> Invitation | None:
    """Read a confirmation link. None for a damaged or forged one."""
    letter = letter_of(app, token)
    if letter is None or letter.list_slug is None or letter.kind is not LetterKind.CONFIRM:
        return None
    person_id = letter.person_id
    with app.db.read() as conn:
        the_list = subscribers.get_list(conn, letter.list_slug)
        return Invitation(
            list_slug=the_list.slug, list_name=the_list.name, person_id=person_id, language=letter.language
        )


def confirm(app: App, token: str, *, ip: str | None = None) -> tuple[Invitation, ConfirmOutcome] | None:
    """Answer a confirmation letter. Twice is once; the welcome letter goes out once. `ip` where policy keeps it."""
    letter, invitation = letter_of(app, token), look_at_confirmation(app, token)
    if letter is None or invitation is None:
        return None
    now, shown = app.clock.now(), letter.variables.get("form")
    with app.db.begin() as conn:
        given = subscribers.kept_form(conn, shown, ConsentSource(letter.variables["source"]), ip=ip) if shown else None
        confirmed = subscribers.confirm(
            conn, invitation.list_slug, invitation.person_id, now=now, max_age=CONFIRM_WITHIN, consent=given
        )
        if confirmed.outcome is ConfirmOutcome.CONFIRMED:
            _welcome(app, conn, invitation.list_slug, invitation.person_id, invitation.language, now)
    return invitation, confirmed.outcome


def _welcome(app: App, conn: Connection, list_slug: str, person_id: PersonId, language: str, now: datetime) -> None:
    last = issues.last_sent_to(conn, list_slug)
    variables = (
        {"last_issue_url": app.url(f"/issues/{last.id}?lang={language}"), "last_issue_title": last.subject or ""}
        if last is not None
        else {}
    )
    letters.ask(
        conn,
        LetterKind.WELCOME,
        person_id,
        language=language,
        dedupe_key=f"welcome:{list_slug}:{person_id}:{now.isoformat()}",
        now=now,
        list_slug=list_slug,
        variables=variables,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What an unsubscribe link stands for, without changing anything: for the page with the button."""

    mailing: Mailing
    person_id: PersonId
    list_name: str
    language: str
    subscribed: bool
    subscription: Subscription | None = None  # None: never on the list


def look_at_leaving(app: App, token: str) -> Leaving | None:
    """Read a reader's link. None for a damaged or forged token, or one that belongs to no list."""
    read = app.keyring.read(Purpose.READER, token)
    if read is None:
        return None
    mailing_id, person_id = read
    with app.db.read() as conn:
        mailing = mailings.find(conn, mailing_id)
        if mailing is None or mailing.list_slug is None:
            return None
        try:
            the_list = subscribers.get_list(conn, mailing.list_slug)
            person = subscribers.person(conn, person_id)
        except subscribers.SubscribersError:
            return None
        barred = subscribers.not_mailable(conn, mailing.list_slug, [person_id], key=app.suppression_key)
        return Leaving(
            mailing=mailing,
            person_id=person_id,
            list_name=the_list.name,
            language=person.language or app.settings.language,
            subscribed=person_id not in barred,
            subscription=subscribers.subscription(conn, mailing.list_slug, person_id),
        )


def leave(app: App, token: str, *, how: str) -> Leaving | None:
    """Leave the list of a reader's link: by the page's button or a mail client's one-click POST (RFC 8058).

    Doing it twice is once. The event, the end of the subscription and the goodbye letter commit together. Leaving has no limit;
    its letter has: nobody fills a mailbox by leaving and coming back.
    """
    leaving = look_at_leaving(app, token)
    if leaving is None or leaving.mailing.list_slug is None:
        return leaving
    now = app.clock.now()
    list_slug, mailing_id, person_id = leaving.mailing.list_slug, leaving.mailing.id, leaving.person_id
    with app.db.begin() as conn:
        changed = subscribers.unsubscribe(conn, list_slug, person_id, now=now, reason=how)
        if changed:
            events.record(
                conn,
                EventType.UNSUBSCRIBED,
                mailing_id,
                person_id,
                at=now,
                dedupe_key=f"unsubscribed:{mailing_id}:{person_id}:{now.isoformat()}",
                detail={"how": how},
            )
            recovering.arrived(conn, mailing_id, person_id, evidence="an unsubscribe", now=now)
            _goodbye(app, conn, leaving, f"/u/{token}", now)
            log.info("unsubscribed", mailing=mailing_id, how=how)
    return leaving


def _goodbye(app: App, conn: Connection, leaving: Leaving, link: str, now: datetime) -> None:
    address = subscribers.person(conn, leaving.person_id).address
    if address is None or not mailbox_may(app, address):
        return
    letters.ask(
        conn,
        LetterKind.GOODBYE,
        leaving.person_id,
        language=leaving.language,
        dedupe_key=f"goodbye:{leaving.mailing.list_slug}:{leaving.person_id}:{now.isoformat()}",
        now=now,
        list_slug=leaving.mailing.list_slug,
        variables={"resubscribe_url": app.url(link)},
    )


def come_back(app: App, token: str, *, wording: str, language: str) -> Leaving | None:
    """Undo a leaving, by the button on the same link's page; `wording` is what the button says, in the page's `language`.

    A link that was sent to the address itself proves it. One from before the mail moved to another address proves nothing
    there: then this is a sign-up like any other, with the letter the list asks for. Who is suppressed stays so.
    """
    leaving = look_at_leaving(app, token)
    if leaving is None or leaving.subscribed or leaving.mailing.list_slug is None:
        return leaving
    consent = ConsentGiven(form="undo/1", wording=wording, language=language, source=ConsentSource.FORM)
    list_slug = leaving.mailing.list_slug
    with app.db.begin() as conn:
        address = subscribers.person(conn, leaving.person_id).address
        if address is None:
            return leaving  # erased meanwhile
        proven = _went_there(conn, leaving)
        if proven:
            now, key = app.clock.now(), app.suppression_key
            subscribers.subscribe(conn, list_slug, address, now=now, key=key, consent=consent, confirmed=True)
    if not proven and mailbox_may(app, address):
        join(app, list_slug, address, consent=consent, language=leaving.language)
    log.info("came_back", mailing=leaving.mailing.id, proven=proven)
    return look_at_leaving(app, token)


def _went_there(conn: Connection, leaving: Leaving) -> bool:
    """Whether the mail with this link was sent to the address the person has now."""
    moved = subscribers.last_moved(conn, leaving.person_id)
    if moved is None:
        return True
    delivery = receipts.of_person(conn, leaving.person_id, leaving.mailing.id)
    return delivery is not None and delivery["frozen_at"] > moved
