"""A sitemap's bytes to its addresses: sitemaps.org 0.9, news sitemaps, indexes, plain text lists; packed or not. Pure.

Must never expand an entity, unpack without a bound, or answer "no address" where it could not read: it raises Unreadable.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urldefrag, urlsplit

from lxml import etree

from newsletter.collect.lists.anchors import no_article, same_site
from newsletter.collect.text.clean import title_text
from newsletter.collect.text.dates import parse_date
from newsletter.collect.text.decode import to_text
from newsletter.errors import Unreadable

MAX_BYTES = 50 << 20  # unpacked: the protocol's own bound (https://www.sitemaps.org/protocol.html)
MAX_URLS = 50_000  # the same
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(urlset|sitemapindex)\b", re.I)
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)\b", re.I)
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2])(?:[/_-]?(0[1-9]|[12]\d|3[01]))?(?!\d)")
_NUMBER = re.compile(r"(?<!\d)\d{2,15}(?!\d)")
_LONGEST_URL = 2048
_MOST_CHILDREN = 100  # of one url element: more is no sitemap of this world


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapEntry:
    """`changed` is lastmod, which a rebuilt site sets to today; `published` and `title` only a news sitemap gives."""

    url: str
    changed: datetime | date | None = None
    published: datetime | date | None = None
    title: str = ""

    @property
    def age(self) -> float:
        """For sorting newest first: seconds before 1970, so smaller is newer; undated entries last."""
        moment = self.published or self.changed
        if moment is None:
            return 0.0
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time(12), tzinfo=UTC)
        return -moment.timestamp()

    @property
    def told_by_url(self) -> tuple[float, int]:
        """For sorting newest first where too many are undated to take all: `age`, else that of a day in the address
        ("/2026/11/22/", "-20261122-"), then the larger number ("/tin-4711.html"): site software counts upwards."""
        if self.published or self.changed:
            return self.age, 0
        path = urlsplit(self.url)._replace(scheme="", netloc="").geturl()
        day = _DAY.search(path)
        numbers = _NUMBER.findall(_DAY.sub("", path, count=1))
        return (_day_age(day) if day else 0.0), -int(numbers[-1]) if numbers else 0


def _day_age(day: re.Match[str]) -> float:
    year, month, of_month = (int(part or 1) for part in day.groups())
    try:
        return -datetime(year, month, of_month, tzinfo=UTC).timestamp()
    except ValueError:  # 31 February: at least the month is right
        return -datetime(year, month, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """`is_index`: the entries are further sitemaps. `truncated`: more than 50,000 were there."""

    entries: tuple[SitemapEntry, ...]
    is_index: bool = False
    truncated: bool = False


def looks_like_sitemap(body: bytes) -> bool:
    return bool(_ROOT.search(body[:4096].replace(b"\0", b"").decode("latin-1")))


def read_sitemap(body: bytes, *, url: str, charset: str | None = None, max_urls: int = MAX_URLS) -> Sitemap:
    """The addresses of the sitemap's own site, newest first, undated last in the sitemap's order; each once.

    Raises Unreadable: empty, too large (also when unpacked), with a document type (entity bombs), or no sitemap.
    """
    if body.startswith(b"\x1f\x8b"):
        body = _unpacked(body, url)
    if len(body) > MAX_BYTES:
        raise Unreadable(f"the sitemap is larger than {MAX_BYTES >> 20} MB", where=url)
    if not body.strip(b" \t\r\n\0"):
        raise Unreadable("the answer is empty where a sitemap was expected", where=url)
    head = to_text(body[:65536], charset)
    root = _ROOT.search(head)
    if root is None:
        return _text_list(to_text(body, charset), url, max_urls)
    if _DOCTYPE.search(head[: root.start()]):
        raise Unreadable("the sitemap brings a document type, which none needs", where=url)
    is_index = root[1].lower() == "sitemapindex"
    found, truncated = _chosen(_elements(body, url), url, max_urls, is_index=is_index)
    return Sitemap(entries=found, is_index=is_index, truncated=truncated)


def _unpacked(body: bytes, url: str) -> bytes:
    try:
        unpack = zlib.decompressobj(31)
        plain = unpack.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise Unreadable("the packing of the sitemap is broken", where=url) from error
    if len(plain) > MAX_BYTES:
        raise Unreadable(f"the sitemap is larger than {MAX_BYTES >> 20} MB when unpacked", where=url)
    return plain


def _elements(body: bytes, url: str) -> Iterator[SitemapEntry]:
    """Each `url` or `sitemap` element, freed at once: a whole tree of 50 MB would take half a gigabyte."""
    parser = etree.XMLPullParser(
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
    )
    depth = 0
    try:
        for start in range(0, len(body), 1 << 16):
            parser.feed(body[start : start + (1 << 16)])
            for event, element in parser.read_events():
                depth += 1 if event == "start" else -1
                if event == "end" and depth == 1:
                    if _name(element) in ("url", "sitemap"):
                        yield _entry(element)
                    element.clear()
                    parent = element.getparent()
                    if parent is not None:
                        while element.getprevious() is not None:
                            del parent[0]
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"the XML cannot be read: {error.msg}", where=url) from error


def _entry(element: etree._Element) -> SitemapEntry:
    facts: dict[str, str] = {}
    for number, child in enumerate(element.iter()):
        if number > _MOST_CHILDREN:
            break
        name = _name(child)
        if name in ("loc", "lastmod", "publication_date", "title") and child.text:
            in_image = "image" in str(child.tag) or "video" in str(child.tag)
            facts.setdefault(("media " if in_image else "") + name, child.text[:_LONGEST_URL].strip())
    return SitemapEntry(
        url=urldefrag(facts.get("loc", ""))[0],
        changed=parse_date(facts.get("lastmod")),
        published=parse_date(facts.get("publication_date")),
        title=title_text(facts.get("title")),
    )


def _name(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _text_list(text: str, url: str, max_urls: int) -> Sitemap:
    """One address a line, as the protocol also allows; anything else among the first lines makes it no sitemap."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not all(re.match(r"https?://[^\s<>]+$", line) for line in lines[:50]):
        raise Unreadable("the answer is not a sitemap", where=url, hint="`newsletter source add` finds what is there")
    found, truncated = _chosen((SitemapEntry(url=line) for line in lines), url, max_urls, is_index=False)
    return Sitemap(entries=found, truncated=truncated)


def _chosen(
    entries: Iterator[SitemapEntry], url: str, max_urls: int, *, is_index: bool
) -> tuple[tuple[SitemapEntry, ...], bool]:
    """Entries of the same site that may be articles (or sitemaps), and whether there were too many to look at."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    found: dict[str, SitemapEntry] = {}
    truncated = False
    for number, entry in enumerate(entries):
        if number == max_urls:
            truncated = True
            break
        if entry.url not in found and _belongs(entry.url, host) and (is_index or _may_be_article(entry.url)):
            found[entry.url] = entry
    return tuple(sorted(found.values(), key=lambda entry: entry.age)), truncated


def _belongs(url: str, host: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and same_site(host, (parts.hostname or "").removeprefix("www."))
    except ValueError:
        return False


def _may_be_article(url: str) -> bool:
    parts = urlsplit(url)
    return not (parts.path in ("", "/") and not parts.query) and not no_article(url)
