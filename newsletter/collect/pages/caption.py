"""Takes the pictures of a page out with their captions. Changes the tree it is given.

Institutes write a caption as one more paragraph under the picture, small, slanted, centred or without any sign. Must never
take a paragraph of the article: what goes is short, and stands with or right behind a picture.
"""

import re

import lxml.html

from newsletter.collect.text.clean import plain

_CAPTION = re.compile(
    r"(?:^|[\s_-])(?:caption|wp-caption-text|image-caption|photo-?caption|photocms_caption|pcaption|chu-?thich|chuthich|picture-?credit)(?:$|[\s_-])",
    re.I,
)
_LONGEST = 250  # characters of a caption
_UNMARKED = 150  # of one that nothing but its place and its missing full stop betrays
_ENDS = re.compile(r"[.!?:;…,]['\"”’»)\]]*$")
_CENTRED = re.compile(r"text-align\s*:\s*center", re.I)
_SLANTED = re.compile(r"font-style\s*:\s*italic", re.I)
_BLOCKS = frozenset({"p", "div", "center", "h5", "h6", "em", "i", "span", "font"})
_HEADINGS = ("h1", "h2", "h3", "h4")


def drop_captions(tree: lxml.html.HtmlElement) -> None:
    """Removes pictures with their captions: `figure`, `figcaption`, caption classes, and a picture's own paragraph."""
    for figure in tree.xpath("//figure"):
        holds_text = figure.xpath(".//table|.//pre|.//blockquote|.//code")
        if not holds_text and len(_text(figure)) < 500:
            _remove(figure)
    for element in tree.xpath("//figcaption"):
        _remove(element)
    for element in tree.xpath("//*[@class]"):
        if (
            _CAPTION.search(element.get("class", ""))
            and len(_text(element)) < 500
            and element.tag not in ("body", "html")
        ):
            _remove(element)
    for picture in tree.xpath("//p[.//img]|//td[.//img]|//center[.//img]|//div[.//img]"):
        if picture.tag != "div" and _is_captioned(picture):
            _remove(picture)
        elif not _text(picture) and (caption := _next_block(picture)) is not None and _captions(caption):
            _remove(caption)


def _is_captioned(block: lxml.html.HtmlElement) -> bool:
    """`<p><img><br><em>caption</em></p>`, as site editors write it: all the text is set apart, and it is short."""
    text = _text(block)
    return 0 < len(text) <= _LONGEST and _share(block, text, "em", "i", "small") >= 0.9


def _next_block(picture: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
    """The block right behind a picture that stands alone in its own; empty ones between them are passed over."""
    if (picture.tail or "").strip():
        return None
    for sibling in picture.itersiblings():
        if not isinstance(sibling.tag, str):
            continue
        if _text(sibling):
            return sibling if sibling.tag in _BLOCKS else None
        if (sibling.tail or "").strip() or next(sibling.iter("img"), None) is not None:
            return None
    return None


def _captions(block: lxml.html.HtmlElement) -> bool:
    """Whether the block behind a picture is its caption: set apart by its look, or no sentence and then text again."""
    text = _text(block)
    if len(text) > _LONGEST or next(block.iter(*_HEADINGS, "img", "li", "td"), None) is not None:
        return False
    if _share(block, text, "b", "strong") >= 0.9 or _share(block, text, "a") >= 0.5:
        return False  # a heading within the text, a link
    style = block.get("style") or ""
    if _share(block, text, "em", "i", "small") >= 0.9 or _SLANTED.search(style):
        return True
    if block.tag == "center" or (block.get("align") or "").lower() == "center" or _CENTRED.search(style):
        return True
    following = next((one for one in block.itersiblings("p") if _text(one)), None)
    return (
        block.tag == "p"
        and len(text) <= _UNMARKED
        and not _ENDS.search(text)
        and following is not None
        and len(_text(following)) > len(text)
    )


def _share(block: lxml.html.HtmlElement, text: str, *tags: str) -> float:
    """Of the text, 0 to 1 or more, that stands in elements of these tags (nested ones count twice)."""
    own = [block] if block.tag in tags else block.iterdescendants(*tags)
    return sum(len(_text(element)) for element in own) / max(len(text), 1)


def _text(element: lxml.html.HtmlElement) -> str:
    return " ".join(plain(element.text_content()).split()) if isinstance(element.tag, str) else ""


def _remove(element: lxml.html.HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()
