"""Lines of a finished HTML document kept under the limit of mail, without changing what a reader sees. Pure."""

import re
from collections.abc import Iterator

LINE_OCTETS = 900  # RFC 5322 §2.1.1 allows 998; what is left over is room for a value longer than its marker
# Where a line may end in a serialiser's output, which writes a quotation mark inside a value as &quot; and a > inside text as
# &gt;: before the > of a tag that ends in a quoted value and is followed by another tag (no white space is added between
# the two), and at the space behind a quotation mark (between two attributes, or in text).
_BETWEEN_TAGS, _BEHIND_VALUE = b'"><', b'" '
# Where CSS takes white space, and what it must not be put into.
_RULE_END = re.compile(rb"\"[^\"]*\"|'[^']*'|/\*.*?\*/|url\([^)]*\)|[},;]", re.DOTALL | re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<style><style.*?(?:</style>|\Z))"
    r"|(?P<guard><!--\[if[^\]]*\]>(?:<!-->)?|<!(?:--<!)?\[endif\]-->|<!--.*?(?:-->|\Z)|<!doctype[^>]*>)"
    r"|(?P<tag><(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL | re.IGNORECASE,
)
_TAG_PART = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+")


def wrapped(html: str, limit: int = LINE_OCTETS) -> str:
    """A serialised document with lines of at most `limit` octets, broken only where white space changes nothing.

    A break goes before the > of a tag, between attributes, or at a space in text; a single longer attribute (a URL of
    2,000 characters) stays whole. Most breaks are found by one search from the end of the line's room; only a stretch
    without such a seam is taken apart (0.1 ms instead of 2 for a digest of 50 kB).
    """
    raw = html.encode()
    if max(map(len, raw.split(b"\n"))) <= limit:
        return html
    joined = b"".join(_ruled(part, limit) if at % 2 else _seamed(part, limit) for at, part in enumerate(_styles(raw)))
    if max(map(len, joined.split(b"\n"))) <= limit:
        return joined.decode()
    return broken(html, limit)  # a long line that begins nobody knows where: within a tag, a comment, a style


def _styles(raw: bytes) -> Iterator[bytes]:
    """What stands around the style elements and, between those, each of them."""
    lower, done = raw.lower(), 0  # a fifth of what a regular expression takes
    while (start := lower.find(b"<style", done)) >= 0:
        end = lower.find(b"</style>", start)
        end = len(raw) if end < 0 else end + len(b"</style>")
        yield raw[done:start]
        yield raw[start:end]
        done = end
    yield raw[done:]


def _ruled(style: bytes, limit: int) -> bytes:
    """A style element whose rules and selectors stand on lines of their own, if some line is too long."""
    if max(map(len, style.split(b"\n"))) <= limit:
        return style
    return _RULE_END.sub(lambda found: found[0] + b"\n" if found[0] in b"},;" else found[0], style)


def _seamed(part: bytes, limit: int) -> bytes:
    made: list[bytes] = []
    for line in part.split(b"\n"):
        start, readable = 0, False
        while len(line) - start > limit:
            between = line.rfind(_BETWEEN_TAGS, start + 1, start + limit)
            behind = _behind_value(line, start + 1, start + limit) if between < 0 else -1
            if between < 0 and behind < 0:
                between = line.find(_BETWEEN_TAGS, start + limit)
                end = between + 1 or len(line)
                stretch = line[start:end]
                # Behind a > the text can be read without what stood before it.
                made.append(broken(stretch.decode(), limit).encode() if readable else stretch)
            else:
                end = max(between, behind) + 1
                made.append(line[start:end])
            made.append(b"\n" if end < len(line) else b"")
            start, readable = end + (behind >= 0), behind < 0
        made += (line[start:], b"\n")
    return b"".join(made[:-1])


def _behind_value(line: bytes, start: int, end: int) -> int:
    """Where the last quotation mark with a space behind it stands that does not open a value (`title=" a"`), or -1."""
    found = line.rfind(_BEHIND_VALUE, start, end)
    while found >= 0 and line[found - 1 : found] == b"=":
        found = line.rfind(_BEHIND_VALUE, start, found)
    return found


def broken(html: str, limit: int) -> str:
    """The same by reading the whole document token by token."""
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
