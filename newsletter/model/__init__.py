"""The nouns. Frozen data that stages read from rows and hand to each other's tables; no I/O here.

`ids` and `states` are read through this module. States are past participles or adjectives; each says what it means.
Words: docs/tour.md.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from newsletter.model.access import Scope as Scope
from newsletter.model.ids import ID_LENGTH as ID_LENGTH
from newsletter.model.ids import ArticleId as ArticleId
from newsletter.model.ids import IssueId as IssueId
from newsletter.model.ids import MailingId as MailingId
from newsletter.model.ids import NewsletterId as NewsletterId
from newsletter.model.ids import PersonId as PersonId
from newsletter.model.ids import SourceId as SourceId
from newsletter.model.ids import StaffId as StaffId
from newsletter.model.ids import StoryId as StoryId
from newsletter.model.ids import new_id as new_id
from newsletter.model.placing import HEAVIEST as HEAVIEST
from newsletter.model.placing import Basis as Basis
from newsletter.model.placing import Decision as Decision
from newsletter.model.placing import Edit as Edit
from newsletter.model.placing import Item as Item
from newsletter.model.placing import ItemField as ItemField
from newsletter.model.placing import Override as Override
from newsletter.model.placing import Pin as Pin
from newsletter.model.placing import Presence as Presence
from newsletter.model.placing import Report as Report
from newsletter.model.placing import SectionRule as SectionRule
from newsletter.model.states import CLOSED_DELIVERIES as CLOSED_DELIVERIES
from newsletter.model.states import OPEN_DELIVERIES as OPEN_DELIVERIES
from newsletter.model.states import SERIAL as SERIAL
from newsletter.model.states import ApprovalPolicy as ApprovalPolicy
from newsletter.model.states import ArticleState as ArticleState
from newsletter.model.states import DeliveryState as DeliveryState
from newsletter.model.states import EventType as EventType
from newsletter.model.states import IssueState as IssueState
from newsletter.model.states import LetterKind as LetterKind
from newsletter.model.states import MailingKind as MailingKind
from newsletter.model.states import MailingState as MailingState
from newsletter.model.states import PictureMode as PictureMode
from newsletter.model.states import SourceKind as SourceKind
from newsletter.model.states import SourceState as SourceState
from newsletter.model.states import StoryRule as StoryRule
from newsletter.model.states import SummaryAct as SummaryAct
from newsletter.model.states import SummaryOrigin as SummaryOrigin

# ---------------------------------------------------------------- collecting


@dataclass(frozen=True, slots=True, kw_only=True)
class RawItem:
    """What a reader found, before identity is decided. Text is NFC plain text, paragraphs joined by a blank line."""

    title: str
    url: str | None = None  # absolute
    guid: str | None = None  # the feed's own id, byte for byte
    canonical: str | None = None  # the address a page names as its own (rel=canonical), absolute
    text: str = ""
    standfirst: str | None = None  # the publisher's own summary, plain text
    authors: tuple[str, ...] = ()
    image: str | None = None  # absolute
    language: str | None = None  # BCP 47
    published: datetime | date | None = None  # a date when only the day is known; a datetime is aware
    published_raw: str | None = None  # as written at the source
    provenance: Mapping[str, str] = field(default_factory=dict)  # field name -> the rule that gave it


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    title: str | None
    entries: tuple[RawItem, ...]
    prints: tuple[str, ...] = ()  # one for each entry shown: equal only while the entry is the same byte for byte
    truncated: bool = False  # more entries were there than the reader's bound


# ---------------------------------------------------------------- summarising


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarySentence:
    """One sentence and where it stands. `start`, `end` count code points in the article text (None outside it)."""

    text: str
    origin: str  # "text", "title" or "standfirst"; "model" or "human" for words that stand nowhere as they are
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    ok: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """What asking a language model cost, whether its words were taken or not. Tokens as the endpoint reported them."""

    model: str
    tries: int
    seconds: float  # of waiting, all tries together
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The guard's verdict on a person's words is advice: `human` summaries are used whatever it says."""

    text: str
    origin: SummaryOrigin
    sentences: tuple[SummarySentence, ...]
    guard: Verdict
    note: str = ""  # why another way was taken: "the model was not used: …"
    use: ModelUse | None = None
    by: str | None = None  # of a person's words: a staff id, or the name the command line gave
    made_at: datetime | None = None  # None until it is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryVersion:
    """One line of a summary's history: who did what when, and the words from then on."""

    at: datetime
    act: SummaryAct
    by: str | None  # None: the machine
    summary: Summary


