"""HTML text to a tree, the same way for every reader of pages. Pure. Must never raise for odd markup, nor swell with it."""

import re

import lxml.html
from lxml import etree

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
# 100,000 attributes on one element cost the extractors three and a half minutes; inline pictures are not needed either
_GIANT_TAG = re.compile(r"<([A-Za-z][\w:-]{0,40})[^<>]{20000,}")
# lxml.html's own lookup asks Python for the class of every element it hands out: a tenth of the time of a page
_CLASSES = etree.ElementDefaultClassLookup(element=lxml.html.HtmlElement, comment=lxml.html.HtmlComment)


def parse(text: str, *, comments: bool = False) -> lxml.html.HtmlElement | None:
    """The document's root; None where the text holds no element. Comments are left out unless asked for."""
    parser: etree.HTMLParser[lxml.html.HtmlElement] = etree.HTMLParser(
        remove_pis=True, remove_comments=not comments, recover=True
    )
    parser.set_element_class_lookup(_CLASSES)
    try:
        text = _GIANT_TAG.sub(r"<\1", _XML_DECLARATION.sub("", text.replace("\0", "")))
        return etree.fromstring(text, parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None
