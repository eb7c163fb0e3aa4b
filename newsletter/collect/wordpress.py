"""The posts of a WordPress site from its REST API (https://developer.wordpress.org/rest-api/reference/posts/). Fetches by
the `get` it is handed; types are never trusted, because plugins change everything.

A feed gives the ten newest, often as excerpts; the API gives as many as are asked for, whole, with author, lead picture
and the moment of publication in the site's own zone, so that no article page need be read. Must never take an HTML page,
a login or an error for a site without posts.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import lxml.html
from lxml import etree

from newsletter.collect.feeds.entry import first_text, without_tail
from newsletter.collect.identity.keys import title_key
from newsletter.collect.lists.serial import Links
from newsletter.collect.pages.caption import drop_captions
from newsletter.collect.pages.cut import cut_related
from newsletter.collect.text.clean import element_text, html_to_text, one_line, paragraphs, title_text
from newsletter.collect.text.dates import parse_date
from newsletter.collect.text.decode import to_text
from newsletter.collect.text.links import absolute, first_image
from newsletter.errors import SourceError, Unreadable
from newsletter.http import Fetched
from newsletter.model import RawItem

PER_PAGE = 20  # posts of one answer: with whole texts about 200 kB, and the API's own default is 10
MAX_PAGES = 10  # read in one poll
JSON = "application/json, */*;q=0.1"
_EMBED = "author,wp:featuredmedia"
_POSTS = re.compile(r"(?P<root>.*?)/?wp/v2/(?P<what>[\w-]+)/?")
_OURS = ("per_page", "page", "_embed", "context", "order", "orderby")
_BEGINS = re.compile(r'\[\s*(?:\{\s*"id"\s*:|\])|\{\s*"code"\s*:')  # what a PHP warning may stand before
_HTML = re.compile(r"<(?:!doctype\s+html|html)\b", re.I)
# Page builders leave their own marks where their plugin was taken out: [vc_row css="…"], [/et_pb_text].
_SHORTCODE = re.compile(
    r"\[/?(?:vc|et_pb|fusion|av|cs|mk|nectar|gallery|caption|embed|contact-form)[\w-]*(?:\s[^\[\]]{0,4000})?\]"
)
_APART = re.compile(
    r"(?:^|\s)(?:sharedaddy|jp-relatedposts|yarpp[\w-]*|addtoany[\w-]*|wp-block-embed|toc_container)(?:\s|$)"
)
_LONGEST = 600_000  # characters of one post's HTML: three times what is kept of its text
_NOBODY = frozenset({"admin", "administrator", "webmaster", "root", "editor", "quantri", "quan tri", "quản trị", "bbt"})
_SIZES = ("large", "1536x1536", "medium_large", "full")  # of a picture: sharp in a mail, and not its 40 MB original

Get = Callable[[str], Fetched]
Pairs = list[tuple[str, str]]


# ---------------------------------------------------------------- addresses


def endpoint(url: str) -> str | None:
    """The address of a list of posts, if `url` is one, or the root of an API; else None. Filters (`categories=5`) stay.

    Sites without pretty links have it as `?rest_route=/wp/v2/posts`.
    """
    parts = urlsplit(url)
    pairs = [(name, value) for name, value in parse_qsl(parts.query) if name not in _OURS]
    route = next((value for name, value in pairs if name == "rest_route"), None)
    others = [(name, value) for name, value in pairs if name != "rest_route"]
    if route is not None:
        asked = _posts_of(route.strip("/"))
        return _made(url, parts.path, [("rest_route", f"/{asked}"), *others]) if asked else None
    if not re.search(r"/wp-json(?:/|$)|/wp/v2/", parts.path):
        return None
    root, _, rest = parts.path.partition("/wp-json")
    asked = _posts_of(rest.strip("/") if "/wp-json" in parts.path else parts.path.strip("/"))
    return _made(url, f"{root}/wp-json/{asked}" if "/wp-json" in parts.path else f"/{asked}", others) if asked else None


def _posts_of(route: str) -> str | None:
    """`wp/v2/posts` of the API's root, or the route itself when it names a list (posts, or a type of the site's own)."""
    if route in ("", "wp/v2"):
        return "wp/v2/posts"
    found = _POSTS.fullmatch(route)
    return route if found and found["what"] not in ("categories", "tags", "users", "media", "types") else None


def _made(url: str, path: str, pairs: Pairs) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(pairs, safe="/"), ""))


def page_of(url: str, number: int = 1) -> str:
    """What is asked for the `number`th page of the posts at an `endpoint` or below a site's address, newest first."""
    url = endpoint(url) or urljoin(url.partition("?")[0].rstrip("/") + "/", "wp-json/wp/v2/posts")
    parts = urlsplit(url)
    pairs = [(name, value) for name, value in parse_qsl(parts.query) if name not in _OURS]
    pairs += [("per_page", str(PER_PAGE)), ("_embed", _EMBED)] + ([("page", str(number))] if number > 1 else [])
    return _made(url, parts.path, pairs)


