"""What all messages of a mailing share, and what one reader's links and values are. Pure: settings and nouns in, frames out."""

from collections.abc import Collection
from datetime import date, datetime
from functools import lru_cache

from newsletter.locale import format_date
from newsletter.mail.compile import Frame, Reader
from newsletter.mail.markers import FIELDS
from newsletter.mail.tokens import Keyring, Purpose
from newsletter.model import Mailing, MailingKind, PersonId
from newsletter.settings import Sender, domain_of
from subscribers import Address, reveal


def frame_of(sender: Sender, mailing: Mailing, *, list_name: str | None, date: datetime) -> Frame:
    """The headers of a mailing. Only mail that belongs to a list offers to leave it (RFC 2369, RFC 8058)."""
    is_letter = mailing.kind is MailingKind.LETTER
    listed = mailing.list_slug is not None
    leaving = sender.unsubscribe_domain
    sender_id = sender.domain.split(".")[0][:20]
    address = sender.address_of(mailing.list_slug)
    return Frame(
        from_name=mailing.sender_name,
        from_address=address,
        date=date,
        domain=domain_of(address),
        pictures=sender.domain,
        reply_to=sender.reply_to,
        bounce_domain=sender.bounce_domain,
        list_unsubscribe_mailto=f"u.{{token}}@{leaving}" if listed and leaving else None,
        list_id=(list_name or mailing.sender_name, f"{mailing.list_slug}.{sender.domain}") if listed else None,
        one_click=listed,
        feedback_id=f"{mailing.issue_id or mailing.id}:{mailing.list_slug or 'none'}:{mailing.kind}:{sender_id}",
        auto_submitted=is_letter,  # RFC 3834: no vacation notice shall answer it
        precedence_bulk=not is_letter,
    )


def links_of(base_url: str, keyring: Keyring, mailing: Mailing, person_id: PersonId) -> dict[str, str]:
    """The per-reader links: they need no login and show no address. Only a letter can ask for a confirmation."""
    token = keyring.make(Purpose.READER, mailing.id, person_id)
    links = {"unsubscribe_url": f"{base_url}/u/{token}", "preferences_url": f"{base_url}/p/{token}"}
    if mailing.kind is MailingKind.LETTER:
        links["confirm_url"] = f"{base_url}/c/{keyring.make(Purpose.CONFIRM, mailing.id, person_id)}"
    return links


def reader_of(
    mailing: Mailing,
    person_id: PersonId,
    *,
    keyring: Keyring,
    base_url: str,
    address: Address,
    name: str | None,
    since: date,
    language: str,
    topics: tuple[str, ...] = (),
    wanted: Collection[str] = FIELDS,
) -> Reader:
    """One person of a mailing, with the values `wanted` (Compiled.wanted). `since`: the day they subscribed."""
    values = links_of(base_url, keyring, mailing, person_id)
    unsubscribe_url = values["unsubscribe_url"] if mailing.list_slug is not None else None
    values["subscriber_name"] = name or ""
    if "subscriber_email" in wanted:
        values["subscriber_email"] = reveal(address)
    if "subscriber_first_name" in wanted:
        values["subscriber_first_name"] = first_name(name or "", language)
    if "subscribed_since" in wanted:
        values["subscribed_since"] = _day(since, language)
    return Reader(
        to=address,
        name=name,
        message_id_token=keyring.make(Purpose.TRACE, mailing.id, person_id),
        unsubscribe_url=unsubscribe_url,
        values=values,
        topics=topics,
    )


@lru_cache(maxsize=8_192)  # a list of ten years has 3,650 days; Babel takes 6 microseconds for one
def _day(since: date, language: str) -> str:
    return format_date(since, language, "date")


def first_name(name: str, language: str) -> str:
    """The name a person is called by: the last word in Vietnamese (Nguyễn Thị Ánh Ngọc → Ngọc), else the first."""
    words = name.split()
    if not words:
        return ""
    return words[-1] if language.split("-")[0] == "vi" else words[0]
