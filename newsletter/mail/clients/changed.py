"""The single changes that simulations are made of: cut off, without pictures, in dark colours. Pure."""

import re
from collections.abc import Sequence

import lxml.html

from newsletter.mail.cascade import Screen, Sheet, holds, settled, sheets, style_of, tree_of
from newsletter.mail.clients.strip import serialised
from newsletter.mail.inspected import NOTE, WARNING, Fault, cut, fault

CLIP = 102_000  # octets of HTML Gmail shows before "[Message clipped]" (support.google.com/mail/thread/16190)
STYLES = 16_384  # octets of <style> it reads (caniemail, html-style, note 6)
_STYLE = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_DARK = re.compile(r"@media[^{]*prefers-color-scheme\s*:\s*dark[^{]*(?=\{)")
_LIGHT = re.compile(r"@media[^{]*prefers-color-scheme\s*:\s*light[^{]*(?=\{)")
_BOX = "display:inline-block;box-sizing:border-box;overflow:hidden;border:1px dashed #888;max-width:100%;"


def clipped(html: str) -> tuple[str, list[Fault]]:
    """The first 102 kB, with what Gmail says under them; the document itself when it is shorter."""
    octets = html.encode()
    if len(octets) <= CLIP:
        return html, []
    head = octets[:CLIP].decode("utf-8", "ignore")
    head = head[: head.rfind("<")] if head.rfind("<") > head.rfind(">") else head
    hidden = re.findall(r"<a\b[^>]*\bhref", html[len(head) :], re.IGNORECASE)
    note = '<p style="font:14px sans-serif;padding:16px">[Message clipped]  <u>View entire message</u></p>'
    told: dict[str, str | int | float] = {"n": round(len(octets) / 1000), "links": len(hidden)}
    return head + note, [
        fault(
            WARNING,
            "html",
            "is cut off at 102 of {n} kB; {links} links stand behind the cut, the last ones first",
            **told,
        )
    ]


def style_limits(found: Sequence[Sheet]) -> list[Fault]:
    size = sum(sheet.size for sheet in found)
    faults = []
    if size > STYLES:
        faults.append(
            fault(WARNING, "html", "{n} kB of <style>, 16 are read; the later blocks are dropped", n=round(size / 1000))
        )
    if broken := sum(not sheet.whole for sheet in found):
        faults.append(fault(WARNING, "html", "{n} <style> blocks have a fault and are dropped whole", n=broken))
    return faults


def within_style_limit(html: str) -> str:
    """The document without the `<style>` elements that begin a block beyond the 16 kB."""
    used = 0

    def one(found: re.Match[str]) -> str:
        nonlocal used
        used += len(found[0].encode())
        return found[0] if used <= STYLES else ""

    return _STYLE.sub(one, html)


def has_dark_colours(html: str) -> bool:
    return any(
        holds(query, Screen(dark=True)) and "dark" in query for s in sheets(html) for r in s.rules for query in r.media
    )


def in_dark(html: str) -> str:
    """The document with its own dark rules in force, whatever the browser prefers; other conditions stay."""
    html = _DARK.sub(lambda found: _without(found[0], "dark"), html)
    return _LIGHT.sub("@media not all ", html)


def _without(query: str, scheme: str) -> str:
    rest = re.sub(rf"\(\s*prefers-color-scheme\s*:\s*{scheme}\s*\)", "", query)
    rest = re.sub(r"\band\b\s*(?=\band\b|,|$|\s*$)|(?<=@media)\s*\band\b", " ", rest).rstrip()
    return f"{rest} " if rest.removeprefix("@media").strip() else "@media all "


def without_pictures(html: str) -> tuple[str, list[Fault]]:
    """Each picture replaced by its words in a box of its size; grounds made of pictures gone."""
    page = tree_of(html)
    if page is None:
        return html, []
    total, wordless = 0, []
    for image in list(page.iter("img")):
        total += 1
        if not (image.get("alt") or "").strip() and image.get("width") not in ("0", "1"):
            wordless.append(image.get("src", ""))
        _boxed(image)
    for element in page.iter():
        if isinstance(element, lxml.html.HtmlElement):
            element.attrib.pop("background", None)
            if "url(" in element.get("style", ""):
                element.set("style", re.sub(r"url\([^)]*\)", "none", element.get("style", "")))
    made = re.sub(r"url\([^)]*\)", "none", serialised(page))
    losses = [fault(NOTE, "html", "{n} pictures are replaced by their words", n=total)] if total else []
    if wordless:
        told: dict[str, str | int | float] = {"n": len(wordless), "url": cut(wordless[0], 80)}
        losses.append(fault(NOTE, "html", "{n} pictures leave an empty box without words, first {url}", **told))
    return made, losses


