"""Reads one source: fetches and parses, in a thread of its own. Touches no row.

Must never be asked for two sources at once by one thread, nor raise for one bad file or page among good ones.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event

from newsletter.collect.choose import Candidate, with_page
from newsletter.collect.feed import looks_like_feed, read_feed
from newsletter.collect.files import folder_state, read_file, read_folder
from newsletter.collect.identity import feed_identities, identities, url_key
from newsletter.collect.page import read_page
from newsletter.collect.serial import Links, listed, mapped
from newsletter.collect.wordpress import JSON, asked, page_of, posted
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.http import ANY_FEED, ANY_PAGE, MAX_FEED, Fetched, Fetcher
from newsletter.model import SERIAL, RawItem, Source, SourceKind

Told = Callable[[str], object]  # hears what is read next, for a person who looks on


def nobody(what: str) -> None:
    """Hears nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a source showed. `validators`: (etag, last_modified, URL they belong to). `problems`: parts not readable."""

    found: tuple[Candidate, ...] = ()
    validators: tuple[str | None, str | None, str | None] = (None, None, None)
    body_hash: str | None = None
    moved: str | None = None
    problems: tuple[SourceError, ...] = ()
    signature: str | None = None
    offered: frozenset[str] | None = None  # first keys of what was chosen before its pages were read
    unchanged: bool = False
    truncated: bool = False


def poll(fetcher: Fetcher, source: Source, *, now: datetime | None = None, told: Told = nobody) -> Polled:
    """Read the source. Raises SourceError when nothing of it can be read. `now` is for dates like "3 giờ trước"."""
    if source.kind is SourceKind.FOLDER:
        return _folder(source, told)
    fetched = _fetch(fetcher, source)
    body_hash = hashlib.sha256(fetched.body).hexdigest()
    validators = (fetched.etag, fetched.last_modified, fetched.url)
    if fetched.not_modified:
        kept = (fetched.etag or source.etag, fetched.last_modified or source.last_modified, fetched.url)
        return Polled(validators=kept, body_hash=source.body_hash, signature=source.signature, unchanged=True)
    if body_hash == source.body_hash:
        return Polled(
            validators=validators,
            body_hash=body_hash,
            signature=source.signature,
            moved=fetched.moved,
            unchanged=True,
        )
    links = _links(fetcher, fetched, source, now, told=told)
    # an index may stay as it is while its sitemaps change: nothing is kept that would make the next look stop there
    return Polled(
        found=candidates(source, links.items),
        validators=(None, None, None) if links.is_index else validators,
        body_hash=None if links.is_index else body_hash,
        signature=links.signature,
        moved=fetched.moved,
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
    told: Told = nobody,
) -> Polled:
    """`polled` with the pages of the `wanted` candidates read, one after another. A page that fails leaves its item as
    the source gave it, with the reason in its provenance."""
    read = {}
    for candidate in wanted:
        if stopping.is_set():
            break
        told(candidate.item.url or "")
        read[candidate.keys] = _completed(fetcher, candidate)
    found = tuple(read.get(candidate.keys, candidate) for candidate in polled.found)
    return replace(polled, found=found, offered=offered)


def _completed(fetcher: Fetcher, candidate: Candidate) -> Candidate:
    item = candidate.item
    try:
        fetched = fetcher.get(item.url or "", accept=ANY_PAGE)
        page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    except SourceError as error:
        noted = replace(item, provenance={**item.provenance, "page": f"not read: {error.what}"})
        return Candidate(item=noted, keys=candidate.keys)
    return with_page(candidate, page, [url_key(fetched.url)])


def _fetch(fetcher: Fetcher, source: Source) -> Fetched:
    get = partial(
        fetcher.get,
        etag=source.etag,
        last_modified=source.last_modified,
        validators_url=source.validators_url,
        max_body=MAX_FEED,
        accept=_ACCEPT.get(source.kind, ANY_FEED),
    )
    return asked(get, page_of(source.url)) if source.kind is SourceKind.WORDPRESS else get(source.url)


_ACCEPT = {SourceKind.PAGE: ANY_PAGE, SourceKind.LISTING: ANY_PAGE, SourceKind.WORDPRESS: JSON}


def _links(fetcher: Fetcher, fetched: Fetched, source: Source, now: datetime | None, *, told: Told) -> Links:
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
        return listed(fetched, signature=source.signature, now=now)
    page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
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
