"""A site file: sources, lists and newsletters as TOML. Reads it strictly, compares it with what is there, writes it. Pure.

Every key is checked before anything is written: an unknown one is refused with its path, because a misspelt `approval`
that silently does nothing sends mail that nobody saw.
"""

import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from newsletter.cli.sitepeople import AttributeEntry, SegmentEntry
from newsletter.cli.sitetoml import as_toml, plain, table
from newsletter.compose.context import LABEL_LIMIT
from newsletter.compose.design import find_design
from newsletter.errors import BadInput, NewsletterError
from newsletter.model import HEAVIEST, SERIAL, ApprovalPolicy, Newsletter, PictureMode, Source, SourceId, SourceKind
from newsletter.schedule import next_moments
from newsletter.store import sources
from subscribers import List

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _word(text: str) -> str:
    """On one line and in NFC; it must have a letter or figure, or it would be found nowhere."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(sign.isalnum() for sign in line) or len(line) > 200:
        raise ValueError(f"{text[:40]!r} is no word or phrase")
    return line


Words = Annotated[tuple[Annotated[str, AfterValidator(_word)], ...], Field(max_length=200)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Slug


Named = _Entry | AttributeEntry | SegmentEntry


class SourceEntry(_Entry):
    kind: SourceKind
    url: str = ""  # URL, or the path of a folder, relative to the site file
    name: str = ""
    language: Language | None = None
    section: str | None = None
    newest: int = Field(5, ge=0)
    max_age_days: float = Field(14, gt=0, le=36500)
    include: Words = ()  # an article without any of these words and phrases is skipped
    exclude: Words = ()  # an article with one of them is skipped
    topics: Words = ()
    full_text: bool = True  # false: a teaser is enough, no article page is read
    weight: int = Field(0, ge=-HEAVIEST, le=HEAVIEST)  # how far its articles stand ahead of others

    @model_validator(mode="after")
    def _has_its_place(self) -> "SourceEntry":
        is_url = self.url.startswith(("https://", "http://"))
        if self.kind in (*SERIAL, SourceKind.PAGE) and not is_url:
            raise ValueError("url must begin with https:// or http://")
        if self.kind is SourceKind.FOLDER and (is_url or not self.url):
            raise ValueError("url must be the path of a folder or file")
        return self


class ListEntry(_Entry):
    name: str = Field(min_length=1)
    description: str = ""
    double_opt_in: bool = True


class SectionEntry(BaseModel):
    """A section of a newsletter: for any one of what it names; the last one may name nothing and takes the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=LABEL_LIMIT)
    titles: dict[Language, str] = {}  # in other languages
    sources: tuple[str, ...] = ()
    topics: Words = ()
    words: Words = ()
    limit: int | None = Field(None, ge=1, le=200)  # so many in the mail, the others only on the web

    @property
    def takes_the_rest(self) -> bool:
        return not (self.sources or self.topics or self.words)


class NewsletterEntry(_Entry):
    name: str = Field(min_length=1)
    languages: tuple[Language, ...] = Field(min_length=1)  # the first is the default rendering
    design: str = "bulletin"
    options: dict[str, Any] = {}
    list: str
    segment: Slug | None = None  # of its list only those it names
    sources: tuple[str, ...] = ()
    cron: str
    timezone: str
    approval: ApprovalPolicy = ApprovalPolicy.MANUAL
    compose_lead_hours: float = Field(24, ge=0, le=24 * 14)
    latest_start_hours: float = Field(12, gt=0, le=24 * 14)
    max_items: int = Field(14, ge=1, le=200)
    max_per_source: int | None = Field(None, ge=1, le=200)
    sections: tuple[SectionEntry, ...] = Field((), max_length=30)  # the first that takes an article counts
    unknown_policy: Literal["hold", "resend"] = "hold"
    images: PictureMode = PictureMode.HOSTED
    public: bool = True  # anybody may join its list and read its archive
    active: bool = True

    @field_validator("languages", "sources")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("something is named twice")
        return value

    @model_validator(mode="after")
    def _sections_can_be_reached(self) -> "NewsletterEntry":
        for at, section in enumerate(self.sections):
            foreign = next((slug for slug in section.sources if slug not in self.sources), None)
            if foreign is not None:
                raise ValueError(f"sections[{at}].sources: {foreign!r} is no source of this newsletter")
            if section.takes_the_rest and section is not self.sections[-1]:
                raise ValueError(f"sections[{at}] names no sources, topics or words: only the last may take the rest")
        titles = [section.title.casefold() for section in self.sections]
        if len(set(titles)) != len(titles):
            raise ValueError("sections: a title is there twice")
        return self


