"""One RSS item or Atom entry to a RawItem. Pure. Must never keep an e-mail address: authors are names here."""

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import cast

from lxml import etree

from newsletter.collect.text.clean import html_to_text, one_line, paragraphs, plain, title_text
from newsletter.collect.text.dates import parse_date
from newsletter.collect.text.links import absolute, absolute_base, first_image, is_no_picture
from newsletter.model import RawItem

_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
# In the order in which they are believed: when it was published before when it was touched.
_DATES = ("pubdate", "published", "issued", "date", "created", "publicationdate", "updated", "modified")
_MAX_STANDFIRST = 1000
# What blog engines hang under every excerpt.
_TAIL = re.compile(
    r"\s*(?:\[(?:…|\.\.\.|&hellip;)\]"
    r"|(?:The post|Bài viết) .{1,300}(?:appeared first on|xuất hiện (?:đầu tiên|trước) (?:trên|tại)) .{1,200}"
    r"|(?:Read more|Continue reading|Xem thêm|Đọc tiếp|Xem chi tiết|Chi tiết)\b.{0,200})\s*$",
    re.S,
)


def name_of(element: etree._Element) -> str:
    """Local name in lower case; prefixes that nobody declared are cut too. Empty for comments."""
    return _parted(cast("Hashable", element.tag))[0]


def space_of(element: etree._Element) -> str:
    """Namespace, or the undeclared prefix that stands for it."""
    return _parted(cast("Hashable", element.tag))[1]


@lru_cache(maxsize=1024)  # a feed has some twenty of them, its elements are hundreds
def _parted(tag: Hashable) -> tuple[str, str]:
    if not isinstance(tag, str):
        return "", ""
    name = tag.rsplit("}", 1)[-1].rsplit(":", 1)[-1].lower()
    return name, tag[1:].split("}")[0] if tag.startswith("{") else tag.rpartition(":")[0]


def own_text(element: etree._Element) -> str:
    """Text of a construct that holds text, escaped HTML or XHTML (as HTML then, so that blocks stay apart)."""
    if len(element) and all(isinstance(child.tag, str) for child in element):
        markup = "".join(etree.tostring(child, encoding="unicode", method="html") for child in element)
        return (element.text or "") + re.sub(r"(</?)[\w.-]{1,40}:(?=\w)", r"\1", markup)
    return "".join(element.itertext()).strip()


@dataclass(slots=True)
class _Parts:
    """What one entry's children said, before the choice between them."""

    base: str
    title: str | None = None
    title_literal: bool = False
    links: list[str] = field(default_factory=list)
    other_links: list[str] = field(default_factory=list)
    guid: str | None = None
    permalink: str | None = None
    dates: dict[str, str] = field(default_factory=dict)
    summary: str | None = None
    content: str | None = None
    authors: list[str] = field(default_factory=list)
    images: list[tuple[int, str]] = field(default_factory=list)  # rank, address


def entry_item(element: etree._Element, *, base: str, language: str | None) -> RawItem:
    parts = _Parts(base=absolute_base(base, element.get(_XML_BASE)))
    for child in element:
        _take(parts, child)
    parts.guid = parts.guid or element.get(_RDF_ABOUT)
    return _item(parts, language)


def _take(parts: _Parts, child: etree._Element) -> None:
    name, space = name_of(child), space_of(child)
    if "mrss" in space or space == "media":
        _take_media(parts, child)
    elif "itunes" in space:
        if name == "image" and child.get("href"):
            parts.images.append((3, child.get("href", "")))
    elif name == "title":
        if parts.title is None:
            parts.title, parts.title_literal = own_text(child), "atom" in space.lower() and _is_literal(child)
    elif name in ("link", "origlink"):
        _take_link(parts, child, name)
    elif name in ("guid", "id"):
        _take_id(parts, child, name)
    elif name in _DATES:
        parts.dates.setdefault(name, plain("".join(child.itertext())).strip())
    elif name in ("author", "creator"):
        parts.authors.append(_author(child))
    else:
        _take_text(parts, child, name)


def _take_text(parts: _Parts, child: etree._Element, name: str) -> None:
    if name in ("description", "summary") and parts.summary is None:
        parts.summary = own_text(child)
    elif name in ("encoded", "content") and parts.content is None and not child.get("src"):
        parts.content = own_text(child)
    elif name == "enclosure":
        parts.images += [(2, url) for url in _picture(child)]
    elif name == "image":
        parts.images += [(1, (c.text or "")) for c in child if name_of(c) == "url"] or [(1, child.text or "")]
    elif name == "group":
        for inner in child:
            _take_media(parts, inner)


