"""The standfirst of an article page: the publisher's own summary. Pure."""

import re

import lxml.html

from newsletter.collect.identity.keys import title_key
from newsletter.collect.pages.facts import Facts
from newsletter.collect.text.clean import html_to_text, one_line

_LEAD_CLASS = re.compile(
    r"(?:^|[\s_-])(?:sapo|standfirst|chapo|dek|lead|lede|intro|tom-?tat|mo-?ta|article-?summary|entry-?summary|detail-?sapo"
    r"|news-?lead|short-?intro|article-?lead|article-?description)(?:$|[\s_-])",
    re.I,
)


def standfirst(tree: lxml.html.HtmlElement, facts: Facts, heading: str) -> tuple[str | None, str]:
    """The publisher's own summary: a lead set apart on the page, else a description that is not the title again."""
    for element in tree.xpath("//*[@class]"):
        if element.tag in ("p", "div", "h2", "h3", "strong") and _LEAD_CLASS.search(element.get("class", "")):
            text = one_line(element.text_content(), 1000)
            if _usable(text, heading) and not element.xpath(".//h1|.//img|.//li"):
                return text, "lead paragraph"
    said = facts.said("og:description", "description", "twitter:description")
    text = one_line(html_to_text(said), 1000) if said else ""
    site = title_key(facts.said("og:site_name") or "")
    usable = _usable(text, heading) and title_key(text) != site
    return (text, "og:description") if usable else (None, "")


def _usable(text: str, heading: str) -> bool:
    return 40 <= len(text) <= 1000 and title_key(text) != title_key(heading)
