"""Who wrote an article page: JSON-LD, meta elements, the line near the headline, in this order. Pure.

Persons before houses: a house's name ("Viện Hải văn", "PV") is given only where no place names a person.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import lxml.html

from newsletter.collect.pages.facts import Facts
from newsletter.collect.pages.title import is_site, site_names
from newsletter.collect.text.clean import short_text
from newsletter.collect.text.names import credited, is_organisation, people

_META = (
    "author", "parsely-author", "sailthru.author", "article:author", "og:article:author", "og:author", "dc.creator",
    "dcterms.creator", "dc.contributor", "citation_author", "byl", "articleauthor", "cxenseparse:author", "author_name",
    "article.author", "authors",
)  # fmt: skip
_LABELLED = re.compile(
    r"written by|author|tác giả|par|von|verfasst|escrito", re.I
)  # twitter:label1 of WordPress and Ghost
_CLASS = re.compile(
    r"(?:^|[\s_-])(?:author|authors|byline|by-line|writer|tac-?gia|nguoi-?viet|journalist)(?:[_-]{0,2}(?:name|names|link|info|meta|byline))?"
    r"(?:$|[\s_-])",
    re.I,
)
_APART = re.compile(
    r"(?:^|[\s_-])(?:comment|related|sidebar|widget|footer|recommend|more|card|teaser|bio|avatar|image)", re.I
)
_LINE = re.compile(
    r"(?:(?:written|posted|words|text|story)\s+)?(?:by|von|par|por|tác giả|bởi|người viết)\s*:?\s+(\S.{2,80})", re.I
)
_NAME = re.compile(
    r"(?:[^\W\d_a-z][\w.'’-]*|de|van|von|der|da|di|la|el|bin|al)(?:\s+(?:[^\W\d_a-z][\w.'’-]*|de|van|von|der|da|di|la|el|bin|al)){1,5}"
)
_GUESSED = ("near the headline", "trafilatura")
_BELOW, _ABOVE = 60, 15  # elements from the headline
_LONGEST = 120  # characters of a line of authors


def authors(tree: lxml.html.HtmlElement, facts: Facts, *, signed: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str]:
    """Names in the page's order and the place that gave them.

    `JSON-LD`, `meta`, `near the headline`, `byline` (`signed`: the signature at the end of the text) or `trafilatura`.

    ((), "") if no place names anybody.
    """
    names = site_names(facts)
    houses: tuple[tuple[str, ...], str] = ((), "")
    for found, rule in _places(tree, facts, signed):
        persons = tuple(name for name in found if not is_organisation(name) and not is_site(name, names))
        if houses[0] and rule in _GUESSED:  # a word near the headline does not outweigh the house the page names
            persons = tuple(name for name in persons if _NAME.fullmatch(name))
        if persons:
            return persons, rule
        if found and not houses[0]:
            houses = (found, rule)
    return houses


def _places(
    tree: lxml.html.HtmlElement, facts: Facts, signed: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    yield people(_names(facts.article.get("author") or facts.article.get("creator"))), "JSON-LD"
    for name in _META:
        if value := facts.meta.get(name):
            yield people([value]), "meta"
    if _LABELLED.search(facts.meta.get("twitter:label1", "")):
        yield people([facts.meta.get("twitter:data1", "")]), "meta"
    yield people(_near_headline(tree)), "near the headline"
    yield signed, "byline"
    yield people(_by_trafilatura(tree)), "trafilatura"


def _names(value: Any, depth: int = 0) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and depth < 5:
        return _names(value.get("name"), depth + 1)
    if isinstance(value, list) and depth < 5:
        return [name for one in value[:20] for name in _names(one, depth + 1)]
    return []


def _near_headline(tree: lxml.html.HtmlElement) -> list[str]:
    """Elements called author, and lines that begin with "by", from a little above the headline to some way below it."""
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    at = next((at for at, element in enumerate(elements) if element.tag == "h1"), None)
    if at is None:
        at = next((at for at, element in enumerate(elements) if element.tag == "h2"), 0)
    window = elements[max(0, at - _ABOVE) : at + _BELOW]
    return _marked(window) or _said(window) or _marked(_outside(elements, at))


def _outside(elements: list[lxml.html.HtmlElement], at: int) -> Iterable[lxml.html.HtmlElement]:
    """The rest below the headline, but only what the page itself marks as the author's name."""
    return (
        e for e in elements[at + _BELOW :] if e.get("itemprop") == "author" or "author" in (e.get("rel") or "").split()
    )


def _marked(elements: Iterable[lxml.html.HtmlElement]) -> list[str]:
    best: list[str] = []
    for element in elements:
        named = f"{element.get('class') or ''} {element.get('id') or ''}"
        marked = element.get("itemprop") == "author" or "author" in (element.get("rel") or "").split()
        if element.tag in ("meta", "link", "script", "img", "svg", "body", "html") or not (
            marked or _CLASS.search(named)
        ):
            continue
        if _APART.search(named) or _is_apart(element):
            continue
        inner = element.xpath("(.//*[@itemprop='name'])[1]")
        text = short_text(inner[0] if inner else element, _LONGEST)
        if not text or len(text) > _LONGEST or (credited(text) is not None) or not people([text]):
            continue
        if best and (text in best[-1] or best[-1] in text):
            best[-1] = min(best[-1], text, key=len)  # the name inside the line
        elif len(best) < 4:
            best.append(text)
    return best


def _is_apart(element: lxml.html.HtmlElement) -> bool:
    parents = [parent for parent, _ in zip(element.iterancestors(), range(5), strict=False)]
    return any(
        p.tag in ("nav", "aside", "footer") or re.search(r"comment|related|sidebar|footer", p.get("class") or "", re.I)
        for p in parents
    )


def _said(elements: Iterable[lxml.html.HtmlElement]) -> list[str]:
    for element in elements:
        if element.tag in ("p", "div", "span", "small", "em", "strong", "address", "li", "h4", "h5", "td"):
            own = short_text(element, _LONGEST) if len(element) <= 4 else ""
            found = _LINE.match(own) if len(own) <= _LONGEST else None
            name = _NAME.match(found[1]) if found else None
            if found and name:
                return [found[1]]
    return []


def _by_trafilatura(tree: lxml.html.HtmlElement) -> list[str]:
    """Its search of the page alone: its reader of metadata would date the page as well, at five times the cost."""
    from trafilatura.metadata import extract_author  # loaded only where a page is read

    try:
        found = extract_author(tree)
    except Exception:  # its rules meet odd HTML; a page without a name is no failure
        return []
    return [name for name in (found or "").split(";") if name and not _stands_apart(tree, name)]


def _stands_apart(tree: lxml.html.HtmlElement, name: str) -> bool:
    """Whether a name is found only among comments, or beside the article."""
    key = name.strip().casefold()
    holders = [e for e in tree.iter() if isinstance(e.tag, str) and key in (e.text or "").casefold()]
    return bool(holders) and all(_is_apart(e) or _APART.search(e.get("class") or "") for e in holders)
