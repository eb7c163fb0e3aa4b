"""Outlook on Windows: its conditional comments opened, and what its layout engine, Word's, takes of inline styles. Pure.

The rules of `keeps` are the notes of caniemail's tests of Outlook 2007 to 2019 (css-width 1, css-height 2, css-max-width 1,
css-padding 1, css-margin 1 2 4, css-display 5, css-background 3, css-border 1 2), written as conditions.
"""

import re

import lxml.html

from newsletter.mail.cascade import plain_value
from newsletter.mail.paint import colour_in

VERSION = 16  # Outlook 2016, 2019, 2021 and 365 on Windows
_SHOWN = re.compile(r"<!--\[if ([^\]]*)\]>(.*?)<!\[endif\]-->", re.DOTALL)
_OTHERS = re.compile(r"<!--\[if ([^\]]*)\]><!-->(.*?)<!--<!\[endif\]-->", re.DOTALL)
_SETTINGS = re.compile(r"<xml\b[^>]*>.*?</xml>", re.DOTALL | re.IGNORECASE)  # read, never shown
_VML = re.compile(r"<(v:[a-z]+)\b", re.IGNORECASE)


def opened(html: str) -> str:
    """The document as Outlook reads it: what is meant for it stands there, what is meant for others is gone."""
    html = _SETTINGS.sub("", html)
    for pattern in (_OTHERS, _SHOWN):
        html = pattern.sub(lambda found: found[2] if means_word(found[1]) else "", html)
    return html


def padded(html: str) -> str:
    """`mso-padding-alt` is Word's own padding; a browser knows it by the usual name only."""
    return re.sub(r"\bmso-padding-alt\s*:", "padding:", html)


def means_word(condition: str) -> bool:
    """`mso`, `gte mso 9`, `mso | IE`, `!mso`, `(mso)&(gte mso 12)`: whether Outlook on Windows is meant."""
    either = condition.replace("(", "").replace(")", "").split("|")
    return any(all(_term(term.strip().lower()) for term in part.split("&")) for part in either)


def _term(term: str) -> bool:
    if term.startswith("!"):
        return not _term(term[1:].strip())
    found = re.fullmatch(r"(?:(gte|gt|lte|lt)\s+)?mso(?:\s+(\d+))?", term)
    if not found:
        return False
    if found[2] is None:
        return True
    number = int(found[2])
    compared = {"gte": number <= VERSION, "gt": number < VERSION, "lte": number >= VERSION, "lt": number > VERSION}
    return compared.get(found[1] or "", number == VERSION)


def keeps(element: lxml.html.HtmlElement, name: str, value: str) -> bool:
    """Whether Word's engine follows this inline declaration on this element."""
    tag, plain = str(element.tag), plain_value(value).lower()
    if name in ("width", "height"):
        return tag not in ("body", "span", "div", "p", "img")
    if name == "max-width":
        return tag == "table"
    if name.startswith("padding"):
        return tag in ("td", "th")
    if name.startswith("margin"):
        return tag not in ("span", "body") and not re.search(r"(?:^|\s)-\d|\bauto\b", plain)
    if name == "display":
        return plain == "none" and tag != "img"
    if name == "background":
        return "url(" not in plain and colour_in(plain) is not None
    if name.startswith("border") and tag in ("p", "div") and name not in ("border-collapse", "border-spacing"):
        return False
    if name.startswith("border") and (thick := re.search(r"([\d.]+)px", plain)):
        return float(thick[1]) <= 8
    return True


def shapes(html: str) -> int:
    """How many VML elements Outlook would draw, which no browser can."""
    return len(_VML.findall(opened(html)))
