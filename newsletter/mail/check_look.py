"""Checks of how a message looks: contrast in light and dark, size of letters, pictures' own words and weight.

Read from the styles that hold on a 600 px screen (newsletter.mail.cascade), so rules of a sheet count like attributes.
Text over a picture is passed over: what stands under it cannot be known here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypedDict

import lxml.html

from newsletter.mail.cascade import Screen, declarations, settled, sheets, style_of, tree_of
from newsletter.mail.inspected import ERROR, NOTE, WARNING, Check, Fault, Seen, cut, fault
from newsletter.mail.paint import Rgb, colour_in, contrast, laid_over, read_colour

_LEAST, _LEAST_LARGE = 4.5, 3.0  # WCAG 2.2, 1.4.3
_UNREADABLE = 2.0  # nobody reads this, whatever their eyes
_SMALLEST = 12.0  # CSS pixels; below it phones enlarge or readers give up
_TOLD = 3  # findings of one kind; the others are as many again of the same
_GMAIL_STYLE = 16_384  # octets of <style> Gmail takes (caniemail, html-style, note 6)
_PICTURE, _PICTURES = 200_000, 600_000  # octets of one embedded picture, and of all
_SIZES = {"xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18, "x-large": 24, "xx-large": 32}
_HEADINGS = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67}
_UNSEEN = ("style", "script", "title", "head", "template", "noscript")
_FILE_NAME = re.compile(r".*\.(?:jpe?g|png|gif|webp|svg)|image|picture|photo|img\d*|ảnh|hình ảnh|hình", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """What a run of text inherits. `ground` None: a picture is behind it."""

    colour: Rgb = (0, 0, 0)
    ground: Rgb | None = (255, 255, 255)
    size: float = 16.0
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    text: str
    ink: Ink

    @property
    def ratio(self) -> float | None:
        return None if self.ink.ground is None else contrast(self.ink.colour, self.ink.ground)

    @property
    def least(self) -> float:
        large = self.ink.size >= 24 or (self.ink.bold and self.ink.size >= 18.66)
        return _LEAST_LARGE if large else _LEAST


@lru_cache(maxsize=4)  # several checks of one message ask the same
def runs(html: str, screen: Screen) -> tuple[Run, ...]:
    """The visible text of a document as it is painted on `screen`, in order."""
    page = tree_of(settled(html, screen))
    body = page.find(".//body") if page is not None else None
    if body is None:
        return ()
    found: list[Run] = []
    waiting: list[tuple[lxml.html.HtmlElement | str, Ink]] = [(body, Ink())]
    while waiting:
        node, ink = waiting.pop()
        if isinstance(node, str):
            words = " ".join(node.split())
            if re.search(r"\w", words):
                found.append(Run(text=words, ink=ink))
            continue
        own = _inked(node, ink)
        if own is not None:
            waiting += reversed([(part, own) for part in _parts(node)])
    return tuple(found)


def _parts(node: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement | str]:
    if node.text:
        yield node.text
    for child in node:
        if isinstance(child, lxml.html.HtmlElement) and isinstance(child.tag, str):
            yield child
        if child.tail:
            yield child.tail


def _inked(node: lxml.html.HtmlElement, ink: Ink) -> Ink | None:
    """What holds inside an element; None when nothing in it is seen."""
    style = style_of(node)
    size = _size(style.get("font-size", ""), ink.size * _HEADINGS.get(str(node.tag), 1.0), ink.size)
    hidden = style.get("display") == "none" or style.get("visibility") == "hidden" or style.get("opacity") == "0"
    if hidden or node.tag in _UNSEEN or style.get("max-height") in ("0", "0px"):
        return None
    weight = style.get("font-weight", "bold" if node.tag in (*_HEADINGS, "b", "strong", "th") else "")
    bold = weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= 600) if weight else ink.bold
    made = replace(ink, size=size, bold=bold, ground=_ground(node, style, ink))
    shade = read_colour(style.get("color") or node.get("color") or ("#0000EE" if node.tag == "a" else ""))
    return made if shade is None else replace(made, colour=laid_over(shade, made.ground or (255, 255, 255)))


def _ground(node: lxml.html.HtmlElement, style: dict[str, str], ink: Ink) -> Rgb | None:
    shorthand = style.get("background", "")
    written = f"{shorthand} {style.get('background-image', '')}"
    shade = (
        read_colour(style.get("background-color", "")) or colour_in(shorthand) or read_colour(node.get("bgcolor", ""))
    )
    if "url(" in written or "gradient(" in written or node.get("background"):
        return None
    if shade is None or shade[3] == 0:
        return ink.ground
    return laid_over(shade, ink.ground or (255, 255, 255))


def _size(written: str, usual: float, around: float) -> float:
    found = re.fullmatch(r"([\d.]+)(px|pt|em|rem|%)", written.strip())
    if not found:
        return float(_SIZES.get(written.strip(), usual))
    scale = {"px": 1.0, "pt": 4 / 3, "em": around, "rem": 16.0, "%": around / 100}[found[2]]
    return float(found[1]) * scale


def readable(seen: Seen) -> Iterator[Fault]:
    if seen.page is None:
        return
    for told in _pale(seen.html, Screen()):
        level = ERROR if told["ratio"] < _UNREADABLE else WARNING
        yield fault(
            level,
            "html",
            "“{text}” has contrast {ratio}, text needs {least}; change a colour ({n} places in all)",
            **told,
        )
    if "prefers-color-scheme" in seen.html:
        for told in _pale(seen.html, Screen(dark=True)):
            yield fault(
                WARNING,
                "html",
                "in dark mode “{text}” has contrast {ratio}, text needs {least}; change a dark colour ({n} places in all)",
                **told,
            )


class Pale(TypedDict):
    text: str
    ratio: float
    least: float
    n: int


def _pale(html: str, screen: Screen) -> list[Pale]:
    """The worst runs below what they need, one of each pair of colours. `n`: how many such pairs there are."""
    low = [(ratio, run) for run in runs(html, screen) if (ratio := run.ratio) is not None and ratio < run.least]
    seen_by_eye = [(ratio, run) for ratio, run in low if run.ink.size > 1]
    pairs = {(run.ink.colour, run.ink.ground): (ratio, run) for ratio, run in reversed(seen_by_eye)}
    worst = sorted(pairs.values(), key=lambda pair: pair[0])
    return [
        Pale(text=cut(run.text, 40), ratio=round(ratio, 1), least=run.least, n=len(worst))
        for ratio, run in worst[:_TOLD]
    ]


def small_letters(seen: Seen) -> Iterator[Fault]:
    small = [run for run in runs(seen.html, Screen()) if 1 < run.ink.size < _SMALLEST] if seen.page is not None else []
    if small:
        least = min(small, key=lambda run: run.ink.size)
        yield fault(
            WARNING,
            "html",
            "“{text}” is set in {size} px; letters under 12 px are hard to read, use 14",
            text=cut(least.text, 40),
            size=round(least.ink.size, 1),
        )


def pictures(seen: Seen) -> Iterator[Fault]:
    for image in seen.elements("//img"):
        where = f"img {image.get('src', '')[:60]}"
        alt = (image.get("alt") or "").strip()
        if image.get("width") in ("0", "1") and image.get("height") in ("0", "1"):
            yield fault(NOTE, where, "is a tracking picture; proxies load it too, so its count says little")
        elif not image.get("height") and "height" not in style_of(image):
            yield fault(NOTE, where, "has no height; the text jumps while it loads")
        if alt and _FILE_NAME.fullmatch(alt):
            yield fault(
                WARNING, where, "is described as “{alt}”; say what it shows, or leave alt empty", alt=cut(alt, 40)
            )


def picture_weight(seen: Seen) -> Iterator[Fault]:
    """Of pictures inside the message; those on the web are weighed where they can be fetched."""
    inside = [leaf for leaf in seen.leaves if leaf.get_content_maintype() == "image"]
    sizes = [len(octets) for leaf in inside if isinstance(octets := leaf.get_payload(decode=True), bytes)]
    yield from heavy("pictures", sizes)


def heavy(where: str, sizes: list[int]) -> Iterator[Fault]:
    """Pictures that cost a reader on a phone too much. `sizes`: octets each."""
    if sizes and max(sizes) > _PICTURE:
        yield fault(WARNING, where, "one picture has {n} kB; keep each under 200", n=round(max(sizes) / 1000))
    if sum(sizes) > _PICTURES:
        yield fault(
            WARNING, where, "all pictures have {n} kB; keep them under 600 together", n=round(sum(sizes) / 1000)
        )


def style_sheets(seen: Seen) -> Iterator[Fault]:
    known = sheets(seen.html)
    size = sum(sheet.size for sheet in known)
    if size > _GMAIL_STYLE:
        yield fault(WARNING, "html", "{n} kB of <style>; Gmail takes 16 kB, shorten the design", n=round(size / 1000))
    if any(sheet.in_body for sheet in known):
        yield fault(WARNING, "html", "a <style> stands in the body, where Gmail drops it; move it into the head")
    if any(not sheet.whole for sheet in known):
        yield fault(WARNING, "html", "a <style> is not closed properly; Gmail drops the whole block, mend the braces")
    fixed = {
        value
        for sheet in known
        for rule in sheet.rules
        for name, value in declarations(rule.body)
        if name == "position"
    }
    if any(value.startswith(("fixed", "sticky")) for value in fixed):
        yield fault(NOTE, "html", "uses position: fixed, which no mail program shows; lay it out without")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("A48 pictures", pictures),
    ("A54 contrast", readable),
    ("X08 style sheets", style_sheets),
    ("X09 size of letters", small_letters),
    ("X10 picture weight", picture_weight),
)
