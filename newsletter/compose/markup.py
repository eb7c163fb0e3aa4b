"""From a design's MJML to the HTML that is mailed: include, check, compile, inline, wrap. Pure; no network, no files.

mrml (mjml-python) compiles in 0.3 ms but skips `mj-style inline="inline"` silently, so css-inline does that behind it.
Media queries and the [data-ogsc] rules of Outlook stay in their <style>: they only work there.
"""

import re
from itertools import chain

import css_inline
from lxml import etree
from mjml import mjml2html

from newsletter.compose import lint
from newsletter.compose.including import Load, included
from newsletter.compose.mjmltext import Source, source
from newsletter.compose.wrapping import wrapped
from newsletter.errors import TemplateError

MOST_MJML = 250_000  # characters; the shipped designs need 17,000 for ten articles
LONGEST_TAG = 40_000  # characters between two >; XML parsers compare each attribute of a tag with all others
MOST_INLINE = 16_000  # characters of CSS that are matched with every element; the bulletin has 1,100
MOST_HTML = 2_000_000  # characters; 20 times what may be sent
_STYLE = r"(?P<style><mj-style\s[^<>]*?\binline\s*=[^<>]*>.*?</mj-style>)"
_INLINE_STYLE = re.compile(_STYLE, re.DOTALL)  # a seventh of what the next takes: comments seldom hold a style
_COMMENT_OR_STYLE = re.compile(rf"<!--.*?(?:-->|\Z)|{_STYLE}", re.DOTALL)
_MRML_OFFSET = re.compile(r"position (\d+):")
_BODY = "<body"
_SHELL = "<html><head></head>"  # what the inliner puts before a body
_HOLD = "<!--~-->"  # stands for a comment while styles are inlined


def html_from(marked: str, template: str, load: Load | None = None) -> str:
    """The finished HTML of a rendered MJML template (with line marks). Raises TemplateError with the template's line.

    `load` reads what `mj-include` names; without it there is nothing to include.
    """
    document = source(included(marked, template, load), template)
    if len(document.marked) > MOST_MJML:
        raise TemplateError(f"makes more than {MOST_MJML:,} characters of MJML", where=template)
    if max(map(len, document.text.split(">"))) > LONGEST_TAG:
        raise TemplateError(f"has {LONGEST_TAG:,} characters without a tag's end", where=template)
    root = lint.check(document)
    styles = inline_styles(root)
    if len(styles) > MOST_INLINE:
        raise TemplateError(f"has more than {MOST_INLINE:,} characters of inline styles", where=template)
    compiled = _compiled(document, sum(1 for _ in root.iter("mj-style")))
    if len(compiled) > MOST_HTML:
        raise TemplateError(f"makes more than {MOST_HTML:,} characters of HTML", where=template)
    return wrapped(inlined(compiled, styles))


def inline_styles(root: etree._Element) -> str:
    return "\n".join(style.text or "" for style in root.iter("mj-style") if style.get("inline"))


def _compiled(document: Source, styles: int) -> str:
    """`styles`: how many elements mj-style there are; more are written when a comment holds some."""
    pattern = _INLINE_STYLE if document.text.count("<mj-style") == styles else _COMMENT_OR_STYLE
    text = pattern.sub(_same_lines, document.text)
    try:
        # Without `fonts={}` a font stack that names Roboto makes mrml link fonts.googleapis.com.
        return str(mjml2html(text, fonts={}, disable_comments=False))
    except ValueError as error:
        offset = _MRML_OFFSET.search(str(error))
        line = text.encode()[: int(offset[1])].count(b"\n") + 1 if offset else 1
        raise TemplateError(f"MJML cannot be compiled: {error}", where=document.place(line)) from error


def _same_lines(removed: re.Match[str]) -> str:
    return "\n" * removed[0].count("\n") if removed["style"] else removed[0]


def inlined(html: str, styles: str) -> str:
    """`styles` written into style attributes, where clients that drop <style> still see them; <style> stays as it is.

    Only the body is parsed and written anew: the head's styles and comments stay octet for octet.
    """
    cut = html.find(_BODY)
    try:
        inliner = css_inline.CSSInliner(
            inline_style_tags=False,
            keep_style_tags=True,  # media queries with it; keep_at_rules would switch extra_css off (css-inline 0.24)
            load_remote_stylesheets=False,
            extra_css=styles or None,
        )
        if cut < 0:
            return str(inliner.inline(html))
        return html[:cut] + _body_inlined(inliner, html[cut:])
    except css_inline.InlineError as error:
        raise TemplateError(f"styles cannot be inlined: {error}") from error


def _body_inlined(inliner: css_inline.CSSInliner, body: str) -> str:
    """Comments, a quarter of a digest, are what Outlook reads and nobody styles: they are taken out and put back."""
    texts, comments = _parted(body)
    made = str(inliner.inline(_HOLD.join(texts)))
    made = made[len(_SHELL) :] if made.startswith(_SHELL) else made
    parts = made.split(_HOLD)
    if len(parts) != len(texts):  # one stood where it is no comment: in a value, or in a style
        made = str(inliner.inline(body))
        return made[len(_SHELL) :] if made.startswith(_SHELL) else made
    return "".join(chain.from_iterable(zip(parts, (*comments, ""), strict=True)))


def _parted(body: str) -> tuple[list[str], list[str]]:
    """(what stands around the comments, the comments); one text more than comments."""
    texts, comments, done = [], [], 0
    while (start := body.find("<!--", done)) >= 0:
        end = body.find("-->", start + 2) + 3  # `<!-->` is a whole comment (HTML Standard, 13.2.5.43)
        if end < 3:
            break
        texts.append(body[done:start])
        comments.append(body[start:end])
        done = end
    return [*texts, body[done:]], comments
