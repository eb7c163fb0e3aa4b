"""Whether everything a template says is still there in the HTML made of it: the last witness against silent loss. Pure.

It reads both sides with parsers of its own kind (XML here, HTML there) and compares words, so it shares no mistake with the
compiler or the linter.
"""

from collections import Counter
from collections.abc import Iterator

import lxml.html
from lxml import etree

from newsletter.compose.mjmltext import Source

_SAID = ("alt", "title", "href", "src")  # attributes a reader hears, sees or follows
_SILENT = ("mj-style", "mj-attributes", "style")


def lost_words(document: Source, html: str) -> list[str]:
    """The words of `document` that `html` shows less often, in order; [] when nothing is lost. Raises XMLSyntaxError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    shown = Counter(_words_of_html(html))
    missing = []
    for word in _words_of(etree.fromstring(document.xml.encode(), parser)):
        shown[word] -= 1
        if shown[word] < 0:
            missing.append(word)
    return missing


def _words_of(root: etree._Element) -> Iterator[str]:
    for element in root.iter(etree.Element):
        silent = element.tag in _SILENT or any(up.tag in _SILENT for up in element.iterancestors())
        for name in _SAID if not silent and element.tag != "mj-font" else ():
            yield from _written(element.get(name, ""))
        if not silent:
            yield from _written(element.text or "")
        yield from _written(element.tail or "") if element.getparent() is not None else ()
    # What follows a comment is text as well.
    for comment in root.iter(etree.Comment):
        yield from _written(comment.tail or "")


def _written(text: str) -> list[str]:
    """Words of raw source text: its entities are read as HTML reads them."""
    return _plain(str(lxml.html.fragment_fromstring(f"<p>{text.replace('<', '&lt;')}</p>").text_content())).split()


def _words_of_html(html: str) -> Iterator[str]:
    page = lxml.html.document_fromstring(html.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    for node in page.iter():
        if isinstance(node.tag, str):
            for name in _SAID:
                yield from _plain(node.get(name, "")).split()
            if node.tag not in ("style", "script"):
                yield from _plain(node.text or "").split()
        yield from _plain(node.tail or "").split()


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")
