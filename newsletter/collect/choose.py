"""Which collected items are new, which are known, and which of the new ones are candidates. Pure: decides, writes nothing.

Must never lose an item silently: what is not offered is written down as skipped, with the reason a person may read.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsletter.collect.clean import one_line
from newsletter.collect.language import language_of
from newsletter.collect.wanted import unwanted
from newsletter.model import SERIAL, ArticleId, ArticleState, RawItem, Source, SourceKind

LASTMOD = "lastmod"  # the provenance of a date that is a sitemap's last change
SHORT = 400  # characters: a feed text below this is an excerpt, so the page is read
_TOMORROW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item and the keys it is recognised by; `keys` come from the source's own words, never from a fetched page."""

    item: RawItem
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    item: RawItem
    keys: tuple[str, ...]
    language: str
    state: ArticleState
    reason: str | None
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`fresh_keys` are names the article was not known by; `compare` says whether its words may have been corrected."""

    article_id: ArticleId
    item: RawItem
    fresh_keys: tuple[str, ...]
    language: str
    compare: bool


def choose(
    source: Source,
    found: Sequence[Candidate],
    known: Mapping[str, ArticleId],
    *,
    now: datetime,
    offered: frozenset[str] | None = None,
) -> list[New | Known]:
    """One decision per item, in the source's order; a second item with a key of an earlier one is left out.

    The first run of a feed, listing or the like takes its backlog as seen and offers the newest `source.newest` within
    `source.max_age`. `offered`: the first keys of those chosen before their pages were read; it stays with them,
    because a date found on a page must not let another in whose page was not read.
    """
    taken: set[str] = set()
    fresh: list[Candidate] = []
    decisions: list[New | Known] = []
    for candidate in found:
        if not taken.isdisjoint(candidate.keys):
            continue
        taken.update(candidate.keys)
        owner = next((known[key] for key in candidate.keys if key in known), None)
        if owner is None:
            fresh.append(candidate)
        else:
            decisions.append(_known(source, candidate, owner, known))
    if offered is None:
        chosen = _offered(source, fresh, now)
    else:
        chosen = {n for n, candidate in enumerate(fresh) if candidate.keys[0] in offered}
    read = chosen if offered is not None else set()
    return decisions + [
        _new(source, candidate, offered=n in chosen, read=n in read, now=now) for n, candidate in enumerate(fresh)
    ]


def needs_page(source: Source, decision: New | Known) -> bool:
    """Whether the article's page must be read: a candidate known only by a link or an excerpt."""
    return (
        isinstance(decision, New) and decision.state is not ArticleState.SKIPPED and _is_partial(source, decision.item)
    )


def _is_partial(source: Source, item: RawItem) -> bool:
    """Whether the article's page would say more than the source did, as far as the source is meant to say it."""
    if source.kind not in SERIAL or item.url is None:
        return False
    if not source.full_text:
        return not (item.title and (item.text or item.standfirst))
    return not item.text if source.kind is SourceKind.WORDPRESS else len(item.text) < SHORT


def with_page(candidate: Candidate, page: RawItem, page_keys: Sequence[str]) -> Candidate:
    """The source's item completed from its page: the page gives the text, the source keeps the word on all else it said.

    Except a title that was cut short, and the date of a last change: there the page knows better.
    """
    item = candidate.item
    longer = len(page.text) > len(item.text)
    gained: dict[str, Any] = {"text": page.text} if longer else {}
    for name in ("title", "standfirst", "authors", "image", "language", "published"):
        if getattr(page, name) and (not getattr(item, name) or _page_knows(name, item, page)):
            gained[name] = getattr(page, name)
    rules = {name: f"page: {page.provenance[name]}" for name in gained if name in page.provenance}
    raw = page.published_raw if "published" in gained else item.published_raw
    merged = dataclasses.replace(item, **gained, published_raw=raw, provenance={**item.provenance, **rules})
    return Candidate(item=merged, keys=tuple(dict.fromkeys([*candidate.keys, *page_keys])))


