"""Text as it may be stored and shown: NFC, without control, invisible or direction-changing characters, and bounded.

Pure. Must never change a letter: Vietnamese diacritics are composed (NFC), nothing is folded away.
"""

import html
import re
import unicodedata

import lxml.html
from lxml import etree

MAX_TITLE = 300  # characters
MAX_TEXT = 200_000  # bytes of UTF-8

# C0 except tab and newline, C1, soft hyphen, zero-width space and no-break, bidi embeddings, overrides and isolates,
# tags, noncharacters, lone surrogates. Kept: the joiners U+200C and U+200D, which scripts and emoji need.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9:]*(?:\s[^<>]*)?/?>|<!--.*?-->", re.S)
_SCRIPT = re.compile(r"<(script|style)\b[^>]*>.*?(?:</\1|\Z)", re.S | re.I)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|code|em|font|i|img|p|q|s|small|span|strong|sub|sup|tt|u)(?:\s[^<>]*)?/?>", re.I
)
_ACTIVE = re.compile(
    r"<(script|style|iframe|svg|object|embed)\b[^<>]*>(?:.*?</\1\s*>)?|</?(?:script|style|iframe|svg|object|embed)\s*>"
    r"|</?[a-zA-Z][a-zA-Z0-9:]*(?:\s[^<>]*=|/)[^<>]*>",
    re.S | re.I,
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,31});")
_BLOCKS = frozenset(
    """address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section table tbody td tfoot th thead tr ul""".split()  # noqa: SIM905
)
_DROPPED = frozenset(
    {"head", "iframe", "noscript", "object", "script", "style", "svg", "template", "textarea", "title"}
)


def plain(text: str) -> str:
    """`text` in NFC without unwanted characters. Line and paragraph separators become newlines."""
    text = re.sub("\r\n?|\x85|\u2028", "\n", text).replace("\u2029", "\n\n").replace("\t", " ")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def one_line(text: str | None, limit: int = MAX_TITLE) -> str:
    """`text` on one line, cut at a word end with an ellipsis where it is longer than `limit` characters."""
    line = " ".join(plain((text or "")[: limit * 20]).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    if line[limit - 1] != " ":
        cut = cut.rsplit(" ", 1)[0]
    return cut.rstrip(" ,;:–-") + "…"


def paragraphs(text: str, limit: int = MAX_TEXT) -> str:
    """`text` as paragraphs joined by one blank line, cut after the last paragraph that fits `limit` bytes."""
    kept: list[str] = []
    room = limit
    for block in re.split(r"\n[ \xa0]*\n", plain(text[: limit * 2])):
        lines = (" ".join(line.split()) for line in block.split("\n"))
        paragraph = "\n".join(line for line in lines if line)
        if not paragraph:
            continue
        size = len(paragraph.encode()) + 2
        if size > room:
            if not kept:
                kept.append(paragraph.encode()[:limit].decode("utf-8", "ignore").rsplit(" ", 1)[0])
            break
        kept.append(paragraph)
        room -= size
    return "\n\n".join(kept)


def title_text(text: str | None, *, literal: bool = False) -> str:
    """A title on one line, inline tags and references read once more unless the format says it is `literal` text.

    What could act goes in any case: scripts with their content, and every tag with an attribute; a bare "<section>" is
    a word of the title.
    """
    text = (text or "")[: MAX_TITLE * 20]
    if not literal:
        text = _INLINE_TAG.sub("", text)
        if _REFERENCE.search(text):
            text = _INLINE_TAG.sub("", html.unescape(text))
    return one_line(_ACTIVE.sub("", text))


def is_markup(text: str) -> bool:
    return bool(_TAG.search(text[:20_000])) or bool(_REFERENCE.search(text[:20_000]))


def html_to_text(markup: str) -> str:
    """Plain text of an HTML fragment: blocks become paragraphs, scripts and the like are left out. Never raises."""
    markup = markup[: MAX_TEXT * 5]
    if not is_markup(markup):
        return paragraphs(markup)
    try:
        root = lxml.html.fragment_fromstring(markup, create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):
        return paragraphs(_untagged(markup))
    text = paragraphs(element_text(root))
    # libxml2 drops what lies deeper than 256 elements
    return text if text or markup.count("<") < 256 else paragraphs(_untagged(markup))


def _untagged(markup: str) -> str:
    return html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", markup)))


def element_text(root: lxml.html.HtmlElement) -> str:
    """Text of an element with block boundaries as blank lines and `<br>` as a newline; white space otherwise folded."""
    pieces: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, node in walk:
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            if tag in _DROPPED:
                walk.skip_subtree()
            else:
                pieces.append("\n\n" if tag in _BLOCKS else "\n" if tag == "br" else "")
                pieces.append(_folded(node.text))
            continue
        if tag in _BLOCKS:
            pieces.append("\n\n")
        if node is not root:
            pieces.append(_folded(node.tail))
    return "".join(pieces)


def _folded(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


def short_text(root: lxml.html.HtmlElement, limit: int) -> str:
    """Text of an element on one line, its pieces set apart; "" if it is longer than `limit`, without reading the rest."""
    pieces: list[str] = []
    size = 0
    for piece in root.itertext():
        size += len(piece.strip())
        if size > limit:
            return ""
        pieces.append(piece)
    return one_line(" ".join(pieces), limit + 1) if size else ""
