"""The lead image of an article page: the picture that most places name, in the version a mail shows best. Pure.

Asks no server: size and kind are read from attributes and names. Must never give a logo, an icon, a portrait of the
author or a tracking pixel where the article has a picture; with nothing better than those there is no image.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import lxml.html

from newsletter.collect.pages.facts import Facts
from newsletter.collect.text.links import absolute

# What each place's word weighs; places that name the same picture add up. An address for sharing alone outweighs the
# first picture of the text, two other places that agree outweigh an og:image (often a thumbnail then).
_WEIGHTS = {
    "og:image": 2.0,
    "JSON-LD": 1.5,
    "twitter:image": 1.0,
    "meta": 1.0,
    "first picture": 1.5,
    "picture": 0.3,
}
_FURNITURE = -4.0  # named like a logo, an icon, a stand-in
_SMALL = -2.5  # known to be less than 200 px wide or high
_THUMBNAIL = -1.0  # named like one
# Between versions of one picture:
_NOT_IN_MAIL = -2.0  # webp and avif: Outlook for Windows shows neither (caniemail.com)
# Known widths: a digest is 600 px wide, dense screens show twice that, and beyond are megabytes that no mail needs.
_WIDTHS = ((300, -1.0), (600, 0.0), (1000, 0.4), (2400, 0.5), (100_000, 0.45))
_CROPPED = -0.3  # cut to the shape of a social network

_STAND_IN = re.compile(  # in a file's name or the folder it lies in
    r"(?:^|[/_.-])(?:site-?)?(?:logo|icon|favicon|avatar|gravatar|spacer|pixel|sprite|blank|transparent|loading|loader|placeholder"
    r"|no-?(?:image|img|photo|pic|thumb)|emoji|smilies)s?\d{0,4}(?:[/_.-]|$)|default[-_]?(?:image|img|thumb|share|og)|logo[a-z]{0,12}\.",
    re.I,
)
_DECORATION = re.compile(  # in the name of a picture of the page; a picture made for sharing is named like that too
    r"(?:^|[/_.-])(?:banner|quang-?cao|qc|advert|ads?|share|facebook|zalo|twitter|youtube|print|button|btn|bullet|arrow|captcha"
    r"|counter|rss)s?\d{0,4}(?:[/_.-]|$)",
    re.I,
)
_NEVER = re.compile(r"\.svgz?(?:$|[?#])|^data:|^blob:|\.(?:ico|cur)(?:$|[?#])", re.I)
_THUMB = re.compile(r"thumb|(?:^|[/_-])(?:small|mini|tiny|xs)(?:[/_.-]|$)", re.I)
_NOT_MAIL = re.compile(r"\.(?:webp|avif)$|format[=:,](?:webp|avif)|\?webp$", re.I)
_APART = re.compile(
    r"(?:^|[\s_-])(?:avatar|author|logo|icon|share|social|sidebar|advert|ads|banner|sponsor|related|comment|emoji|promo|widget)",
    re.I,
)
_SIZE = re.compile(r"(?<![\da-z])(\d{2,4})x(\d{2,4})(?!\d)", re.I)
_WIDTH = re.compile(r"(?:[?&,/;_](?:w|width)[=_:]?)(\d{2,4})(?!\d)", re.I)
_VERSION = re.compile(r"[-_]?\d{2,4}x\d{2,4}(?=[-_.]|$)|[-_](?:scaled|rotated|e?\d{10,13})(?=[-_.]|$)", re.I)
_CUT = re.compile(r"[?&/_-]crop\b", re.I)
_DESCRIPTOR = re.compile(r"\s+\d{1,5}(?:\.\d+)?[wx](?:\s*,.*)?$", re.S)  # a srcset written into src
_LAZY = (
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazyload",
    "data-lazy",
    "data-original-src",
    "data-echo",
    "data-img",
)
_SOURCES = ("srcset", "data-srcset", "data-lazy-srcset")
_MOST = 6  # pictures of the page that are looked at
_LITTLE = 200  # px
_LONG = 10_000  # characters of a srcset that are read; no address is longer than a fifth of it
_SETS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    address: str  # absolute
    rule: str
    width: int | None  # px; None when nothing says so
    height: int | None


def image(tree: lxml.html.HtmlElement, facts: Facts) -> tuple[str | None, str]:
    """The address, absolute, and the place that named it; (None, "") if no place names a picture of the article."""
    seen = [*_claimed(tree, facts), *_shown(tree, facts)]
    groups: dict[str, list[_Seen]] = {}
    for one in seen:
        groups.setdefault(_same(one.address), []).append(one)
    best = max(groups.values(), key=_points, default=[])
    if not best or _points(best) <= 0:
        return None, ""
    chosen = max(best, key=_suits)
    return chosen.address, "first picture" if chosen.rule == "picture" else chosen.rule


def _points(group: list[_Seen]) -> float:
    """What speaks for a picture: each place once, then what its name and size betray."""
    points = sum(_WEIGHTS[rule] for rule in {one.rule for one in group})
    if _STAND_IN.search(_tail(group[0].address)):
        points += _FURNITURE
    if all(_THUMB.search(_tail(one.address)) for one in group):
        points += _THUMBNAIL
    sizes = [side for one in group for side in (one.width, one.height) if side]
    return points + (_SMALL if sizes and min(sizes) < _LITTLE and max(sizes) < 2 * _LITTLE else 0.0)


def _suits(one: _Seen) -> float:
    shared = not one.rule.endswith("picture")
    width = one.width or (1000 if shared else 0)  # made for sharing: large unless it says otherwise
    fit = next((points for below, points in _WIDTHS if width < below), 0.0) if width else 0.0
    return (
        _WEIGHTS[one.rule] / 10
        + (_NOT_IN_MAIL if _NOT_MAIL.search(one.address) else 0.0)
        + fit
        + (_THUMBNAIL if _THUMB.search(_tail(one.address)) else 0.0)
        + (_CROPPED if _CUT.search(one.address) else 0.0)
    )


def _claimed(tree: lxml.html.HtmlElement, facts: Facts) -> Iterator[_Seen]:
    base = facts.base
    width, height = _number(facts.said("og:image:width")), _number(facts.said("og:image:height"))
    links = (link.get("href") for link in tree.iter("link") if (link.get("rel") or "").lower() == "image_src")
    said = (
        (facts.said("og:image", "og:image:url", "og:image:secure_url"), "og:image", width, height),
        (facts.said("twitter:image", "twitter:image:src"), "twitter:image", None, None),
        (next(links, None) or facts.said("image", "thumbnailurl", "thumbnail"), "meta", None, None),
        *((address, "JSON-LD", wide, high) for address, wide, high in _pictures(facts.article.get("image"))),
    )
    for address, rule, wide, high in said:
        found = absolute(base, address)
        if found and not _NEVER.search(found):
            yield _Seen(address=found, rule=rule, width=wide or _width_in(found), height=high)


def _pictures(value: Any, depth: int = 0) -> Iterator[tuple[str, int | None, int | None]]:
    if isinstance(value, str):
        yield value, None, None
    elif isinstance(value, dict) and depth < 5:
        for address, _, _ in _pictures(
            value.get("url") or value.get("contentUrl") or _file(value.get("@id")), depth + 1
        ):
            yield address, _number(value.get("width")), _number(value.get("height"))
    elif isinstance(value, list) and depth < 5:
        for one in value[:_MOST]:
            yield from _pictures(one, depth + 1)


def _file(name: Any) -> str | None:
    """A node's name is an address only without a fragment: "…/article#primaryimage" is a page."""
    return name if isinstance(name, str) and "#" not in name else None


