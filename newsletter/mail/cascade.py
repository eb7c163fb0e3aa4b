"""Which styles hold for a message on one screen: style sheets taken apart, media queries answered, rules put in place.

Selectors and specificity are css-inline's work; this answers what it leaves out, `@media`. Pure: no address in a sheet is
ever fetched. A sheet that is broken gives the rules that can be read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import css_inline
import lxml.etree
import lxml.html

_COMMENT = re.compile(r"/\*"), re.compile(r"\*/")
_STYLE = re.compile(r"<style\b[^<>]*>", re.IGNORECASE), re.compile(r"</style\s*>", re.IGNORECASE)
_CONDITIONAL = re.compile(r"<!--"), re.compile(r"-->")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)")
_VOID = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
_DEEPEST = 500  # css-inline 0.24 calls itself for each level and dies of its stack at some thousands; mail has about 30
_BRACE = re.compile(r"[{}]")
_MARK = re.compile(r"[();]")
_CONDITION = re.compile(r"\(\s*([\w-]+)\s*(?::\s*([^()]+?))?\s*\)")
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a media query can ask about. `width`: CSS pixels."""

    width: int = 600
    dark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `media`: the queries around it, outermost first; `at`: "" or the at-rule it is (`@font-face`)."""

    selector: str
    body: str
    media: tuple[str, ...] = ()
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A `<style>` element: its rules, its octets, whether it stands in the body, and whether its braces are closed."""

    rules: tuple[Rule, ...]
    size: int
    in_body: bool
    whole: bool


def sheets(html: str) -> list[Sheet]:
    """The style elements of a document in order; those in conditional comments are Outlook's own and left out."""
    plain = "".join(outside for outside, _ in _apart(html, _CONDITIONAL))
    body_at = re.search(r"<body\b", plain, re.IGNORECASE)
    found: list[Sheet] = []
    at = 0
    for outside, style in _apart(plain, _STYLE):
        at += len(outside)
        if style:
            found.append(_sheet(style, in_body=body_at is not None and at > body_at.start()))
        at += len(style)
    return found


def _sheet(style: str, *, in_body: bool) -> Sheet:
    head, _, rest = style.partition(">")
    media = re.search(r"\bmedia\s*=\s*[\"']([^\"']*)", head, re.IGNORECASE)
    css = "".join(outside for outside, _ in _apart(rest[: rest.rindex("<")], _COMMENT))
    rules = tuple(rules_of(css, (media[1],) if media else ()))
    return Sheet(rules=rules, size=len(style.encode()), in_body=in_body, whole=css.count("{") == css.count("}"))


def _apart(text: str, marks: tuple[re.Pattern[str], re.Pattern[str]]) -> Iterator[tuple[str, str]]:
    """Pieces (what stands outside, what stands between the marks with them) in order; an opening that is never closed
    is outside. One pass, however often something opens."""
    opening, closing = marks
    at = 0
    while (begin := opening.search(text, at)) and (end := closing.search(text, begin.end())):
        yield text[at : begin.start()], text[begin.start() : end.end()]
        at = end.end()
    yield text[at:], ""


def rules_of(css: str, media: tuple[str, ...] = ()) -> Iterator[Rule]:
    """The rules of a sheet without comments; what stands outside braces and is no rule is passed over."""
    at = 0
    while (opening := css.find("{", at)) >= 0:
        closing = _closing(css, opening)
        head = css[at:opening].rpartition(";")[2].strip()
        body = css[opening + 1 : closing]
        if head.lower().startswith("@media"):
            if len(media) < 4:  # deeper nesting is nobody's mail
                yield from rules_of(body, (*media, head[6:].strip()))
        elif head.startswith("@"):
            yield Rule(selector="", body=body, media=media, at=head)
        elif head:
            yield Rule(selector=head, body=body.strip(), media=media)
        at = closing + 1


def _closing(css: str, opening: int) -> int:
    depth = 0
    for brace in _BRACE.finditer(css, opening):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(css)


