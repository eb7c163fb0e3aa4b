"""What a screen reader says of a message, in the order in which it says it. Pure.

After the rules screen readers share (WAI-ARIA 1.2, HTML-AAM): hidden things are passed over, layout tables are not
announced, links, headings, pictures, lists and a change of language are. Each program words it in its own way; the words
here are those of the page that shows it.
"""

import lxml.html

from newsletter.locale import Labels
from newsletter.mail.cascade import Screen, settled, style_of, tree_of

_BLOCKS = frozenset(
    ("address", "article", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3",
     "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot",
     "th", "thead", "tr", "ul")
)  # fmt: skip
_UNSPOKEN = frozenset(("head", "style", "script", "template", "title", "noscript"))
_LAYOUT = ("presentation", "none")


class _Voice:
    """Gathers words into lines; a line ends where a block begins or ends."""

    def __init__(self, words: Labels) -> None:
        self.words = words
        self.lines: list[str] = []
        self._said: list[str] = []
        self._before = ""

    def say(self, text: str) -> None:
        self._said.append(text)

    def end_line(self, before: str = "") -> None:
        spoken = " ".join("".join(self._said).split())
        if spoken.strip(" ͏\u200c\u00a0"):
            self.lines.append(f"{self._before}{spoken}")
        self._said, self._before = [], before


def spoken(html: str, words: Labels, *, screen: Screen | None = None) -> list[str]:
    """The message line by line as it is read out. Empty where there is no document."""
    page = tree_of(settled(html, screen or Screen()))
    body = page.find(".//body") if page is not None else None
    if page is None or body is None:
        return []
    voice = _Voice(words)
    title = "".join(page.xpath("//head/title/text()")).strip()
    voice.lines.append(
        words.gettext("message “{title}”, language {language}", title=title, language=page.get("lang", "?"))
    )
    waiting: list[tuple[lxml.html.HtmlElement | str | None, str]] = [(body, page.get("lang", ""))]
    while waiting:
        part, language = waiting.pop()
        if part is None:
            voice.end_line()
        elif isinstance(part, str):
            voice.say(part)
        else:
            waiting += reversed(_inside(part, language, voice))
    voice.end_line()
    return voice.lines


def _inside(
    node: lxml.html.HtmlElement, language: str, voice: _Voice
) -> list[tuple[lxml.html.HtmlElement | str | None, str]]:
    """What is said of an element before its content; the content still to be said, None ending a line."""
    if node.tag in _UNSPOKEN or node.get("aria-hidden") == "true" or _hidden(node):
        return []
    own = node.get("lang") or language
    block = node.tag in _BLOCKS
    if block:
        voice.end_line(_announced(node, voice.words))
    if own != language:
        voice.say(f"[{own}] ")
    if node.tag == "img":
        voice.say(_picture(node, voice.words))
        return []
    link = node.tag == "a" and node.get("href") is not None
    if link:
        voice.say(f" [{voice.words.gettext('link')}: ")
    content: list[tuple[lxml.html.HtmlElement | str | None, str]] = [(node.text, own)] if node.text else []
    for child in node:
        if isinstance(child, lxml.html.HtmlElement) and isinstance(child.tag, str):
            content.append((child, own))
        if child.tail:
            content.append((child.tail, own))
    return [*content, *([("] ", own)] if link else []), *([(None, own)] if block else [])]


def _hidden(node: lxml.html.HtmlElement) -> bool:
    style = style_of(node)
    return style.get("display") == "none" or style.get("visibility") == "hidden" or node.get("hidden") is not None


def _announced(node: lxml.html.HtmlElement, words: Labels) -> str:
    tag = str(node.tag)
    if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
        return words.gettext("heading {n}", n=tag[1]) + ": "
    if tag == "table" and node.get("role") not in _LAYOUT:
        return words.gettext("table") + ": "
    if tag == "li":
        return "• "
    return ""


def _picture(node: lxml.html.HtmlElement, words: Labels) -> str:
    alt = node.get("alt")
    if alt is None:
        return " [" + words.gettext("picture without a description") + "] "
    return f" [{words.gettext('picture')}: {alt}] " if alt.strip() else ""
