"""What mrml would take silently and lose or spoil, told by template file and line, all of it at once. Pure.

mrml accepts unknown tags and attributes, tags in the wrong place, colours that are none and pictures without width, and
drops what it does not know; npm mjml reports most of these. `mjml.toml` lists what is known. Everything found is told in one
TemplateError, up to MOST faults, so that a design is mended in one go.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lxml import etree

from newsletter.compose.balance import unbalanced
from newsletter.compose.components import components, places, unfit
from newsletter.compose.mjmltext import Source
from newsletter.errors import TemplateError

MOST = 20  # faults told at once
_ENOUGH = 200  # beyond these nobody counts: a hostile document has a hundred thousand
_ONCE = ("mj-head", "mj-body", "mj-title", "mj-preview", "mj-breakpoint")  # of two, mrml shows one
_FOREIGN = re.compile(  # mrml reads none of them, within a comment for Outlook neither
    r"<!--(?!\[if).*?(?:-->|\Z)|(?P<found><!\[CDATA\[|<!DOCTYPE|<\?\w*)", re.IGNORECASE | re.DOTALL
)
_DEFAULTS = "mj-attributes"
_PERCENT = re.compile(r"([\d.]+)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`line`: of the rendered text, from 1; Source.place tells the template's."""

    line: int
    reason: str
    hint: str = ""


def check(document: Source) -> etree._Element:
    """The document's tree when mrml will lose nothing known here; raises one TemplateError that tells every fault."""
    root, found = _parsed(document)
    found = found or _faults(root, document)
    if found:
        raise error_of(found, document)
    return root


def faults(document: Source) -> list[Fault]:
    """All faults in order of their lines; [] when it can be compiled."""
    root, found = _parsed(document)
    return found or _faults(root, document)


def error_of(found: Sequence[Fault], document: Source) -> TemplateError:
    """One error for all: the first with its place and hint, the others after it with theirs."""
    first, *others = found
    told = [f"{document.place(fault.line)}: {fault.reason}" for fault in others[: MOST - 1]]
    if len(others) >= MOST:
        told.append(f"and {len(others) - MOST + 1} more")
    what = f"{first.reason}; also " + "; ".join(told) if told else first.reason
    return TemplateError(what, where=document.place(first.line), hint=first.hint)


# ---------------------------------------------------------------- what cannot be parsed


def _parsed(document: Source) -> tuple[etree._Element, list[Fault]]:
    """The tree, and what stands in the way of one; then the tree is what an XML parser could save of it."""
    text = document.text
    found: list[Fault] = []
    if "<?" in text or "<!d" in text or "<!D" in text or text.count("<![") > text.count("<![endif]"):  # nearly never
        foreign = (match for match in _FOREIGN.finditer(text) if match["found"])
        found = [_foreign(match, text) for match in islice(foreign, MOST)]
    try:
        root = etree.fromstring(document.xml.encode(), _parser())
    except etree.XMLSyntaxError as error:
        message = (error.msg or "not well-formed").split(", line")[0]
        unquoted = message.startswith("AttValue")  # then its end is anybody's guess, and so is what it closes
        if not unquoted:
            found += [Fault(line=line, reason=reason) for line, reason in islice(unbalanced(document.text), _ENOUGH)]
        if not found:
            reason = "a value of an attribute stands without quotes" if unquoted else message
            found.append(Fault(line=error.lineno or 1, reason=reason))
        root = etree.fromstring(b"<mjml>" + document.xml.encode() + b"</mjml>", _parser(recover=True))
        # Of a broken document only what does not depend on nesting is believed.
        for element in root.iter(etree.Element):
            parent = element.getparent()
            _own(element, "" if parent is None else str(parent.tag), found)
    return root, _ordered(found)


def _parser(*, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover)


def _foreign(match: re.Match[str], text: str) -> Fault:
    return Fault(
        line=text.count("\n", 0, match.start()) + 1, reason=f"{match[0]} cannot stand in MJML", hint="leave it out"
    )


def _ordered(found: list[Fault]) -> list[Fault]:
    return sorted(dict.fromkeys(found), key=lambda fault: fault.line)


