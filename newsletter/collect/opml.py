"""Lists of sources as OPML 2.0 (http://opml.org/spec2.opml), as feed readers exchange them. Pure: text in, text out.

What OPML has no word for stands in attributes of a namespace of our own, so that a list written here reads back the same.
Must never expand an entity, or lose a line silently: what cannot be used comes back as a problem with its line number.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from newsletter.collect.text.clean import one_line
from newsletter.collect.text.decode import to_text
from newsletter.errors import BadInput

MAX_BYTES = 5 << 20
MAX_OUTLINES = 5000
SPACE = "urn:newsletter:source"
_OURS = f"{{{SPACE}}}"
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[>]*>", re.I)
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One source. `feed` is xmlUrl, `site` htmlUrl, `link` the url of another kind; `own` are our attributes."""

    name: str
    feed: str = ""
    site: str = ""
    link: str = ""
    section: str | None = None  # the group it stands in, the innermost
    language: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


def read_opml(body: bytes, *, where: str) -> tuple[list[Outline], list[BadInput]]:
    """The sources in order, and what stands there that is none. Raises BadInput: too large, entities, no OPML."""
    if len(body) > MAX_BYTES:
        raise BadInput(f"the file is larger than {MAX_BYTES >> 20} MB", where=where)
    text = _CONTROL.sub("", to_text(body).lstrip("\ufeff"))
    if re.search(r"<!ENTITY\b|<!DOCTYPE\b[^>]*\[", text, re.I):
        raise BadInput("a file that declares entities is not read", where=where)
    text = _AMPERSAND.sub("&amp;", _DOCTYPE.sub("", _DECLARATION.sub("", text)))
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:
        root = None
    body_of = root.find("body") if root is not None and str(root.tag).lower() == "opml" else None
    if body_of is None:
        raise BadInput("this is no OPML file", where=where, hint="feed readers write it as `export`")
    found: list[Outline] = []
    problems: list[BadInput] = []
    for element, section in _outlines(body_of):
        outline = _outline(element, section)
        if len(found) == MAX_OUTLINES:
            problems.append(BadInput(f"more than {MAX_OUTLINES} sources; the others are left out", where=where))
            break
        if outline.feed or outline.site or outline.link or outline.own:
            found.append(outline)
        else:
            problems.append(
                BadInput(f"{outline.name or 'an outline'} names no address", where=f"{where}:{outline.line}")
            )
    return found, problems


def _outlines(body: etree._Element) -> Iterator[tuple[etree._Element, str | None]]:
    """Each outline that holds no others, with the name of the group around it."""
    for element in body.iter("outline"):
        if next(element.iterchildren("outline"), None) is not None and not _attribute(element, "xmlUrl"):
            continue
        group = element.getparent()
        yield element, (_name(group) or None) if group is not None and group.tag == "outline" else None


def _outline(element: etree._Element, section: str | None) -> Outline:
    feed, site = _attribute(element, "xmlUrl"), _attribute(element, "htmlUrl")
    own = {str(name)[len(_OURS) :]: str(value) for name, value in element.attrib.items() if str(name).startswith(_OURS)}
    return Outline(
        name=_name(element) or one_line(feed or site, 200),
        feed=feed,
        site=site,
        link=_attribute(element, "url"),
        section=section,
        language=_attribute(element, "language") or None,
        own=own,
        line=element.sourceline or 0,
    )


def _name(element: etree._Element) -> str:
    return one_line(_attribute(element, "title") or _attribute(element, "text"), 200)


def _attribute(element: etree._Element, name: str) -> str:
    """Whatever its case: readers write xmlUrl, xmlurl and XMLURL."""
    return next((str(v).strip() for n, v in element.attrib.items() if str(n).lower() == name.lower()), "")


# ---------------------------------------------------------------- writing


def written(outlines: Sequence[Outline], *, title: str, now: datetime) -> str:
    """An OPML file that `read_opml` reads back to the same outlines, those of a section beside each other."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"newsletter": SPACE})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "dateCreated").text = now.strftime("%a, %d %b %Y %H:%M:%S %z")
    body = etree.SubElement(root, "body")
    groups: dict[str, etree._Element] = {}
    for outline in outlines:
        place = body
        if outline.section:
            if outline.section not in groups:
                groups[outline.section] = etree.SubElement(body, "outline", {"text": outline.section})
            place = groups[outline.section]
        values = {
            "text": outline.name,
            "type": "rss" if outline.feed else "link" if outline.link.startswith(("https://", "http://")) else "source",
            "xmlUrl": outline.feed,
            "htmlUrl": outline.site,
            "url": outline.link,
            "language": outline.language or "",
        }
        values |= {_OURS + name: value for name, value in outline.own.items()}
        etree.SubElement(place, "outline", {name: _CONTROL.sub("", value) for name, value in values.items() if value})
    return etree.tostring(root, encoding="unicode", pretty_print=True)