def _take_media(parts: _Parts, child: etree._Element) -> None:
    name = name_of(child)
    if name == "group":
        for inner in child:
            _take_media(parts, inner)
    elif name == "thumbnail" and child.get("url"):
        parts.images.append((1, child.get("url", "")))
    elif name == "content":
        parts.images += [(0, url) for url in _picture(child)]
        for inner in child:
            _take_media(parts, inner)


def _picture(child: etree._Element) -> list[str]:
    url, kind = child.get("url") or "", (child.get("type") or child.get("medium") or "").lower()
    is_image = kind.startswith("image") or (not kind and re.search(r"\.(?:jpe?g|png|gif|webp|avif)(?:\?|$)", url, re.I))
    return [url] if url and is_image else []


def _take_link(parts: _Parts, child: etree._Element, name: str) -> None:
    text = (child.text or "").strip()
    href = (child.get("href") or "").strip()
    if name == "origlink":  # FeedBurner's own links count clicks; this one is the article's
        parts.links.insert(0, text)
    elif text and not href:
        parts.links.append(text)
    elif href:
        kind = child.get("rel", "alternate").lower()
        href = absolute_base(absolute_base(parts.base, child.get(_XML_BASE)), href)
        if kind == "enclosure":
            parts.images += [(2, href)] if (child.get("type") or "").startswith("image/") else []
        (parts.links if kind == "alternate" else parts.other_links).append(href)


def _take_id(parts: _Parts, child: etree._Element, name: str) -> None:
    parts.guid = parts.guid or "".join(child.itertext()).strip() or None
    permanent = name == "guid" and child.get("isPermaLink", "true").lower() != "false"
    if permanent and parts.guid and re.match(r"https?://", parts.guid, re.I):
        parts.permalink = parts.guid


def _is_literal(child: etree._Element) -> bool:
    return (child.get("type") or "text").lower() in ("text", "text/plain") and child.get("mode") != "escaped"


def _author(child: etree._Element) -> str:
    """A name. Atom persons have a `name`; RSS writes `address (Name)`; a bare address is nobody's name."""
    named = next((c for c in child if name_of(c) == "name"), None)
    text = one_line(title_text("".join((child if named is None else named).itertext())), 200)
    if "@" in text:
        before, _, rest = text.partition("(")
        text = rest.rstrip(") ") if rest else before.partition("<")[0].strip() if "<" in before else ""
    return "" if "@" in text else text


# ---------------------------------------------------------------- choosing


def _item(parts: _Parts, language: str | None) -> RawItem:
    link = next(iter([*parts.links, *([parts.permalink] if parts.permalink else []), *parts.other_links]), None)
    url = absolute(parts.base, link)
    published, raw, rule = dated(parts.dates)
    content = html_to_text(parts.content or "")
    summary = without_tail(html_to_text(parts.summary or ""))
    title = title_text(parts.title, literal=parts.title_literal)
    image, image_rule = _image(parts, url)
    standfirst = summary if summary != content and 0 < len(summary) <= _MAX_STANDFIRST else None
    found = {
        "title": title and "feed",
        "text": "feed:content" if content else "feed:summary" if summary else "",
        "standfirst": standfirst and "feed:summary",
        "published": f"feed:{rule}" if published else "",
        "image": image_rule,
        "authors": "feed" if any(parts.authors) else "",
        "language": language and "feed",
    }
    return RawItem(
        title=title,
        url=url,
        guid=parts.guid,
        text=content or paragraphs(summary),
        standfirst=standfirst,
        authors=tuple(dict.fromkeys(name for name in parts.authors if name)),
        image=image,
        language=language,
        published=published,
        published_raw=raw,
        provenance={name: value for name, value in found.items() if value},
    )


def dated(dates: Mapping[str, str]) -> tuple[datetime | date | None, str | None, str]:
    """The first readable date in order of trust, its own words, and the element's name; else the first raw one."""
    written = [(name, dates[name]) for name in _DATES if dates.get(name)]
    for name, raw in written:
        moment = parse_date(raw)
        if moment:
            return moment, raw[:100], name
    return None, written[0][1][:100] if written else None, ""


def without_tail(text: str) -> str:
    for _ in range(3):  # "[…]" stands before "The post … appeared first on …"
        shorter = (text[:-600] + _TAIL.sub("", text[-600:])).rstrip()
        if shorter == text:
            break
        text = shorter
    return text


def _image(parts: _Parts, url: str | None) -> tuple[str | None, str]:
    ranked = [address for _, address in sorted(parts.images, key=lambda one: one[0])]
    for address in ranked:
        found = absolute(parts.base, address)
        if found and not is_no_picture(found):
            return found, "feed:media"
    found = first_image(parts.content or parts.summary or "", url or parts.base)
    return found, "feed:content" if found else ""


def first_text(values: Iterable[object]) -> str | None:
    """The first non-empty text or number of loosely typed values."""
    for value in values:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None