# ---------------------------------------------------------------- what can, and would be lost


def _faults(root: etree._Element, document: Source) -> list[Fault]:
    if root.tag != "mjml":
        reason = f"<{root.tag!s}> cannot be the outermost tag"
        return [Fault(line=root.sourceline or 1, reason=reason, hint="use <mjml>")]
    found: list[Fault] = []
    seen = _walk(root, "", found)
    if document.text.count("<mj-") > seen:  # some stand where no component was looked for: within HTML, or a comment
        found += _misplaced(root)
    return _ordered([*found, *_whole(root, document.text)])


def _walk(element: etree._Element, above: str, found: list[Fault]) -> int:
    """Gathers the faults of a component and all it holds; returns how many components it met below.

    A usual digest has 90 components and this is run for each, so it is written for speed.
    """
    tag = str(element.tag)
    _own(element, above, found)
    known = components().get(tag)
    if known is None or known.holds == "html":
        return 0
    seen = 0
    if (text := element.text) and not text.isspace():
        found.append(_loose(text, element, tag))
    for child in element:
        if (text := child.tail) and not text.isspace():
            found.append(_loose(text, child, tag))
        inner = child.tag
        if isinstance(inner, str):
            if (inner, tag) not in places():
                _standing(child, tag, found)
            seen += 1 + _walk(child, tag, found)
        elif tag == "mj-head" and isinstance(child, etree._Comment) and (child.text or "").lstrip().startswith("[if"):
            reason = "a comment for Outlook is lost inside <mj-head>"
            found.append(Fault(line=child.sourceline or 1, reason=reason, hint="put it inside <mj-raw>"))
    if tag == "mj-section" or tag == "mj-group":
        found += _too_wide(element, tag)
    return seen


def _own(element: etree._Element, above: str, found: list[Fault]) -> None:
    """Faults of one tag and its attributes, wherever it stands."""
    tag = str(element.tag)
    if len(found) > _ENOUGH or (not tag.startswith("mj") and not tag.lower().startswith("mj-")):
        return
    for reason, hint in _spoiled(tag, tuple(element.items()), above == _DEFAULTS):
        found.append(Fault(line=element.sourceline or 1, reason=reason, hint=hint))


@lru_cache(maxsize=8192)
def _spoiled(tag: str, attributes: tuple[tuple[str, str], ...], default: bool) -> tuple[tuple[str, str], ...]:
    """(reason, hint) of what is wrong with one tag's name and attributes. `default`: it stands in mj-attributes."""
    known = components().get(tag)
    if known is None:
        return ((f"<{tag}> is not an MJML tag", _unknown_tag(tag)),)
    if default and tag == "mj-body":
        return ((f"defaults of <{tag}> are ignored", "set them on <mj-body> itself"),)
    every = components()["mj-all"].attributes if tag == "mj-class" else {}
    allowed = {**every, **known.attributes}
    found: list[tuple[str, str]] = []
    for name, value in attributes[:_ENOUGH]:
        if name in known.dropped:
            found.append((f"{name} of <{tag}> would be left out of the mail", "leave it out of the design"))
        elif name not in allowed:
            found.append((f"<{tag}> has no attribute {name}", _nearest(name, allowed)))
        elif (wanted := unfit(allowed[name], value)) is not None:
            found.append((f"{name} of <{tag}> cannot be {value!r}", f"write {wanted}"))
    given = {name for name, value in attributes if value or name == "alt"}
    if not default or tag == "mj-class":
        found += [(f"<{tag}> has no {name}", _NEEDED.get(name, "")) for name in known.needs if name not in given]
    return tuple(found)


_NEEDED = {
    # mrml ignores section and column padding when it computes the width: 300 instead of 264 in a measured case.
    "width": 'write width="552px"',
    "alt": 'write alt="" if it only decorates',
    "href": "say where it leads",
}


def _unknown_tag(tag: str) -> str:
    special = {
        "mj-html-attributes": "mrml cannot do it: write the attribute on HTML inside <mj-text>",
        "mj-include": "it has its place inside a design, as <mj-include path=… />",
    }
    lower = tag.lower()
    return special.get(lower) or (f"write <{lower}>" if lower in components() else _nearest(tag, components()))


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else ""