def _boxed(image: lxml.html.HtmlElement) -> None:
    """The picture as a box with its alt text, in the letters that were set for it."""
    wide, tall = image.get("width", ""), image.get("height", "")
    sizes = "".join(f"{n}:{v}px;" for n, v in (("width", wide), ("height", tall)) if v.isdigit())
    image.tag = "span"
    image.text = image.get("alt") or ""
    kept = image.get("style", "")
    letters = ";".join(f"{n}:{v}" for n, v in style_of(image).items() if n.startswith(("font", "color", "line-height")))
    for name in ("src", "srcset", "alt", "width", "height"):
        image.attrib.pop(name, None)
    image.set("style", f"{_BOX}{sizes}{letters if kept else ''}")


def only_in_html(html: str, text: str) -> list[Fault]:
    page = tree_of(html)
    links = [] if page is None else [str(url) for url in page.xpath("//a/@href") if str(url).startswith("http")]
    lost = [url for url in dict.fromkeys(links) if url not in text]
    pictures = 0 if page is None else len(page.xpath("//img[@alt!='']"))
    told = [fault(NOTE, "text", "{n} pictures are not shown", n=pictures)] if pictures else []
    if lost:
        told.append(fault(WARNING, "text", "{n} links are missing, first {url}", n=len(lost), url=cut(lost[0], 80)))
    return told


def too_wide(html: str, screen: Screen) -> list[Fault]:
    """What is set wider than the screen and cannot shrink: then the whole page scrolls sideways."""
    page = tree_of(settled(html, screen))
    if page is None:
        return []
    wide = [
        size
        for element in page.iter()
        if isinstance(element, lxml.html.HtmlElement)
        for size in _fixed(element)
        if size > screen.width
    ]
    if not wide:
        return []
    told: dict[str, str | int | float] = {"n": len(wide), "width": round(max(wide)), "screen": screen.width}
    return [
        fault(
            WARNING,
            "html",
            "{n} elements are up to {width} px wide on a screen of {screen}; the page scrolls sideways",
            **told,
        )
    ]


def _fixed(element: lxml.html.HtmlElement) -> list[float]:
    style = style_of(element)
    if "max-width" in style and element.tag != "img":
        return [_pixels(style["min-width"])] if "min-width" in style else []
    shown = style.get("width") or element.get("width") or ""
    if element.tag not in ("img", "table", "div", "video"):  # a cell shrinks with its table
        return []
    return [max(_pixels(shown), _pixels(style.get("min-width", "")))]


def _pixels(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)(?:px)?", text.strip())
    return float(found[1]) if found else 0.0


def without_width(html: str) -> list[Fault]:
    """Pictures Outlook on Windows shows at their file's own size, because it reads the attribute only."""
    page = tree_of(html)
    bare = [] if page is None else [image for image in page.iter("img") if not image.get("width", "").isdigit()]
    if not bare:
        return []
    told: dict[str, str | int | float] = {"n": len(bare), "url": cut(bare[0].get("src", ""), 80)}
    return [
        fault(WARNING, "html", "{n} pictures have no width attribute and are shown at full size, first {url}", **told)
    ]


def unspoken(html: str) -> list[Fault]:
    page = tree_of(html)
    if page is None:
        return []
    silent = [image for image in page.iter("img") if image.get("alt") is None]
    tables = [
        table
        for table in page.iter("table")
        if table.get("role") not in ("presentation", "none") and not table.xpath(".//th")
    ]
    told = (
        [fault(WARNING, "html", "{n} pictures have no words; their file names are read out", n=len(silent))]
        if silent
        else []
    )
    if tables:
        told.append(
            fault(NOTE, "html", "{n} layout tables are announced as tables; give them role=presentation", n=len(tables))
        )
    return told
