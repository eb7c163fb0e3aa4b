"""One article page's bytes to a RawItem, every field with the rule that gave it. Pure: fetches nothing.

Related lists are cut before anything is dated or extracted: on Vietnamese institute sites the dated older items under
"Các mục khác" otherwise become the date (3 of 7 layouts right without the cut, 7 of 7 with it). Must never raise for
odd HTML, only for bytes that are no page at all.
"""

import copy
import re
from datetime import datetime

import lxml.html
from lxml import etree

from newsletter.collect.identity.keys import title_key
from newsletter.collect.pages.author import authors
from newsletter.collect.pages.body import article_text, without_first
from newsletter.collect.pages.caption import drop_captions
from newsletter.collect.pages.cut import cut_related
from newsletter.collect.pages.date import page_date
from newsletter.collect.pages.facts import facts_of
from newsletter.collect.pages.furniture import cut_furniture
from newsletter.collect.pages.image import image
from newsletter.collect.pages.lead import with_lead
from newsletter.collect.pages.standfirst import standfirst
from newsletter.collect.pages.title import title
from newsletter.collect.text.byline import byline
from newsletter.collect.text.decode import to_text
from newsletter.collect.text.language import language_of
from newsletter.collect.text.links import absolute
from newsletter.collect.text.markup import parse
from newsletter.errors import Unreadable
from newsletter.model import RawItem

MAX_BYTES = 10 << 20
_BINARY = (
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\xd0\xcf\x11\xe0",
    b"RIFF",
    b"\x7fELF",
)
_NO_PAGE = re.compile("[\x00-\x08\x0e-\x1f]")


def read_page(
    body: bytes,
    *,
    url: str | None = None,
    content_type: str | None = None,
    charset: str | None = None,
    now: datetime | None = None,
) -> RawItem:
    """Title, text (paragraphs joined by a blank line, maybe ""), date, authors, standfirst, image, language.

    `now`, when the page was fetched, is what "3 giờ trước" counts from. Raises Unreadable: empty, larger than 10 MB, or not HTML.
    """
    where = url or ""
    if len(body) > MAX_BYTES:
        raise Unreadable(f"the page is larger than {MAX_BYTES >> 20} MB", where=where)
    if not body.strip(b" \t\r\n\0"):
        raise Unreadable("the page is empty", where=where)
    kind = content_type or "text/html"
    if body.startswith(_BINARY) or kind.startswith(
        ("image/", "video/", "audio/", "application/pdf", "application/zip")
    ):
        raise Unreadable("this is a binary file, not a page", where=where, hint=f"content type {kind}")
    text = to_text(body, charset)
    if len(_NO_PAGE.findall(text[:4096])) > 20:
        raise Unreadable("this is a binary file, not a page", where=where)
    tree = parse(text, comments=True)
    if tree is None:
        raise Unreadable("the page holds no element", where=where)
    return _item(tree, url, now)


def _item(tree: lxml.html.HtmlElement, url: str | None, now: datetime | None) -> RawItem:
    facts = facts_of(tree, url)
    heading, title_rule = title(tree, facts)
    cut_related(tree)
    picture, image_rule = image(tree, facts)
    lead, lead_rule = standfirst(tree, facts, heading)
    stripped = copy.deepcopy(tree)
    drop_captions(stripped)
    cut_furniture(stripped)
    # trafilatura's last resort reads JSON-LD by stripping tags, which leaves the scripts of a text in it
    etree.strip_elements(stripped, "script", "style", with_tail=False)
    text, text_rule = article_text(stripped, url, declared=facts.told("articleBody"), heading=heading)
    if lead_rule == "og:description" and _is_excerpt(lead, text):
        lead, lead_rule = None, ""
    writers, writers_rule = authors(tree, facts, signed=byline(text))
    writers = tuple(writer for writer in writers if not re.search("[<>]", writer))  # markup is nobody's name
    language, language_rule = language_of(f"{heading}\n{text}", facts.declared_language)
    published, raw, date_rule = page_date(tree, facts, text=text, language=language, heading=heading, now=now)
    named = lead if lead_rule == "lead paragraph" else ""  # kept apart as the standfirst already
    text = with_lead(without_first(text, raw or ""), stripped, heading, known=named or "")
    rules = {
        "title": title_rule,
        "text": text_rule if text else "",
        "standfirst": lead_rule,
        "published": date_rule,
        "image": image_rule,
        "authors": writers_rule,
        "language": language_rule,
    }
    return RawItem(
        title=heading,
        url=url,
        canonical=_canonical(tree, facts.base),
        text=text,
        standfirst=lead,
        authors=writers,
        image=picture,
        language=language,
        published=published,
        published_raw=raw,
        provenance={name: rule for name, rule in rules.items() if rule},
    )


def _canonical(tree: lxml.html.HtmlElement, base: str) -> str | None:
    """rel=canonical (RFC 6596), absolute; None when it is missing or no web address."""
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            return absolute(base, link.get("href"))
    return None


def _is_excerpt(lead: str | None, text: str) -> bool:
    """Whether a description is only the beginning of the text cut off by a machine, not the publisher's own words."""
    if not lead:
        return False
    key = title_key(lead.rstrip(". …"))
    return not re.search(r"[.!?”\"»)]$", lead.removesuffix("...").removesuffix("…").strip()) and (
        title_key(text[: len(lead) + 200]).startswith(key) or lead.endswith(("...", "…"))
    )
