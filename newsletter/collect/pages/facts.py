"""What a page says about itself: JSON-LD and meta elements. Pure. Decides nothing: see title, author, date, image."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import lxml.html

from newsletter.collect.text.clean import one_line, plain
from newsletter.collect.text.links import absolute

_ARTICLE_TYPES = re.compile(r"article|posting|report|blog|liveblog|reviewnews", re.I)
_MAX_JSON = 2_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """`article`: the JSON-LD node of the article, or an empty mapping. `meta`: first value of each name, lower case.

    Some sites write a meta element's word in `value` instead of `content`; it is read where `content` is empty.
    """

    url: str | None
    article: Mapping[str, Any]
    meta: Mapping[str, str]
    document_title: str
    declared_language: str | None
    base: str = ""  # what relative addresses count from (HTML, 4.2.3): the page's own, or that of its `<base>`

    def said(self, *names: str) -> str | None:
        return next((self.meta[name] for name in names if self.meta.get(name)), None)

    def told(self, name: str) -> str:
        """A text of the article's JSON-LD node, "" where it is none."""
        value = self.article.get(name)
        return value if isinstance(value, str) else ""


def facts_of(tree: lxml.html.HtmlElement, url: str | None) -> Facts:
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        value = " ".join(plain(element.get("content") or element.get("value") or "").split())
        for attribute in ("property", "name", "itemprop"):
            name = (element.get(attribute) or "").strip().lower()
            if name and value:
                meta.setdefault(name, value)
    language = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang")
    return Facts(
        url=url,
        article=_article_node(tree),
        meta=meta,
        document_title=one_line(tree.findtext(".//title")),
        base=_base(tree, url or ""),
        declared_language=language or meta.get("og:locale") or meta.get("content-language"),
    )


def _base(tree: lxml.html.HtmlElement, url: str) -> str:
    """The first `<base href>` counts; one that is no web address does not."""
    named = next((href for element in tree.iter("base") if (href := (element.get("href") or "").strip())), "")
    return absolute(url, named) or url


# ---------------------------------------------------------------- JSON-LD


def json_ld(tree: lxml.html.HtmlElement) -> Iterator[Mapping[str, Any]]:
    """Every JSON-LD object of a page, those that lie in others too."""
    for script in _scripts(tree):
        yield from _nodes(_loaded(script.text or ""))


def _scripts(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    return (script for script in tree.iter("script") if "ld+json" in (script.get("type") or ""))


def _article_node(tree: lxml.html.HtmlElement) -> Mapping[str, Any]:
    """The first article with a headline or a date; what it only names by @id (its author, its image) is put in."""
    article: Mapping[str, Any] = {}
    known: dict[str, Mapping[str, Any]] = {}
    for script in _scripts(tree):
        for node in _nodes(_loaded(script.text or "")):
            name = node.get("@id")
            if isinstance(name, str) and len(node) > 1:
                known.setdefault(name, node)
            kinds = node.get("@type")
            named = any(_ARTICLE_TYPES.search(str(k)) for k in (kinds if isinstance(kinds, list) else [kinds]))
            if not article and named and (node.get("headline") or node.get("datePublished")):
                article = node
        if article and not any(_is_name(value) for value in article.values()):
            break
    return {field: _meant(value, known) for field, value in article.items()}


def _is_name(value: Any) -> bool:
    return isinstance(value, dict) and "@id" in value and not value.keys() - {"@id", "@type"}


def _meant(value: Any, known: Mapping[str, Mapping[str, Any]]) -> Any:
    """The node that `{"@id": …}` names (JSON-LD 1.1, 3.3), one step deep; any other value as it is."""
    if isinstance(value, list):
        return [_meant(one, known) for one in value[:20]]
    return known.get(str(value["@id"]), value) if _is_name(value) else value


def _loaded(text: str) -> Any:
    text = re.sub(r"^\s*(?://)?\s*<!\[CDATA\[|(?://)?\s*\]\]>\s*$", "", text.strip().strip("\ufeff"))
    if len(text) > _MAX_JSON:
        return None
    for candidate in (text, html.unescape(text).replace("\n", " ")):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """All objects inside, breadth first: the outer article before the ones it mentions."""
    queue = [value]
    for found in queue:
        if len(queue) > 20_000:
            return
        if isinstance(found, dict):
            yield found
            queue.extend(found.values())
        elif isinstance(found, list):
            queue.extend(found)
