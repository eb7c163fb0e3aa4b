"""Articles from files: txt, md, html, each also as .gz. Reads, never writes, never leaves the folder it was given.

Must never open what is not a regular file (a FIFO would hang the run), follow a link out of the folder, or lose a file
silently: `read_folder` yields the error of each file it cannot read.
"""

import dataclasses
import hashlib
import os
import re
import stat
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from markdown_it import MarkdownIt

from newsletter.collect.byline import byline
from newsletter.collect.clean import html_to_text, one_line, paragraphs, plain, title_text
from newsletter.collect.dates import date_in_lead, parse_date
from newsletter.collect.decode import to_text
from newsletter.collect.feed_entry import absolute
from newsletter.collect.language import language_of
from newsletter.collect.page import read_page
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.model import RawItem

MAX_BYTES = 5 << 20
SUFFIXES = (".txt", ".md", ".markdown", ".html", ".htm")
_MAX_MARKDOWN = 1 << 20
_LONGEST_TITLE = 250  # a longer first line is a paragraph: its first sentence serves as the title
_FRONT = re.compile(r"\A---[ \t]*\n(.{0,5000}?)\n---[ \t]*(?:\n|\Z)", re.S)
_PAIR = re.compile(r"^([A-Za-z_-]{2,30})[ \t]*:[ \t]*(.*)$", re.M)
_ATX = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_file(path: Path) -> RawItem:
    """The article in one file. `guid` comes from the file's absolute path: it survives edits of the text.

    Title: the front matter's, else the first heading or line. Raises FetchRefused (not a regular file, over 5 MB,
    other suffix) or Unreadable (empty, binary, broken gzip).
    """
    suffix = _suffix(path)
    if suffix not in SUFFIXES:
        raise FetchRefused(
            "this kind of file is not read", where=str(path), hint=f"known: {', '.join(SUFFIXES)}, or .gz"
        )
    body = _unpacked(path, _bytes(path))
    guid = "file:" + hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
    if suffix in (".html", ".htm"):
        try:
            item = read_page(body)
        except Unreadable as error:
            raise Unreadable(error.what, where=str(path), hint=error.hint) from error
        return dataclasses.replace(item, guid=guid, title=item.title or one_line(path.stem))
    text = _text(path, body)
    return dataclasses.replace(_document(text, markdown=suffix != ".txt", path=path), guid=guid)


def read_folder(path: Path) -> Iterator[tuple[Path, RawItem | SourceError]]:
    """Each readable file directly in `path`, by name, with its article or the error it met. Hidden and other files are
    left out. Raises SourceError when the folder itself cannot be read."""
    try:
        names = sorted(path.iterdir())
        home = path.resolve(strict=True)
    except OSError as error:
        raise SourceError(f"the folder cannot be read: {error.strerror}", where=str(path)) from error
    for name in names:
        if name.name.startswith(".") or _suffix(name) not in SUFFIXES:
            continue
        try:
            if not name.resolve().is_relative_to(home):
                raise FetchRefused("a link that leads out of the folder is not followed", where=str(name))
            yield name, read_file(name)
        except SourceError as error:
            yield name, error
        except (OSError, RuntimeError):  # links in a circle
            yield name, SourceError("the link leads in a circle", where=str(name))


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _bytes(path: Path) -> bytes:
    """Opened without waiting (a FIFO would) and checked on the open handle, so that nothing can be swapped between."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FetchRefused("this is not a regular file", where=str(path))
    with os.fdopen(handle, "rb") as file:
        body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise FetchRefused(f"the file is larger than {MAX_BYTES >> 20} MB", where=str(path))
    return body


def _unpacked(path: Path, body: bytes) -> bytes:
    if not path.name.lower().endswith(".gz"):
        return body
    inflate = zlib.decompressobj(31)
    try:
        text = inflate.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise Unreadable("the gzip packing is broken", where=str(path)) from error
    if len(text) > MAX_BYTES:
        raise FetchRefused(f"the file is larger than {MAX_BYTES >> 20} MB when unpacked", where=str(path))
    if not inflate.eof:
        raise Unreadable("the gzip packing breaks off", where=str(path))
    return text


def _text(path: Path, body: bytes) -> str:
    text = to_text(body).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise Unreadable("the file is empty", where=str(path))
    if body.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0")) or len(_CONTROL.findall(text[:4096])) > 8:
        raise Unreadable("this is a binary file, not text", where=str(path))
    return plain(text)


def _document(text: str, *, markdown: bool, path: Path) -> RawItem:
    front, text = _front_matter(text)
    heading, rest, title_rule = _heading(text, front, markdown=markdown)
    body = _from_markdown(rest, path) if markdown else paragraphs(_unwrapped(rest))
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
        title=heading or one_line(path.stem),
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


def _from_markdown(text: str, path: Path) -> str:
    if len(text) > _MAX_MARKDOWN:
        raise FetchRefused("a Markdown file of more than 1 MB is not read", where=str(path))
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