def declarations(body: str) -> list[tuple[str, str]]:
    """(property in lower case, value with its !important) in order."""
    pairs = (part.partition(":") for part in _between_semicolons(body))
    return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon and value.strip()]


def _between_semicolons(body: str) -> Iterator[str]:
    """The pieces between semicolons that stand in no brackets: `url(a;b)` is one."""
    depth = begin = 0
    for mark in _MARK.finditer(body):
        if mark[0] != ";":
            depth = max(0, depth + (1 if mark[0] == "(" else -1))
        elif depth == 0:
            yield body[begin : mark.start()]
            begin = mark.end()
    yield body[begin:]


def plain_value(value: str) -> str:
    return _IMPORTANT.sub("", value)


def holds(query: str, screen: Screen) -> bool:
    """Whether a media query list is true (Media Queries 4); what is not known is false."""
    return any(_one_holds(part.strip().lower(), screen) for part in query.split(","))


def _one_holds(query: str, screen: Screen) -> bool:
    refused = query.startswith("not ")
    kind = re.match(r"(?:only\s+|not\s+)?([a-z]+)\b(?!\s*:)", query)
    fits = not kind or kind[1] in ("screen", "all", "and")
    fits = fits and all(_feature(found[1], found[2] or "", screen) for found in _CONDITION.finditer(query))
    return fits is not refused


def _feature(name: str, value: str, screen: Screen) -> bool:
    if name == "prefers-color-scheme":
        return value == ("dark" if screen.dark else "light")
    pixels = re.fullmatch(r"([\d.]+)(px|em|rem)?", value)
    if name not in ("min-width", "max-width", "min-device-width", "max-device-width") or pixels is None:
        return False
    width = float(pixels[1]) * (16 if pixels[2] in ("em", "rem") else 1)
    return screen.width >= width if name.startswith("min") else screen.width <= width


def with_sheets(html: str, css: str) -> str:
    """The document with one style sheet in place of all its own, outside comments."""
    pieces = list(_apart(html, _CONDITIONAL))
    kept = [("".join(outside for outside, _ in _apart(piece, _STYLE)), comment) for piece, comment in pieces]
    sheet = f"<style>{css}</style>" if css else ""
    made: list[str] = []
    for outside, comment in kept:
        head = re.search(r"</head\s*>", outside, re.IGNORECASE) if sheet else None
        if head is not None:
            outside, sheet = outside[: head.start()] + sheet + outside[head.start() :], ""
        made += [outside, comment]
    return sheet + "".join(made)


def settled(html: str, screen: Screen) -> str:
    """The document with every rule that holds on `screen` written into style attributes, and no sheet left."""
    lasting = (rule for sheet in sheets(html) for rule in sheet.rules if not rule.at)
    chosen = [rule for rule in lasting if all(holds(query, screen) for query in rule.media)]
    css = "\n".join(f"{rule.selector} {{ {rule.body} }}" for rule in chosen)
    if _depth(html) > _DEEPEST:
        return with_sheets(html, "")
    try:
        return css_inline.inline(with_sheets(html, css), keep_style_tags=False, load_remote_stylesheets=False)
    except css_inline.InlineError:  # a sheet it cannot read at all: the style attributes still hold
        return with_sheets(html, "")


def _depth(html: str) -> int:
    """How many elements are open at once at most; a closing tag counts where its name is open."""
    depth = deepest = 0
    still: Counter[str] = Counter()
    for closing, tag in _TAG.findall(html):
        name = tag.lower()
        if closing and still[name]:
            still[name] -= 1
            depth -= 1
        elif not closing and name not in _VOID:
            still[name] += 1
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def tree_of(html: str) -> lxml.html.HtmlElement | None:
    """The document as a tree, or None where there is none."""
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8")
        return lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except lxml.etree.LxmlError:
        return None


def style_of(element: lxml.html.HtmlElement) -> dict[str, str]:
    """The declarations of a style attribute, later ones over earlier; !important taken off."""
    return {name: plain_value(value) for name, value in declarations(element.get("style", ""))}
