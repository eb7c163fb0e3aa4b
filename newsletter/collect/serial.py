"""Listing pages and sitemaps as sources: their links become items whose pages are read later; a broken layout is told.

Must never take a page whose known structure is gone for a list without news: that is how a source dies unseen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.collect.listing import Listing, read_listing
from newsletter.collect.match import LASTMOD
from newsletter.collect.sitemap import Sitemap, SitemapEntry, read_sitemap
from newsletter.errors import LayoutChanged, SourceError, Unreadable
from newsletter.http import Fetched
from newsletter.model import RawItem

COLLAPSE = 0.3  # of the links of before: fewer is a change of layout, not a quiet month
MAX_DEPTH = 2  # of sitemap indexes within indexes
MAX_SITEMAPS = 30  # read for one index in one poll, newest first
MAX_ITEMS = 2000  # as of a feed; the newest

Get = Callable[[str], Fetched]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a listing or a sitemap gave. `problems`: sitemaps of an index that could not be read."""

    items: tuple[RawItem, ...]
    signature: str | None = None
    truncated: bool = False
    problems: tuple[SourceError, ...] = ()
    is_index: bool = False


# ---------------------------------------------------------------- listings


def listed(fetched: Fetched, *, signature: str | None, now: datetime | None) -> Links:
    """The items of a listing page. Raises LayoutChanged when the structure of `signature` is gone, Unreadable."""
    found = read_listing(
        fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset, now=now
    )
    _check(found, signature, fetched.url)
    return Links(items=tuple(listing_items(found)), signature=f"{len(found.links)}\n{found.signature}")


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


def _check(found: Listing, signature: str | None, url: str) -> None:
    """`signature`: how many links there were, and the structures they stood in, one a line; None before the first."""
    if signature is None:
        if not found.links:
            raise Unreadable(
                "no list of articles was found on this page", where=url, hint="give the page that lists the news"
            )
        return
    count, _, structures = signature.partition("\n")
    before = int(count)
    same = set(structures.split("\n")) & set(found.signature.split("\n"))
    now = len(found.links) if same else 0
    if now == 0 or now < COLLAPSE * before:
        raise LayoutChanged(
            f"the page's layout changed: {before} links to articles before, {now} in the same place now",
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
