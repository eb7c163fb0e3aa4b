"""Which collected items are new, which are known, and which of the new ones are candidates. Pure: decides, writes nothing.

Must never lose an item silently: what is not offered is written down as skipped, with the reason a person may read.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsletter.collect.identity.match import LASTMOD, Candidate, Match, matches, moment_of
from newsletter.collect.identity.turnover import Turnover, turned_over
from newsletter.collect.identity.wanted import unwanted
from newsletter.collect.text.clean import one_line
from newsletter.collect.text.language import language_of
from newsletter.model import SERIAL, ArticleState, RawItem, Seen, Source, SourceKind

SHORT = 400  # characters: a feed text below this is an excerpt, so the page is read
NO_TEXT = "no text could be read"
_TOMORROW = timedelta(hours=24)
_A_DAY = timedelta(hours=24)
# A day on which nobody published: what computers write when they know no date (Unix zero, in any zone).
_ZERO_DAYS = (date(1969, 12, 31), date(1970, 1, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """`doubt`: held until a person releases or drops it. `mistrust`: keys this poll showed to name several articles."""

    item: RawItem
    keys: tuple[str, ...]
    language: str
    state: ArticleState
    reason: str | None
    named: bool
    words: str = ""
    aliases: tuple[str, ...] = ()
    mistrust: tuple[str, ...] = ()
    doubt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`fresh_keys` are names the article was not known by; `changed`: the source says something else of it than before.

    `reread`: its page may hold the corrected text and is read once more. `excerpt`: the item's text is not the whole.
    """

    article: Seen
    item: RawItem
    keys: tuple[str, ...]
    fresh_keys: tuple[str, ...]
    language: str
    words: str
    changed: bool
    excerpt: bool
    reread: bool
    mistrust: tuple[str, ...] = ()


def choose(
    source: Source,
    found: Sequence[Candidate],
    known: Mapping[str, Seen],
    *,
    now: datetime,
    before: int = 0,
    shown: int | None = None,
    offered: frozenset[str] | None = None,
) -> list[New | Known]:
    """One decision per item, in the source's order; a second item with a key of an earlier new one is left out.

    The first run of a feed, listing or sitemap takes its backlog as seen and offers the newest `source.newest` within
    `source.max_age`. `known`: what is known of `Candidate.asked`. `before`: how many articles the source has given so
    far. `shown`: how many entries there were, if not all stand in `found`. `offered`: the first keys of those chosen
    before their pages were read; it stays with them, because a date found on a page must not let another in whose page
    was not read.
    """
    serial = source.kind in SERIAL
    fresh: list[tuple[Candidate, Match]] = []
    decisions: list[New | Known] = []
    taken: set[str] = set()
    for candidate, match in zip(found, matches(found, known) if serial else _by_key(found, known), strict=True):
        if match.owner is not None:
            decisions.append(_known(source, candidate, match, known, now))
        elif taken.isdisjoint(candidate.keys):
            taken.update(candidate.keys)
            fresh.append((candidate, match))
    candidates = [candidate for candidate, _ in fresh]
    if offered is None:
        chosen = _offered(source, candidates, now)
    else:
        chosen = {n for n, candidate in enumerate(candidates) if candidate.keys[0] in offered}
    turnover = (
        turned_over(source, found, candidates, known, before=before, now=now, shown=shown) if serial else Turnover()
    )
    if turnover.mark and fresh:
        fresh[0] = (candidates[0], dataclasses.replace(fresh[0][1], mistrust=(*fresh[0][1].mistrust, turnover.mark)))
    read = chosen if offered is not None else set[int]()
    return decisions + [
        _new(
            source,
            candidate,
            match,
            offered=n in chosen,
            read=n in read,
            turnover=turnover.reason_of(candidate),
            now=now,
        )
        for n, (candidate, match) in enumerate(fresh)
    ]


def _by_key(found: Sequence[Candidate], known: Mapping[str, Seen]) -> list[Match]:
    """Articles given by name: a file is the same article whatever stands in it now."""
    return [Match(owner=next((known[key] for key in one.keys if key in known), None)) for one in found]


def needs_page(source: Source, decision: New | Known) -> bool:
    """Whether the article's page must be read: a candidate known only by a link or an excerpt, or a corrected one."""
    if isinstance(decision, Known):
        return decision.reread
    return decision.state is not ArticleState.SKIPPED and is_partial(source, decision.item)


def is_partial(source: Source, item: RawItem) -> bool:
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
    return dataclasses.replace(candidate, item=merged, page_keys=tuple(dict.fromkeys(page_keys)))


def _page_knows(name: str, item: RawItem, page: RawItem) -> bool:
    if name == "published":
        return item.provenance.get(name) == LASTMOD
    cut = item.title.removesuffix("...").removesuffix("…").rstrip()
    return name == "title" and cut != item.title and page.title.startswith(cut)


def _known(source: Source, candidate: Candidate, match: Match, known: Mapping[str, Seen], now: datetime) -> Known:
    assert match.owner is not None
    article, item = match.owner, _dated(candidate.item, now)
    serial = source.kind in SERIAL
    excerpt = is_partial(source, item) and not item.provenance.get("text", "").startswith("page:")
    live = article.state is not ArticleState.SKIPPED
    said = candidate.words
    recent = article.changed_at is not None and timedelta(0) <= now - article.changed_at < _A_DAY
    in_turn = said == article.entry_before and recent  # the older of two versions that are shown in turn
    changed = live and not in_turn and article.entry_hash not in (None, said)
    readable = live and excerpt and not article.sent
    return Known(
        article=article,
        item=_presentable(item) if not serial else item,
        keys=candidate.keys,
        fresh_keys=_fresh_keys(candidate, match, known),
        language=_language(source, item),
        words=article.entry_hash if in_turn and article.entry_hash else said,
        changed=changed,
        excerpt=excerpt,
        reread=readable and (article.unread or (changed and not recent)),
        mistrust=match.mistrust,
    )