KINDS = ("sources", "lists", "attributes", "segments", "newsletters")  # in the order they are written
KEPT = ("lists", "attributes")  # people's own: a file that does not name them removes none


class Site(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[SourceEntry, ...] = ()
    lists: tuple[ListEntry, ...] = ()
    attributes: tuple[AttributeEntry, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    newsletters: tuple[NewsletterEntry, ...] = ()


# ---------------------------------------------------------------- reading


def read_site(path: Path, *, timezone: str) -> Site:
    """The site file at `path`; `timezone` is taken where a newsletter names none. Raises BadInput with the key's path."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"the site file cannot be read: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not valid TOML: {error}", where=str(path)) from error
    _fill_in(content, path.parent, timezone)
    try:
        site = Site.model_validate(content)
    except ValidationError as error:
        raise explained(error, str(path)) from None
    for kind in KINDS:
        slugs = [entry.slug for entry in getattr(site, kind)]
        twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
        if twice is not None:
            raise BadInput(f"{kind}: the slug {twice} is there twice", where=str(path))
    return site


def _fill_in(content: Mapping[str, Any], folder: Path, timezone: str) -> None:
    """What a missing key means where that depends on other things: time zone, lead of automatic issues, folders."""
    for letter in _tables(content, "newsletters"):
        letter.setdefault("timezone", timezone)
        if letter.get("approval") == ApprovalPolicy.AUTO:
            letter.setdefault("compose_lead_hours", 0)
    for source in _tables(content, "sources"):
        url = source.get("url")
        if source.get("kind") == SourceKind.FOLDER and isinstance(url, str) and url and "://" not in url:
            source["url"] = str((folder / Path(url).expanduser()).resolve())


def _tables(content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = content.get(key)
    return [table for table in found if isinstance(table, dict)] if isinstance(found, list) else []


def explained(error: ValidationError, where: str) -> BadInput:
    """The first fault in one line, with the path of its key."""
    first = error.errors()[0]
    key = ""
    for part in first["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    if first["type"] == "extra_forbidden":
        return BadInput(f"unknown key {key}", where=where)
    if first["type"] == "string_pattern_mismatch":
        what = f"{first['input']!r} is no slug (a-z, 0-9, hyphens)" if key.endswith("slug") else "is no language tag"
    else:
        what = first["msg"].removeprefix("Value error, ")
    return BadInput(f"{key}: {what}" if key else what, where=where)


def check_newsletters(
    site: Site,
    *,
    lists: set[str],
    segments: set[str],
    sources: set[str],
    designs: Sequence[Path],
    now: datetime,
    path: Path,
) -> None:
    """Everything a newsletter names must exist, and its schedule must fire. Raises BadInput with the key's path."""
    for at, entry in enumerate(site.newsletters):
        key = f"newsletters[{at}]"
        if entry.list not in lists:
            raise BadInput(f"{key}.list: there is no list {entry.list!r}", where=str(path), hint="add it to [[lists]]")
        if entry.segment is not None and entry.segment not in segments:
            what = f"{key}.segment: there is no segment {entry.segment!r}"
            raise BadInput(what, where=str(path), hint="add it to [[segments]]")
        missing = next((slug for slug in entry.sources if slug not in sources), None)
        if missing is not None:
            raise BadInput(
                f"{key}.sources: there is no source {missing!r}", where=str(path), hint="add it to [[sources]]"
            )
        for name, check in _named(entry, designs, now).items():
            try:
                check()
            except NewsletterError as error:
                raise BadInput(f"{key}.{name}: {_quoted(error)}", where=str(path), hint=error.hint) from None


def _named(entry: NewsletterEntry, designs: Sequence[Path], now: datetime) -> dict[str, Callable[[], object]]:
    """What checks each key that names something, by the key."""
    return {
        "cron": lambda: next_moments(entry.cron, "UTC", after=now, count=1),
        "timezone": lambda: next_moments(entry.cron, entry.timezone, after=now, count=1),
        "design": lambda: find_design(entry.design, designs),
        "options": lambda: find_design(entry.design, designs).resolve(entry.options),
    }


def _quoted(error: NewsletterError) -> str:
    return f"{error.what}: {error.where}" if isinstance(error, BadInput) and error.where else error.what


# ---------------------------------------------------------------- comparing


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the plan. `action`: created, changed, unchanged, removed. `fields`: what differs, old → new."""

    kind: str
    slug: str
    action: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.action:<9} {self.kind} {self.slug}" + (f": {', '.join(self.fields)}" if self.fields else "")


def compare(site: Site, present: Site, *, prune: bool) -> list[Change]:
    """The plan, lists first because newsletters name them. Without `prune` nothing is removed; lists and attributes never are."""
    changes = []
    for kind in ("lists", "attributes", "segments", "sources", "newsletters"):
        there = {entry.slug: entry for entry in getattr(present, kind)}
        wanted = {entry.slug: entry for entry in getattr(site, kind)}
        noun = kind.removesuffix("s")
        changes += [change_of(noun, there.get(slug), entry) for slug, entry in wanted.items()]
        if prune and kind not in KEPT:
            gone = [slug for slug, entry in there.items() if slug not in wanted and getattr(entry, "active", True)]
            if kind == "segments":
                gone = [slug for slug in gone if slug not in _gone_by(site, present)]
            changes += [Change(kind=noun, slug=slug, action="removed") for slug in gone]
    return changes


def _gone_by(site: Site, present: Site) -> set[str | None]:
    """The segments that newsletters go by after the file is applied, also those it only makes inactive."""
    stay = {entry.slug: entry for entry in (*present.newsletters, *site.newsletters)}
    return {entry.segment for entry in stay.values()}


def change_of(kind: str, before: Named | None, after: Named) -> Change:
    """What bringing `before` to `after` does, field by field."""
    if before is None:
        return Change(kind=kind, slug=after.slug, action="created")
    old, new = plain(before), plain(after)
    fields = tuple(f"{name} {as_toml(old[name])} → {as_toml(new[name])}" for name in new if old[name] != new[name])
    return Change(kind=kind, slug=after.slug, action="changed" if fields else "unchanged", fields=fields)


def entry_of_source(source: Source) -> SourceEntry:
    return SourceEntry(
        slug=source.slug,
        kind=source.kind,
        url=source.url,
        name=source.name if source.name != source.slug else "",
        language=source.language,
        section=source.section,
        newest=source.newest,
        max_age_days=source.max_age / DAY,
        include=source.include,
        exclude=source.exclude,
        topics=source.topics,
        full_text=source.full_text,
        weight=source.weight,
    )


def source_of(entry: SourceEntry) -> Source:
    """The source an entry means, with an id of its own that counts where its slug is new."""
    return sources.new(
        entry.slug,
        entry.kind,
        entry.url,
        name=entry.name,
        language=entry.language,
        section=entry.section,
        newest=entry.newest,
        max_age=entry.max_age_days * DAY,
        include=entry.include,
        exclude=entry.exclude,
        topics=entry.topics,
        full_text=entry.full_text,
        weight=entry.weight,
    )


def entry_of_list(the_list: List) -> ListEntry:
    return ListEntry(
        slug=the_list.slug,
        name=the_list.name,
        description=the_list.description,
        double_opt_in=the_list.double_opt_in,
    )


def entry_of_newsletter(letter: Newsletter, slugs: Mapping[SourceId, str]) -> NewsletterEntry:
    """`slugs`: of the sources that still belong to the site."""
    return NewsletterEntry(
        slug=letter.slug,
        name=letter.name,
        languages=letter.languages,
        design=letter.design,
        options=dict(letter.options),
        list=letter.list_slug,
        segment=letter.segment,
        sources=tuple(slugs[source_id] for source_id in letter.source_ids if source_id in slugs),
        cron=letter.cron,
        timezone=letter.timezone,
        approval=letter.approval,
        compose_lead_hours=letter.compose_lead / HOUR,
        latest_start_hours=letter.latest_start / HOUR,
        max_items=letter.max_items,
        max_per_source=letter.max_per_source,
        sections=_entries_of_sections(letter, slugs),
        unknown_policy="resend" if letter.unknown_policy == "resend" else "hold",
        images=letter.images,
        public=letter.public,
        active=letter.active,
    )


def _entries_of_sections(letter: Newsletter, slugs: Mapping[SourceId, str]) -> tuple[SectionEntry, ...]:
    """A section whose sources were all removed takes nothing any more; without them it would take everything."""
    entries = [
        SectionEntry(
            title=rule.title,
            titles=dict(rule.titles),
            sources=tuple(
                slugs[source_id]
                for source_id in rule.source_ids
                if source_id in slugs and source_id in letter.source_ids
            ),
            topics=rule.topics,
            words=rule.words,
            limit=rule.limit,
        )
        for rule in letter.sections
    ]
    return tuple(
        entry
        for entry, rule in zip(entries, letter.sections, strict=True)
        if rule.takes_the_rest or not entry.takes_the_rest
    )


# ---------------------------------------------------------------- writing


def written(site: Site) -> str:
    """The site as TOML that `read_site` reads back to the same."""
    blocks = []
    for kind in KINDS:
        for entry in getattr(site, kind):
            values = plain(entry)
            sections = values.pop("sections", [])
            blocks.append(table(kind, values))
            blocks += [table(f"{kind}.sections", section) for section in sections]
    return "\n\n".join(blocks) + "\n" if blocks else ""