def _shown(tree: lxml.html.HtmlElement, facts: Facts) -> Iterator[_Seen]:
    """Pictures of the page: of its article if it marks one, else below the headline, else in a paragraph."""
    base, count, below = facts.base, 0, False
    for element in tree.iter("h1", "img"):
        if element.tag == "h1":
            below = True
        if element.tag == "h1" or not (
            below or next(element.iterancestors("article", "main", "p", "figure"), None) is not None
        ):
            continue
        if _is_apart(element):
            continue
        width, height = _number(element.get("width")), _number(element.get("height"))
        if any(side is not None and side < 100 for side in (width, height)):
            continue
        rule, usable = "picture" if count else "first picture", False
        for address, wide in dict(_versions(element)).items():
            found = absolute(base, address)
            if found and not _NEVER.search(found) and not _is_decoration(found):
                own, usable = wide or _width_in(found) or width, True
                yield _Seen(address=found, rule=rule, width=own, height=height if own == width else None)
        if not usable:
            continue
        count += 1
        if count == _MOST:
            return


def _versions(element: lxml.html.HtmlElement) -> Iterator[tuple[str, int | None]]:
    """Addresses of one `img` with their widths: its own, the lazy ones, those of srcset and of its `picture`."""
    for name in ("src", *_LAZY):
        address = (element.get(name) or "").strip()
        if 0 < len(address) < _LONG / 5:
            yield _DESCRIPTOR.sub("", address), None
    picture = next(element.iterancestors("picture"), None)  # libxml2 puts an img inside the source before it
    sources = list(islice(picture.iter("source"), _SETS)) if picture is not None else []
    for holder in (element, *sources):
        for name in _SOURCES:
            yield from _srcset(holder.get(name) or "")


