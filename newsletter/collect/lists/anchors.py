"""The links of a page, each with what its surroundings say of it: menu, side column, heading, picture. Pure.

What a class name means is asked of whole tokens: WordPress writes `tag-x` and `category-y` on every article, and
`entry-header` is no site header (matching parts of words cost .23 of F1 on 31 real pages). Must never follow a link.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

import lxml.html

from newsletter.collect.text.clean import one_line
from newsletter.collect.text.links import absolute

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
MAX_ANCHORS = 5000  # the rest of a page with more links is no list of articles
_PATH = 5  # elements of a structural path, the anchor included
_LONGEST_NAME = 60  # characters of a class that are looked at: longer ones are machine-made
_FEW_LEVELS = 4  # above the anchor: a heading further up is the block's, not the link's

_MENU = re.compile(
    r"(?:(?:site|main|top|page|global|primary|secondary|mobile|sub|mega|bottom|footer|header|left|right|lang)[-_]?)*"
    r"(?:nav|navbar|navigation|menu|menus|menubar|footer|header|masthead|breadcrumbs?|pagination|pager|paginator|toolbar"
    r"|topbar|submenu|sitemap|copyright|social|share|sharing|tagcloud|tags|cookie\w*|login|duong-?dan|phan-?trang)"
    r"(?:[-_]?(?:links?|list|items?|container|wrap(?:per)?|bar|area|block|inner|main|top|bottom|menu|nav|icons?|buttons?))*",
    re.I,
)
_SIDE = re.compile(
    r"(?:(?:left|right|primary|secondary|main|page|blog)[-_]?)*(?:sidebar|side|aside|widget|widgets|related|popular|recent"
    r"|trending|most|ticker|breaking|carousel|slider|slides|slick|flexslider|promo|sponsor\w*|advert\w*|ads?|banner)"
    r"(?:[-_].*)?",
    re.I,
)
_NO_ARTICLE = re.compile(
    r"/(?:tag|tags|category|categories|chuyen-muc|author|authors|user|users|editor|editors|topic|topics|login|signin"
    r"|register|search|page|privacy|terms|contact|about|lien-he|gioi-thieu|feed|rss|cart|account|share"
    r"|archives?/\d{4}-\d\d)(?:/|$|\?|\.html?$|\.php|\.aspx)|share\.php|/(?:wp-)?(?:login|admin)"
    r"|[?&](?:paged?|start|limit|PAGEN_1)=\d+$|\.(?:jpe?g|png|gif|webp|zip|mp[34])$"
    r"|^(?:https?:)?//(?:[^/]*\.)?(?:facebook|twitter|x|instagram|linkedin|youtube|pinterest|t)\.(?:com|me|co)/",
    re.I,
)
_MORE = re.compile(
    r"\W*(?:read|more|continue|full story|leia|leer|sigue|lire|suite|weiter|mehr|подробн|читать|далее|xem (?:thêm|tiếp|chi"
    r" tiết)|chi tiết|đọc tiếp|continua|続き|記事を読む|zobrazit|no comments?|\d+ comments?|add comment|leave a comment"
    r"|discuss|comments?|permalink|reply|\[?\.\.\.\]?)",
    re.I,
)
_SECOND_LEVEL = frozenset(
    {"ac", "co", "com", "edu", "gob", "gouv", "gov", "go", "info", "int", "net", "ne", "or", "org"}
)


@dataclass(slots=True, kw_only=True)
class Anchor:
    """A link. `own`: its words, maybe only "read more"; `title`: the article's, as far as it is known."""

    element: lxml.html.HtmlElement
    url: str
    path: str  # tags with their first classes, from the anchor outward
    own: str
    title: str
    more: bool  # its words only invite to read on
    bad: bool  # its address is a category's, a picture's, a share button's
    same_site: bool
    menu: bool
    side: bool
    heading: bool
    article: bool
    picture: bool
    item: lxml.html.HtmlElement | None = None  # the largest element that holds no other link of its group
    date: str | None = None  # as written beside it


@dataclass(frozen=True, slots=True)
class _Kind:
    token: str
    menu: bool
    side: bool


