"""A test send: the issue as it stands, to one address, through the same ledger as all mail. Changes nothing about the issue."""

from dataclasses import replace
from datetime import datetime

import subscribers
from newsletter.app import App
from newsletter.errors import NotAllowed
from newsletter.log import get_logger
from newsletter.mail.manifest import content_hash
from newsletter.model import Issue, Mailing, MailingId, MailingKind, MailingState, PersonId, new_id
from newsletter.store import Connection, deliveries, mailings
from subscribers import Address

log = get_logger("compose")

PREFIX = "[Test] "


def send_test(app: App, conn: Connection, issue: Issue, address: Address, *, language: str, now: datetime) -> MailingId:
    """Ask for one test message in `language` (the issue's default when it has no such rendering); deliver sends it.

    The reader's links work for the person tested, as in the real mail. Raises NotAllowed before the issue is composed.
    """
    if issue.mailing_id is None:
        raise NotAllowed("the issue is not composed yet", where=issue.id, hint="wait until it has a preview")
    composed = mailings.get(conn, issue.mailing_id)
    mailing = as_test(composed, language=language, sender=app.settings.sender.address_of(composed.list_slug))
    person_id = subscribers.ensure_person(conn, address, now=now, key=app.suppression_key)
    mailings.add(conn, mailing, now=now)
    group = subscribers.person(conn, PersonId(person_id)).mail_group
    deliveries.freeze_for(
        conn, mailing.id, PersonId(person_id), language=mailing.renderings[0].language, mail_group=group, now=now
    )
    log.info("test_asked", issue=issue.id, mailing=mailing.id)
    return mailing.id


def as_test(issue_mailing: Mailing, *, language: str, sender: str) -> Mailing:
    """The same rendering with a marked subject, as a mailing of its own (pure but for its id)."""
    matching = [rendering for rendering in issue_mailing.renderings if rendering.language == language]
    rendering = (matching or list(issue_mailing.renderings))[0]
    rendering = replace(rendering, subject=PREFIX + rendering.subject)
    return replace(
        issue_mailing,
        id=MailingId(new_id()),
        kind=MailingKind.TEST,
        state=MailingState.COMPOSED,
        renderings=(rendering,),
        content_hash=content_hash(
            [rendering],
            sender=f"{issue_mailing.sender_name} <{sender}>",
            list_id=issue_mailing.list_slug,
            images=issue_mailing.images,
        ),
    )
