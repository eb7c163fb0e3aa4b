"""What stands behind a URL a person gives: a feed, an article, a sitemap, a listing page. Fetches; writes nothing.

Order: what the URL itself is; the WordPress API its page names, which gives whole texts and not only the ten newest; the
feed its page names; feeds at well-known paths below it; for a front page a sitemap, for a section its list of articles
first, because a sitemap speaks of the whole site. Must never ask for what it can find out, and ask a site at most 17
times, and for the sitemaps an index names.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from threading import Event
from urllib.parse import urljoin, urlsplit

from newsletter.collect.feeds.feed import looks_like_feed, read_feed
from newsletter.collect.identity.match import Candidate
from newsletter.collect.lists.listing import prose_outside, read_listing
from newsletter.collect.lists.serial import listing_items, mapped
from newsletter.collect.lists.sitemap import looks_like_sitemap
from newsletter.collect.pages.page import read_page
from newsletter.collect.poll import Polled, Told, complete, nobody, poll
from newsletter.collect.text.decode import to_text
from newsletter.collect.wordpress import JSON, asked, endpoint, named, page_of, posted
from newsletter.errors import SourceError, Unreadable
from newsletter.http import ANY_FEED, ANY_PAGE, MAX_FEED, Fetched, Fetcher
from newsletter.model import RawItem, Source, SourceKind

_FEED_PATHS = ("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json")
_SITEMAP_PATHS = ("/sitemap.xml", "/sitemap_index.xml")
_MOST_NAMED = 3  # feeds a page names, and sitemaps a robots.txt names, that are tried
_FEW = 3  # links: fewer make no list
_LITTLE, _PER_LINK = 300, 100  # characters of running text that make an article: in all, and for each link of its list
_LINK = re.compile(r"<link\b[^<>]{1,2000}>", re.I)
_ATTRIBUTE = re.compile(r"""\b(rel|type|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_FEED_TYPE = re.compile(r"application/(?:rss\+xml|atom\+xml|rdf\+xml|feed\+json)", re.I)
_COMMENTS = re.compile(r"/comments?/feed|[?&]feed=comments|comments?[_-]?(?:rss|feed)", re.I)
_ROBOTS = re.compile(r"^\s*sitemap\s*:\s*(\S{1,2000})", re.I | re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A source as it was found; `how` tells a person by which sign. `items` are what it shows now."""

    kind: SourceKind
    url: str
    title: str
    items: tuple[RawItem, ...]
    how: str


def discover(fetcher: Fetcher, url: str, *, now: datetime | None = None, told: Told = nobody) -> Place:
    """Raises SourceError when the URL cannot be read, or nothing of this kind stands there. `told`: where it looks."""
    told(url)
    if endpoint(url) is not None:
        return _posts(fetcher, url, "it is the API of a WordPress site")
    fetched = fetcher.get(url, accept=ANY_FEED, max_body=MAX_FEED)
    own = _feed(fetched, url, "it is a feed") or _own_sitemap(fetcher, fetched, url)
    if own is not None:
        return own
    text = to_text(fetched.body, fetched.charset)
    page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    listing = _listing(fetched, url, now)
    front = urlsplit(fetched.url).path.strip("/") in ("", "index.html", "index.php", "default.aspx", "trang-chu")
    if not front and _is_article(fetched, page, listing):
        host = urlsplit(fetched.url).hostname or page.title
        return Place(kind=SourceKind.PAGE, url=url, title=host, items=(page,), how="it is an article")
    name = listing.title if listing is not None else ""
    found = _blog(fetcher, fetched.url, text, title=name, told=told) or next(
        _feeds(fetcher, fetched.url, text, told=told), None
    )
    if found is not None:
        return found
    refused = _refused(fetcher, fetched.url) if listing is not None else None
    if not front and listing is not None and refused is None:
        return listing
    found = next(_sitemaps(fetcher, fetched.url, told=told), None)
    if found is None and refused is not None:
        raise refused
    found = found or listing
    if found is None:
        raise Unreadable(
            "neither a feed, a sitemap, a list of articles nor an article was found there",
            where=url,
            hint="give the page that lists the news, or force a --kind",
        )
    return found


def _refused(fetcher: Fetcher, url: str) -> SourceError | None:
    """Why a list of articles may not be read again and again; a look by a person's hand needs no leave."""
    try:
        fetcher.ask_robots(url)
    except SourceError as error:
        return error
    return None


def look_as(fetcher: Fetcher, source: Source, *, now: datetime | None = None, told: Told = nobody) -> Place:
    """The place as a person says it is. Raises SourceError when it cannot be read so."""
    told(source.url)
    if source.kind is SourceKind.WORDPRESS and endpoint(source.url) is None:
        source = replace(source, url=_api_of(fetcher, source.url) or source.url)
    polled = poll(fetcher, source, now=now, told=told)
    items = tuple(candidate.item for candidate in polled.found)
    host = urlsplit(source.url).hostname or source.url
    return Place(kind=source.kind, url=source.url, title=host, items=items, how="as it was said")


def newest(fetcher: Fetcher, items: Sequence[RawItem], count: int = 5, *, told: Told = nobody) -> list[RawItem]:
    """The newest articles of a place, newest first; pages are read where title or date are not known without."""

    def moment(item: RawItem) -> float:
        if item.published is None:
            return 0.0
        at = item.published
        return (at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)).timestamp()

    first = sorted(items, key=moment, reverse=True)[:count]  # a stable order: undated ones stay as they were listed
    found = tuple(Candidate(item=replace(item, guid=None), keys=(str(n),)) for n, item in enumerate(first))
    wanted = [c for c in found if c.item.url and not (c.item.title and c.item.published) and not c.item.text]
    read = complete(fetcher, Polled(found=found), wanted, Event(), offered=frozenset(), told=told)
    return [candidate.item for candidate in read.found]


# ---------------------------------------------------------------- signs


def _feed(fetched: Fetched, url: str, how: str) -> Place | None:
    if not looks_like_feed(fetched.body, fetched.content_type):
        return None
    feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    return Place(kind=SourceKind.FEED, url=url, title=feed.title or "", items=feed.entries, how=how)


def _own_sitemap(fetcher: Fetcher, fetched: Fetched, url: str) -> Place | None:
    if not (looks_like_sitemap(fetched.body) or urlsplit(fetched.url).path.endswith(".xml.gz")):
        return None
    return _mapped(fetcher, fetched, url, "it is a sitemap")


def _mapped(fetcher: Fetcher, fetched: Fetched, url: str, how: str) -> Place:
    links = mapped(fetched, lambda child: fetcher.get(child, max_body=MAX_FEED, accept=ANY_FEED))
    host = urlsplit(fetched.url).hostname or ""
    return Place(kind=SourceKind.SITEMAP, url=url, title=host, items=links.items, how=how)


def _listing(fetched: Fetched, url: str, now: datetime | None) -> Place | None:
    found = read_listing(
        fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset, now=now
    )
    if len(found.links) < _FEW:
        return None
    title = found.title or urlsplit(fetched.url).hostname or ""
    how = "its page lists articles and names no feed"
    return Place(kind=SourceKind.LISTING, url=url, title=title, items=tuple(listing_items(found)), how=how)


def _is_article(fetched: Fetched, page: RawItem, listing: Place | None) -> bool:
    """Whether a page tells one thing itself: running text outside its list of links, and much of it for each link.

    Right for 448 of 463 articles and 28 of 31 listing pages; what a site's extractor takes for text does not tell
    them apart (14 of 31 listings wrong). A front page is never asked, and `--kind` decides the rest.
    """
    if listing is None:
        return bool(page.text)
    prose, links = prose_outside(
        fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset
    )
    return prose >= _LITTLE and prose > _PER_LINK * links


def _feeds(fetcher: Fetcher, url: str, text: str, *, told: Told) -> Iterator[Place]:
    for link in list(dict.fromkeys(_named(text, url)))[:_MOST_NAMED]:
        told(link)
        yield from _tried(fetcher, link, "its page names this feed")
    below = url.partition("?")[0].partition("#")[0].rstrip("/") + "/"
    for path in _FEED_PATHS:
        told(urljoin(below, path))
        yield from _tried(fetcher, urljoin(below, path), "a feed at a well-known path")


def _named(text: str, url: str) -> Iterator[str]:
    for facts in _links_of(text):
        if "alternate" in facts.get("rel", "").lower().split() and _FEED_TYPE.match(facts.get("type", "").strip()):
            try:
                link = urljoin(url, facts.get("href", ""))
            except ValueError:
                continue
            if facts.get("href") and not _COMMENTS.search(link):
                yield link


def _links_of(text: str) -> Iterator[dict[str, str]]:
    """The attributes of each `<link>`."""
    for tag in _LINK.findall(text[:500_000]):
        facts = {name.lower(): (a or b or c).replace("&amp;", "&") for name, a, b, c in _ATTRIBUTE.findall(tag)}
        yield facts | {"href": facts.get("href", "").strip().replace("&#038;", "&")}


def _blog(fetcher: Fetcher, url: str, text: str, *, title: str, told: Told) -> Place | None:
    """The posts of the API that a WordPress page names, if it answers strangers and has any."""
    posts = named(_links_of(text), url)
    told(posts or url)
    try:
        how = "its page names a WordPress API, which gives whole texts"
        place = _posts(fetcher, posts, how, title=title) if posts else None
    except SourceError:  # closed, or broken by a plugin: the feed may be there all the same
        return None
    return place if place is not None and place.items else None


def _posts(fetcher: Fetcher, url: str, how: str, *, title: str = "") -> Place:
    get = partial(fetcher.get, max_body=MAX_FEED, accept=JSON)
    links = posted(asked(get, page_of(url)), get, url=url, oldest=None)
    return Place(
        kind=SourceKind.WORDPRESS,
        url=endpoint(url) or url,
        title=title or urlsplit(url).hostname or "",
        items=links.items,
        how=how,
    )


def _api_of(fetcher: Fetcher, url: str) -> str | None:
    """The API a site names on its page, for sites without pretty links; None where it names none."""
    try:
        fetched = fetcher.get(url, accept=ANY_PAGE)
    except SourceError:
        return None
    links = list(_links_of(to_text(fetched.body, fetched.charset)))
    return named(links, fetched.url) or named(links, urljoin(fetched.url, "/"))


def _tried(fetcher: Fetcher, url: str, how: str) -> Iterator[Place]:
    """The feed there, if there is one with entries; whatever else is there is no fault of the place."""
    try:
        found = _feed(fetcher.get(url, accept=ANY_FEED, max_body=MAX_FEED), url, how)
    except SourceError:
        return
    if found is not None and found.items:
        yield found


def _sitemaps(fetcher: Fetcher, url: str, *, told: Told) -> Iterator[Place]:
    """Sitemaps that say when their pages changed: without a date nobody knows what of a whole site is new."""
    try:
        robots = to_text(fetcher.get(urljoin(url, "/robots.txt")).body[:500_000])
    except SourceError:
        robots = ""
    named = sorted(_ROBOTS.findall(robots), key=lambda link: "news" not in link.lower())[:_MOST_NAMED]
    for link in dict.fromkeys([*named, *(urljoin(url, path) for path in _SITEMAP_PATHS)]):
        told(link)
        try:
            place = _mapped(
                fetcher, fetcher.get(link, accept=ANY_FEED, max_body=MAX_FEED), link, "the site has a sitemap"
            )
        except SourceError:
            continue
        if any(item.published for item in place.items):
            yield place


def slug_of(text: str) -> str:
    """A slug from a title or URL: `Tin tức Viện Đo đạc` → `tin-tuc-vien-do-dac`."""
    plain = unicodedata.normalize("NFKD", re.sub(r"^https?://", "", text).lower().replace("đ", "d"))
    ascii_only = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:60].strip("-") or "source"
