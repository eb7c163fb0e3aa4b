"""A written text to an article: the title, date, author and language it names, with the rule that found each. Pure.

For text and Markdown files, for what a reader of documents found, and for what a person pastes. Must never make up a
title: where none is marked, the first line or sentence serves.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePath

from markdown_it import MarkdownIt

from newsletter.collect.text.byline import byline
from newsletter.collect.text.clean import html_to_text, one_line, paragraphs, plain, title_text
from newsletter.collect.text.dates import date_in_lead, parse_date
from newsletter.collect.text.language import language_of
from newsletter.collect.text.links import absolute
from newsletter.collect.text.mend import mended
from newsletter.errors import FetchRefused
from newsletter.model import RawItem

_MAX_MARKDOWN = 1 << 20
_LONGEST_TITLE = 250  # a longer first line is a paragraph: its first sentence serves as the title
_FRONT = re.compile(r"\A---[ \t]*\n(.{0,5000}?)\n---[ \t]*(?:\n|\Z)", re.S)
_PAIR = re.compile(r"^([A-Za-z_-]{2,30})[ \t]*:[ \t]*(.*)$", re.M)
_ATX = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$")
_MACHINE = re.compile(  # what stands as the author of a document when nobody wrote a name
    r"(?:windows |microsoft office |ms ?office )?user\d*|admin\w*|unknown|python-docx|pc|hp|dell|asus|acer|lenovo|.*@.*",
    re.I,
)


def from_text(text: str, *, markdown: bool, name: str, title: str = "") -> RawItem:
    """`name` is what the text is called (a file's path): the title where the text has none, and none is given.

    Raises FetchRefused: Markdown of more than 1 MB.
    """
    front, text = _front_matter(text)
    front |= {"title": title} if title else {}
    heading, rest, title_rule = _heading(text, front, markdown=markdown)
    body = _from_markdown(rest, name) if markdown else paragraphs(_unwrapped(rest))
    writers, writers_rule = _writers(front, body)
    published, raw, date_rule = _dated(front, body)
    language, language_rule = language_of(f"{heading}\n{body}", front.get("lang"))
    picture = absolute("", front.get("image"))
    rules = {
        "title": title_rule,
        "text": "markdown" if markdown else "plain",
        "published": date_rule,
        "authors": writers_rule,
        "language": language_rule,
        "standfirst": "front matter" if front.get("summary") else "",
        "image": "front matter" if picture else "",
    }
    return RawItem(
        title=heading or stem(name),
        url=absolute("", front.get("url")),
        text=body,
        standfirst=one_line(html_to_text(front.get("summary", "")), 1000) or None,
        authors=writers,
        image=picture,
        language=language,
        published=published,
        published_raw=raw,
        provenance={name: rule for name, rule in rules.items() if rule},
    )


def from_document(found: Mapping[str, str], *, name: str) -> RawItem:
    """What a reader of documents found: title and its rule, text, and the file's properties as the last resort.

    Old documents are set in fonts for Vietnamese (".VnTime"); title and text are judged together, as a title alone is too
    short, and before soft hyphens go, which are letters there.
    """
    title, _, text = mended(f"{' '.join(found.get('title', '').split())}\n\n{found.get('text', '')}").partition("\n\n")
    body = paragraphs(plain(text))
    heading, rule = title_text(title, literal=True), found.get("title_rule", "")
    if not heading:
        heading, body, rule = _heading(body, {}, markdown=False)
        body = paragraphs(body)
    writers, writers_rule = _writers({}, body)
    if not writers and (author := one_line(found.get("author"), 100)) and not _MACHINE.fullmatch(author):
        writers, writers_rule = (author,), "file properties"
    published, raw, date_rule = _dated({}, body)
    if published is None and (created := parse_date(found.get("created"))):
        published, raw, date_rule = created, found["created"], "file properties"
    language, language_rule = language_of(f"{heading}\n{body}")
    rules = {
        "title": rule,
        "text": "document",
        "published": date_rule,
        "authors": writers_rule,
        "language": language_rule,
        "pages": found.get("left_out", ""),
    }
    return RawItem(
        title=heading or stem(name),
        text=body,
        authors=writers,
        language=language,
        published=published,
        published_raw=raw,
        provenance={field: rule for field, rule in rules.items() if rule},
    )


def stem(name: str) -> str:
    """A file's name without folder and ending, as a title of last resort."""
    return one_line(PurePath(name).stem)


def _from_markdown(text: str, name: str) -> str:
    if len(text) > _MAX_MARKDOWN:
        raise FetchRefused("a Markdown file of more than 1 MB is not read", where=name)
    return html_to_text(MarkdownIt("commonmark").render(text))


def _writers(front: dict[str, str], body: str) -> tuple[tuple[str, ...], str]:
    names = [name.strip() for name in re.split(r"[;,]", front.get("author", ""))]
    given = tuple(one_line(html_to_text(name)) for name in names if name and "@" not in name)
    if given:
        return given, "front matter"
    signed = byline(body)
    return (signed, "byline") if signed else ((), "")


def _dated(front: dict[str, str], body: str) -> tuple[datetime | date | None, str | None, str]:
    given = parse_date(front.get("date"))
    if given:
        return given, front["date"], "front matter"
    lead = date_in_lead(body)
    return (lead[0], lead[1], "lead") if lead else (None, front.get("date"), "")


_SAME = {"link": "url", "authors": "author", "language": "lang", "description": "summary", "standfirst": "summary"}


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """`key: value` lines between two `---` lines at the top: title, date, author, url, lang, summary, image."""
    found = _FRONT.match(text.lstrip("\n"))
    if not found:
        return {}, text
    pairs = {name.lower(): value.strip().strip("\"'[]") for name, value in _PAIR.findall(found[1])}
    return {_SAME.get(name, name): value for name, value in pairs.items() if value}, text.lstrip("\n")[found.end() :]


def _heading(text: str, front: dict[str, str], *, markdown: bool) -> tuple[str, str, str]:
    """Title, the text behind it, and the rule. A title in the front matter leaves the text as it is, unless repeated."""
    lines = text.strip("\n").split("\n")
    at = next((n for n, line in enumerate(lines) if line.strip()), 0)
    first = lines[at].strip()
    found = _ATX.match(lines[at]) if markdown else None
    if found:
        first = found[1]
    rest = lines[at + 1 :]
    if markdown and not found and rest and re.fullmatch(r" {0,3}(?:=+|-+)[ \t]*", rest[0]):
        rest, found = rest[1:], re.match("", "")  # a Setext heading: underlined
    first = title_text(re.sub(r"\*\*|__|`", "", first) if markdown else first)
    given = title_text(front.get("title"))
    if given and first != given:
        return given, text, "front matter"
    if len(first) > _LONGEST_TITLE or (first.endswith(".") and len(first) > 120 and not found):
        return one_line(re.split(r"(?<=[.!?…])\s", first)[0], 150), text, "first sentence"
    return first, "\n".join(rest), "first heading" if found else "first line"


def _unwrapped(text: str) -> str:
    """Lines that an editor broke at a margin are joined again; other lines of a block are paragraphs of their own."""
    blocks = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        wrapped = len(lines) > 1 and all(40 <= len(line.strip()) <= 100 for line in lines[:-1])
        blocks.append(" ".join(line.strip() for line in lines) if wrapped else "\n\n".join(lines))
    return "\n\n".join(blocks)
