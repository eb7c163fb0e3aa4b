"""What mrml would take silently and lose: unknown tags, unclosed tags, tags in the wrong place, pictures without width.

mrml accepts these without a word and drops their content; npm mjml reports them. Found here, told by file and line.
Pure. Attributes and colours are not yet looked at.
"""

import html.entities
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from newsletter.compose.templating import MARK
from newsletter.errors import TemplateError

_BLOCKS = ("mj-section", "mj-wrapper", "mj-hero", "mj-raw")
_CONTENT = ("mj-column", "mj-hero")
_CHILD_OF: dict[str, tuple[str, ...]] = {
    "mj-head": ("mjml",),
    "mj-body": ("mjml",),
    "mj-title": ("mj-head",),
    "mj-preview": ("mj-head",),
    "mj-breakpoint": ("mj-head",),
    "mj-font": ("mj-head",),
    "mj-style": ("mj-head",),
    "mj-attributes": ("mj-head",),
    "mj-all": ("mj-attributes",),
    "mj-class": ("mj-attributes",),
    "mj-wrapper": ("mj-body",),
    "mj-hero": ("mj-body", "mj-wrapper"),
    "mj-section": ("mj-body", "mj-wrapper"),
    "mj-group": ("mj-section",),
    "mj-column": ("mj-section", "mj-group"),
    "mj-text": _CONTENT,
    "mj-image": _CONTENT,
    "mj-button": _CONTENT,
    "mj-divider": _CONTENT,
    "mj-spacer": _CONTENT,
    "mj-table": _CONTENT,
    "mj-social": _CONTENT,
    "mj-social-element": ("mj-social",),
    "mj-navbar": _CONTENT,
    "mj-navbar-link": ("mj-navbar",),
    "mj-accordion": _CONTENT,
    "mj-accordion-element": ("mj-accordion",),
    "mj-accordion-title": ("mj-accordion-element",),
    "mj-accordion-text": ("mj-accordion-element",),
    "mj-carousel": _CONTENT,
    "mj-carousel-image": ("mj-carousel",),
    "mj-raw": ("mj-head", "mj-body", "mj-wrapper", "mj-section", "mj-group", *_CONTENT),
}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_BARE_AMPERSAND = re.compile(r"&(?!#\d+;|#x[0-9a-fA-F]+;|[A-Za-z][A-Za-z0-9]*;)")
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_VOID_TAG = re.compile(rf"<({_VOID})((?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?)\s*/?>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(\s+[^\s=\"'>/]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_XML_FIVE = ("lt", "gt", "amp", "quot", "apos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """MJML ready for mrml, and for each of its lines the template place it came from."""

    text: str
    places: tuple[str, ...]

    def place(self, line: int) -> str:
        """`file:line` for a line from 1."""
        return self.places[min(max(line, 1), len(self.places)) - 1]


def source(marked: str, template: str) -> Source:
    """Takes the line marks out, closes HTML void elements, and writes entities so that XML knows them."""
    lines, places, place = [], [], template
    for line in marked.split("\n"):
        found = MARK.findall(line)
        place = found[0] if found else place
        places.append(place)
        lines.append(MARK.sub("", line))
    return Source(text=xml_ready("\n".join(lines)), places=tuple(places))


def xml_ready(text: str) -> str:
    """HTML as people write it (`<br>`, `<img src=x>`, `&nbsp;`, a bare &) as XML, line for line."""
    closed = _VOID_TAG.sub(lambda tag: f"<{tag[1].lower()}{_quoted(tag[2])} />", text)
    return _ENTITY.sub(_numeric, _BARE_AMPERSAND.sub("&amp;", closed))


def _quoted(attributes: str) -> str:
    """Attributes with quotes around each value, an empty one where there is none (`<input disabled>`)."""
    return _ATTRIBUTE.sub(_quoted_one, attributes)


def _quoted_one(attribute: re.Match[str]) -> str:
    value = attribute[2] or '""'
    return f"{attribute[1]}={value}" if value[0] in "\"'" else f'{attribute[1]}="{value}"'


def _numeric(entity: re.Match[str]) -> str:
    character = html.entities.html5.get(entity[1] + ";")
    if entity[1] in _XML_FIVE or character is None:
        return entity[0]
    return "".join(f"&#{ord(part)};" for part in character)


def check(document: Source) -> None:
    """Raises TemplateError for the first fault; returns None when mrml will lose nothing known here."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document.text.encode(), parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        raise TemplateError(_reason(error), where=document.place(_opening_line(error) or line)) from error
    outermost = str(root.tag)
    if outermost != "mjml":
        raise TemplateError(f"<{outermost}> cannot be the outermost tag", where=document.place(1), hint="use <mjml>")
    for element in root.iter(etree.Element):
        _check_element(element, document)


def _reason(error: etree.XMLSyntaxError) -> str:
    mismatch = re.match(r"Opening and ending tag mismatch: (\S+) line \d+ and (\S+?),", error.msg or "")
    if mismatch:
        return f"<{mismatch[1]}> is not closed before </{mismatch[2]}>"
    return (error.msg or "not well-formed").split(", line")[0]


def _opening_line(error: etree.XMLSyntaxError) -> int | None:
    opened = re.search(r"mismatch: \S+ line (\d+)", error.msg or "")
    return int(opened[1]) if opened else None


def _check_element(element: etree._Element, document: Source) -> None:
    tag = str(element.tag)
    where = document.place(element.sourceline or 1)
    parent = element.getparent()
    above = str(parent.tag) if parent is not None else ""
    if not tag.startswith("mj"):
        if above in ("mjml", "mj-body", "mj-section", "mj-group", "mj-column", "mj-wrapper"):
            raise TemplateError(f"<{tag}> would be lost inside <{above}>", where=where, hint="put it inside <mj-text>")
        return
    if tag != "mjml" and tag not in _CHILD_OF:
        raise TemplateError(f"<{tag}> is not an MJML tag", where=where)
    # Inside mj-attributes any component may stand: it sets that component's defaults.
    if tag != "mjml" and above != "mj-attributes" and above not in _CHILD_OF[tag]:
        raise TemplateError(f"<{tag}> cannot stand inside <{above}>", where=where, hint=_advice(_CHILD_OF[tag]))
    if tag == "mj-image" and above != "mj-attributes":
        _check_image(element, where)


def _advice(parents: Sequence[str]) -> str:
    return "it belongs inside " + " or ".join(f"<{parent}>" for parent in parents)


def _check_image(element: etree._Element, where: str) -> None:
    if element.get("width") is None:
        # mrml ignores section and column padding when it computes the width: 300 instead of 264 in a measured case.
        raise TemplateError("<mj-image> has no width", where=where, hint='write width="552px"')
    if element.get("alt") is None:
        raise TemplateError("<mj-image> has no alt", where=where, hint='write alt="" if it only decorates')
