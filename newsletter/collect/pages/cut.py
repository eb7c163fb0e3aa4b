"""Takes the lists of other articles out of a page. Changes the tree it is given.

Must never take the article itself: nothing that holds the first heading or a long run of unlinked text is removed.
"""

import re
import unicodedata
from collections.abc import Iterator

import lxml.html
from lxml import etree

from newsletter.collect.pages.furniture import is_imprint
from newsletter.collect.text.clean import plain

_OTHER = (
    r"(?:khác|liên quan|cùng (?:chuyên mục|chủ đề|loại)|mới hơn|cũ hơn|mới nhất|đã đưa|đã đăng|trước đó|tiếp theo|nổi bật"
    r"|đọc nhiều|xem nhiều)"
)
_END = re.compile(
    r"(?:(?:các|những)\s+)?(?:mục|tin(?: tức)?|bài(?: viết| báo)?|tin bài|tin,? bài|thông tin|nội dung|hoạt động|sự kiện)"
    rf"\s+{_OTHER}(?:\s+hơn)?|có thể bạn (?:quan tâm|thích)|cùng chuyên mục"
    r"|related (?:articles?|posts?|news|stories|content|items|reading|links)|you (?:may|might) also (?:like|be interested in)"
    r"|more (?:news|stories|articles|from .{2,40}|like this|in this section)|other (?:news|articles|stories|posts)"
    r"|(?:latest|recent|popular) (?:news|posts|articles|stories)|read (?:more|next|also)|recommended(?: for you)?",
    re.I,
)
_INLINE = re.compile(
    r"[>»\s]*(?:xem thêm|đọc thêm|tham khảo thêm|read also|read more|see also|related)\s*[:：>»]", re.I
)
# a word of each of the above; vowels of decomposed text carry their marks apart
_MAY_END = re.compile(
    unicodedata.normalize("NFC", words := r"khác|liên|cùng|hơn|nhất|đã|trước|tiếp|nổi|nhiều|quan|thích|thêm")
    + "|" + unicodedata.normalize("NFD", words)
    + "|related|also|more|other|latest|recent|popular|read|recommended",
    re.I,
)  # fmt: skip
_LONGEST = 300  # characters of a heading or a linked line
_WRAPPERS = 8  # around a heading's words that are looked at
_HEADING_TAGS = frozenset(
    {"h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "span", "strong", "b", "legend", "td", "li", "a", "label"}
)
_PROSE = 60  # characters of unlinked text that make a block part of an article
_OUTERMOST = frozenset({"body", "html", "main", "article"})


def cut_related(tree: lxml.html.HtmlElement) -> None:
    """Removes each list of other articles with its heading, and linked "xem thêm" lines inside the text."""
    keep = _article_heading(tree)
    for element in list(_candidates(tree)):
        if element.getparent() is None or not _still_there(element, tree):
            continue
        text = _text(element)
        if _INLINE.match(text):
            if len(text) < _LONGEST and _linked(element) >= 0.5 * len(text) - 12:
                _remove(element)
        elif _END.fullmatch(text.strip(" :.…>»|-–")):
            _cut_from(element, keep)


def _article_heading(tree: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
    headings = tree.xpath("//h1") or tree.xpath("//h2")
    return headings[0] if headings else None


def _candidates(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """Short elements around a text that may say "other news": whoever reads every element's text spends a sixth of the
    time of a page on it."""
    chosen: set[lxml.html.HtmlElement] = set()
    for element in tree.iter(etree.Element):
        if _says_end(element.text):
            _choose(element, chosen)
        if _says_end(element.tail):
            _choose(element.getparent(), chosen)
    return (element for element in tree.iter(etree.Element) if element in chosen) if chosen else iter(())


def _says_end(text: str | None) -> bool:
    return text is not None and 4 <= len(text) < _LONGEST and _MAY_END.search(text) is not None


def _choose(element: lxml.html.HtmlElement | None, chosen: set[lxml.html.HtmlElement]) -> None:
    for _ in range(_WRAPPERS):
        if element is None or element in chosen or not _is_short(element):
            return
        if element.tag in _HEADING_TAGS and len(element) <= 6:
            chosen.add(element)
        element = element.getparent()


def _is_short(element: lxml.html.HtmlElement) -> bool:
    """Whether the text is below `_LONGEST` characters, without reading the rest: wrappers of whole pages are asked too."""
    size = 0
    for piece in element.itertext():
        size += len(piece.strip())
        if size >= _LONGEST:
            return False
    return size > 0


def _still_there(element: lxml.html.HtmlElement, tree: lxml.html.HtmlElement) -> bool:
    top = element
    while (parent := top.getparent()) is not None:
        top = parent
    return top is tree.getroottree().getroot()


def _cut_from(heading: lxml.html.HtmlElement, keep: lxml.html.HtmlElement | None) -> None:
    """Removes `heading` and what follows it, outwards, until something looks like an article again."""
    node = heading
    while node.tag not in _OUTERMOST and (parent := node.getparent()) is not None and not _holds(node, keep):
        for sibling in list(node.itersiblings()):
            if _holds(sibling, keep) or _is_prose(sibling):
                _remove(heading)
                return
            if not _remove_with_tail(sibling):
                _remove(heading)
                return
        if node is heading:
            _remove_with_tail(node)
        if _holds(parent, keep):
            return
        node = parent


def _remove_with_tail(element: lxml.html.HtmlElement) -> bool:
    """Takes also the text behind an element ("(28/12/2023)" behind a link); False if that text is prose and stays."""
    if len((element.tail or "").strip()) >= _PROSE:
        _remove(element)
        return False
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
    return True


def _holds(element: lxml.html.HtmlElement, keep: lxml.html.HtmlElement | None) -> bool:
    return keep is not None and (element is keep or any(ancestor is element for ancestor in keep.iterancestors()))


def _is_prose(element: lxml.html.HtmlElement) -> bool:
    """A block of an article: a sentence or more, hardly linked. Items of a list of articles begin with their link."""
    if not isinstance(element.tag, str):
        return False
    text, linked = _text(element), _linked(element)
    total = len(text)
    return not is_imprint(text) and total - linked >= _PROSE and linked < 0.2 * total


def _linked(element: lxml.html.HtmlElement) -> int:
    links = [element] if element.tag == "a" else element.iterdescendants("a")
    return sum(len(_text(link)) for link in links)


def _text(element: lxml.html.HtmlElement) -> str:
    return " ".join(plain(element.text_content()).split()) if isinstance(element.tag, str) else ""


def _remove(element: lxml.html.HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()
