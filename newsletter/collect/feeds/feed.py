"""A feed's bytes to its entries: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, RDF, JSON Feed. Pure and tolerant.

The text is repaired before it is parsed (encodings, control characters, warnings printed before the XML, bare `&`,
HTML entities), because each library at hand loses entries on some of these. Must never expand an entity, load a DTD,
fetch anything, or answer "no entries" where it could not read: it raises Unreadable instead.
"""

import codecs
import re
from collections.abc import Container, Iterator
from dataclasses import replace
from datetime import timedelta
from html.entities import html5
from urllib.parse import urljoin

from lxml import etree

from newsletter.collect.feeds.cut import Cut, cut
from newsletter.collect.feeds.entry import entry_item, name_of, own_text, space_of
from newsletter.collect.feeds.json_feed import read_json
from newsletter.collect.text.clean import plain, title_text
from newsletter.collect.text.decode import to_text
from newsletter.errors import Unreadable
from newsletter.model import Feed, RawItem

MAX_BYTES = 12 << 20
MAX_ENTRIES = 2000
_MAX_TAG = 65_536  # characters of one tag; 100,000 attributes cost other parsers 13 to 25 seconds

_ROOT = re.compile(r"<(?:\?xml|(?:[\w.-]{1,40}:)?(?:rss|feed|RDF|entry|channel)\b|!DOCTYPE\s+rss)", re.I)
_ROOT_TAG = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:rss|feed|RDF)\b[^>]{0,20000}>", re.I)
_ENTRY = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s>]", re.I)
_END = re.compile(r"</(?:[\w.-]{1,40}:)?(?:rss|feed|rdf|entry|channel)\s*>", re.I)
_NAMED = re.compile(
    r"</(?:[\w.-]{1,40}:)?(?:item|entry|link|guid|id)\s*>|<(?:[\w.-]{1,40}:)?link\b[^<>]*>\s*<|rdf:about=", re.I
)
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.I)
_HTML = re.compile(r"<(?:!doctype\s+html|html|body|head)\b", re.I)
_XML_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>", re.I)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.S)
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#\d{1,7};|#x[0-9a-fA-F]{1,6};)(\w{1,31};)?")
_INLINE_DATA = re.compile(r"""(=\s*)(["'])data:[^"'<>]{1000,}\2""")
_GIANT = re.compile(rf"<(?![!?])[^<>]{{{_MAX_TAG}}}")
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def looks_like_feed(body: bytes, content_type: str | None = None) -> bool:
    """Whether `body` should be given to `read_feed`, by its beginning; a feed's media type alone decides for XML."""
    head = body[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").decode("latin-1")
    if head.startswith("{"):
        return "jsonfeed.org" in head or content_type == "application/feed+json"
    if _HTML.search(head[:1000]):
        return False
    found = re.search(r"<(?:[\w.-]{1,40}:)?(?:rss|feed|RDF)\b", head)
    return bool(found) or (content_type in _FEED_TYPES and head.startswith("<"))


def feed_ttl(body: bytes) -> timedelta:
    """How long an RSS feed says it may be kept (its channel's `ttl`, minutes); zero when it does not say."""
    head = body[:65_536].replace(b"\0", b"").partition(b"<item")[0]
    found = re.search(rb"<ttl>\s{0,20}(\d{1,6})\s{0,20}</ttl>", head)
    return timedelta(minutes=int(found[1])) if found else timedelta()


def read_feed(
    body: bytes,
    *,
    url: str = "",
    content_type: str | None = None,
    charset: str | None = None,
    max_entries: int = MAX_ENTRIES,
    seen: Container[str] = (),
) -> Feed:
    """The entries in the feed's order, links absolute where `url` or xml:base allow it, else None.

    `seen`: prints of entries that need not be read again; they are left out of `entries`, not of `prints`. A feed that
    cannot be cut into its entries (cut.py) has no prints and is read whole.

    Raises Unreadable: empty, larger than 12 MB, packed, HTML, broken JSON, or no feed at all.
    """
    if len(body) > MAX_BYTES:
        raise Unreadable(f"the feed is larger than {MAX_BYTES >> 20} MB", where=url)
    if not body.strip(b" \t\r\n\0"):
        raise Unreadable("the answer is empty where a feed was expected", where=url)
    if body.startswith((b"\x1f\x8b", b"PK\x03\x04", b"%PDF")):
        raise Unreadable("the answer is a packed or binary file, not a feed", where=url)
    pieces = cut(body)
    known = _without_known(pieces, url=url, charset=charset, max_entries=max_entries, seen=seen) if pieces else None
    if known is not None:
        return known
    text = to_text(body, charset)
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return read_json(text, url=url, max_entries=max_entries)
    root = _root(text, url)
    feed = _read(root, url=url, max_entries=max_entries)
    if pieces is None or len(pieces.entries) != len(feed.entries) or not _is_plain(body, text):
        return feed
    return replace(feed, prints=pieces.prints(_around(pieces, root, url)))


# ---------------------------------------------------------------- what was read before


def _without_known(
    pieces: Cut, *, url: str, charset: str | None, max_entries: int, seen: Container[str]
) -> Feed | None:
    """The feed with only the entries not `seen`; None where none was, or where the rest does not read like the whole."""
    if not seen or len(pieces.entries) > max_entries:
        return None
    try:
        prints = pieces.prints(_around(pieces, _root(to_text(pieces.frame, charset), url), url))
        fresh = sum(print_ not in seen for print_ in prints)
        if fresh == len(prints):
            return None
        body = pieces.without(seen, prints)
        text = to_text(body, charset)
        feed = _read(_root(text, url), url=url, max_entries=max_entries)
    except Unreadable:  # the whole says why
        return None
    return replace(feed, prints=prints) if len(feed.entries) == fresh and _is_plain(body, text) else None


def _around(pieces: Cut, root: etree._Element, url: str) -> bytes:
    """What every entry inherits: the namespaces and the tag of the root, the address links count from, the language."""
    channel = _channel(root)
    base, language = _base(root, channel, url), _language(root, channel)
    opened = _ROOT_TAG.search(pieces.head)
    return b"\n".join([opened[0] if opened else b"", (base or "").encode(), (language or "").encode()])


def _is_plain(body: bytes, text: str) -> bool:
    """Whether the text is what the bytes say: a guessed encoding or an undone font is a judgement of the whole feed."""
    return text.encode("utf-8", "replace") == body.removeprefix(codecs.BOM_UTF8)


# ---------------------------------------------------------------- repairing


def _without_stump(text: str) -> str:
    """Without a last entry that a broken line cut off before its address or id: it would come back as another article."""
    if _END.search(text[-1000:]):
        return text
    last = max((found.start() for found in _ENTRY.finditer(text)), default=None)
    return text if last is None or _NAMED.search(text, last) else text[:last]


def _repaired(text: str, url: str) -> str:
    text = _CONTROL.sub("", text)
    start = _ROOT.search(text[:200_000])
    if not start:
        raise _not_a_feed(text, url)
    text = _without_doctype(_XML_DECLARATION.sub("", text[start.start() :]))
    # repaired outside CDATA only: what is inside is not markup to an XML parser
    parts = _CDATA.split(text)
    parts[::2] = [_AMPERSAND.sub(_reference, _INLINE_DATA.sub(r"\1\2\2", part)) for part in parts[::2]]
    if any(map(_has_giant, parts[::2])):
        raise Unreadable(f"a tag is longer than {_MAX_TAG} characters", where=url)
    return "".join(parts)


def _root(text: str, url: str) -> etree._Element:
    root = _sound(text)
    return _parse(_repaired(_without_stump(text), url), url) if root is None else root


def _sound(text: str) -> etree._Element | None:
    """The root of a feed that is well formed and brings no document type; repairing one costs as much as parsing it."""
    if _may_have_doctype(text) or _has_giant(text):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, encoding="utf-8")
    try:
        return etree.fromstring(_XML_DECLARATION.sub("", text.lstrip("\ufeff"), count=1).encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        return None


def _may_have_doctype(text: str) -> bool:
    """Looks for fixed letters first, which is cheaper than an expression that ignores case."""
    return "<!" in text and ("<!D" in text or "<!d" in text) and _DOCTYPE.search(text[:200_000]) is not None


def _has_giant(text: str) -> bool:
    """As above: no tag is longer than the longest piece between two `<`."""
    return max(map(len, text.split("<"))) > _MAX_TAG and _GIANT.search(text) is not None


def _without_doctype(text: str) -> str:
    """Without the document type and its entity declarations, whatever they say: no feed needs them."""
    found = _DOCTYPE.search(text[:200_000])
    if not found:
        return text
    subset = text.find("[", found.end())
    end = text.find(">", found.end())
    if 0 <= subset < end:
        closing = re.compile(r"\]\s{0,100}>").search(text, subset)
        end = closing.end() - 1 if closing else end
    return text[: found.start()] + text[end + 1 :] if end >= 0 else text


def _reference(found: re.Match[str]) -> str:
    value = html5.get(found[1] or "")
    return value.replace("&", "&amp;").replace("<", "&lt;") if value else "&amp;" + (found[1] or "")


def _parse(text: str, url: str) -> etree._Element:
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"the XML cannot be read: {error.msg}", where=url) from error
    if root is None:
        raise Unreadable("the XML holds no element", where=url)
    return root


