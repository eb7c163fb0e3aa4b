"""What all messages of a mailing share, and what one reader's links and values are. Pure: settings and nouns in, frames out."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from newsletter.locale import format_date, format_plain, labels
from newsletter.mail.compile import Frame, Reader
from newsletter.mail.markers import ATTRIBS, FIELDS
from newsletter.mail.tokens import Keyring, Purpose
from newsletter.model import Mailing, MailingKind, PersonId
from newsletter.settings.sender import Sender, domain_of
from subscribers import Address, Attribute, reveal, value_of


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
    time_zone: str | None = None,
    attribs: Mapping[str, str] | None = None,
    wanted: Collection[str] = FIELDS,
) -> Reader:
    """One person of a mailing, with the values `wanted` (Compiled.wanted). `since`: the day they subscribed.

    `attribs`: see `attribute_values`.
    """
    values = links_of(base_url, keyring, mailing, person_id)
    unsubscribe_url = values["unsubscribe_url"] if mailing.list_slug is not None else None
    values["subscriber_name"] = name or ""
    if "subscriber_email" in wanted:
        values["subscriber_email"] = reveal(address)
    if "subscriber_first_name" in wanted:
        values["subscriber_first_name"] = first_name(name or "", language)
    if "subscribed_since" in wanted:
        values["subscribed_since"] = _day(since, language)
    if "subscriber_timezone" in wanted:
        values["subscriber_timezone"] = time_zone or ""
    if attribs:
        values |= attribs
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


def attribute_values(
    declared: Iterable[Attribute], held: Mapping[str, Any], *, language: str, wanted: Collection[str] | None = None
) -> dict[str, str]:
    """What the markers of attributes stand for: a person's values as their language writes them. `wanted` None: all."""
    asked = {ATTRIBS + one.slug: one for one in declared}
    found = {field: value_of(one, held) for field, one in asked.items() if wanted is None or field in wanted}
    return {field: _said(value, language) for field, value in found.items() if value is not None}


def _said(value: Any, language: str) -> str:
    if isinstance(value, bool):
        words = labels(language)
        return words.gettext("yes") if value else words.gettext("no")
    if isinstance(value, int | float):
        return format_plain(value, language)
    if isinstance(value, date):
        return _day(value, language)
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def first_name(name: str, language: str) -> str:
    """The name a person is called by: the last word in Vietnamese (Nguyễn Thị Ánh Ngọc → Ngọc), else the first."""
    words = name.split()
    if not words:
        return ""
    return words[-1] if language.split("-")[0] == "vi" else words[0]