def _standing(child: etree._Element, above: str, found: list[Fault]) -> None:
    """Faults of where a child stands."""
    tag = str(child.tag)
    known = components().get(tag)
    reason = hint = ""
    if known is None:
        if not tag.lower().startswith("mj"):
            reason, hint = f"<{tag}> would be lost inside <{above}>", "put it inside <mj-text>"
    elif above == _DEFAULTS:  # any component may stand there: it sets that component's defaults
        if tag == "mj-class" and len(child):
            reason, hint = "<mj-class> cannot hold defaults of other tags", "give those a class of their own"
    elif above not in known.inside:
        reason, hint = f"<{tag}> cannot stand inside <{above}>", _advice(known.inside)
    if reason:
        found.append(Fault(line=child.sourceline or 1, reason=reason, hint=hint))


def _advice(parents: Sequence[str]) -> str:
    return "it belongs inside " + " or ".join(f"<{parent}>" for parent in parents) if parents else ""


def _misplaced(root: etree._Element) -> Iterator[Fault]:
    """MJML inside HTML: mrml would write it out as an unknown HTML tag."""
    for inner in root.iter(etree.Element):
        name, above = str(inner.tag), inner.getparent()
        holder = next((up for up in inner.iterancestors() if _holds_html(str(up.tag))), None)
        if above is None or holder is None or not name.lower().startswith("mj-"):
            continue
        if known := components().get(name):
            reason, hint = f"<{name}> cannot stand inside <{holder.tag!s}>", _advice(known.inside)
        else:
            reason, hint = f"<{name}> is not an MJML tag", _unknown_tag(name)
        yield Fault(line=inner.sourceline or 1, reason=reason, hint=hint)


def _holds_html(tag: str) -> bool:
    known = components().get(tag)
    return known is not None and known.holds == "html"


def _loose(text: str, near: etree._Element, tag: str) -> Fault:
    """Words between components: they would fall out of the layout's table. `near`: what they follow."""
    shown = " ".join(text.split())[:40]
    before = text[: len(text) - len(text.lstrip())].count("\n")
    if near.tag != tag:  # a component never holds itself
        before += etree.tostring(near, with_tail=False).count(b"\n")
    line = (near.sourceline or 1) + before
    return Fault(line=line, reason=f"{shown!r} would be lost inside <{tag}>", hint="put it inside <mj-text>")


def _too_wide(element: etree._Element, tag: str) -> Iterator[Fault]:
    widths = [_PERCENT.fullmatch(column.get("width", "").strip()) for column in element if column.tag == "mj-column"]
    total = sum(float(width[1]) for width in widths if width)
    if total > 100.5:  # 33.33 and 66.67 and the like round up
        reason = f"the columns of <{tag}> are {total:g} % wide together"
        yield Fault(line=element.sourceline or 1, reason=reason, hint="100 % is the whole width; wider ones wrap")


def _whole(root: etree._Element, text: str) -> Iterator[Fault]:
    """What only the whole document shows: parts given twice or missing, classes that nobody defined."""
    seen = set()
    for element in root.iter(*_ONCE):
        if element.tag in seen:
            reason = f"a second <{element.tag!s}>: only one of them would be shown"
            yield Fault(line=element.sourceline or 1, reason=reason, hint="join the two")
        seen.add(element.tag)
    if "mj-body" not in seen:
        yield Fault(line=root.sourceline or 1, reason="there is no <mj-body>")
    if "mj-class=" in text or "mj-class =" in text:
        yield from _undefined_classes(root)


def _undefined_classes(root: etree._Element) -> Iterator[Fault]:
    classes = {element.get("name") for element in root.iter("mj-class")}
    for user in root.iterfind(".//*[@mj-class]"):
        for name in user.get("mj-class", "").split():
            if name not in classes:
                reason = f"there is no mj-class {name!r}"
                yield Fault(line=user.sourceline or 1, reason=reason, hint="name it in <mj-attributes>")