@dataclass(slots=True)
class _Kinds:
    """What each element says by its tag and classes; asked many times for the same few ancestors."""

    known: dict[lxml.html.HtmlElement, _Kind] = field(default_factory=dict)

    def of(self, element: lxml.html.HtmlElement) -> _Kind:
        found = self.known.get(element)
        if found is None:
            classes = (element.get("class") or "").split()
            names = [
                name for name in (*classes[:20], *(element.get("id") or "").split()[:2]) if len(name) <= _LONGEST_NAME
            ]
            found = self.known[element] = _Kind(
                str(element.tag) + ("." + re.sub(r"\d+", "", classes[0]) if classes else ""),
                any(_MENU.fullmatch(name) for name in names),
                element.tag == "aside" or any(_SIDE.fullmatch(name) for name in names),
            )
        return found


def anchors_of(tree: lxml.html.HtmlElement, url: str) -> Iterator[Anchor]:
    """Links to other http(s) pages than this one and the front page, in the page's order."""
    kinds, here = _Kinds(), urldefrag(url)[0].rstrip("/")
    home = absolute(url, tree.xpath("string((//base/@href)[1])")) or url
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    for number, element in enumerate(tree.iter("a")):
        if number == MAX_ANCHORS:
            return
        target = _target(home, element.get("href"))
        if target is None or target[0].rstrip("/") == here:
            continue
        yield _anchor(element, target, host, kinds)


def _target(base: str, href: str | None) -> tuple[str, SplitResult] | None:
    link = (href or "").strip()
    if not link or link.startswith("#") or len(link) > 2000:
        return None
    try:
        joined = urljoin(base, link)
        parts = urlsplit(joined)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or (parts.path in ("", "/") and not parts.query):
        return None
    return urldefrag(joined)[0], parts


def _anchor(element: lxml.html.HtmlElement, target: tuple[str, SplitResult], host: str, kinds: _Kinds) -> Anchor:
    url, parts = target
    own = " ".join(element.text_content().split()) or (element.get("aria-label") or "").strip()
    inner = next(element.iter(*HEADINGS), None)
    title = " ".join(inner.text_content().split()) if inner is not None else own
    path, menu, side, heading, article = _surroundings(element, kinds)
    return Anchor(
        element=element,
        url=url,
        path="<".join(path),
        own=own,
        title=one_line(title or own),
        more=bool(_MORE.match(own)) if inner is None else not title,
        bad=no_article(url),
        same_site=same_site(host, (parts.hostname or "").removeprefix("www.")),
        menu=menu,
        side=side,
        heading=heading or inner is not None,
        article=article,
        picture=next(element.iter("img"), None) is not None,
    )


def _surroundings(element: lxml.html.HtmlElement, kinds: _Kinds) -> tuple[list[str], bool, bool, bool, bool]:
    """(path, in a menu, in a side column, in a heading, in an `article`)."""
    path: list[str] = []
    menu = side = heading = article = False
    level = 0
    up: lxml.html.HtmlElement | None = element
    while up is not None and isinstance(up.tag, str) and up.tag not in ("body", "html"):
        kind = kinds.of(up)
        if level < _PATH:
            path.append(kind.token)
        tag = up.tag
        menu = menu or tag in ("nav", "footer") or (level > 0 and kind.menu and tag not in ("article", "main"))
        menu = menu or (tag == "header" and level > 2 and not heading)  # an entry's own header holds its heading
        side = side or kind.side
        heading = heading or (level < _FEW_LEVELS and tag in HEADINGS)
        article = article or tag == "article"
        level, up = level + 1, up.getparent()
    return path, menu, side, heading, article


def no_article(url: str) -> bool:
    """Whether an address is by its form a category's, a picture's or a service's."""
    return bool(_NO_ARTICLE.search(url))


def same_site(host: str, other: str) -> bool:
    """Whether two hosts belong to one institution, as far as their names tell: `tin.vien.example.vn`, `vien.example.vn`."""
    return other == host or other.endswith("." + host) or host.endswith("." + other) or _domain(host) == _domain(other)


def _domain(host: str) -> str:
    labels = host.split(".")
    compound = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if compound else -2 :])


def columns(text: str) -> int:
    """Width of `text`: East Asian wide letters count double, as they say as much as two of others."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
