"""Checks of how a message reads: subject, order of headings, language, names of links, left-overs, both parts alike.

Where the caller says which items the message was to tell, both parts are compared with them; without, with one another.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import lxml.html

from newsletter.mail.cascade import style_of
from newsletter.mail.inspected import ERROR, NOTE, WARNING, Check, Fault, Said, Seen, Value, cut, fault

_SUBJECT, _PHONE = 48, 33  # characters iPhone Mail shows; the least a Gmail app shows
_ANSWER = re.compile(r"\s*((?:re|fwd?|aw|tr|trả lời|chuyển tiếp)\s*:)", re.IGNORECASE)
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur", "yi", "ps", "dv", "ckb")
_EMPTY_NAMES = re.compile(
    r"(?:xem|đọc) (?:thêm|tiếp|chi tiết)|chi tiết|tại đây|ở đây|bấm vào đây|nhấn vào đây|(?:click|tap) here|here|"
    r"(?:read|learn|see) more|more|continue(?: reading)?|link|this link|liên kết",
    re.IGNORECASE,
)
_SYNTAX = re.compile(
    r"\{\{|\}\}|\{%|%\}|\{#|%recipient(?:\.\w+)?%?|\*\||\|\*|%\([a-z_]+\)s|%%\w+%%|"
    r"\[(?:EMAIL|FIRST_?NAME|FNAME|LAST_?NAME|LINK_UNSUBSCRIBE|UNSUBSCRIBEURL)\]|\{contactfield=|"
    r"QqX[0-9a-z]+X[A-Z]+qQ|\[object Object\]|lorem ipsum",
    re.IGNORECASE,
)
_MARKER = re.compile(r"QqX[0-9a-z]+X[A-Z]+qQ")  # ours, and they are case-sensitive
_NOTES = re.compile(r"\b(?:TODO|FIXME|TBD|TK TK|XXX)\b")
_HEADINGS = 300  # looked at; the order of more interests nobody
_MOST = 3  # findings of one kind that are told one by one


def subject(seen: Seen) -> Iterator[Fault]:
    words = seen.subject_read
    if not words.strip():
        yield fault(ERROR, "subject", "is empty; write what is in the message")
        return
    if len(words) > _SUBJECT:
        told: dict[str, Value] = {"n": len(words), "iphone": cut(words, _SUBJECT), "gmail": cut(words, _PHONE)}
        yield fault(
            NOTE,
            "subject",
            "has {n} characters; an iPhone shows “{iphone}”, Gmail on a phone “{gmail}”: put the news first",
            **told,
        )
    if found := _ANSWER.match(words):
        yield fault(
            WARNING, "subject", "begins with “{what}” as if it answered somebody; leave that out", what=found[1]
        )
    cased = [sign for sign in words if sign.lower() != sign.upper()]
    if len(cased) >= 10 and all(map(str.isupper, cased)):
        yield fault(WARNING, "subject", "is written in capitals; spam filters count that, write it as a sentence")
    if re.search(r"[!?]{2,}|!.*!|\${2,}", words):
        yield fault(WARNING, "subject", "shouts with signs such as !!; spam filters count that, leave them out")


def headings(seen: Seen) -> Iterator[Fault]:
    """Screen readers offer the headings as a table of contents (WCAG 2.2, 1.3.1 and 2.4.6)."""
    found = [(int(str(node.tag)[1]), node) for node in seen.elements("//h1 | //h2 | //h3 | //h4 | //h5 | //h6")]
    levels = [level for level, node in found[:_HEADINGS] if not _hidden(node)]
    if not levels:
        if len(seen.links) > 4:
            yield fault(WARNING, "html", "has no headings; screen readers find their way by them, use h1 to h3")
        return
    if levels[0] != 1:
        yield fault(WARNING, "html", "begins with a heading of level {n}; the first one is h1", n=levels[0])
    if levels.count(1) > 1:
        yield fault(
            WARNING, "html", "has {n} headings of level 1; only the title of the issue is one", n=levels.count(1)
        )
    skipped = next(((one, other) for one, other in pairwise(levels) if other > one + 1), None)
    if skipped:
        yield fault(
            WARNING, "html", "goes from heading h{n} to h{m}; take the levels one by one", n=skipped[0], m=skipped[1]
        )
    if any(not "".join(node.itertext()).strip() and not node.xpath(".//img[@alt!='']") for _, node in found):
        yield fault(WARNING, "html", "has an empty heading; take it out of the design")


def _hidden(node: lxml.html.HtmlElement) -> bool:
    chain = (one for one in (node, *node.iterancestors()) if isinstance(one, lxml.html.HtmlElement))
    return any(style_of(one).get("display") == "none" for one in chain)


def language(seen: Seen) -> Iterator[Fault]:
    page = seen.page
    if page is None or not page.get("lang"):
        return  # its absence is A14
    found = page.get("lang", "")
    if seen.language and _base(found) != _base(seen.language):
        told: dict[str, Value] = {"found": found, "wanted": seen.language}
        yield fault(ERROR, "html", "says it is in “{found}” but is in “{wanted}”; set lang in the design", **told)
    body = next(iter(seen.elements("//body")), page)
    turned = any(node.get("dir", "").lower() == "rtl" for node in (page, body, *body.iterchildren("div")))
    if _base(seen.language or found) in _RIGHT_TO_LEFT and not turned:
        yield fault(ERROR, "html", "is in a language written from the right but has no dir=rtl; set it in the design")
    for said in seen.items:
        if said.language and _base(said.language) != _base(_spoken_around(seen, said) or said.language):
            spoken: dict[str, Value] = {"title": cut(said.title, 60), "language": said.language}
            yield fault(
                NOTE, "html", "“{title}” is in “{language}” but not marked so; set lang on it in the design", **spoken
            )


def _spoken_around(seen: Seen, said: Said) -> str | None:
    """The language in which a screen reader would speak an item's title; None where the title does not stand."""
    for link in seen.elements("//a[@href]"):
        if link.get("href") == said.url and _plain(said.title)[:30] in _plain(link.text_content()):
            chain = (one for one in (link, *link.iterancestors()) if isinstance(one, lxml.html.HtmlElement))
            return next((spoken for one in chain if (spoken := one.get("lang"))), None)
    return None


