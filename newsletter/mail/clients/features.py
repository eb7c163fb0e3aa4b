"""Which features of HTML and CSS a message uses, by caniemail's names. Pure.

A feature is named where it is written, so that what a program lacks can be taken out there: `css-border-radius` of a
declaration, `css-selector-child` of a selector, `html-video` of an element.
"""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import lxml.html

from newsletter.mail.cascade import declarations, sheets
from newsletter.mail.clients.support import known_features

_SIDES = ("left", "right", "top", "bottom")
_VALUES = (
    (re.compile(r"(?<!-)linear-gradient\("), "css-linear-gradient"),
    (re.compile(r"radial-gradient\("), "css-radial-gradient"),
    (re.compile(r"conic-gradient\("), "css-conic-gradient"),
    (re.compile(r"\bcalc\("), "css-unit-calc"),
    (re.compile(r"\bclamp\("), "css-function-clamp"),
    (re.compile(r"(?<![\w-])min\("), "css-function-min"),
    (re.compile(r"(?<![\w-])max\("), "css-function-max"),
    (re.compile(r"\bvar\(|^--"), "css-variables"),
    (re.compile(r"\blight-dark\("), "css-function-light-dark"),
    (re.compile(r"\brgba\("), "css-rgba"),
    *(
        (re.compile(rf"(?<![\w#.-])-?[\d.]+{unit}\b"), f"css-unit-{unit}")
        for unit in ("rem", "vw", "vh", "vmin", "vmax", "ch")
    ),
)
_SELECTORS = (
    (re.compile(r"\["), "css-selector-attribute"),
    (re.compile(r">"), "css-selector-child"),
    (re.compile(r"\+"), "css-selector-adjacent-sibling"),
    (re.compile(r"~(?!=)"), "css-selector-general-sibling"),
    (re.compile(r"(?:^|[\s>+~])\*"), "css-selector-universal"),
    (re.compile(r"\.[\w-]+\.[\w-]+"), "css-selector-chaining"),
)
_MEDIA = ("prefers-color-scheme", "prefers-reduced-motion", "orientation", "hover")
_ELEMENTS = {"del": "html-del", "s": "html-strike", "strike": "html-strike", "section": "html-semantics",
             "article": "html-semantics", "header": "html-semantics", "footer": "html-semantics",
             "main": "html-semantics", "nav": "html-semantics", "map": "html-image-maps", "ul": "html-lists",
             "ol": "html-lists"}  # fmt: skip
_ATTRIBUTES = ("align", "background", "dir", "hidden", "role", "srcset", "valign", "aria-hidden", "aria-label",
               "aria-labelledby", "aria-describedby", "aria-live")  # fmt: skip


def used_in(html: str, page: lxml.html.HtmlElement) -> Counter[str]:
    """How often each feature occurs in a document; `page` is its tree."""
    found: Counter[str] = Counter()
    for element in page.iter():
        if isinstance(element, lxml.html.HtmlElement) and isinstance(element.tag, str):
            found.update(of_element(element))
            for name, value in declarations(element.get("style", "")):
                found.update(of_declaration(name, value))
    for sheet in sheets(html):
        found["html-style"] += 1
        for rule in sheet.rules:
            found.update(of_at_rule(rule.at) if rule.at else of_selector(rule.selector))
            found.update(feature for query in rule.media for feature in of_media(query))
            for name, value in [] if rule.at else declarations(rule.body):
                found.update(of_declaration(name, value))
    return found


def of_declaration(name: str, value: str) -> set[str]:
    found = {feature for pattern, feature in _VALUES if pattern.search(value) or pattern.search(name)}
    found.add(_property(name))
    if name == "display":
        found.add(f"css-display-{value.split()[0].removeprefix('inline-')}" if value else "")
    if "url(" in value and name == "background":
        found.add("css-background-image")
    if "!important" in value.lower():
        found.add("css-important")
    return found & known_features()


def _property(name: str) -> str:
    exact = f"css-{name}"
    if exact in known_features():
        return exact
    if name in _SIDES:
        return "css-left-right-top-bottom"
    if name.startswith("border-") and name.endswith("-radius"):
        return "css-border-radius"
    if re.fullmatch(r"(?:margin|padding)-(?:block|inline)-(?:start|end)", name):
        return f"css-{name.rpartition('-')[0]}-start-end"
    return f"css-{name.partition('-')[0]}" if name.startswith(("border-", "margin-", "padding-", "outline-")) else exact


def of_selector(selector: str) -> set[str]:
    """The features of one selector, without commas."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", selector)
    found = {feature for pattern, feature in _SELECTORS if pattern.search(bare)}
    for colons, name in re.findall(r"(::?)([a-z-]+)", bare):
        found |= {f"css-pseudo-{kind}-{name}" for kind in (("element",) if colons == "::" else ("class", "element"))}
    return found & known_features()


def of_media(query: str) -> set[str]:
    named = {f"css-at-media-{feature}" for feature in _MEDIA if re.search(rf"\(\s*{feature}\b", query)}
    return (named | {"css-at-media"}) & known_features()


def of_at_rule(head: str) -> set[str]:
    return {f"css-at-{head[1:].split()[0].lower()}"} & known_features()


def of_element(element: lxml.html.HtmlElement) -> Iterator[str]:
    tag = str(element.tag)
    yield from {_ELEMENTS.get(tag, f"html-{tag}")} & known_features()
    yield from {f"html-{name}" for name in _ATTRIBUTES if element.get(name) is not None} & known_features()
    if tag == "img":
        kind = urlsplit(element.get("src", "").split("?")[0]).path.rpartition(".")[2].lower()
        yield from {f"image-{ {'jpeg': 'jpg'}.get(kind, kind) }"} & known_features()
        if element.get("src", "").startswith("data:"):
            yield "image-base64"
    if tag == "meta" and element.get("name", "").lower() == "color-scheme":
        yield "html-meta-color-scheme"
