"""Reads one source: fetches and parses, in a thread of its own. Touches no row.

Must never be asked for two sources at once by one thread, nor raise for one bad file or page among good ones.
"""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

from newsletter.collect.choose import Candidate, with_page
from newsletter.collect.feed import feed_ttl, looks_like_feed, read_feed
from newsletter.collect.files import read_file, read_folder
from newsletter.collect.identity import feed_identities, identities, url_key
from newsletter.collect.page import read_page
from newsletter.collect.serial import Links, listed, mapped
from newsletter.errors import SourceError, Unreadable
from newsletter.http import ANY_FEED, ANY_PAGE, MAX_FEED, Fetched, Fetcher
from newsletter.model import SERIAL, RawItem, Source, SourceKind
from newsletter.store.health import POLL_EVERY, next_look


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


def poll(fetcher: Fetcher, source: Source, *, now: datetime | None = None) -> Polled:
    """Read the source. Raises SourceError when nothing of it can be read. `now` is for dates like "3 giờ trước"."""
    if source.kind is SourceKind.FOLDER:
        return _folder(source)
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
    links = _links(fetcher, fetched, source, now)
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
    keys = feed_identities(items, source.id) if source.kind in SERIAL else [identities(i, source.id) for i in items]
    return tuple(Candidate(item=item, keys=own) for item, own in zip(items, keys, strict=True))


def complete(
    fetcher: Fetcher,
    polled: Polled,
    wanted: Sequence[Candidate],
    stopping: Event,
    *,
    offered: frozenset[str],
    until: float = math.inf,
) -> Polled:
    """`polled` with the pages of the `wanted` candidates read, one after another. A page that fails leaves its item as
    the source gave it, with the reason in its provenance. After `until` (monotonic seconds) no further page is begun."""
    read: dict[tuple[str, ...], Candidate] = {}
    for candidate in wanted:
        if stopping.is_set() or (read and time.monotonic() >= until):
            break
        read[candidate.keys] = _completed(fetcher, candidate)
    left = {candidate.keys for candidate in wanted} - read.keys()
    found = tuple(read.get(candidate.keys, candidate) for candidate in polled.found if candidate.keys not in left)
    if left:  # nothing is kept that would make the next look stop before them
        polled = replace(polled, validators=(None, None, None), body_hash=None, every=POLL_EVERY)
    return replace(polled, found=found, offered=offered, left=len(left))


def _completed(fetcher: Fetcher, candidate: Candidate) -> Candidate:
    item = candidate.item
    try:
        fetched = fetcher.get(item.url or "", accept=ANY_PAGE, robots=True)
        page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    except SourceError as error:
        noted = replace(item, provenance={**item.provenance, "page": f"not read: {error.what}"})
        return Candidate(item=noted, keys=candidate.keys)
    return with_page(candidate, page, [url_key(fetched.url)])


def _fetch(fetcher: Fetcher, source: Source) -> Fetched:
    is_page = source.kind in (SourceKind.PAGE, SourceKind.LISTING)
    return fetcher.get(
        source.url,
        etag=source.etag,
        last_modified=source.last_modified,
        validators_url=source.validators_url,
        max_body=MAX_FEED,
        accept=ANY_PAGE if is_page else ANY_FEED,
        robots=source.kind is SourceKind.LISTING,  # what is made for programs, or named one by one, is exempt
    )


def _links(fetcher: Fetcher, fetched: Fetched, source: Source, now: datetime | None) -> Links:
    if source.kind is SourceKind.FEED:
        feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
        return Links(items=feed.entries, truncated=feed.truncated)
    if source.kind is SourceKind.SITEMAP:
        return mapped(fetched, lambda url: fetcher.get(url, max_body=MAX_FEED, accept=ANY_FEED))
    if looks_like_feed(fetched.body, fetched.content_type):
        raise Unreadable(f"this is a feed, not {_A_PAGE[source.kind]}", where=fetched.url, hint="add it with kind feed")
    if source.kind is SourceKind.LISTING:
        return listed(fetched, signature=source.signature, now=now)
    page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    return Links(items=(page,))


_A_PAGE = {SourceKind.PAGE: "an article page", SourceKind.LISTING: "a listing page"}


def _folder(source: Source) -> Polled:
    path = Path(source.url)
    if path.is_file():
        return Polled(found=candidates(source, [read_file(path)]))
    read = list(read_folder(path))
    items = [item for _, item in read if isinstance(item, RawItem)]
    problems = tuple(item for _, item in read if isinstance(item, SourceError))
    if problems and not items:
        raise SourceError(f"none of {len(problems)} files can be read: {problems[0].what}", where=problems[0].where)
    return Polled(found=candidates(source, items), problems=problems)
