"""What a template sees, in the field's words: subscriber.*, issue.*, newsletter.*, sections[].items[].*. Pure.

Templates get these frozen values and nothing else. Per-reader values are markers: the same rendering serves all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.compose.safe import bound, clean, http_url, https_url, whole_sentences
from newsletter.errors import BadInput
from newsletter.mail.markers import ATTRIBS, marker
from newsletter.model import Item, Report

TITLE_LIMIT = 200  # characters; Vietnamese titles reach 120, and one of ten megabytes must still fit
SUMMARY_LIMIT = 600
BRIEF_LIMIT = 120  # characters in a card of 264 px: four lines of 33
LABEL_LIMIT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """An article as the reader sees it. `image` is https, cid: or None; `url` http(s) or None (then plain text)."""

    title: str
    url: str | None
    summary: str
    image: str | None = None
    image_alt: str = ""  # empty: the picture only decorates, and is not a link
    image_width: int = 0  # CSS pixels it is shown in at most; 0 with a publisher's own picture, whose size nobody knows
    image_height: int = 0
    source: str = ""
    author: str | None = None
    published_at: date | None = None  # the day in the newsletter's zone
    kicker: str | None = None  # the topic shown above the title
    section: str | None = None
    language: str = ""
    section_at: int = 0  # among the declared sections, from 1; 0: none is declared
    only_web: bool = False  # counted in the mail, shown on the web
    position: int = 0  # from 1, in reading order
    also: tuple[Report, ...] = ()  # who else tells the story; every one has a link
    topics: tuple[str, ...] = ()  # those a reader may choose it by; none: for everybody

    @property
    def brief(self) -> str:
        """The summary's first sentences that fit a narrow card; never cut inside one."""
        return whole_sentences(self.summary, BRIEF_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    title: str | None  # None: no heading is shown
    items: tuple[ItemView, ...]
    more: int = 0  # items over the section's limit, only on the web; the issue's `more` counts them too
    on_web: tuple[ItemView, ...] = ()  # these items


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    number: int
    subject: str
    preheader: str
    date: date
    intro: str = ""
    intro_made: bool = True  # it counts and names the items; False: staff wrote it
    web_url: str | None = None
    more_url: str | None = None  # where every item of the issue is listed


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
    language: str  # of the labels they get; no marker, each language has its own rendering
    timezone: str
    attribs: "Attribs"


class Attribs:
    """A reader's attributes by name, each a marker: `subscriber.attribs.city`. `known` None: every name will do."""

    __slots__ = ("_known", "_nonce")

    def __init__(self, nonce: str, known: Collection[str] | None) -> None:
        self._nonce, self._known = nonce, known

    def __getitem__(self, name: str) -> str:
        """Raises BadInput for an attribute that is not declared."""
        if self._known is not None and name not in self._known:
            names = ", ".join(sorted(self._known)) or "none yet"
            raise BadInput(
                f"no attribute {name!r} is declared", hint=f"declared: {names}; see `newsletter attribute add`"
            )
        return marker(self._nonce, f"{ATTRIBS}{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueContext:
    """All that one rendering of an issue depends on, apart from the design and the language of its labels."""

    issue: IssueView
    newsletter: NewsletterView
    items: tuple[ItemView, ...]  # most important first; the design's layout makes lead, sections and briefs of them
    options: Mapping[str, Any] = field(default_factory=dict)  # as the newsletter sets them; checked by the design
    rest_title: str = ""  # heads items without a section; empty: the made words


def subscriber_view(nonce: str, language: str, attribs: Collection[str] | None = None) -> SubscriberView:
    """`attribs`: the attributes a template may name; None: any."""
    return SubscriberView(
        email=marker(nonce, "subscriber_email"),
        name=marker(nonce, "subscriber_name"),
        first_name=marker(nonce, "subscriber_first_name"),
        since=marker(nonce, "subscribed_since"),
        language=language,
        timezone=marker(nonce, "subscriber_timezone"),
        attribs=Attribs(nonce, attribs),
    )


def item_views(
    items: Sequence[Item], timezone: str, language: str = "", *, offered: Collection[str] = ()
) -> tuple[ItemView, ...]:
    """Items in order of position, made safe: one-line NFC text, http(s) links, https pictures, local days.

    `language`: of the labels; sections are named in it where the newsletter says how. `offered`: the topics readers may
    choose; an item that has none of them is for everybody.
    """
    ordered = sorted(items, key=lambda item: item.position)
    return tuple(item_view(item, timezone, language, offered=offered) for item in ordered)


def item_view(item: Item, timezone: str, language: str = "", *, offered: Collection[str] = ()) -> ItemView:
    section = clean(title_in(language, item.section or "", item.section_titles), limit=LABEL_LIMIT) or None
    return ItemView(
        title=bound(clean(item.title, limit=TITLE_LIMIT)),
        url=http_url(item.url),
        summary=bound(clean(item.summary, limit=SUMMARY_LIMIT)),
        image=https_url(item.image),
        source=clean(item.source, limit=LABEL_LIMIT),
        author=clean(item.author or "", limit=LABEL_LIMIT) or None,
        published_at=local_day(item.published, timezone),
        kicker=section,
        section=section,
        language=item.language,
        section_at=item.section_at,
        only_web=item.only_web,
        position=item.position,
        also=tuple(
            Report(source=clean(one.source, limit=LABEL_LIMIT), url=url)
            for one in item.also
            if (url := http_url(one.url)) and one.source.strip()
        ),
        topics=tuple(topic for topic in item.topics if topic in offered),
    )


def title_in(language: str, title: str, titles: Mapping[str, str]) -> str:
    """A section's title in a language (BCP 47), else in that language of any region, else as it is."""
    return titles.get(language) or titles.get(language.split("-")[0]) or title


def local_day(value: datetime | date | None, timezone: str) -> date | None:
    """The calendar day in the newsletter's zone; a bare date is a day already."""
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(timezone)).date()
    return value
