"""The text of an article page: trafilatura, and a vote of more extractors where a quick witness does not agree with it.

Each extractor gets a tree of its own, already without related lists and captions. Must never raise for odd HTML: a
fault in an extractor costs its voice, never the page.
"""

import copy
import re
from collections.abc import Callable

import lxml.html
from lxml import etree

from newsletter.collect.identity.keys import title_key
from newsletter.collect.pages.density import dense_text
from newsletter.collect.pages.vote import elect, is_settled
from newsletter.collect.text.clean import element_text, html_to_text, paragraphs

_BLOCK = frozenset({"p", "head", "item", "quote", "row", "list", "table", "code", "body"})
_BEFORE_HEADLINE = 8  # paragraphs
_LABEL = 60  # characters; a longer one before the headline is a lead if it is a sentence
_MENU = 300  # characters of one that is none
_SENTENCE = re.compile(r"[.!?…:;]['\"”’»)\]]*$")


def article_text(
    tree: lxml.html.HtmlElement, url: str | None, *, declared: str = "", heading: str = ""
) -> tuple[str, str]:
    """The paragraphs of the article joined by blank lines (maybe ""), and the extractor that gave them.

    `declared` is the text the page's JSON-LD claims (`articleBody`, https://schema.org/Article), "" for none; it stands
    for election like an extractor's reading. A first paragraph that repeats `heading` is left out.
    """
    first = without_first(_quietly(_trafilatura, tree, url), heading)
    markup = etree.tostring(tree, encoding="unicode", method="html")
    witness = without_first(_quietly(_resiliparse, markup), heading)
    if is_settled(first, witness):
        return first, "trafilatura"
    readings = {
        "trafilatura": first,
        "resiliparse": witness,
        "density": without_first(_quietly(dense_text, tree), heading),
        "JSON-LD": _quietly(html_to_text, declared),
    }
    chosen = elect(readings)
    if readings[chosen]:
        return readings[chosen], f"{chosen} by vote" if chosen != "trafilatura" else chosen
    rest = _quietly(_everything, tree)
    return rest, "whole page" if rest else ""


def without_first(text: str, line: str) -> str:
    """`text` behind the paragraph that only repeats `line` (the headline, or the date line under it) if nothing but short
    lines stands before it: a path to the page, a section's name. Of a date line buttons may be gone from the text."""
    key = title_key(line)
    pieces = text.split("\n\n", _BEFORE_HEADLINE + 1)
    for number, piece in enumerate(pieces[: _BEFORE_HEADLINE + 1] if key else ()):
        first, _, rest = piece.partition("\n")
        told = title_key(first)
        if told == key or (key.startswith(told) and len(told) >= 0.5 * len(key) and any(map(str.isdecimal, told))):
            return "\n\n".join(filter(None, [rest, *pieces[number + 1 :]]))
        if len(piece) > _LABEL and (len(piece) > _MENU or _SENTENCE.search(piece)):
            break
    return text


def _quietly(extract: Callable[..., str], *arguments: object) -> str:
    try:
        return extract(*arguments)
    except Exception:  # their many rules meet odd HTML; the others still speak
        return ""


def _trafilatura(tree: lxml.html.HtmlElement, url: str | None) -> str:
    import trafilatura  # about half a second to load: paid only where a page is read

    found = trafilatura.bare_extraction(copy.deepcopy(tree), url=url, include_comments=False, with_metadata=False)
    if isinstance(found, trafilatura.settings.Document) and found.text:
        return _blocks(found.body)
    body, text, _ = trafilatura.baseline(copy.deepcopy(tree))
    return _blocks(body) if text else ""


def _resiliparse(markup: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return paragraphs(extract_plain_text(markup, main_content=True, alt_texts=False, list_bullets=False))


def _everything(tree: lxml.html.HtmlElement) -> str:
    return paragraphs(element_text(tree))


def _blocks(body: etree._Element) -> str:
    """trafilatura's tree as paragraphs: one for each p, head, item, quote and table row."""
    pieces: list[str] = []
    walk = etree.iterwalk(body, events=("start", "end"))
    for event, node in walk:
        if event == "start":
            pieces.append("\n\n" if node.tag in _BLOCK else "\n" if node.tag == "lb" else "")
            pieces.append(re.sub(r"\s+", " ", node.text or ""))
        else:
            pieces.append("\n\n" if node.tag in _BLOCK else " " if node.tag == "cell" else "")
            pieces.append(re.sub(r"\s+", " ", node.tail or "") if node is not body else "")
    return paragraphs("".join(pieces))
