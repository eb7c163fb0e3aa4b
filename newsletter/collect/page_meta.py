"""Authors and standfirst of an article page. Pure."""

import html
import re
from typing import Any

import lxml.html

from newsletter.collect.clean import html_to_text, one_line
from newsletter.collect.identity import title_key
from newsletter.collect.page_facts import Facts

_BY = re.compile(r"(?:by|von|par|di|por|bởi|tác giả|theo)\s*:?\s+", re.I)
_LEAD_CLASS = re.compile(
    r"(?:^|[\s_-])(?:sapo|standfirst|chapo|dek|lead|lede|intro|tom-?tat|mo-?ta|article-?summary|entry-?summary|detail-?sapo"
    r"|news-?lead|short-?intro|article-?lead|article-?description)(?:$|[\s_-])",
    re.I,
)


def _names(value: Any, depth: int = 0) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and depth < 5:
        return _names(value.get("name"), depth + 1)
    if isinstance(value, list) and depth < 5:
        return [name for one in value[:20] for name in _names(one, depth + 1)]
    return []


# ---------------------------------------------------------------- authors, image, standfirst


def authors(tree: lxml.html.HtmlElement, facts: Facts) -> tuple[tuple[str, ...], str]:
    names = _people(_names(facts.article.get("author")))
    if names:
        return names, "JSON-LD"
    from trafilatura.metadata import extract_metadata  # loaded only where a page is read

    try:
        found = extract_metadata(tree, default_url=facts.url, extensive=False).author
    except Exception:  # its rules meet odd HTML; a page without a name is no failure
        found = None
    names = _people((found or "").split(";"))
    if names:
        return names, "trafilatura"
    said = facts.said("author", "article:author", "dc.creator", "citation_author")
    names = _people([said] if said else [])
    return names, "meta" if names else ""


def _people(names: list[str]) -> tuple[str, ...]:
    cleaned = (_BY.sub("", one_line(html.unescape(name), 100), count=1).strip(" ,;") for name in names)
    return tuple(dict.fromkeys(name for name in cleaned if name and "@" not in name and not name.startswith("http")))


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
