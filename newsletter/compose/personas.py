"""Who a preview is written to: an invented reader, or a person as they would get it. Links always belong to nobody.

A person's address is masked unless the caller may show it; their tokens are never made here, so no link in a preview can
leave a list or open somebody's preferences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import subscribers
from newsletter.app import App
from newsletter.model import Mailing, MailingKind, PersonId
from newsletter.store import Connection
from subscribers import Attribute, Envelope, reveal

SAMPLE = PersonId("0" * 16)  # nobody: links made for it open a page that says so


class Persona(StrEnum):
    USUAL = "usual"
    NAMELESS = "nameless"  # many lists know addresses only
    LONG_NAME = "long-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a mail says of its reader. `shown`: their address as it may be seen; "" of the sender's own domain."""

    name: str = field(repr=False)
    shown: str = field(default="", repr=False)
    since: date | None = None  # None: today
    language: str | None = None
    topics: tuple[str, ...] = ()  # those they chose; none: all
    time_zone: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    declared: tuple[Attribute, ...] = ()  # what there may be among the attributes


_NAMES = {
    Persona.USUAL: ("Nguyễn Thị Ánh Ngọc", "Ada Example"),
    Persona.NAMELESS: ("", ""),
    Persona.LONG_NAME: (
        "Công Tằng Tôn Nữ Hoàng Nguyễn Thị Quỳnh Phương Khuê Uyển Nhã Trúc Ngẫm",
        "Maximiliana Theodora Featherstonehaugh-Cholmondeley of Wolverhampton-on-Sea",
    ),
}


def invented(persona: Persona, language: str) -> Reader:
    vietnamese, english = _NAMES[persona]
    return Reader(name=vietnamese if language.split("-")[0] == "vi" else english)


def reader_like(app: App, conn: Connection, mailing: Mailing, person_id: PersonId, *, revealed: bool = False) -> Reader:
    """The person as the mail would name them. Raises subscribers.UnknownPerson."""
    known = subscribers.person(conn, person_id)
    found = next(iter(subscribers.envelopes(conn, mailing.list_slug, [person_id], key=app.suppression_key)), None)
    envelope = found if isinstance(found, Envelope) else None
    joined = envelope.since if envelope is not None and envelope.since is not None else known.created_at
    shown = "" if known.address is None else reveal(known.address) if revealed else str(known.address)
    day = joined.astimezone(ZoneInfo(app.settings.timezone)).date()
    topics = envelope.topics if envelope is not None and mailing.kind is MailingKind.ISSUE else ()
    return Reader(
        name=known.name,
        shown=shown,
        since=day,
        language=known.language,
        topics=topics,
        time_zone=known.time_zone,
        attributes=known.attributes,
        declared=tuple(subscribers.list_attributes(conn)),
    )