# ---------------------------------------------------------------- rows as stages read them


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    id: SourceId
    slug: str
    kind: SourceKind
    url: str  # URL, or folder path, or "" for manual
    name: str
    language: str | None
    section: str | None
    state: SourceState
    reason: str | None = None
    newest: int = 5  # how many of a first run's backlog are offered
    max_age: timedelta = timedelta(days=14)  # older than this is not a candidate
    include: tuple[str, ...] = ()  # words and phrases: an article without any of them is skipped
    exclude: tuple[str, ...] = ()  # words and phrases: an article with one of them is skipped
    topics: tuple[str, ...] = ()  # labels its articles carry
    full_text: bool = True  # False: the teaser is enough, no article page is read
    weight: int = 0  # staff's, -3 to 3: how far its articles stand ahead of others
    etag: str | None = None
    last_modified: str | None = None
    validators_url: str | None = None  # the final URL the validators belong to
    body_hash: str | None = None
    signature: str | None = None  # of a listing: how many links, and the structures they were found in
    reading: str | None = None  # of a feed: prints and names of the entries it showed last
    failures: int = 0
    failing_since: datetime | None = None
    gone: int = 0  # answers 410 in a row
    moved_to: str | None = None  # where permanent redirects lead, and how often in a row that was seen
    moved_seen: int = 0
    next_check_at: datetime | None = None
    last_ok_at: datetime | None = None  # the last successful reading
    first_run_done: bool = False

    @property
    def given_up(self) -> bool:
        """Paused by its own failures and not by a person."""
        return self.state is SourceState.PAUSED and self.failing_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    id: ArticleId
    source_id: SourceId
    source_name: str
    section: str | None
    url: str | None
    title: str
    standfirst: str | None
    text: str
    authors: tuple[str, ...]
    language: str
    image: str | None
    published: datetime | date | None
    published_raw: str | None
    provenance: Mapping[str, str]
    state: ArticleState
    reason: str | None
    first_seen_at: datetime
    named: bool  # given by name (file, folder, pasted): a candidate whatever its date
    summary: Summary | None = None
    changed_at: datetime | None = None  # the last correction at the source that was marked
    doubt: bool = False  # held until a person releases or drops it
    decided: str | None = None  # who released or dropped it, when and why
    topics: tuple[str, ...] = ()  # the source's own first, then what the article names again and again
    source_topics: tuple[str, ...] = ()
    weight: int = 0  # staff's, -3 to 3
    source_weight: int = 0

    @property
    def changed_after_edit(self) -> bool:
        """The words are a person's, and the source has corrected the article since they were written."""
        made = self.summary
        if made is None or made.origin is not SummaryOrigin.HUMAN or made.made_at is None:
            return False
        return self.changed_at is not None and self.changed_at > made.made_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is remembered of a known article when its source is read again."""

    id: ArticleId
    title: str
    published: datetime | date | None
    state: ArticleState
    first_seen_at: datetime
    url: str | None = None
    entry_hash: str | None = None  # of what the source said last; None in rows older than this column
    entry_before: str | None = None
    changed_at: datetime | None = None
    unread: bool = False  # held because no text could be read
    sent: bool = False  # stands in an issue that is being sent or was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """An article as one of several that tell a story."""

    article_id: ArticleId
    story_id: StoryId
    source_id: SourceId
    source_name: str
    title: str
    url: str | None
    state: ArticleState
    rule: StoryRule
    reason: str  # what speaks for it: "" for the first
    like: ArticleId | None  # the article it was found to be like


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    id: NewsletterId
    slug: str
    name: str
    language: str  # the default rendering
    languages: tuple[str, ...]  # all renderings, default first
    design: str
    options: Mapping[str, Any]  # design options
    list_slug: str
    cron: str
    timezone: str  # IANA
    approval: ApprovalPolicy
    compose_lead: timedelta
    latest_start: timedelta  # never released later than this after the send moment
    max_items: int
    unknown_policy: str  # "hold" or "resend"
    active: bool
    source_ids: tuple[SourceId, ...] = ()
    sections: tuple[SectionRule, ...] = ()  # as declared; none: sections are the sources' own
    max_per_source: int | None = None
    images: PictureMode = PictureMode.HOSTED
    public: bool = True  # anybody may join its list and read its archive
    segment: str | None = None  # of `subscribers`, by slug; None: the whole list


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    id: IssueId
    newsletter_id: NewsletterId
    occurrence: str  # local wall-clock text of the send moment, or extra-…
    number: int | None  # given at composing
    state: IssueState
    send_at: datetime
    reason: str | None
    mailing_id: MailingId | None
    subject: str | None
    preheader: str | None
    content_hash: str | None
    approved_hash: str | None
    approved_by: str | None
    approved_at: datetime | None
    preflight: tuple["Finding", ...] = ()
    intros: Mapping[str, str] = field(default_factory=dict)  # language -> what staff wrote in place of the made intro


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a preflight report. level: error (blocks sending), warning, note.

    `message` is English. `template` with its `values` is the same as a label to translate; "" where there is none.
    """

    check: str
    level: str
    where: str
    message: str
    template: str = ""
    values: tuple[tuple[str, str | int | float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a rendering with marked segments (mail.segments) needs to be cut for a reader who chose topics."""

    topics: tuple[tuple[str, ...], ...]  # of each item in reading order; none: for everybody
    phrases: tuple[tuple[str, str], ...] = ()  # singular and plural of the counts that stand in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One compiled issue or letter in one language, with markers for per-reader values (mail.markers)."""

    language: str
    subject: str
    preheader: str
    html: str
    text: str
    segments: Segments | None = None  # None: everybody gets all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    mailing_id: MailingId
    kind: LetterKind
    person_id: PersonId
    language: str
    list_slug: str | None
    variables: Mapping[str, Any]
    dedupe_key: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    id: MailingId
    kind: MailingKind
    state: MailingState
    issue_id: IssueId | None
    list_slug: str | None  # None: a letter that belongs to no list
    sender_name: str
    unknown_policy: str
    content_hash: str
    nonce: str  # marks the per-reader values of this mailing's renderings
    renderings: Sequence[Rendering] = ()
    images: tuple[str, ...] = ()  # names of the pictures of ours that the renderings show

    manifest: Mapping[str, Any] | None = None  # what the renderings were made of, when they were made just now


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of ours, made fit for its place. `name` is that of its content: another content has another name."""

    name: str  # 32 hexadecimal digits of the content's SHA-256, and .jpg or .png
    width: int  # pixels of the file
    height: int
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, content: bytes, kind: str, *, width: int, height: int) -> "Image":
        return cls(name=f"{_digits(content)}.{kind}", width=width, height=height, content=content)

    @property
    def media_type(self) -> str:
        return "image/png" if self.name.endswith(".png") else "image/jpeg"

    @property
    def is_true(self) -> bool:
        """Whether the content is still what the name says."""
        return self.name.split(".")[0] == _digits(self.content)


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The closed sum of a mailing: frozen = sent + failed + skipped + unknown once nothing is open."""

    frozen: int = 0
    pending: int = 0
    claimed: int = 0
    intent: int = 0
    deferred: int = 0
    sent: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0

    @property
    def open(self) -> int:
        return self.pending + self.claimed + self.intent + self.deferred

    @property
    def held(self) -> int:
        """By senders, now or when they died."""
        return self.claimed + self.intent

    @property
    def balanced(self) -> bool:
        return self.frozen == self.open + self.sent + self.failed + self.skipped + self.unknown