def _not_a_feed(text: str, url: str) -> Unreadable:
    if _HTML.search(text[:20_000]):
        return Unreadable("the answer is an HTML page, not a feed", where=url, hint="give the feed's own address")
    return Unreadable("the answer is not a feed (RSS, Atom or JSON Feed)", where=url)


# ---------------------------------------------------------------- reading


def _read(root: etree._Element, *, url: str, max_entries: int) -> Feed:
    channel = _channel(root)
    title, _ = _channel_facts(channel)
    language = _language(root, channel)
    base = _base(root, channel, url)
    entries: list[RawItem] = []
    truncated = False
    for element in _entries(root):
        if len(entries) == max_entries:
            truncated = True
            break
        entries.append(entry_item(element, base=base, language=language))
    if not entries and name_of(root) not in ("rss", "rdf", "feed", "channel"):
        raise _not_a_feed(etree.tostring(root, encoding="unicode")[:20_000], url)
    return Feed(title=title, entries=tuple(entries), truncated=truncated)


def _channel(root: etree._Element) -> etree._Element:
    return next((e for e in root.iter() if name_of(e) in ("channel", "feed")), root)


def _base(root: etree._Element, channel: etree._Element, url: str) -> str:
    return urljoin_or(url, root.get(_XML_BASE) or channel.get(_XML_BASE) or _channel_facts(channel)[1])