def _srcset(text: str) -> Iterator[tuple[str, int | None]]:
    """`a.jpg 300w, b.jpg 2x`, commas inside addresses included (HTML, 4.8.4.2.1: they are parted by white space)."""
    address = ""
    for word in text[:_LONG].split():
        size = re.fullmatch(r"(\d{1,5})(?:\.\d+)?([wx]),?", word)
        if address and size:
            yield address, int(size[1]) if size[2] == "w" else None
            address = ""
            continue
        if address:
            yield address, None
        address = word.strip(",")
    if address:
        yield address, None


def _is_apart(element: lxml.html.HtmlElement) -> bool:
    """Inside what is no part of the article: navigation, a portrait, an advertisement."""
    if _APART.search(" ".join(filter(None, (element.get("class"), element.get("id"), element.get("alt"))))[:200]):
        return True
    node, steps = element.getparent(), 0
    while node is not None and steps < 12:
        if node.tag in ("nav", "aside", "footer", "button"):
            return True
        if node.tag in ("article", "main", "body"):
            return False
        if steps < 4 and _APART.search(node.get("class") or ""):
            return True
        node, steps = node.getparent(), steps + 1
    return False


def _tail(address: str) -> str:
    """The file's name and its folder's."""
    return "/".join(unquote(urlsplit(address).path).split("/")[-2:])


def _is_decoration(address: str) -> bool:
    tail = _tail(address)
    return bool(_STAND_IN.search(tail) or _DECORATION.search(tail))


def _same(address: str) -> str:
    """What versions of one picture have in common: the name without its size and kind."""
    parts = urlsplit(address)
    inner = next(
        (one for name in ("url", "src", "image") for one in parse_qs(parts.query).get(name, []) if "/" in one), ""
    )
    path = unquote(urlsplit(inner).path if inner else parts.path).lower()
    name = _VERSION.sub("", re.sub(r"(?:\.(?:jpe?g|png|webp|gif|avif))+$", "", path.rstrip("/").rsplit("/", 1)[-1]))
    # "1200", "image", "master": a name that says nothing needs its folder
    return name if len(name) >= 8 and re.search(r"\d|[-_]", name) else _VERSION.sub("", path) + parts.query


def _width_in(address: str) -> int | None:
    found = _SIZE.search(address) or _WIDTH.search(address)
    return int(found[1]) if found else None


def _number(value: Any) -> int | None:
    found = (
        re.match(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*$", str(value)) if isinstance(value, str | int | float) else None
    )
    return int(found[1]) if found else None