def _base(tag: str) -> str:
    return re.split(r"[-_]", tag.strip())[0].lower()


def link_names(seen: Seen) -> Iterator[Fault]:
    unnamed, vague = [], []
    for link in seen.elements("//a[@href]"):
        pictures = " ".join(image.get("alt", "") for image in link.iter("img"))
        name = " ".join(f"{link.text_content()} {pictures} {link.get('aria-label', '')}".split())
        if not name and link.get("aria-hidden") != "true":
            unnamed.append(link.get("href", ""))
        elif _EMPTY_NAMES.fullmatch(name.strip(" .…»›→>")):
            vague.append(name)
    if unnamed:
        told: dict[str, Value] = {"n": len(unnamed), "url": cut(unnamed[0], 80)}
        yield fault(WARNING, "html", "{n} links without words, first {url}; give the picture in it an alt text", **told)
    if vague:
        text = vague[0]
        yield fault(WARNING, "html", "{n} links say only “{text}”; name what they lead to", n=len(vague), text=text)


def placeholders(seen: Seen) -> Iterator[Fault]:
    """Left-overs of a template or of writing. What an article itself says is shown as it is, and only told."""
    own = _plain(" ".join(f"{said.title} {said.words}" for said in seen.items))
    for where, content in (("subject", seen.subject_read), ("text", seen.text), ("html", seen.visible)):
        for pattern in (_SYNTAX, _NOTES):
            found = pattern.search(content)
            if found is None or (found[0].startswith("Qq") and not _MARKER.search(content)):
                continue
            if found[0].lower() in own.lower():
                yield fault(NOTE, where, "an article itself says “{what}”; look whether it means to", what=found[0])
            elif pattern is _SYNTAX:
                yield fault(ERROR, where, "template syntax is left in the text: {what}", what=found[0])
            else:
                yield fault(WARNING, where, "“{what}” is left in the text; finish it or take it out", what=found[0])
    if hidden := _in_attributes(seen):
        yield fault(ERROR, "html", "template syntax is left in an address: {what}", what=hidden)


def _in_attributes(seen: Seen) -> str:
    if seen.page is None:
        return ""
    values = (str(value) for value in seen.page.xpath("//@href | //@src | //@alt"))
    found = next((match for value in values if (match := _SYNTAX.search(value))), None)
    return found[0] if found and not found[0].lower().startswith("lorem") else ""


def postal_address(seen: Seen) -> Iterator[Fault]:
    """Who writes must be told (CAN-SPAM, Decree 91/2020 of Vietnam, article 16)."""
    if seen.postal is None or not seen.bulk:
        return
    if not seen.postal.strip():
        yield fault(WARNING, "message", "no postal address is set; set [sender] postal_address, the law asks for it")
        return
    wanted = _plain(seen.postal)
    for where, content in (("html", seen.visible), ("text", seen.text)):
        if content and wanted not in _plain(content):
            yield fault(WARNING, where, "does not show the postal address; add it to the footer of the design")


def same_items(seen: Seen) -> Iterator[Fault]:
    """Both parts tell the same items in the same order: who reads the text gets the same newsletter."""
    pages, texts = _standing(seen.visible, seen.links, seen.items), _standing(seen.text, None, seen.items)
    for where, here, there in (("text", texts, pages), ("html", pages, texts)):
        lost = [said for said in seen.items if said in there and said not in here]
        for said in lost[:_MOST]:
            yield fault(
                ERROR, where, "leaves out “{title}”, which the other part tells; mend the design", title=said.title
            )
    shared = [said for said in pages if said in texts]
    if shared != [said for said in texts if said in pages]:
        yield fault(WARNING, "text", "tells the articles in another order than the HTML; mend the design")
    for said in [said for said in seen.items if said not in pages and said not in texts][:_MOST]:
        yield fault(
            NOTE, "message", "“{title}” stands only on the web; take fewer articles to have it in", title=said.title
        )


def _standing(content: str, links: list[str] | None, items: tuple[Said, ...]) -> list[Said]:
    """The items a part tells, in the order in which they stand. Their address says where: an intro may name titles too.
    `links`: of the HTML part, in order."""
    plain = _plain(content)
    places: dict[Said, tuple[bool, int]] = {}
    for said in items:
        address = content.find(said.url) if links is None else (links.index(said.url) if said.url in links else -1)
        title = plain.find(_plain(said.title))
        if address >= 0 or title >= 0:
            places[said] = (address < 0, address if address >= 0 else title)
    return sorted(places, key=lambda said: places[said])


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


CHECKS: tuple[tuple[str, Check], ...] = (
    ("A46 postal address", postal_address),
    ("X01 template left over", placeholders),
    ("X02 headings", headings),
    ("X03 language", language),
    ("X04 link names", link_names),
    ("X05 subject", subject),
    ("X07 both parts alike", same_items),
)
