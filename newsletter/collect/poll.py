"""Reads one source: fetches and parses, in a thread of its own. Touches no row.

Must never be asked for two sources at once by one thread, nor raise for one bad file or page among good ones.
"""

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from newsletter.collect.documents.files import folder_state, read_file, read_folder
from newsletter.collect.feeds.feed import feed_ttl, looks_like_feed, read_feed
from newsletter.collect.identity.choose import with_page
from newsletter.collect.identity.keys import identities, title_and_day, url_key
from newsletter.collect.identity.match import Candidate, entries, words_of
from newsletter.collect.identity.reading import is_plain_news, last_reading, must_be_unknown, this_reading
from newsletter.collect.lists.serial import Knows, Links, listed, mapped
from newsletter.collect.pages.page import read_page
from newsletter.collect.wordpress import JSON, asked, page_of, posted
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.http import ANY_FEED, ANY_PAGE, MAX_FEED, Fetched, Fetcher
from newsletter.model import SERIAL, Feed, RawItem, Source, SourceKind
from newsletter.store.health import Answer, next_look

NOT_READ = "not read"  # of a page, with the reason, in the provenance of its article

Told = Callable[[str], object]  # hears what is read next, for a person who looks on


def nobody(what: str) -> None:
    """Hears nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a source showed, and what its answer leaves for the next look. `problems`: parts not readable.

    `shown`: how many entries there were, where those that are as they were at the last reading do not stand in `found`.
    `left`: pages there was no time for; their items are not in `found`, so that the next look finds them new.
    """

    found: tuple[Candidate, ...] = ()
    answer: Answer = Answer()  # noqa: RUF009 - frozen
    problems: tuple[SourceError, ...] = ()
    offered: frozenset[str] | None = None  # first keys of what was chosen before its pages were read
    unchanged: bool = False
    truncated: bool = False
    shown: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """The candidates of one answer, and what is kept of them."""

    found: tuple[Candidate, ...]
    links: Links
    reading: str | None = None
    count: int = 0


def poll(
    fetcher: Fetcher,
    source: Source,
    *,
    now: datetime | None = None,
    knows: Knows | None = None,
    told: Told = nobody,
) -> Polled:
    """Read the source. Raises SourceError when nothing of it can be read. `now` is for dates like "3 giờ trước"; `knows`
    is asked, where a listing's layout changed or a feed has few new entries, which keys the source has shown before."""
    if source.kind is SourceKind.FOLDER:
        return _folder(source, told)
    fetched = _fetch(fetcher, source)
    digest = source.body_hash if fetched.not_modified else hashlib.sha256(fetched.body).hexdigest()
    answer = _answer(source, fetched, digest)
    if digest == source.body_hash:
        return Polled(answer=answer, unchanged=True)
    shown = _shown(fetcher, fetched, source, now=now, knows=knows, told=told)
    links = shown.links
    if links.is_index:  # it may stay as it is while its sitemaps change: nothing may make the next look stop there
        answer = replace(answer, etag=None, last_modified=None, validators_url=None, body_hash=None)
    return Polled(
        found=shown.found,
        answer=replace(answer, signature=links.signature, reading=shown.reading),
        problems=links.problems,
        truncated=links.truncated,
        shown=shown.count,
    )


def _answer(source: Source, fetched: Fetched, digest: str | None) -> Answer:
    """What is kept of the answer. One whose body is the same keeps what was read of it, too."""
    ttl = feed_ttl(fetched.body) if source.kind is SourceKind.FEED and fetched.body else timedelta()
    old = source if fetched.not_modified else fetched  # a 304 need not repeat them (RFC 9110 15.4.5)
    same = digest == source.body_hash
    return Answer(
        etag=fetched.etag or old.etag,
        last_modified=fetched.last_modified or old.last_modified,
        validators_url=fetched.url,
        body_hash=digest,
        # any page can stand in an article's place; of the others the reading fails first when it is of another kind
        moved=fetched.moved if source.kind in SERIAL else None,
        every=next_look(fetched.fresh_for, ttl),
        signature=source.signature if same else None,
        reading=source.reading if same else None,
    )


def _shown(
    fetcher: Fetcher, fetched: Fetched, source: Source, *, now: datetime | None, knows: Knows | None, told: Told
) -> _Shown:
    if source.kind is not SourceKind.FEED:
        links = _links(fetcher, fetched, source, now=now, knows=knows, told=told)
        return _Shown(found=candidates(source, links.items), links=links)
    before = last_reading(source.reading) if knows and now else {}
    feed = _feed(fetched, before)
    found = candidates(source, feed.entries)
    if before and not (
        is_plain_news(before, feed.prints, found) and knows and now and not knows(must_be_unknown(found, now))
    ):
        before, feed = {}, _feed(fetched, {})
        found = candidates(source, feed.entries)
    return _Shown(
        found=found,
        links=Links(items=(), truncated=feed.truncated),
        reading=this_reading(before, feed.prints, found),
        count=len(feed.prints) or len(found),
    )


def _feed(fetched: Fetched, seen: Container[str]) -> Feed:
    return read_feed(
        fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset, seen=seen
    )


def candidates(source: Source, items: Sequence[RawItem]) -> tuple[Candidate, ...]:
    if source.kind in SERIAL:
        return entries(items, source.id)
    return tuple(Candidate(item=item, keys=identities(item, source.id), words=words_of(item)) for item in items)


