"""The article's text by where a page's prose is densest: a reader of our own, unlike the others in how it errs. Pure.

Takes 5 ms where the general extractors take 25 to 150, and is wrong on other pages than they are, which is what makes a
vote worth holding. Every step is linear in the page: it must never hang on odd HTML.
"""

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass

import lxml.html
from lxml import etree

from newsletter.collect.text.clean import paragraphs

_NOISE = (
    "script", "style", "noscript", "template", "svg", "iframe", "object", "textarea", "select", "button",
)  # fmt: skip
_ASIDE_TAGS = frozenset({"nav", "footer", "aside", "form", "figure", "head"})
_ASIDE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:comments?|side|sidebar|related|recommend\w*|promo\w*|share|sharing|social|newsletter|subscribe|signup"
    r"|breadcrumbs?|footer|nav|navbar|menu|widget|ads?|advert\w*|cookie|consent|popup|modal|tags?|toc|bio|disqus|outbrain"
    r"|taboola)(?:$|[\s_-])",
    re.I,
)
_BLOCKS = frozenset(
    """article blockquote body center dd details div dl dt h1 h2 h3 h4 h5 h6 header li main ol p pre section summary table
    tbody td th thead tr ul""".split()  # noqa: SIM905
)
_SENTENCE = re.compile("[.,!?:;…。！？，、]")
_PROSE = 60  # characters that make a block a paragraph rather than a label
_LINKED = 0.35  # of a paragraph; more is a list of links
_REGION = 0.6  # of the prose must lie inside the chosen element; .75 takes in more of what stands around the article
_LONG = 200  # characters from which a paragraph stays even if most of it is a link


@dataclass(frozen=True, slots=True)
class _Block:
    """A run of text between block boundaries: `element` holds it, `linked` of its characters are links."""

    element: lxml.html.HtmlElement
    text: str
    linked: int

    @property
    def prose(self) -> int:
        """Unlinked characters if this is a paragraph of an article, else 0."""
        is_prose = len(self.text) >= _PROSE and self.linked < _LINKED * len(self.text) and _SENTENCE.search(self.text)
        return len(self.text) - self.linked if is_prose else 0


def dense_text(tree: lxml.html.HtmlElement) -> str:
    """The blocks of the innermost element that holds most of the page's prose, joined by blank lines; maybe ""."""
    tree = copy.deepcopy(tree)
    etree.strip_elements(tree, *_NOISE, etree.Comment, with_tail=False)
    body = tree.find("body")
    body = tree if body is None else body
    blocks: list[_Block] = []
    _gather(body, _ancestors(e for e in body.iter() if e.tag in _BLOCKS), _main(body), blocks)
    region = _region(body, blocks)
    inside = set(region.iter()) if region is not None else set()
    kept = (block for block in blocks if block.element in inside and not _is_links(block))
    return paragraphs("\n\n".join(block.text for block in kept))


def _gather(
    element: lxml.html.HtmlElement,
    holders: set[lxml.html.HtmlElement],
    main: set[lxml.html.HtmlElement],
    blocks: list[_Block],
) -> None:
    """The blocks below `element`, in order. libxml2 nests at most 256 elements, so the recursion is bounded."""
    run, linked = [_folded(element.text)], 0
    for child in element:
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag in _BLOCKS or tag in _ASIDE_TAGS or child in holders:
            _close(element, run, linked, blocks)
            run, linked = [], 0
            if child in main or not _is_aside(child):
                _gather(child, holders, main, blocks)
        elif tag:
            run.append("\n" if tag == "br" else _folded(child.text_content()))
            linked += sum(len(_folded(link.text_content())) for link in child.iter("a"))
        run.append(_folded(child.tail))
    _close(element, run, linked, blocks)


def _close(element: lxml.html.HtmlElement, run: list[str], linked: int, blocks: list[_Block]) -> None:
    text = "".join(run).strip()
    if text:
        blocks.append(_Block(element, text, len(text) if element.tag == "a" else linked))


def _folded(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


def _is_aside(element: lxml.html.HtmlElement) -> bool:
    named = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag in _ASIDE_TAGS or _ASIDE_CLASS.search(named) is not None


def _ancestors(elements: Iterable[lxml.html.HtmlElement]) -> set[lxml.html.HtmlElement]:
    found: set[lxml.html.HtmlElement] = set()
    for element in elements:
        parent = element.getparent()
        while parent is not None and parent not in found:
            found.add(parent)
            parent = parent.getparent()
    return found


def _main(body: lxml.html.HtmlElement) -> set[lxml.html.HtmlElement]:
    """What is no aside whatever it is called: site software wraps whole pages in one form or in "has-sidebar"."""
    heading = next(body.iter("h1"), None)
    prose: dict[lxml.html.HtmlElement, int] = {}
    for paragraph in body.iter("p"):
        size = len(paragraph.text_content())
        if size >= _PROSE:
            for ancestor in paragraph.iterancestors():
                prose[ancestor] = prose.get(ancestor, 0) + size
    half = max(prose.values(), default=0) / 2
    return {element for element, size in prose.items() if size >= half} | _ancestors(
        [heading] if heading is not None else []
    )


def _region(body: lxml.html.HtmlElement, blocks: list[_Block]) -> lxml.html.HtmlElement | None:
    """From the body inwards as long as one child holds most of the prose; None when there is no prose."""
    mass: dict[lxml.html.HtmlElement, int] = {}
    for block in blocks:
        node = block.element.getparent() if block.element.tag == "p" else block.element
        while block.prose and node is not None:
            mass[node] = mass.get(node, 0) + block.prose
            node = node.getparent()
    if body not in mass:
        return None
    region = body
    while heaviest := max((mass[child] for child in region if child in mass), default=0):
        if heaviest < _REGION * mass[region]:
            break
        region = next(child for child in region if mass.get(child) == heaviest)
    return region


def _is_links(block: _Block) -> bool:
    long_paragraph = block.element.tag == "p" and len(block.text) > _LONG
    return block.linked > 0.5 * len(block.text) and not long_paragraph
