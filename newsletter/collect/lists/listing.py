"""The articles a listing page links to, found by structure alone: no feed, no rules per site. Pure: fetches nothing.

Links are grouped by the tags and first classes around them; a list of articles is the group with long words, headings,
dates beside it and article-like addresses, outside menus and side columns. Measured on 31 real pages of 12 languages
(`make evals`). Must never answer with a menu where it found no list: it answers with no link.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

import lxml.html
from lxml import etree

from newsletter.collect.lists.anchors import Anchor, anchors_of, columns
from newsletter.collect.lists.claims import claimed
from newsletter.collect.pages.cut import cut_related
from newsletter.collect.text.clean import one_line
from newsletter.collect.text.dates import parse_date
from newsletter.collect.text.decode import to_text
from newsletter.collect.text.markup import parse
from newsletter.errors import Unreadable

MAX_BYTES = 10 << 20
MAX_LINKS = 500
_ENOUGH = 3.2  # a score below this is a menu; lists of articles score 5 to 9
_NEAR = 1.6  # groups so much below the best belong to the same list: its lead item, its small items
_AROUND = 2.0  # what a date and a summary beside the links add at most
_MOST_GROUPS = 60  # that are looked at closely; real pages have fewer than 20 with a chance
_SAMPLE = 60  # links of a group whose surroundings are looked at
_PIECES = 400  # of text that are looked at around a link
_WIDE = 200  # columns: a whole summary
_BEHIND = 3  # elements behind an item that may hold its date
_A_LIST = 3  # addresses
_TOLD = 1.5  # for a group whose links the page's JSON-LD lists
_PARAGRAPH = 80  # characters of an element's own text that make it running text
_ASIDE = frozenset({"a", "aside", "button", "footer", "head", "nav", "noscript", "option", "select", "style"})
_LEVELS = 5  # above a link, how far its item may reach
_NARROW = 14  # columns: a median below this is a menu's

_MONTH = (
    r"(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|gen|mag|giu|lug|set|ott"
    r"|янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек)"
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:(?:19|20)\d\d|\d\d)(?!\d)|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}"
    r"|(?:19|20)\d\d年\d{1,2}月\d{1,2}日"
    r"|\d{1,2}(?:st|nd|rd|th)?\.?(?: de)? " + _MONTH + r"[^\d\W]{0,10}\.?,?(?: de)? (?:19|20)\d\d"
    r"|" + _MONTH + r"[a-z]{0,10}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d"
    r"|(?:ngày )?\d{1,2} (?:tháng|thg) \d{1,2}(?:,? (?:năm )?(?:19|20)\d\d)?|ngày \d{1,2}(?![\d/.-])|thg \d{1,2}"
    r"|\d{1,4} (?:min(?:ute)?s?|hours?|days?|weeks?|giờ|phút|ngày|tuần)\s+(?:ago|trước))",
    re.I,
)
_ARTICLE_URL = re.compile(
    r"/(?:19|20)\d\d/\d|\d{4}|[^/]-[^/-]+-[^/]|/article|/news/|/post|/story|/tin-|\.html?$|id=\d|%[0-9a-f]{2}%", re.I
)
_WORD = re.compile(r"[^\W\d_]{2}")
_TURNING = re.compile(r"(?:next|previous|prev|older|newer|trang (?:sau|trước|đầu|cuối)|tiếp|trước|sau)\W*", re.I)


_Near = dict[lxml.html.HtmlElement, lxml.html.HtmlElement]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingLink:
    """`url` is absolute, `title` on one line and never empty; `published` as near the link, else None."""

    url: str
    title: str
    published: datetime | date | None = None
    published_raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """`signature` names the structures the links were found in, best first, one a line; "" without links."""

    links: tuple[ListingLink, ...]
    signature: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    path: str
    anchors: Sequence[Anchor]
    score: float


def read_listing(
    body: bytes,
    *,
    url: str,
    content_type: str | None = None,
    charset: str | None = None,
    now: datetime | None = None,
) -> Listing:
    """The links to articles in the page's order, each address once; none where the page is no list of articles.

    `now` (aware) is for "3 giờ trước". Raises Unreadable: empty, larger than 10 MB, or not HTML.
    """
    tree = _tree(body, url, content_type, charset)
    told = claimed(tree, url)
    _drop_scripts(tree)
    times = _near(tree, "//time")
    grouped = _grouped(anchors_of(tree, url), tree)
    groups = _best(_scored(grouped, times, frozenset(told)))
    missed = _missed(grouped.values(), groups, told)
    for anchor in (*(anchor for group in groups for anchor in group.anchors[_SAMPLE:MAX_LINKS]), *missed):
        _look_around(anchor, times)
    links = _links([*groups, _Group(path="", anchors=missed, score=0)], now)
    title = one_line(tree.xpath("string(//title)")) if links else ""
    return Listing(links=links, signature="\n".join(group.path for group in groups) if links else "", title=title)


def prose_outside(
    body: bytes, *, url: str, content_type: str | None = None, charset: str | None = None
) -> tuple[int, int]:
    """Characters of running text that stand in no item of the page's list, and how many links the list has, without
    lists of "other news": an article has much text and few links, a listing the reverse."""
    tree = _tree(body, url, content_type, charset)
    _drop_scripts(tree)
    cut_related(tree)
    groups = _best(_scored(_grouped(anchors_of(tree, url), tree), _near(tree, "//time")))
    # the item of a lone link reaches far up, maybe around the whole article
    items = {a.item for group in groups if len({a.url for a in group.anchors}) >= _A_LIST for a in group.anchors}
    found = 0
    walk = etree.iterwalk(tree, events=("start",))
    for _, element in walk:
        if element in items or element.tag in _ASIDE:
            walk.skip_subtree()
            continue
        own = " ".join((element.text or "", *(child.tail or "" for child in element)))
        length = len(" ".join(own.split()))
        found += length if length >= _PARAGRAPH else 0
    return found, len(_links(groups, None))


def _tree(body: bytes, url: str, content_type: str | None, charset: str | None) -> lxml.html.HtmlElement:
    if len(body) > MAX_BYTES:
        raise Unreadable(f"the page is larger than {MAX_BYTES >> 20} MB", where=url)
    if not body.strip(b" \t\r\n\0"):
        raise Unreadable("the page is empty", where=url)
    if (content_type or "").startswith(("image/", "video/", "audio/", "application/pdf", "application/zip")):
        raise Unreadable("this is a binary file, not a page", where=url, hint=f"content type {content_type}")
    tree = parse(to_text(body, charset))
    if tree is None:
        raise Unreadable("the page holds no element", where=url)
    return tree


def _drop_scripts(tree: lxml.html.HtmlElement) -> None:
    for element in tree.xpath("//script|//style|//template|//noscript[not(.//a)]"):
        if element.getparent() is not None:
            element.drop_tree()


# ---------------------------------------------------------------- groups


def _near(tree: lxml.html.HtmlElement, path: str) -> _Near:
    """The first element of an XPath in each element within reach around it, all in one walk of the tree: asked again
    for every link, a page of 10 MB would cost minutes."""
    near: _Near = {}
    for element in tree.xpath(path):
        near.setdefault(element, element)
        for up in _upward(element, 2 * _LEVELS):
            near.setdefault(up, element)
    return near


def _grouped(anchors: Iterable[Anchor], tree: lxml.html.HtmlElement) -> dict[str, list[Anchor]]:
    groups: dict[str, list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        groups[anchor.path].append(anchor)
    named = {a.url for group in groups.values() for a in group if a.title and not a.more and _WORD.search(a.title)}
    headings = _near(tree, "//h1|//h2|//h3|//h4|//h5|//h6")
    bold = _near(tree, "//*[contains(@class, 'title')]|//strong|//b")
    for group in groups.values():
        _find_items(group)
        for anchor in group:
            if (anchor.more or not anchor.title) and anchor.url not in named and anchor.item is not None:
                _name(anchor, headings.get(anchor.item, bold.get(anchor.item)))
    return groups


def _find_items(group: Sequence[Anchor]) -> None:
    """Gives each link its item: the highest ancestor within reach that holds no other address of the group."""
    held: dict[lxml.html.HtmlElement, set[str]] = defaultdict(set)
    for anchor in group:
        for up in _upward(anchor.element):
            held[up].add(anchor.url)
    for anchor in group:
        anchor.item = anchor.element
        for up in _upward(anchor.element):
            if len(held[up]) > 1:
                break
            anchor.item = up


def _upward(element: lxml.html.HtmlElement, levels: int = _LEVELS) -> Iterator[lxml.html.HtmlElement]:
    up = element.getparent()
    for _ in range(levels):
        if up is None or up.tag in ("body", "html"):
            return
        yield up
        up = up.getparent()


def _name(anchor: Anchor, heading: lxml.html.HtmlElement | None) -> None:
    """A "read more" or picture link gets the heading of its item: no other link names the same article."""
    words = one_line(heading.text_content()) if heading is not None else ""
    if _WORD.search(words):
        anchor.title, anchor.more, anchor.heading = words, False, True


def _scored(groups: dict[str, list[Anchor]], times: _Near, told: frozenset[str] = frozenset()) -> list[_Group]:
    """Groups with their scores. What stands around links is looked at only where it could still decide.

    `told`: addresses the page's JSON-LD lists; they speak for a group, but against a menu's place not loudly enough.
    """
    cheap = [
        _Group(path=path, anchors=anchors, score=_score(anchors, named) + _TOLD * _share(anchors, told))
        for path, anchors in groups.items()
        if (named := [anchor for anchor in anchors if anchor.title and not anchor.more])
    ]
    cheap.sort(key=lambda group: -group.score)
    least = max(_ENOUGH, cheap[0].score - _NEAR) - _AROUND if cheap else 0.0
    looked = [group for group in cheap[:_MOST_GROUPS] if group.score >= least]
    return [replace(group, score=group.score + _surrounded(group.anchors, times)) for group in looked]


def _score(anchors: Sequence[Anchor], named: Sequence[Anchor]) -> float:
    """How much a group's own words and places look like articles; the weights were set by hand on 31 pages."""
    widths = sorted(columns(anchor.title) for anchor in named)
    median, count = widths[len(widths) // 2], len({anchor.url for anchor in anchors})

    def share(verdicts: Iterable[bool]) -> float:
        return sum(verdicts) / len(anchors)

    score = 3 * min(median, 70) / 70 + 1.2 * min(count, 10) / 10 + 0.3 * share(a.picture for a in anchors)
    score += 1.5 * share(a.heading for a in anchors) + 0.8 * share(a.article for a in anchors)
    score += 0.8 * share(bool(_ARTICLE_URL.search(a.url)) for a in anchors)
    score -= 3 * share(a.menu for a in anchors) + 1.4 * share(a.side for a in anchors)
    score -= 3 * share(a.bad or a.more for a in anchors)
    score -= 0.8 if not all(a.same_site for a in anchors) else 0.0
    return score - (2 if median < _NARROW else 0) - (0.8 if count < 2 else 0)


def _share(anchors: Sequence[Anchor], told: frozenset[str]) -> float:
    return sum(anchor.url in told for anchor in anchors) / len(anchors) if told else 0.0


def _missed(all_groups: Iterable[Sequence[Anchor]], best: Sequence[_Group], told: Sequence[str]) -> list[Anchor]:
    """Links of the page that its JSON-LD lists and the structure passed over; none where the two hardly agree."""
    found = {anchor.url for group in best for anchor in group.anchors}
    links = {a.url: a for anchors in all_groups for a in anchors if a.url in told and a.title and not a.menu}
    missed = [links[url] for url in told if url in links and url not in found]
    return missed if len(missed) < len(links) / 2 else []


def _surrounded(anchors: Sequence[Anchor], times: _Near) -> float:
    """0 to `_AROUND`: a date and a summary beside most links."""
    sample = anchors[:_SAMPLE]
    around = sorted(_look_around(anchor, times) for anchor in sample)
    dated = sum(anchor.date is not None for anchor in sample) / len(sample)
    return 1.3 * dated + 0.7 * min(around[len(around) // 2], _WIDE) / _WIDE


def _look_around(anchor: Anchor, times: _Near) -> int:
    """Notes the date beside a link; returns about how wide is what else stands there: a summary, often."""
    item = anchor.item if anchor.item is not None else anchor.element
    text = _beginning(item)
    time = times.get(item)
    if time is not None:
        anchor.date = " ".join((time.get("datetime") or time.text_content()).split())[:100] or None
    if anchor.date is None:
        found = _DATE.search(text.replace(anchor.own, " ", 1)) or _DATE.search(text)
        found = found or _DATE.search(_behind(item))
        anchor.date = found[0] if found else None
    others = len(text) - len(anchor.own)
    return others if others >= _WIDE else columns(text) - columns(anchor.own)


def _behind(item: lxml.html.HtmlElement) -> str:
    """What stands flat behind an item up to the next one: `<h3><a>…</a></h3> 02/01/2024 <h3>`, `<dt>…<dd>`."""
    pieces = [item.tail or ""]
    for sibling in islice(item.itersiblings(), _BEHIND):
        if sibling.tag == item.tag or not isinstance(sibling.tag, str) or next(sibling.iter("a"), None) is not None:
            break
        pieces += [_beginning(sibling), sibling.tail or ""]
    return " ".join(" ".join(pieces).split())[:_WIDE]


def _beginning(item: lxml.html.HtmlElement) -> str:
    """The first 3000 characters of an element, white space folded, without reading on: it may be the whole page."""
    pieces: list[str] = []
    room = 3000
    for piece in islice(item.itertext(), _PIECES):
        pieces.append(str(piece[:room]))
        room -= len(pieces[-1])
        if room <= 0:
            break
    return " ".join(" ".join(pieces).split())


def _best(groups: list[_Group]) -> list[_Group]:
    groups.sort(key=lambda group: -group.score)
    least = max(_ENOUGH, groups[0].score - _NEAR) if groups else 0.0
    return [group for group in groups if group.score >= least]


# ---------------------------------------------------------------- links


def _links(groups: Sequence[_Group], now: datetime | None) -> tuple[ListingLink, ...]:
    chosen: dict[str, Anchor] = {}
    anchors = [anchor for group in groups for anchor in group.anchors if _is_article(anchor)]
    at_home = [anchor for anchor in anchors if anchor.same_site]
    for anchor in at_home or anchors:
        before = chosen.get(anchor.url)
        if before is None or len(before.title) < len(anchor.title) <= 200:
            if before is not None and anchor.date is None:
                anchor.date = before.date
            chosen[anchor.url] = anchor
    return tuple(_link(anchor, now) for anchor in list(chosen.values())[:MAX_LINKS])


def _is_article(anchor: Anchor) -> bool:
    return bool(
        not (anchor.bad or anchor.menu or anchor.more)
        and (_WORD.search(anchor.title) or columns(anchor.title) >= 4)
        and not _TURNING.fullmatch(anchor.title)
    )


def _link(anchor: Anchor, now: datetime | None) -> ListingLink:
    published = parse_date(anchor.date, now=now) if anchor.date else None
    return ListingLink(
        url=anchor.url,
        title=anchor.title,
        published=published,
        published_raw=anchor.date if published else None,
    )
