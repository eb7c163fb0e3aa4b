"""Listing pages and sitemaps as sources: their links become items whose pages are read later; a broken layout is told.

Must never take a page whose known structure is gone for a list without news: that is how a source dies unseen.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.collect.identity.keys import identities
from newsletter.collect.identity.match import LASTMOD
from newsletter.collect.lists.listing import Listing, read_listing
from newsletter.collect.lists.sitemap import Sitemap, SitemapEntry, read_sitemap
from newsletter.errors import LayoutChanged, SourceError, Unreadable
from newsletter.http import Fetched
from newsletter.model import RawItem, Source

COLLAPSE = 0.3  # of the links of before: fewer is a change of layout, not a quiet month
FAMILIAR = 0.5  # of the links in a new structure, and of those of before, must be known articles to believe it unasked
LEAST_FAMILIAR = 3  # known articles; one or two also stand in a box "most read"
MAX_DEPTH = 2  # of sitemap indexes within indexes
MAX_SITEMAPS = 30  # read for one index in one poll, newest first
MAX_ITEMS = 2000  # as of a feed; the newest

Get = Callable[[str], Fetched]
Knows = Callable[[Sequence[str]], Collection[str]]  # which of these identity keys the source has shown before


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a listing or a sitemap gave. `problems`: sitemaps of an index that could not be read."""

    items: tuple[RawItem, ...]
    signature: str | None = None
    truncated: bool = False
    problems: tuple[SourceError, ...] = ()
    is_index: bool = False


# ---------------------------------------------------------------- listings


def listed(fetched: Fetched, *, source: Source, now: datetime | None, knows: Knows | None = None) -> Links:
    """The items of a listing page. A structure other than that of `source.signature` is taken by itself where `knows`
    recognises most of its articles. Raises LayoutChanged when the structure is gone and no other convinces, Unreadable.
    """
    found = read_listing(
        fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset, now=now
    )
    items = tuple(listing_items(found))
    if source.signature is None:
        if not items:
            raise Unreadable(
                "no list of articles was found on this page",
                where=fetched.url,
                hint="give the page that lists the news",
            )
    else:
        _check(found, source.signature, url=fetched.url, familiar=lambda: _familiar(items, source, knows))
    return Links(items=items, signature=f"{len(found.links)}\n{found.signature}")


def _familiar(items: Sequence[RawItem], source: Source, knows: Knows | None) -> int:
    """How many of the items the source has shown before, by address or by title and day."""
    keys = [identities(item, source.id) for item in items]
    known = frozenset(knows([key for own in keys for key in own]) if knows else ())
    return sum(not known.isdisjoint(own) for own in keys)


def listing_items(found: Listing) -> list[RawItem]:
    return [
        RawItem(
            title=link.title,
            url=link.url,
            published=link.published,
            published_raw=link.published_raw,
            provenance={"title": "listing"} | ({"published": "listing"} if link.published else {}),
        )
        for link in found.links
    ]


def _check(found: Listing, signature: str, *, url: str, familiar: Callable[[], int]) -> None:
    """`signature`: how many links there were, and the structures they stood in, one a line."""
    count, _, structures = signature.partition("\n")
    before, now = int(count), len(found.links)
    is_same = not set(structures.split("\n")).isdisjoint(found.signature.split("\n"))
    if now >= COLLAPSE * before and now > 0:
        if is_same:
            return
        known = familiar()
        if known >= max(LEAST_FAMILIAR, FAMILIAR * min(before, now)) and known >= FAMILIAR * now:
            return  # the same articles in another dress
        there = f"none in the same place now; elsewhere {now}, of which {known} known"
    elif now == 0:
        there = "no list of articles now"
    else:
        there = f"{now} now" if is_same else f"{now} now, in another place"
    raise LayoutChanged(
        f"the page's layout changed: {before} links to articles before, {there}",
        where=url,
        hint="`source check` shows what is found there now, `source resume` takes it as the new layout",
    )


# ---------------------------------------------------------------- sitemaps


def mapped(fetched: Fetched, get: Get) -> Links:
    """The items of a sitemap, or of the sitemaps an index names. Raises SourceError when none of them can be read."""
    top = read_sitemap(fetched.body, url=fetched.url, charset=fetched.charset)
    if not top.is_index:
        return _links(top.entries, truncated=top.truncated)
    walk = _Walk(get=get, seen={fetched.url})
    walk.into(top, depth=1)
    if walk.problems and not walk.entries:
        first = walk.problems[0]
        raise SourceError(f"none of its sitemaps can be read: {first.what}", where=fetched.url)
    links = _links(walk.entries, truncated=walk.truncated or top.truncated)
    return Links(items=links.items, truncated=links.truncated, problems=tuple(walk.problems), is_index=True)


class _Walk:
    """One look through an index: a bounded number of sitemaps, none twice, what fails written down."""

    def __init__(self, *, get: Get, seen: set[str]) -> None:
        self._get, self._seen = get, seen
        self._left = MAX_SITEMAPS
        self.entries: list[SitemapEntry] = []
        self.problems: list[SourceError] = []
        self.truncated = False

    def into(self, index: Sitemap, *, depth: int) -> None:
        for child in index.entries:
            if child.url in self._seen:
                continue
            if self._left == 0 or len(self.entries) >= MAX_ITEMS * 5:
                self.truncated = True
                return
            self._left -= 1
            self._seen.add(child.url)
            try:
                fetched = self._get(child.url)
                found = read_sitemap(fetched.body, url=fetched.url, charset=fetched.charset)
            except SourceError as error:
                self.problems.append(error)
                continue
            self.truncated = self.truncated or found.truncated
            if not found.is_index:
                self.entries += found.entries
            elif depth < MAX_DEPTH:
                self.into(found, depth=depth + 1)
            else:
                self.problems.append(Unreadable("an index too deep within indexes", where=child.url))


def _links(entries: Sequence[SitemapEntry], *, truncated: bool) -> Links:
    by_url = {entry.url: entry for entry in sorted(entries, key=lambda entry: entry.age, reverse=True)}
    newest = sorted(by_url.values(), key=lambda entry: entry.age)
    if len(newest) > MAX_ITEMS:  # whatever order the sitemap has, the newest must be among what is taken
        newest.sort(key=lambda entry: entry.told_by_url)
    return Links(
        items=tuple(_item(entry) for entry in newest[:MAX_ITEMS]),
        truncated=truncated or len(newest) > MAX_ITEMS,
    )


def _item(entry: SitemapEntry) -> RawItem:
    published, rule = (entry.published, "sitemap") if entry.published else (entry.changed, LASTMOD)
    rules = {"published": rule} if published else {}
    return RawItem(
        title=entry.title,
        url=entry.url,
        published=published,
        published_raw=published.isoformat() if published else None,
        provenance=rules | ({"title": "sitemap"} if entry.title else {}),
    )
