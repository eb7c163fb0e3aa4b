"""From a design's MJML to the HTML that is mailed: check, compile, inline, wrap. Pure; no network, no files.

mrml (mjml-python) compiles in 0.3 ms but skips `mj-style inline="inline"` silently, so css-inline does that behind it.
Media queries and the [data-ogsc] rules of Outlook stay in their <style>: they only work there.
"""

import re
from collections.abc import Iterator

import css_inline
from mjml import mjml2html

from newsletter.compose import lint
from newsletter.errors import TemplateError

LINE_OCTETS = 900  # RFC 5322 §2.1.1 allows 998; what is left over is room for a value longer than its marker
_INLINE_STYLE = re.compile(r"<mj-style\s+inline=\"inline\"\s*>(.*?)</mj-style>", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<style><style.*?</style>)"
    r"|(?P<guard><!--\[if[^\]]*\]>(?:<!-->)?|<!(?:--<!)?\[endif\]-->|<!--.*?-->|<!doctype[^>]*>)"
    r"|(?P<tag><(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL | re.IGNORECASE,
)
_TAG_PART = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+")
_MRML_OFFSET = re.compile(r"position (\d+):")


def html_from(marked: str, template: str) -> str:
    """The finished HTML of a rendered MJML template (with line marks). Raises TemplateError with the template's line."""
    document = lint.source(marked, template)
    lint.check(document)
    styles = "\n".join(_INLINE_STYLE.findall(document.text))
    compiled = _compiled(_INLINE_STYLE.sub(_same_lines, document.text), document)
    return wrapped(inlined(compiled, styles))


def _same_lines(removed: re.Match[str]) -> str:
    return "\n" * removed[0].count("\n")


def _compiled(text: str, document: lint.Source) -> str:
    try:
        # Without `fonts={}` a font stack that names Roboto makes mrml link fonts.googleapis.com.
        return str(mjml2html(text, fonts={}, disable_comments=False))
    except ValueError as error:
        offset = _MRML_OFFSET.search(str(error))
        line = text.encode()[: int(offset[1])].count(b"\n") + 1 if offset else 1
        raise TemplateError(f"MJML cannot be compiled: {error}", where=document.place(line)) from error


def inlined(html: str, styles: str) -> str:
    """`styles` written into style attributes, where clients that drop <style> still see them; <style> stays as it is."""
    try:
        inliner = css_inline.CSSInliner(
            inline_style_tags=False,
            keep_style_tags=True,  # media queries with it; keep_at_rules would switch extra_css off (css-inline 0.24)
            load_remote_stylesheets=False,
            extra_css=styles or None,
        )
        return str(inliner.inline(html))
    except css_inline.InlineError as error:
        raise TemplateError(f"styles cannot be inlined: {error}") from error


def wrapped(html: str, limit: int = LINE_OCTETS) -> str:
    """The same document with lines of at most `limit` octets, broken only where white space changes nothing.

    A break goes before the > of a tag, between attributes, or at a space in text; a single longer attribute (a URL of
    2,000 characters) stays whole.
    """
    made: list[str] = []
    used = 0
    for token in _TOKEN.finditer(html):
        whole = token[0]
        size = len(whole.encode())
        # Only what does not fit is taken apart: 60 tokens of 2,500 in a usual digest.
        pieces = _pieces(token) if used + size > limit else ((whole, _NEVER),)
        for piece, glue in pieces:
            length = len(piece.encode())
            if used and glue != _NEVER and used + len(glue) + length > limit:
                made.append("\n")
                used = 0
            elif glue == " ":
                made.append(" ")
                used += 1
            made.append(piece)
            newline = piece.rfind("\n")
            used = used + length if newline < 0 else len(piece[newline + 1 :].encode())
    return "".join(made)


_NEVER = "-"  # no white space may be put before this piece


def _pieces(token: re.Match[str]) -> Iterator[tuple[str, str]]:
    """(piece, what may come before it): a space that may become a newline, an optional newline, or nothing."""
    if token["tag"]:
        yield from _tag_pieces(token[0])
    elif token["text"]:
        yield from _text_pieces(token[0])
    else:
        yield token[0], _NEVER


def _tag_pieces(tag: str) -> Iterator[tuple[str, str]]:
    parts = _TAG_PART.findall(tag[:-1])
    yield parts[0], _NEVER
    for part in parts[1:]:
        yield part, " "
    yield ">", ""


def _text_pieces(text: str) -> Iterator[tuple[str, str]]:
    first, *rest = text.split(" ")
    yield first, _NEVER
    for word in rest:
        yield word, " "