def _page_knows(name: str, item: RawItem, page: RawItem) -> bool:
    if name == "published":
        return item.provenance.get(name) == LASTMOD
    cut = item.title.removesuffix("...").removesuffix("…").rstrip()
    return name == "title" and cut != item.title and page.title.startswith(cut)


def _known(source: Source, candidate: Candidate, owner: ArticleId, known: Mapping[str, ArticleId]) -> Known:
    # an excerpt would overwrite the text that was read from the page
    excerpt = source.kind in SERIAL and len(candidate.item.text) < SHORT
    return Known(
        article_id=owner,
        item=_presentable(candidate.item),
        fresh_keys=tuple(key for key in candidate.keys if key not in known),
        language=_language(source, candidate.item),
        compare=not excerpt,
    )


def _offered(source: Source, fresh: Sequence[Candidate], now: datetime) -> set[int]:
    """Positions that are candidates by number: all of them, or on a first run only the newest few."""
    if source.first_run_done or source.kind not in SERIAL:
        return set(range(len(fresh)))
    young = [
        n
        for n, candidate in enumerate(fresh)
        if not _too_old(source, candidate.item, now)
        and unwanted(source, candidate.item, partial=_is_partial(source, candidate.item)) is None
    ]
    young.sort(key=lambda n: (-_stamp(fresh[n].item.published, now), n))
    return set(young[: source.newest])


def _new(source: Source, candidate: Candidate, *, offered: bool, read: bool, now: datetime) -> New:
    """`read`: whatever its page could add is there."""
    item = _dated(candidate.item, now)
    refused = unwanted(source, item, partial=not read and _is_partial(source, item))
    named = source.kind not in SERIAL
    state, reason = ArticleState.NEW, None
    if not item.title and not item.text and not item.url:
        state, reason = ArticleState.SKIPPED, "it has neither a title nor a text"
    elif not named and _too_old(source, item, now):
        state, reason = ArticleState.SKIPPED, f"older than {source.max_age.days} days when it was first seen"
    elif refused is not None:
        state, reason = ArticleState.SKIPPED, refused
    elif not offered:
        state, reason = ArticleState.SKIPPED, "backlog of the first run"
    elif not item.text and not item.standfirst:
        state, reason = ArticleState.HELD, "no text could be read"
    return New(
        item=_presentable(item),
        keys=candidate.keys,
        language=_language(source, item),
        state=state,
        reason=reason,
        named=named,
    )


def _presentable(item: RawItem) -> RawItem:
    if item.title:
        return item
    title = one_line(item.text or item.standfirst or item.url, 80)
    return dataclasses.replace(item, title=title, provenance={**item.provenance, "title": "text"})


def _dated(item: RawItem, now: datetime) -> RawItem:
    """Without a date more than a day ahead: such an article would stand first for ever."""
    if item.published is None or _moment(item.published) <= now + _TOMORROW:
        return item
    provenance = {**item.provenance, "published": "left out: in the future"}
    return dataclasses.replace(item, published=None, provenance=provenance)


def _too_old(source: Source, item: RawItem, now: datetime) -> bool:
    return item.published is not None and _moment(item.published) < now - source.max_age


def _stamp(published: datetime | date | None, now: datetime) -> float:
    """For sorting, newest highest; undated items and those of the future stand behind the dated ones, in feed order."""
    moment = _moment(published) if published else None
    return moment.timestamp() if moment and moment <= now + _TOMORROW else 0.0


def _moment(published: datetime | date) -> datetime:
    if isinstance(published, datetime):
        return published
    return datetime.combine(published, time(23, 59), tzinfo=UTC)  # the whole day counts


def _language(source: Source, item: RawItem) -> str:
    """What the operator says, else what the text says, else the source's own word; the primary subtag (RFC 5646)."""
    found = source.language or language_of(f"{item.title}\n{item.standfirst or ''}\n{item.text}", item.language)[0]
    return (found or "en").split("-")[0].lower()
