"""Reads one source: fetches and parses, in a thread of its own. Touches no row.

Must never be asked for two sources at once by one thread, nor raise for one bad file or page among good ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from newsletter.collect.choose import Candidate, with_page
from newsletter.collect.feed import looks_like_feed, read_feed
from newsletter.collect.files import read_file, read_folder
from newsletter.collect.identity import feed_identities, identities, url_key
from newsletter.collect.page import read_page
from newsletter.errors import SourceError, Unreadable
from newsletter.http import ANY_FEED, ANY_PAGE, MAX_FEED, Fetched, Fetcher
from newsletter.model import RawItem, Source, SourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a source showed. `validators`: (etag, last_modified, URL they belong to). `problems`: parts not readable."""

    found: tuple[Candidate, ...] = ()
    validators: tuple[str | None, str | None, str | None] = (None, None, None)
    body_hash: str | None = None
    moved: str | None = None
    problems: tuple[SourceError, ...] = ()
    unchanged: bool = False
    truncated: bool = False


def poll(fetcher: Fetcher, source: Source) -> Polled:
    """Read the source now. Raises SourceError when nothing of it can be read."""
    if source.kind is SourceKind.FOLDER:
        return _folder(source)
    fetched = _fetch(fetcher, source)
    body_hash = hashlib.sha256(fetched.body).hexdigest()
    validators = (fetched.etag, fetched.last_modified, fetched.url)
    if fetched.not_modified:
        kept = (fetched.etag or source.etag, fetched.last_modified or source.last_modified, fetched.url)
        return Polled(validators=kept, body_hash=source.body_hash, unchanged=True)
    if body_hash == source.body_hash:
        return Polled(validators=validators, body_hash=body_hash, moved=fetched.moved, unchanged=True)
    items, truncated = _items(fetched, source)
    return Polled(
        found=candidates(source, items),
        validators=validators,
        body_hash=body_hash,
        moved=fetched.moved,
        truncated=truncated,
    )


def candidates(source: Source, items: Sequence[RawItem]) -> tuple[Candidate, ...]:
    keys = (
        feed_identities(items, source.id)
        if source.kind is SourceKind.FEED
        else [identities(i, source.id) for i in items]
    )
    return tuple(Candidate(item=item, keys=own) for item, own in zip(items, keys, strict=True))


def complete(fetcher: Fetcher, polled: Polled, wanted: Sequence[Candidate], stopping: Event) -> Polled:
    """`polled` with the pages of the `wanted` candidates read, one after another. A page that fails leaves its item as
    the feed gave it, with the reason in its provenance."""
    read = {}
    for candidate in wanted:
        if stopping.is_set():
            break
        read[candidate.keys] = _completed(fetcher, candidate)
    return replace(polled, found=tuple(read.get(candidate.keys, candidate) for candidate in polled.found))


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
    is_feed = source.kind is SourceKind.FEED
    return fetcher.get(
        source.url,
        etag=source.etag,
        last_modified=source.last_modified,
        validators_url=source.validators_url,
        max_body=MAX_FEED,
        accept=ANY_FEED if is_feed else ANY_PAGE,
    )


def _items(fetched: Fetched, source: Source) -> tuple[Sequence[RawItem], bool]:
    if source.kind is SourceKind.FEED:
        feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
        return feed.entries, feed.truncated
    if looks_like_feed(fetched.body, fetched.content_type):
        raise Unreadable("this is a feed, not an article page", where=fetched.url, hint="add it with kind feed")
    page = read_page(fetched.body, url=fetched.url, content_type=fetched.content_type, charset=fetched.charset)
    return [page], False


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
