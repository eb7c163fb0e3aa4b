"""Checks of what a reader gets: both parts' text, links, images, size (receivers' and mail programs' rules).

Every function looks at one thing, yields what is wrong with it and how to mend it. The numbers are our checklist's.
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.mail.inspected import ERROR, NOTE, WARNING, Check, Fault, Seen, Value, cut, fault

_WARN_HTML, _MAX_HTML = 90_000, 100_000  # octets; Gmail cuts a message off at 102 kB of HTML
_MAX_PREHEADER = 150
_SHOWN_PREHEADER, _SHOWN_OUTLOOK, _FULL_PREHEADER = 90, 35, 40  # characters; Gmail and iPhone, Outlook on Windows
_LEAVE = re.compile(r"unsubscri|h(?:uỷ|ủy) (?:đăng ký|nhận)|(?:ngừng|thôi|dừng) nhận|không nhận", re.IGNORECASE)
_ACTIVE = ("script", "form", "object", "iframe", "embed", "base", "applet")
_SHORTENERS = ("bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd")


def text_part(seen: Seen) -> Iterator[Fault]:
    if len(seen.text.strip()) <= 20:
        yield fault(ERROR, "text", "is (nearly) empty; render the text template")
    missing = [url for url in seen.links if url not in seen.text]
    if missing:
        yield fault(WARNING, "text", "the plain text lacks {n} links, first {url}", n=len(missing), url=missing[0])


def language(seen: Seen) -> Iterator[Fault]:
    page = seen.page
    if page is None:
        return
    if not page.get("lang"):
        yield fault(ERROR, "html", "has no lang; screen readers then speak it in the wrong language")
    if not "".join(page.xpath("//head/title/text()")).strip():
        yield fault(ERROR, "html", "has no <title>; write the subject there")
    declared = page.xpath("//meta/@charset | //meta[@http-equiv]/@content")
    if not any("utf-8" in str(value).lower() for value in declared):
        yield fault(WARNING, "html", "declares no charset; add <meta charset=utf-8>")


def composed_text(seen: Seen) -> Iterator[Fault]:
    for where, content in (("text", seen.text), ("html", seen.html)):
        if "\ufffd" in content:
            yield fault(
                ERROR,
                where,
                "holds U+FFFD or cannot be decoded: a character was lost on the way; look at the article’s source",
            )
        if content != unicodedata.normalize("NFC", content):
            yield fault(ERROR, where, "is not in Unicode’s composed form (NFC); compose the issue again")


def html_size(seen: Seen) -> Iterator[Fault]:
    size = len(seen.html.encode("utf-8", "replace"))
    if size > _WARN_HTML:
        level = ERROR if size > _MAX_HTML else WARNING
        yield fault(
            level, "html", "has {n} kB; Gmail hides what is beyond 102 kB, take fewer items", n=round(size / 1000)
        )


def visible_unsubscribe(seen: Seen) -> Iterator[Fault]:
    if not seen.bulk:
        return
    for where, content in (("html", seen.visible), ("text", unicodedata.normalize("NFC", seen.text))):
        if content and not _LEAVE.search(content):
            yield fault(
                ERROR, where, "shows no way to unsubscribe in words a reader understands; add the link to the design"
            )


def secure_links(seen: Seen) -> Iterator[Fault]:
    """A picture over http is blocked or betrays the reader; a link to a site that has no https can only be warned of."""
    plain = [value for value in _references(seen) if value.lower().startswith("http://")]
    links = {link for link in seen.links if link.lower().startswith("http://")}
    pictures = [value for value in plain if value not in links]
    if pictures:
        yield fault(
            ERROR, "html", "{n} pictures without https, first {url}; use https", n=len(pictures), url=pictures[0]
        )
    if links:
        yield fault(
            WARNING,
            "html",
            "{n} links without https, first {url}; use https where the site has it",
            n=len(links),
            url=min(links),
        )


def images(seen: Seen) -> Iterator[Fault]:
    for image in seen.elements("//img"):
        where = f"img {image.get('src', '')[:60]}"
        if image.get("alt") is None:
            yield fault(ERROR, where, 'has no alt; describe it, or write alt="" for decoration')
        if not image.get("width"):
            yield fault(ERROR, where, "has no width attribute; Outlook shows it at full size")
        if image.get("src", "").startswith("data:"):
            yield fault(ERROR, where, "is a data: image, which Gmail drops; host it")


def active_content(seen: Seen) -> Iterator[Fault]:
    found = {str(node.tag) for node in seen.elements("//*") if node.tag in _ACTIVE}
    found |= {f"{name}=" for node in seen.elements("//*") for name in node.attrib if re.match(r"on\w+$", str(name))}
    if any(value.lower().startswith("javascript:") for value in _references(seen)):
        found.add("javascript:")
    if seen.elements("//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']"):
        found.add("meta refresh")
    if any("@import" in (node.text or "") for node in seen.elements("//style")):
        found.add("@import")
    if found:
        yield fault(
            ERROR,
            "html",
            "holds {what}, which mail programs remove or punish; take it out of the design",
            what=", ".join(sorted(found)),
        )


def honest_links(seen: Seen) -> Iterator[Fault]:
    for link in seen.elements("//a[@href]"):
        host = _host(link.get("href", ""))
        if re.fullmatch(r"[0-9.]+|.*:.*", host):
            yield fault(ERROR, "html", "a link leads to the bare address {host}; use a name", host=host)
        elif host in _SHORTENERS:
            yield fault(ERROR, "html", "a link hides behind {host}; link the real page", host=host)
        shown = re.fullmatch(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:/\S*)?", link.text_content().strip().lower())
        if shown and host and not _same_site(shown[1], host):
            yield fault(
                WARNING,
                "html",
                "a link shows {shown} but leads to {host}; show where it leads",
                shown=shown[1],
                host=host,
            )


def preheader(seen: Seen) -> Iterator[Fault]:
    """Phones show 81 to 99 characters beside the subject, Outlook 35; what is hidden beyond 150 spam filters count."""
    if not seen.bulk or seen.page is None:
        return
    words = seen.preheader
    if words is None:
        yield fault(NOTE, "html", "has no preheader; write one, else mail programs show the first words of the page")
    elif len(words) > _MAX_PREHEADER:
        yield fault(
            WARNING, "html", "hides {n} characters of text; spam filters count that, keep it shorter", n=len(words)
        )
    elif words == seen.subject_read:
        yield fault(WARNING, "preheader", "says the subject again; say what else is in the issue")
    elif len(words) > _SHOWN_PREHEADER:
        told: dict[str, Value] = {
            "n": len(words),
            "shown": cut(words, _SHOWN_PREHEADER),
            "outlook": cut(words, _SHOWN_OUTLOOK),
        }
        yield fault(
            NOTE,
            "preheader",
            "has {n} characters; phones show “{shown}”, Outlook “{outlook}”: keep it under 90",
            **told,
        )
    elif len(words) < _FULL_PREHEADER:
        yield fault(NOTE, "preheader", "has only {n} characters; there is room for 40 to 90", n=len(words))


def enough_text(seen: Seen) -> Iterator[Fault]:
    count = len(seen.elements("//img"))
    if count and len(seen.visible) < 200:
        yield fault(WARNING, "html", "has {n} images and hardly any text; spam filters count that, write more", n=count)


def _references(seen: Seen) -> list[str]:
    return (
        []
        if seen.page is None
        else [str(value).strip() for value in seen.page.xpath("//@href | //@src | //@background")]
    )


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
)
