"""Shows where in the preview a finding is: the element that it speaks of gets an outline. Pure."""

from collections.abc import Iterable, Iterator, Sequence

import lxml.html

from newsletter.mail.cascade import tree_of
from newsletter.mail.clients.strip import serialised
from newsletter.model import Finding

MARK = "found"  # the id of the element, to jump to
_OUTLINE = "outline: 4px solid #C2410C !important; outline-offset: 2px !important; scroll-margin: 80px"


def needles_of(finding: Finding) -> list[str]:
    """The words and addresses in a finding that may stand in the mail, the most telling first."""
    image = finding.where.rpartition("img ")[2] if "img " in finding.where else ""
    values = dict(finding.values)
    named = [values[name] for name in ("url", "title", "text", "alt", "host", "shown", "what") if name in values]
    return [one.rstrip("…") for one in (image, *named) if isinstance(one, str) and len(one) >= 2]


def marked(html: str, needles: Sequence[str]) -> str:
    """The document with the first element that has or says one of `needles` outlined; itself where none does."""
    page = tree_of(html)
    found = (
        None if page is None else next((hit for needle in needles if (hit := _element(page, needle)) is not None), None)
    )
    if page is None or found is None:
        return html
    found.set("style", f"{found.get('style', '').rstrip('; ')}; {_OUTLINE}".lstrip("; "))
    found.set("id", MARK)
    return serialised(page)


def _element(page: lxml.html.HtmlElement, needle: str) -> lxml.html.HtmlElement | None:
    elements = [one for one in page.iter() if isinstance(one, lxml.html.HtmlElement) and isinstance(one.tag, str)]
    by_address = (one for one in elements for name in ("href", "src", "alt") if needle in one.get(name, ""))
    hit = next(by_address, None)
    return hit if hit is not None else next(_saying(elements, " ".join(needle.split())), None)


def _saying(elements: Iterable[lxml.html.HtmlElement], words: str) -> Iterator[lxml.html.HtmlElement]:
    for one in elements:
        if one.tag not in ("html", "head", "title", "style", "body") and words in " ".join((one.text or "").split()):
            yield one