def _fresh_keys(candidate: Candidate, match: Match, known: Mapping[str, Seen]) -> tuple[str, ...]:
    """Names that become aliases: never a key that has proved to name several articles."""
    return tuple(key for key in candidate.asked() if key not in known and key not in match.mistrust)


def _offered(source: Source, fresh: Sequence[Candidate], now: datetime) -> set[int]:
    """Positions that are candidates by number: all of them, or of a backlog only the newest few."""
    if source.kind not in SERIAL or _backlog(source, now) is None:
        return set(range(len(fresh)))
    young = [
        n
        for n, candidate in enumerate(fresh)
        if not _too_old(source, _dated(candidate.item, now), now)
        and unwanted(source, candidate.item, partial=is_partial(source, candidate.item)) is None
    ]
    young.sort(key=lambda n: (-_stamp(fresh[n].item.published, now), n))
    return set(young[: source.newest])


def _backlog(source: Source, now: datetime) -> str | None:
    """Why this reading shows a backlog: it is the first, or nobody has read the source for longer than its window.

    An outage is no such pause: what appeared meanwhile was never shown, and is due to the readers.
    """
    if not source.first_run_done:
        return "backlog of the first run"
    if source.last_ok_at is None or source.failures or now - source.last_ok_at <= source.max_age:
        return None
    return f"backlog after {(now - source.last_ok_at).days} days without a reading"


def _new(
    source: Source,
    candidate: Candidate,
    match: Match,
    *,
    offered: bool,
    read: bool,
    turnover: str | None,
    now: datetime,
) -> New:
    """`read`: whatever its page could add is there."""
    item = _dated(candidate.item, now)
    refused = unwanted(source, item, partial=not read and is_partial(source, item))
    named = source.kind not in SERIAL
    state, reason = ArticleState.NEW, None
    doubt = turnover or (f"maybe known already: it has {match.doubt}" if match.doubt else None)
    if not item.title and not item.text and not item.url:
        state, reason = ArticleState.SKIPPED, "it has neither a title nor a text"
    elif not named and _too_old(source, item, now):
        state, reason = ArticleState.SKIPPED, f"older than {source.max_age.days} days when it was first seen"
    elif refused is not None:
        state, reason = ArticleState.SKIPPED, refused
    elif not offered:
        state, reason = ArticleState.SKIPPED, _backlog(source, now) or "backlog of the first run"
    elif doubt:
        state, reason = ArticleState.HELD, doubt
    elif not item.text and not item.standfirst:
        state, reason = ArticleState.HELD, NO_TEXT
    return New(
        item=_presentable(item),
        keys=candidate.keys,
        language=_language(source, item),
        state=state,
        reason=reason,
        named=named,
        words=candidate.words,
        aliases=_fresh_keys(candidate, match, {}) or candidate.keys,
        mistrust=match.mistrust,
        doubt=state is ArticleState.HELD and doubt is not None,
    )


def _presentable(item: RawItem) -> RawItem:
    if item.title:
        return item
    title = one_line(item.text or item.standfirst or item.url, 80)
    return dataclasses.replace(item, title=title, provenance={**item.provenance, "title": "text"})


def _dated(item: RawItem, now: datetime) -> RawItem:
    """Without a date that cannot be: more than a day ahead, where it would stand first for ever, or a computer's zero.

    An article without a date counts from the moment it was first seen.
    """
    if item.published is None:
        return item
    written = item.published_raw or item.published.isoformat()
    if _begins(item.published) > now + _TOMORROW:
        why = f"first seen: {written} lies in the future"
    elif _day(item.published) in _ZERO_DAYS:
        why = f"first seen: {written} is no date but a computer's zero"
    else:
        return item
    return dataclasses.replace(item, published=None, provenance={**item.provenance, "published": why})


def _begins(published: datetime | date) -> datetime:
    """A bare day begins at its first moment: at one in the morning in Hanoi today's date is still tomorrow in UTC."""
    if isinstance(published, datetime):
        return published
    return datetime.combine(published, time(0), tzinfo=UTC)


def _day(published: datetime | date) -> date:
    return published.date() if isinstance(published, datetime) else published


def _too_old(source: Source, item: RawItem, now: datetime) -> bool:
    return item.published is not None and moment_of(item.published) < now - source.max_age


def _stamp(published: datetime | date | None, now: datetime) -> float:
    """For sorting, newest highest; undated items and those of the future stand behind the dated ones, in feed order."""
    moment = moment_of(published) if published else None
    return moment.timestamp() if moment and moment <= now + _TOMORROW else 0.0


def _language(source: Source, item: RawItem) -> str:
    """What the operator says, else what the text says, else the source's own word; the primary subtag (RFC 5646)."""
    found = source.language or language_of(f"{item.title}\n{item.standfirst or ''}\n{item.text}", item.language)[0]
    return (found or "en").split("-")[0].lower()
