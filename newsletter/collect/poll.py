"""Reads one source: fetches and parses, in a thread of its own. Touches no row.

Must never be asked for two sources at once by one thread, nor raise for one bad file or page among good ones.
"""

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from newsletter.collect.choose import with_page
from newsletter.collect.feed import feed_ttl, looks_like_feed, read_feed
from newsletter.collect.files import folder_state, read_file, read_folder
from newsletter.collect.identity import identities, title_and_day, url_key
from newsletter.collect.match import Candidate, entries, words_of
from newsletter.collect.page import read_page
from newsletter.collect.serial import Knows, Links, listed, mapped
from newsletter.collect.wordpress import JSON, asked, page_of, posted
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.http import ANY_FEED, ANY_PAGE, MAX_FEED, Fetched, Fetcher
from newsletter.model import SERIAL, RawItem, Source, SourceKind
from newsletter.store.health import POLL_EVERY, next_look

Told = Callable[[str], object]  # hears what is read next, for a person who looks on


def nobody(what: str) -> None:
    """Hears nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a source showed. `validators`: (etag, last_modified, URL they belong to). `problems`: parts not readable.

    `moved`: where its permanent redirects lead. `every`: until the next look. `left`: pages there was no time for; their
    items are not in `found`, so that the next look finds them new.
    """

    found: tuple[Candidate, ...] = ()
    validators: tuple[str | None, str | None, str | None] = (None, None, None)
    body_hash: str | None = None
    moved: str | None = None
    problems: tuple[SourceError, ...] = ()
    signature: str | None = None
    offered: frozenset[str] | None = None  # first keys of what was chosen before its pages were read
    unchanged: bool = False
    truncated: bool = False
    every: timedelta = POLL_EVERY
    left: int = 0


def poll(
    fetcher: Fetcher,
    source: Source,
    *,
    now: datetime | None = None,
    knows: Knows | None = None,
    told: Told = nobody,
) -> Polled:
    """Read the source. Raises SourceError when nothing of it can be read. `now` is for dates like "3 giờ trước"; `knows`
    is asked, only where a listing's layout changed, which articles the source has shown before."""
    if source.kind is SourceKind.FOLDER:
        return _folder(source, told)
    fetched = _fetch(fetcher, source)
    body_hash = hashlib.sha256(fetched.body).hexdigest()
    validators = (fetched.etag, fetched.last_modified, fetched.url)
    every = next_look(fetched.fresh_for, feed_ttl(fetched.body) if source.kind is SourceKind.FEED else timedelta())
    # any page can stand in an article's place; of the others the reading fails first when it is of another kind
    moved = fetched.moved if source.kind in SERIAL else None
    if fetched.not_modified:
        kept = (fetched.etag or source.etag, fetched.last_modified or source.last_modified, fetched.url)
        same = Polled(validators=kept, body_hash=source.body_hash, signature=source.signature, unchanged=True)
        return replace(same, moved=moved, every=every)
    if body_hash == source.body_hash:
        return Polled(
            validators=validators,
            body_hash=body_hash,
            signature=source.signature,
            moved=moved,
            unchanged=True,
            every=every,
        )
    links = _links(fetcher, fetched, source, now=now, knows=knows, told=told)
    # an index may stay as it is while its sitemaps change: nothing is kept that would make the next look stop there
    return Polled(
        found=candidates(source, links.items),
        validators=(None, None, None) if links.is_index else validators,
        body_hash=None if links.is_index else body_hash,
        signature=links.signature,
        moved=moved,
        every=every,
        problems=links.problems,
        truncated=links.truncated,
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
        polled = replace(polled, validators=(None, None, None), body_hash=None, every=POLL_EVERY)
    return replace(polled, found=tuple(found), offered=offered, left=len(left))


def _completed(fetcher: Fetcher, candidate: Candidate, source_id: str, now: datetime | None) -> Candidate:
    item = candidate.item
    try:
        fetched = fetcher.get(item.url or "", accept=ANY_PAGE, robots=True)
        told = {"content_type": fetched.content_type, "charset": fetched.charset}
        page = read_page(fetched.body, url=fetched.url, **told, now=now)
    except SourceError as error:
        noted = replace(item, provenance={**item.provenance, "page": f"not read: {error.what}"})
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
    if source.kind is SourceKind.FEED:
        feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
        return Links(items=feed.entries, truncated=feed.truncated)
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
        return Polled(body_hash=state, unchanged=True)
    read = list(read_folder(path, told))
    items = [item for _, item in read if isinstance(item, RawItem)]
    problems = tuple(item for _, item in read if isinstance(item, SourceError))
    if problems and not items:
        raise SourceError(f"none of {len(problems)} files can be read: {problems[0].what}", where=problems[0].where)
    # what may be otherwise next time (a busy machine, a file that grows) is looked at again; what is broken is not
    final = all(isinstance(problem, FetchRefused | Unreadable) for problem in problems)
    return Polled(found=candidates(source, items), problems=problems, body_hash=state if final else None)
