"""The lead of an article that its page keeps apart from the text: a block of its own between the headline and the body. Pure.

Extractors take the body and lose it, because it stands in another element; institutes write the news itself there. Must
never add what the text already says, nor anything from before the headline.
"""

import re

import lxml.html

from newsletter.collect.identity.keys import title_key
from newsletter.collect.text.clean import plain, short_text

_SENTENCE = 60  # characters of unlinked text
_LONGEST = 1500
_NEAR = 30  # elements between the headline and the text
_ENDS = re.compile(r"[.!?…]['\"”’»)\]]*$")
_HEADINGS = ("h1", "h2", "h3", "td", "div", "span", "p", "strong", "b", "font")
_BLOCKS = frozenset({"p", "div", "td", "h2", "h3", "h4", "span", "strong", "section", "b", "em"})
_APART = frozenset({"aside", "nav", "footer", "form", "figure", "blockquote", "table", "ul", "ol", "button"})
_OTHERS = re.compile(
    r"(?:^|[\s_-])(?:caption|author|bio|byline|comment|cookie|share|social|related|promo|newsletter|ad|ads|breadcrumbs?)(?:$|[\s_-])",
    re.I,
)


def with_lead(text: str, tree: lxml.html.HtmlElement, heading: str, *, known: str = "") -> str:
    """`text` behind the lead that stands between the headline and its first paragraph, if one is missing from it.

    `known`, the page's own standfirst, is none.
    """
    first = title_key(text.partition("\n\n")[0])[:80]
    headline = _headline(tree, heading)
    if not first or headline is None:
        return text
    said, inside = f"{title_key(text)} {title_key(known)}", set(headline.iter())
    passed, found, seen = False, "", 0
    for element in tree.iter():
        if element is headline:
            passed = True
        if not passed or element in inside or not isinstance(element.tag, str):
            continue
        seen += 1
        words = _own(element)
        if not words:
            continue
        if seen > _NEAR or title_key(words).startswith(first[:40]):
            break
        if not found and _is_lead(element, words, said):
            found = words
    else:
        return text
    return f"{found}\n\n{text}" if found and seen <= _NEAR else text


def _headline(tree: lxml.html.HtmlElement, heading: str) -> lxml.html.HtmlElement | None:
    key = title_key(heading)
    body = tree.find("body")
    for element in (tree if body is None else body).iter(*_HEADINGS) if key else ():
        told = short_text(element, 2 * len(heading))
        if told and title_key(told) == key:
            return element
    return None


def _own(element: lxml.html.HtmlElement) -> str:
    """The element's text if it begins with its own words, not with an inner block's."""
    return " ".join(plain(element.text_content()).split()) if (element.text or "").strip() else ""


def _is_lead(element: lxml.html.HtmlElement, words: str, said: str) -> bool:
    if element.tag not in _BLOCKS or not _SENTENCE <= len(words) <= _LONGEST or not _ENDS.search(words):
        return False
    linked = sum(len(link.text_content()) for link in element.iter("a"))
    around = [element, *element.iterancestors()]
    apart = any(one.tag in _APART or _OTHERS.search(f"{one.get('class') or ''}") for one in around[:6])
    return linked < 0.2 * len(words) and not apart and title_key(words) not in said