def _entries(root: etree._Element) -> Iterator[etree._Element]:
    """Outermost `item` and `entry` elements; RSS 1.0's table of contents (`rdf:Seq`) holds none."""
    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        name = name_of(element)
        if name in ("item", "entry"):
            walk.skip_subtree()
            yield element
        elif name == "seq" and "rdf" in space_of(element).lower():
            walk.skip_subtree()


def _channel_facts(channel: etree._Element) -> tuple[str | None, str | None]:
    title = link = None
    for child in channel:
        name, space = name_of(child), space_of(child)
        if name in ("item", "entry"):
            continue
        if name == "title" and not title and not _foreign(space):
            title = title_text(own_text(child)) or None
        elif name == "link" and not link and child.get("rel", "alternate") == "alternate":
            link = (child.get("href") or child.text or "").strip() or None
    return title, link


def _foreign(space: str) -> bool:
    return "mrss" in space or "itunes" in space or "media" in space


def _language(root: etree._Element, channel: etree._Element) -> str | None:
    own = next((c.text for c in channel if name_of(c) == "language"), None)
    tag = plain(own or channel.get(_XML_LANG) or root.get(_XML_LANG) or "").strip()
    return tag if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", tag) else None


def urljoin_or(base: str, link: str | None) -> str:
    try:
        return urljoin(base, (link or "").strip())
    except ValueError:
        return base