def named(links: Iterable[Mapping[str, str]], url: str) -> str | None:
    """The posts that a page's `<link>` elements lead to: of its category or tag, else of the whole site; or None.

    `links`: the attributes of each. A front page's posts are the site's; a page below it counts only with its category,
    because all posts of a site are not what somebody means who gives a section.
    """
    found = [
        (facts.get("rel", "").lower().split(), facts.get("type", ""), absolute(url, facts.get("href")) or "")
        for facts in links
    ]
    root = next((href for rels, _, href in found if "https://api.w.org/" in rels), None)
    posts = endpoint(root) if root else None
    if posts is None:
        return None
    for rels, kind, href in found:
        term = re.search(r"/wp/v2/(categories|tags)/(\d{1,12})/?$", urlsplit(href).path + _route(href))
        if "alternate" in rels and kind == "application/json" and term:
            return posts + ("&" if "?" in posts else "?") + f"{term[1]}={term[2]}"
    return posts if urlsplit(url).path.strip("/") in ("", "index.php") else None


def _route(url: str) -> str:
    return dict(parse_qsl(urlsplit(url).query)).get("rest_route", "")


# ---------------------------------------------------------------- asking


def asked(get: Get, url: str) -> Fetched:
    """`get(url)`, with what a refusal means for a person. Raises SourceError."""
    try:
        return get(url)
    except SourceError as error:
        said = _REFUSED.get(error.status or 0)
        if said is None:
            raise
        raise type(error)(
            f"{said} (answered {error.status})",
            where=error.where,
            hint="its feed, sitemap or list of news may be open: `newsletter source add` finds them",
            status=error.status,
            retry_after=error.retry_after,
        ) from error


_REFUSED = {
    400: "the site's REST API does not understand the question",
    401: "the site's REST API wants a login",
    403: "the site's REST API is closed to strangers",
    404: "the site has no REST API at this address",
    410: "the site has no REST API at this address any more",
}


def posted(first: Fetched, get: Get, *, url: str, oldest: datetime | None) -> Links:
    """The posts of the first answer and of those behind it, down to `oldest`, at most MAX_PAGES. Raises SourceError.

    What is older is no candidate anyway, so that a look costs one request where less than PER_PAGE posts are young.
    A later answer that fails ends the reading and is told as a problem; the posts before it stay.
    """
    page = read_posts(first.body, url=first.url, charset=first.charset)
    items, problems, number = list(page.items), list(page.problems), 1
    while page.truncated and oldest is not None and not _reaches(page.items, oldest):
        number += 1
        if number > MAX_PAGES:
            return Links(items=tuple(items), problems=tuple(problems), truncated=True)
        try:
            fetched = get(page_of(url, number))
            page = read_posts(fetched.body, url=fetched.url, charset=fetched.charset)
        except SourceError as error:
            if error.status != 400:  # there is no such page: the last one was full to the brim
                problems.append(error)
            break
        items += page.items
        problems += page.problems
    return Links(items=tuple(items), problems=tuple(problems))


def _reaches(items: Iterable[RawItem], oldest: datetime) -> bool:
    moments = [item.published for item in items if isinstance(item.published, datetime)]
    return not moments or min(moments) < oldest


# ---------------------------------------------------------------- reading


def read_posts(body: bytes, *, url: str, charset: str | None = None) -> Links:
    """The posts of one answer; `truncated`: there may be a page behind it. `problems`: posts behind a password.

    Raises Unreadable: HTML, broken JSON, an error of the API, or something else than posts.
    """
    text = to_text(body, charset).lstrip("\ufeff \t\r\n")
    value = _json(text, url)
    if isinstance(value, dict):
        said = one_line(first_text([value.get("message"), value.get("code")]), 200)
        raise Unreadable(f"the REST API refused: {said}" if said else _STRANGE, where=url)
    if not isinstance(value, list):
        raise Unreadable(_STRANGE, where=url)
    posts = [post for post in value if isinstance(post, dict) and ("title" in post or "content" in post)]
    if value and not posts:
        raise Unreadable(_STRANGE, where=url)
    shown = [post for post in posts if not _is_locked(post)]
    locked = [
        SourceError("a post behind a password is left out", where=str(p.get("link") or url))
        for p in posts
        if _is_locked(p)
    ]
    return Links(
        items=tuple(_item(post, url) for post in shown), problems=tuple(locked), truncated=len(value) >= PER_PAGE
    )


_STRANGE = "the answer is JSON, but no list of WordPress posts"


