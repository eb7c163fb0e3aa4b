"""Takes out of a page what its site says around every article: counters, buttons, boxes, the imprint. Changes the tree.

Goes by what the words are, not by class names: the systems of small institutes name their parts in every way, or not at
all. Must never take a sentence of the article: only lines that are nothing but furniture go, and short boxes under
headings no article has.
"""

import re
from collections.abc import Iterator
from itertools import islice
from unicodedata import normalize

import lxml.html
from lxml import etree

from newsletter.collect.text.clean import plain

_LINE = 160  # characters of a line that may be furniture
_BOX = 400  # characters of a box; beyond it something else stands there too
_HEADLINE = 40  # of the heading of a box
_IMPRINT = 500
_LEVELS = 6  # around a piece of text, how far its line may reach
_LAST = 6  # blocks of text at a page's end that may be its imprint
_ANY_FURNITURE = re.compile(
    r"lượt|số lần|bản in|\bin\b|gửi|chia sẻ|quay lại|trở về|đầu trang|tệp|tập tin|file|đính kèm|đánh giá|từ khóa|từ khoá|cỡ chữ"
    r"|bình luận|click|print|e-?mail|views?\b|tải|thống kê|a[-+]|\btags?\b|thích"
)  # of text in lower case: ignoring case costs three times as much
_NUMBER = r"\s*[:=(]?\s*\d[\d.,]*\s*\)?"
_PIECE = (
    r"(?:(?:số\s+)?(?:lượt|lần)\s+(?:xem|đọc|truy cập|tải)" + _NUMBER
    + r"|\d[\d.,]*\s+(?:lượt\s+(?:xem|đọc|thích|chia sẻ)|bình luận|views?|comments?)"
    r"|(?:bình luận|views?|hits)" + _NUMBER
    + r"|in(?: bài(?: viết| này)?| ra| trang(?: này)?| tin)?|bản in|gửi(?: bài(?: viết)?)?(?: (?:qua|bằng))? e?-?mail"
    r"|gửi bài viết|gửi cho bạn bè|chia sẻ(?: bài viết)?|facebook|zalo|twitter|linkedin|print|e-?mail|share|tweet|thích|like"
    r"|(?:quay lại|trở về|trở lại)(?: trang (?:trước|chủ))?|(?:về|lên) đầu trang|trang chủ|về trang chủ"
    r"|(?:tăng|giảm|tăng giảm)? ?cỡ chữ|a\s?[-+]?(?:\s+a\s?[-+]?){0,2}"
    r"|(?:click|nhấn|bấm) để đánh giá(?: bài viết)?|tổng số điểm của bài viết là\s*:?\s*\d+ trong \d+ đánh giá"
    r"|(?:tệp|tập tin|file|tài liệu)(?: tin)? (?:đính kèm|kèm theo)(?:\s*\(\d+\))?|tải (?:về|xuống)"
    r"|[\w.()-]{1,80}\.(?:pdf|docx?|xlsx?|pptx?|zip|rar)(?:\s*\(?[\d.,]+ ?[kmg]b\)?)?)"
)  # fmt: skip
_FURNITURE = re.compile(rf"\W*(?:{_PIECE}(?:\W+|$))+", re.I)
_TAGGED = re.compile(r"(?:từ khóa|từ khoá|thẻ|tags?|keywords?)\s*:.*", re.I)
_HEADING = re.compile(
    r"thời tiết|lịch(?: công tác| làm việc| tuần)?|thăm dò(?: ý kiến| dư luận)?|bình chọn"
    r"|liên kết(?: web(?:site)?| hữu ích| nhanh)?"
    r"|đăng nhập|thống kê(?: truy cập)?|(?:lượt|số lượt) truy cập|quảng cáo|tỷ giá|giá vàng|hỗ trợ trực tuyến|đường dây nóng"
    r"|weather|calendar|poll|visitors?"
)
_IMPRINT_BEGINS = re.compile(
    r"\W*(?:địa chỉ|trụ sở|bản quyền|©|copyright|chịu trách nhiệm|điện thoại|tel\b|đt\b|email|giấy phép|ghi rõ nguồn"
    r"|thiết kế (?:và|bởi)|số lượt truy cập|đang (?:trực tuyến|truy cập|online)|designed by|powered by|all rights reserved)",
    re.I,
)
_HOLDERS = (
    "p", "div", "td", "li", "span", "ul", "dd", "center", "small", "section", "tr", "table", "font", "a", "form",
    "footer",
)  # fmt: skip
_TITLES = frozenset({"h2", "h3", "h4", "h5", "h6", "div", "td", "p", "span", "strong", "b"})
_LEAVES = frozenset({"a", "abbr", "b", "br", "em", "font", "i", "img", "small", "span", "strong", "u"})