def complete(
    fetcher: Fetcher,
    polled: Polled,
    wanted: Sequence[Candidate],
    stopping: Event,
    *,
    offered: frozenset[str],
    until: float = math.inf,
    now: datetime | None = None,
    source_id: str = "",
    told: Told = nobody,
) -> Polled:
    """`polled` with the pages of the `wanted` candidates read, one after another. A page that fails leaves its item as
    the source gave it, with the reason in its provenance. After `until` (monotonic seconds) no further page is begun."""
    read: dict[tuple[str, ...], Candidate] = {}
    for candidate in wanted:
        if stopping.is_set() or (read and time.monotonic() >= until):
            break
        told(candidate.item.url or "")
        read[candidate.keys] = _completed(fetcher, candidate, source_id, now)
    left = {candidate.keys for candidate in wanted} - read.keys()
    found = [read.get(candidate.keys, candidate) for candidate in polled.found if candidate.keys not in left]
    count = Counter(key for candidate in found for key in candidate.page_keys)  # all pages may lead to one login page
    found = [replace(c, page_keys=tuple(key for key in c.page_keys if count[key] == 1)) for c in found]
    if left:  # nothing is kept that would make the next look stop before them
        polled = replace(polled, answer=Answer(signature=polled.answer.signature, moved=polled.answer.moved))
    elif any(NOT_READ in candidate.item.provenance.get("page", "") for candidate in found):
        polled = replace(polled, answer=replace(polled.answer, reading=None))  # they are tried when the source changes
    return replace(polled, found=tuple(found), offered=offered, left=len(left))


def _completed(fetcher: Fetcher, candidate: Candidate, source_id: str, now: datetime | None) -> Candidate:
    item = candidate.item
    try:
        fetched = fetcher.get(item.url or "", accept=ANY_PAGE, robots=True)
        told = {"content_type": fetched.content_type, "charset": fetched.charset}
        page = read_page(fetched.body, url=fetched.url, **told, now=now)
    except SourceError as error:
        noted = replace(item, provenance={**item.provenance, "page": f"{NOT_READ}: {error.what}"})
        return replace(candidate, item=noted)
    whole = with_page(candidate, page, _page_keys(fetched.url, page)).item
    title = title_and_day(whole, source_id)
    return with_page(candidate, page, [*_page_keys(fetched.url, page), *([title] if title else [])])


def _page_keys(url: str, page: RawItem) -> list[str]:
    """Where the page really stood and what it calls itself: names to come, if they name this page and no front page."""
    host = urlsplit(url).hostname
    places = [url, *([page.canonical] if page.canonical and urlsplit(page.canonical).hostname == host else [])]
    return [url_key(place) for place in places if urlsplit(place).path.strip("/") or urlsplit(place).query]


def _fetch(fetcher: Fetcher, source: Source) -> Fetched:
    get = partial(
        fetcher.get,
        etag=source.etag,
        last_modified=source.last_modified,
        validators_url=source.validators_url,
        max_body=MAX_FEED,
        accept=_ACCEPT.get(source.kind, ANY_FEED),
        robots=source.kind is SourceKind.LISTING,  # what is made for programs, or named one by one, is exempt
    )
    return asked(get, page_of(source.url)) if source.kind is SourceKind.WORDPRESS else get(source.url)


_ACCEPT = {SourceKind.PAGE: ANY_PAGE, SourceKind.LISTING: ANY_PAGE, SourceKind.WORDPRESS: JSON}


def _links(
    fetcher: Fetcher, fetched: Fetched, source: Source, *, now: datetime | None, knows: Knows | None, told: Told
) -> Links:
    if source.kind is SourceKind.SITEMAP:
        return mapped(fetched, partial(_further, fetcher, told, ANY_FEED))
    if source.kind is SourceKind.WORDPRESS:
        oldest = now - source.max_age if now else None
        return posted(fetched, partial(_further, fetcher, told, JSON), url=source.url, oldest=oldest)
    if looks_like_feed(fetched.body, fetched.content_type):
        raise Unreadable(f"this is a feed, not {_A_PAGE[source.kind]}", where=fetched.url, hint="add it with kind feed")
    if source.kind is SourceKind.LISTING:
        return listed(fetched, source=source, now=now, knows=knows)
    page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset, now=now)
    return Links(items=(page,))


def _further(fetcher: Fetcher, told: Told, accept: str, url: str) -> Fetched:
    told(url)
    return fetcher.get(url, max_body=MAX_FEED, accept=accept)


_A_PAGE = {SourceKind.PAGE: "an article page", SourceKind.LISTING: "a listing page"}


def _folder(source: Source, told: Told) -> Polled:
    path = Path(source.url)
    if path.is_file():
        return Polled(found=candidates(source, [read_file(path)]))
    state = folder_state(path)
    if state == source.body_hash:
        return Polled(answer=Answer(body_hash=state), unchanged=True)
    read = list(read_folder(path, told))
    items = [item for _, item in read if isinstance(item, RawItem)]
    problems = tuple(item for _, item in read if isinstance(item, SourceError))
    if problems and not items:
        raise SourceError(f"none of {len(problems)} files can be read: {problems[0].what}", where=problems[0].where)
    # what may be otherwise next time (a busy machine, a file that grows) is looked at again; what is broken is not
    final = all(isinstance(problem, FetchRefused | Unreadable) for problem in problems)
    answer = Answer(body_hash=state if final else None)
    return Polled(found=candidates(source, items), problems=problems, answer=answer)
