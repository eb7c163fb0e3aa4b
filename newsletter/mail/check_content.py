"""Checks of what a reader gets: both parts' text, links, images, size (receivers' and mail programs' rules).

Every function looks at one thing, yields what is wrong with it and how to mend it. The numbers are our checklist's.
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

import lxml.html

from newsletter.mail.inspected import ERROR, NOTE, WARNING, Check, Fault, Seen

_WARN_HTML, _MAX_HTML = 90_000, 100_000  # octets; Gmail cuts a message off at 102 kB of HTML
_MAX_PREHEADER = 150
_LEAVE = re.compile(r"unsubscri|h(?:uỷ|ủy) (?:đăng ký|nhận)|(?:ngừng|thôi|dừng) nhận|không nhận", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|%recipient\.|\*\|[A-Z_:]+\|\*|%\([a-z_]+\)s|QqX[0-9a-z]+X[A-Z]+qQ")
_ACTIVE = ("script", "form", "object", "iframe", "embed", "base", "applet")
_SHORTENERS = ("bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd")
_HIDDEN = re.compile(r"display\s*:\s*none|max-height\s*:\s*0|mso-hide\s*:\s*all")


def text_part(seen: Seen) -> Iterator[Fault]:
    if len(seen.text.strip()) <= 20:
        yield Fault(ERROR, "text", "is (nearly) empty; render the text template")
    missing = [url for url in _links(seen) if url not in seen.text]
    if missing:
        yield Fault(WARNING, "text", f"lacks {len(missing)} of the links in the HTML, first {missing[0]}")


def language(seen: Seen) -> Iterator[Fault]:
    page = seen.page
    if page is None:
        return
    if not page.get("lang"):
        yield Fault(ERROR, "html", "has no lang; screen readers then speak it in the wrong language")
    if not "".join(page.xpath("//head/title/text()")).strip():
        yield Fault(ERROR, "html", "has no <title>; write the subject there")
    declared = page.xpath("//meta/@charset | //meta[@http-equiv]/@content")
    if not any("utf-8" in str(value).lower() for value in declared):
        yield Fault(WARNING, "html", "declares no charset; add <meta charset=utf-8>")


def composed_text(seen: Seen) -> Iterator[Fault]:
    for where, content in (("text", seen.text), ("html", seen.html)):
        if "\ufffd" in content:
            yield Fault(ERROR, where, "cannot be decoded, or holds U+FFFD; a character was lost on the way")
        if content != unicodedata.normalize("NFC", content):
            yield Fault(ERROR, where, "is not in Unicode's composed form (NFC)")


def html_size(seen: Seen) -> Iterator[Fault]:
    size = len(seen.html.encode("utf-8", "replace"))
    if size > _WARN_HTML:
        level = ERROR if size > _MAX_HTML else WARNING
        yield Fault(level, "html", f"has {size / 1000:.0f} kB; Gmail hides what is beyond 102 kB, take fewer items")


def visible_unsubscribe(seen: Seen) -> Iterator[Fault]:
    if not seen.bulk:
        return
    for where, content in (("html", seen.visible), ("text", unicodedata.normalize("NFC", seen.text))):
        if content and not _LEAVE.search(content):
            yield Fault(ERROR, where, "shows no way to unsubscribe in words a reader understands")


def secure_links(seen: Seen) -> Iterator[Fault]:
    """A picture over http is blocked or betrays the reader; a link to a site that has no https can only be warned of."""
    plain = [value for value in _references(seen) if value.lower().startswith("http://")]
    links = {link for link in _links(seen) if link.lower().startswith("http://")}
    pictures = [value for value in plain if value not in links]
    if pictures:
        yield Fault(ERROR, "html", f"{len(pictures)} http: pictures, first {pictures[0]}; use https")
    if links:
        yield Fault(WARNING, "html", f"{len(links)} http: links, first {min(links)}; use https where the site has it")


def images(seen: Seen) -> Iterator[Fault]:
    for image in _elements(seen, "//img"):
        where = f"img {image.get('src', '')[:60]}"
        if image.get("alt") is None:
            yield Fault(ERROR, where, 'has no alt; describe it, or write alt="" for decoration')
        if not image.get("width"):
            yield Fault(ERROR, where, "has no width attribute; Outlook shows it at full size")
        if image.get("src", "").startswith("data:"):
            yield Fault(ERROR, where, "is a data: image, which Gmail drops; host it")


def active_content(seen: Seen) -> Iterator[Fault]:
    found = {str(node.tag) for node in _elements(seen, "//*") if node.tag in _ACTIVE}
    found |= {f"{name}=" for node in _elements(seen, "//*") for name in node.attrib if re.match(r"on\w+$", str(name))}
    if any(value.lower().startswith("javascript:") for value in _references(seen)):
        found.add("javascript:")
    if _elements(seen, "//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']"):
        found.add("meta refresh")
    if any("@import" in (node.text or "") for node in _elements(seen, "//style")):
        found.add("@import")
    if found:
        yield Fault(ERROR, "html", f"holds {', '.join(sorted(found))}, which mail programs remove or punish")


def honest_links(seen: Seen) -> Iterator[Fault]:
    for link in _elements(seen, "//a[@href]"):
        host = _host(link.get("href", ""))
        if re.fullmatch(r"[0-9.]+|.*:.*", host):
            yield Fault(ERROR, "html", f"a link leads to the bare address {host}; use a name")
        elif host in _SHORTENERS:
            yield Fault(ERROR, "html", f"a link hides behind {host}; link the real page")
        shown = re.fullmatch(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:/\S*)?", link.text_content().strip().lower())
        if shown and host and not _same_site(shown[1], host):
            yield Fault(WARNING, "html", f"a link shows {shown[1]} but leads to {host}")


def preheader(seen: Seen) -> Iterator[Fault]:
    if not seen.bulk or seen.page is None:
        return
    hidden = next(
        (node for node in _elements(seen, "//body//*[@style]") if _HIDDEN.search(node.get("style", ""))), None
    )
    words = "" if hidden is None else re.sub(r"[\s\u034f\u200b-\u200f\u00ad\ufeff\u2007]+", " ", hidden.text_content())
    if not words.strip():
        yield Fault(NOTE, "html", "has no preheader; mail programs then show the first words of the page")
    elif len(words.strip()) > _MAX_PREHEADER:
        yield Fault(WARNING, "html", f"hides {len(words.strip())} characters of text; spam filters count that")


def enough_text(seen: Seen) -> Iterator[Fault]:
    count = len(_elements(seen, "//img"))
    if count and len(seen.visible) < 200:
        yield Fault(WARNING, "html", f"has {count} images and hardly any text; spam filters count that")


def template_left_over(seen: Seen) -> Iterator[Fault]:
    for where, content in (("subject", seen.get("subject")), ("text", seen.text), ("html", seen.html)):
        found = _TEMPLATE.search(content)
        if found:
            yield Fault(ERROR, where, f"unrendered template syntax: {found[0]}")


def _elements(seen: Seen, path: str) -> list[lxml.html.HtmlElement]:
    if seen.page is None:
        return []
    return [node for node in seen.page.xpath(path) if isinstance(node, lxml.html.HtmlElement)]


def _references(seen: Seen) -> list[str]:
    return (
        []
        if seen.page is None
        else [str(value).strip() for value in seen.page.xpath("//@href | //@src | //@background")]
    )


def _links(seen: Seen) -> list[str]:
    return [link.get("href", "") for link in _elements(seen, "//a[starts-with(@href, 'http')]")]


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _same_site(shown: str, host: str) -> bool:
    return host == shown or host.endswith(f".{shown.removeprefix('www.')}") or host == shown.removeprefix("www.")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("A12 text part", text_part),
    ("A14 language and title", language),
    ("A16 composed text", composed_text),
    ("A17 html size", html_size),
    ("A46 visible unsubscribe", visible_unsubscribe),
    ("A47 secure links", secure_links),
    ("A48 images", images),
    ("A49 active content", active_content),
    ("A51 honest links", honest_links),
    ("A52 preheader", preheader),
    ("A53 enough text", enough_text),
    ("X01 template left over", template_left_over),
)