def is_imprint(text: str) -> bool:
    """Whether a line is the foot of a site: its address, its telephone, its rights."""
    return len(text) <= _IMPRINT and _IMPRINT_BEGINS.match(text) is not None


def cut_furniture(tree: lxml.html.HtmlElement) -> None:
    """Removes lines that are only counters, buttons and attachments, boxes such as the weather, and the imprint."""
    _cut_lines(tree)
    _cut_boxes(tree)
    for block in _last_blocks(tree):
        if not is_imprint(_text(block)):
            break
        _remove(block)


def _cut_lines(tree: lxml.html.HtmlElement) -> None:
    for start in _saying(tree, _ANY_FURNITURE, _LINE):
        line = None
        for up in (start, *islice(start.iterancestors(), _LEVELS)):
            text = _short(up, _LINE)
            if not text or up.tag in ("body", "html"):
                break
            if up.tag in _HOLDERS and (_FURNITURE.fullmatch(text) or _is_tags(up, text)):
                line = up
        if line is not None:
            _remove(line)


def _saying(tree: lxml.html.HtmlElement, words: re.Pattern[str], limit: int) -> list[lxml.html.HtmlElement]:
    """Elements that hold a short piece of text with such words: reading every element's whole text costs ten times as much."""
    found: dict[lxml.html.HtmlElement, None] = {}
    for element in tree.iter(etree.Element):
        for piece, holder in ((element.text, element), (element.tail, element.getparent())):
            if not piece or holder is None or len(piece) > 2 * limit or piece.isspace():
                continue
            if words.search(normalize("NFC", piece).lower()):
                found[holder] = None
    return list(found)


def _is_tags(element: lxml.html.HtmlElement, text: str) -> bool:
    linked = sum(len(_text(link)) for link in element.iter("a"))
    return _TAGGED.fullmatch(text) is not None and linked >= 0.5 * len(text) - 12


def _cut_boxes(tree: lxml.html.HtmlElement) -> None:
    for element in _saying(tree, _HEADING, _HEADLINE):
        words = _short(element, _HEADLINE)
        if element.tag not in _TITLES or not words or not _HEADING.fullmatch(words.strip(" :.…»-").lower()):
            continue
        box = _box(element)
        if box is not None:
            _remove(box)


def _box(heading: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
    """The innermost block around a heading that says more than it; None if it says too much or holds a headline."""
    words = _short(heading, _HEADLINE)
    for up in heading.iterancestors():
        if up.tag in ("body", "html", "main", "article"):
            return None
        text = _short(up, _BOX)
        if not text or next(up.iter("h1"), None) is not None:
            return None
        if text != words:
            return up
    return None


def _last_blocks(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The last blocks that hold text of their own, the very last first."""
    body = tree.find("body")
    found = 0
    for element in reversed(list((body if body is not None else tree).iter(*_HOLDERS))):
        if element.getparent() is None or element.tag in _LEAVES or not _owns_text(element):
            continue
        yield element
        found += 1
        if found == _LAST:
            return


def _owns_text(element: lxml.html.HtmlElement) -> bool:
    """Text that stands in it outside any inner block."""
    own = [element.text or ""]
    for child in element:
        own.append(child.tail or "")
        if child.tag in _LEAVES:
            own.append(child.text_content())
    return bool("".join(own).strip())


def _short(element: lxml.html.HtmlElement, limit: int) -> str:
    """The text on one line; "" if it is longer than `limit`, without reading the rest."""
    size = 0
    for piece in element.itertext():
        size += len(piece.strip())
        if size > limit:
            return ""
    return _text(element) if size else ""


def _text(element: lxml.html.HtmlElement) -> str:
    return " ".join(plain(" ".join(element.itertext())).split())


def _remove(element: lxml.html.HtmlElement) -> None:
    if element.getparent() is not None and element.tag not in ("body", "html"):
        element.drop_tree()