def _json(text: str, url: str) -> Any:
    begins = None if _HTML.match(text) else _BEGINS.search(text[:20_000])
    if not text:
        raise Unreadable("the answer is empty where WordPress posts were expected", where=url)
    if text.startswith("<") and not begins:
        raise Unreadable("the answer is an HTML page, not WordPress posts", where=url, hint="is the site's API closed?")
    try:
        value, _ = json.JSONDecoder().raw_decode(text[begins.start() :] if begins else text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the JSON cannot be read: {type(error).__name__}", where=url) from error
    return value


def _is_locked(post: Mapping[str, Any]) -> bool:
    content = post.get("content")
    return isinstance(content, dict) and content.get("protected") is True


def _item(post: Mapping[str, Any], base: str) -> RawItem:
    markup = _rendered(post.get("content"))
    text = _text(markup)
    excerpt = without_tail(html_to_text(_rendered(post.get("excerpt"))))
    own_words = excerpt and not title_key(text).startswith(title_key(excerpt))
    url = absolute(base, first_text([post.get("link")]))
    published, raw, rule = _published(post)
    image, image_rule = _image(post, markup, url or base)
    names = _authors(post)
    title = title_text(_rendered(post.get("title")))
    rules = {
        "title": title and "wordpress",
        "text": "wordpress:content" if text else "",
        "standfirst": "wordpress:excerpt" if own_words else "",
        "published": rule,
        "image": image_rule,
        "authors": "wordpress" if names else "",
    }
    return RawItem(
        title=title,
        url=url,
        guid=title_text(_rendered(post.get("guid"))) or None,
        text=text,
        standfirst=one_line(excerpt, 1000) if own_words else None,
        authors=names,
        image=image,
        language=first_text([post.get("lang")]),
        published=published,
        published_raw=raw,
        provenance={name: value for name, value in rules.items() if value},
    )


def _rendered(value: object) -> str:
    """A field as it is shown: `{"rendered": …}` in this API, a bare text in others."""
    inner = value.get("rendered") if isinstance(value, dict) else value
    return inner if isinstance(inner, str) else ""


def _text(markup: str) -> str:
    """The text without captions, buttons, embedded posts and lists of other articles."""
    markup = _SHORTCODE.sub(" ", markup[:_LONGEST]).replace("\0", "")
    if not markup.strip():
        return ""
    try:
        root = lxml.html.fragment_fromstring(markup, create_parent="div")
        for element in root.xpath("//*[@class or @id]"):
            if _APART.search(f"{element.get('class', '')} {element.get('id', '')}") and element is not root:
                element.drop_tree()
        drop_captions(root)
        cut_related(root)
        return paragraphs(element_text(root))
    except (etree.LxmlError, ValueError, AssertionError):
        return html_to_text(markup)


def _published(post: Mapping[str, Any]) -> tuple[datetime | date | None, str | None, str]:
    """The moment in the site's own zone, which is the difference between its two dates; else in UTC, else the day."""
    written, gmt = first_text([post.get("date")]), first_text([post.get("date_gmt")])
    local, sure = parse_date(written), parse_date(gmt)
    if isinstance(local, datetime) and isinstance(sure, datetime):
        shift = local.replace(tzinfo=UTC) - sure
        if timedelta(hours=-12) <= shift <= timedelta(hours=14) and shift % timedelta(minutes=15) == timedelta(0):
            return local.replace(tzinfo=timezone(shift)), written, "wordpress:date"
    if isinstance(sure, datetime):
        return sure, gmt, "wordpress:date_gmt"
    day = local.date() if isinstance(local, datetime) else local
    return day, written or gmt, "wordpress:date" if day else ""


def _embedded(post: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    holder = post.get("_embedded")
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _authors(post: Mapping[str, Any]) -> tuple[str, ...]:
    names = (one_line(first_text([author.get("name")]), 200) for author in _embedded(post, "author"))
    return tuple(dict.fromkeys(name for name in names if name and "@" not in name and name.casefold() not in _NOBODY))


def _image(post: Mapping[str, Any], markup: str, base: str) -> tuple[str | None, str]:
    for media in _embedded(post, "wp:featuredmedia"):
        if str(media.get("mime_type", "image/")).startswith("image/") and media.get("mime_type") != "image/svg+xml":
            found = absolute(base, first_text([*_sized(media), media.get("source_url")]))
            if found:
                return found, "wordpress:featured"
    found = absolute(base, first_text([post.get("jetpack_featured_media_url")])) or first_image(markup, base)
    return found, "wordpress:content" if found else ""


def _sized(media: Mapping[str, Any]) -> list[object]:
    details = media.get("media_details")
    sizes = details.get("sizes") if isinstance(details, dict) else None
    if not isinstance(sizes, dict):
        return []
    return [size.get("source_url") for size in map(sizes.get, _SIZES) if isinstance(size, dict)]
