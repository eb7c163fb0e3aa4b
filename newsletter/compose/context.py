"""What a template sees, in the field's words: subscriber.*, issue.*, newsletter.*, sections[].items[].*. Pure.

Templates get these frozen values and nothing else. Per-reader values are markers: the same rendering serves all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.compose.safe import clean, http_url, https_url
from newsletter.mail.markers import marker
from newsletter.model import Item, Report

TITLE_LIMIT = 200  # characters; Vietnamese titles reach 120, and one of ten megabytes must still fit
SUMMARY_LIMIT = 600
LABEL_LIMIT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """An article as the reader sees it. `image` is https or None; `url` http(s) or None (then plain text)."""

    title: str
    url: str | None
    summary: str
    image: str | None = None
    image_alt: str = ""  # empty: the picture only decorates, and is not a link
    source: str = ""
    author: str | None = None
    published_at: date | None = None  # the day in the newsletter's zone
    kicker: str | None = None  # the topic shown above the title
    section: str | None = None
    language: str = ""
    position: int = 0  # from 1, in reading order
    also: tuple[Report, ...] = ()  # who else tells the story; every one has a link
    topics: tuple[str, ...] = ()  # those a reader may choose it by; none: for everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    title: str | None  # None: no heading is shown
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    number: int
    subject: str
    preheader: str
    date: date
    intro: str = ""
    intro_made: bool = True  # it counts and names the items; False: staff wrote it
    web_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterView:
    name: str
    organisation: str
    postal_address: str
    url: str  # the public page, where "and N more" leads when the issue has no web view
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberView:
    email: str
    name: str
    first_name: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueContext:
    """All that one rendering of an issue depends on, apart from the design and the language of its labels."""

    issue: IssueView
    newsletter: NewsletterView
    items: tuple[ItemView, ...]  # most important first; the design's layout makes lead, sections and briefs of them
    options: Mapping[str, Any] = field(default_factory=dict)  # as the newsletter sets them; checked by the design


def subscriber_view(nonce: str) -> SubscriberView:
    return SubscriberView(
        email=marker(nonce, "subscriber_email"),
        name=marker(nonce, "subscriber_name"),
        first_name=marker(nonce, "subscriber_first_name"),
        since=marker(nonce, "subscribed_since"),
    )


def item_views(items: Sequence[Item], timezone: str, *, offered: Collection[str] = ()) -> tuple[ItemView, ...]:
    """Items in order of position, made safe: one-line NFC text, http(s) links, https pictures, local days.

    `offered`: the topics readers may choose; an item that has none of them is for everybody.
    """
    return tuple(item_view(item, timezone, offered=offered) for item in sorted(items, key=lambda item: item.position))


def item_view(item: Item, timezone: str, *, offered: Collection[str] = ()) -> ItemView:
    section = clean(item.section or "", limit=LABEL_LIMIT) or None
    return ItemView(
        title=clean(item.title, limit=TITLE_LIMIT),
        url=http_url(item.url),
        summary=clean(item.summary, limit=SUMMARY_LIMIT),
        image=https_url(item.image),
        source=clean(item.source, limit=LABEL_LIMIT),
        author=clean(item.author or "", limit=LABEL_LIMIT) or None,
        published_at=local_day(item.published, timezone),
        kicker=section,
        section=section,
        language=item.language,
        position=item.position,
        also=tuple(
            Report(source=clean(one.source, limit=LABEL_LIMIT), url=url)
            for one in item.also
            if (url := http_url(one.url)) and one.source.strip()
        ),
        topics=tuple(topic for topic in item.topics if topic in offered),
    )


def local_day(value: datetime | date | None, timezone: str) -> date | None:
    """The calendar day in the newsletter's zone; a bare date is a day already."""
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(timezone)).date()
    return value
