"""The addresses that a page's JSON-LD lists as its articles: a witness beside the structure of its links. Pure.

https://schema.org/ItemList, Blog.blogPost and CollectionPage.hasPart. Must never take a path of breadcrumbs or a menu for a
list of articles, nor name an address that is not in the page's own words.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin

import lxml.html

from newsletter.collect.pages.facts import json_ld

MAX_CLAIMS = 500
_HELD_IN = {"itemlist": ("itemListElement",), "blog": ("blogPost", "blogPosts"), "collectionpage": ("hasPart",)}
_NO_ARTICLES = frozenset({"breadcrumblist", "sitenavigationelement", "organization", "webpage", "person", "product"})


def claimed(tree: lxml.html.HtmlElement, url: str) -> tuple[str, ...]:
    """Absolute addresses without fragments, in the order of the lists, each once; () where the page lists none."""
    found: dict[str, None] = {}
    for node in json_ld(tree):
        for link in _listed(node):
            try:
                found.setdefault(urldefrag(urljoin(url, link.strip()))[0])
            except ValueError:
                continue
            if len(found) == MAX_CLAIMS:
                return tuple(found)
    return tuple(found)


def _listed(node: Mapping[str, Any]) -> Iterator[str]:
    kinds = _kinds(node)
    if kinds & _NO_ARTICLES - {"webpage"}:
        return
    for kind in kinds & _HELD_IN.keys():
        for field in _HELD_IN[kind]:
            members = node.get(field)
            for member in members if isinstance(members, list) else [members]:
                link = _address(member)
                if link:
                    yield link


def _address(member: Any, depth: int = 0) -> str:
    """Of a member: `url`, the `item` it wraps (ListItem), or its name where that is an address."""
    if isinstance(member, str):
        return member if member.startswith(("http://", "https://", "/")) else ""
    if not isinstance(member, dict) or depth > 2 or _kinds(member) & _NO_ARTICLES:
        return ""
    link = member.get("url") or _address(member.get("item"), depth + 1) or member.get("@id")
    return link if isinstance(link, str) else ""


def _kinds(node: Mapping[str, Any]) -> set[str]:
    kinds = node.get("@type")
    return {str(kind).lower().rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds])}
