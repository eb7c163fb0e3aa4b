"""An article's place in an issue: rules of sections, what staff said about an item, the item, and what a decision rests on.

Frozen data only; `compose.select` decides with it, `store.edits` keeps what staff said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from newsletter.model.ids import ArticleId, SourceId

HEAVIEST = 3  # staff weights of sources and articles go from -3 to 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRule:
    """A section of a newsletter. An article belongs to it by any one of what is named: its source, a topic, a word.

    Without any of them it takes whatever no other section took; only the last one may be so.
    """

    title: str
    titles: Mapping[str, str] = field(default_factory=dict)  # BCP 47 -> the title in that language, where it differs
    source_ids: tuple[SourceId, ...] = ()
    topics: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # whole words and phrases in title, standfirst or text
    limit: int | None = None  # so many stand in the mail, the others only on the web

    @property
    def takes_the_rest(self) -> bool:
        return not (self.source_ids or self.topics or self.words)


class ItemField(StrEnum):
    """What staff may say about an article in one issue. The values are stored."""

    TITLE = "title"
    SUMMARY = "summary"
    IMAGE = "image"  # https address; "" for none
    SECTION = "section"  # a title; "" for the default
    PLACE = "place"  # from 1, in the order of the issue
    PIN = "pin"  # Pin
    PRESENCE = "presence"  # Presence


class Pin(StrEnum):
    LEAD = "lead"  # the first of all
    FIRST = "first"  # before the others of its section


class Presence(StrEnum):
    IN = "in"  # whatever its age and the limits
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One thing a person said about an article in an issue. `value` None: what was said before is taken back."""

    at: datetime
    by: str
    article_id: ArticleId
    field: ItemField
    value: str | None
    doubts: tuple[str, ...] = ()  # what the guard found in words a person wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What staff's edits of an article in an issue come to. None: as it is made."""

    by: str  # who said the latest
    at: datetime
    title: str | None = None
    summary: str | None = None
    image: str | None = None
    section: str | None = None
    place: int | None = None
    pin: Pin | None = None
    presence: Presence | None = None
    presence_by: str = ""  # who left it out or took it in
    doubts: tuple[str, ...] = ()  # of the guard, on the summary
    worded_at: datetime | None = None  # when the title or summary was written, the earlier of the two
    placed_at: datetime | None = None  # when place or pin was given

    @property
    def left_out(self) -> bool:
        return self.presence is Presence.OUT

    @property
    def said(self) -> tuple[ItemField, ...]:
        return tuple(name for name in ItemField if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an article's rank rests on (compose.rank) and which rule gave it its section."""

    fresh: float
    story: float
    source: float
    article: float
    section: str | None = None
    rule: str = ""  # "source …", "topic …", "word …"; empty: none

    @property
    def score(self) -> float:
        return self.fresh + self.story + self.source + self.article


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Where else an item's story is told."""

    source: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article's place in an issue, with what the reader sees of it."""

    article_id: ArticleId
    position: int
    section: str | None
    title: str
    url: str
    summary: str
    source: str
    author: str | None
    image: str | None
    language: str
    published: datetime | date | None
    topics: tuple[str, ...] = ()
    also: tuple[Report, ...] = ()  # "also reported by"
    section_titles: Mapping[str, str] = field(default_factory=dict)  # language -> title, where it differs
    section_at: int = 0  # the section's place among the declared ones, from 1; 0: none was declared
    only_web: bool = False  # over the limit of its section: counted in the mail, shown on the web
    edited: tuple[ItemField, ...] = ()  # what staff said of it for this issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why an article is, or is not, in an issue."""

    article_id: ArticleId
    included: bool
    reason: str
    item: Item | None = None
    basis: Basis | None = None  # None: decided before it was ranked, or by an earlier version
