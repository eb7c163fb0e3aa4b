"""Takes out of a document what a mail program does not show, by its tests. Pure: HTML in, HTML out.

Only what was tested as missing goes; what is shown in part stays, and is listed.
"""

import re
from collections.abc import Callable

import lxml.html

from newsletter.mail.cascade import Rule, declarations, sheets, tree_of, with_sheets
from newsletter.mail.clients.features import of_at_rule, of_declaration, of_element, of_media, of_selector
from newsletter.mail.clients.support import Support

_GONE_WHOLE = ("script", "object", "embed", "applet", "iframe", "svg", "link", "base", "template", "dialog")

Trim = Callable[[lxml.html.HtmlElement, str, str], bool]


def stripped(html: str, support: Support, *, keep: Trim | None = None, styles: bool = True) -> str:
    """The document as the program keeps it. `keep(element, property, value)`: what else must hold for an inline
    declaration to stay; `styles` False: no `<style>` survives at all."""
    page = tree_of(html)
    if page is None:
        return html
    for element in list(page.iter()):
        if isinstance(element, lxml.html.HtmlElement) and isinstance(element.tag, str):
            _trim(element, support, keep)
    css = "\n".join(filter(None, (_kept(rule, support) for rule in _surviving(html)))) if styles else ""
    return with_sheets(serialised(page), css)


def serialised(page: lxml.html.HtmlElement) -> str:
    written: str = lxml.html.tostring(page, encoding="unicode", doctype="<!DOCTYPE html>")
    return written


def _trim(element: lxml.html.HtmlElement, support: Support, keep: Trim | None) -> None:
    own = "html-" + str(element.tag)
    if element.tag in _GONE_WHOLE and element.getparent() is not None:
        element.drop_tree()
        return
    if any(support.lacks(feature) for feature in of_element(element) if feature == own):
        if element.getparent() is not None and element.tag not in ("html", "body", "head", "style"):
            element.drop_tag()
        return
    for name in ("background", "hidden", "srcset"):
        if element.get(name) is not None and support.lacks(f"html-{name}"):
            del element.attrib[name]
    if element.get("style"):
        _trim_style(element, support, keep)


def _trim_style(element: lxml.html.HtmlElement, support: Support, keep: Trim | None) -> None:
    kept = [
        f"{name}: {value}"
        for name, value in declarations(element.get("style", ""))
        if not any(map(support.lacks, of_declaration(name, value))) and (keep is None or keep(element, name, value))
    ]
    if kept:
        element.set("style", "; ".join(kept))
    else:
        del element.attrib["style"]


def _surviving(html: str) -> list[Rule]:
    """The rules of sheets that are whole and stand in the head: one fault drops a block, and the body's are dropped."""
    return [rule for sheet in sheets(html) if sheet.whole and not sheet.in_body for rule in sheet.rules]


def _kept(rule: Rule, support: Support) -> str:
    features = of_at_rule(rule.at) if rule.at else {feature for query in rule.media for feature in of_media(query)}
    if any(map(support.lacks, features)):
        return ""
    if rule.at:
        return f"{rule.at} {{ {rule.body} }}"
    selectors = [one.strip() for one in re.split(r",(?![^(\[]*[)\]])", rule.selector)]
    taken = [one for one in selectors if not any(map(support.lacks, of_selector(one)))]
    pairs = [(name, value) for name, value in declarations(rule.body)]
    held = [f"{n}: {v}" for n, v in pairs if not any(map(support.lacks, of_declaration(n, v)))]
    if not taken or not held:
        return ""
    written = f"{', '.join(taken)} {{ {'; '.join(held)} }}"
    for query in reversed(rule.media):
        written = f"@media {query} {{ {written} }}"
    return written
