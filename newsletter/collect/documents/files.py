"""Articles from files: txt, md, html (each also as .gz), docx and pdf. Reads, never writes, never leaves its folder.

Must never open what is not a regular file (a FIFO would hang the run), follow a link out of the folder, take a file that
is still being written, or lose one silently: `read_folder` yields the error of each file it cannot read.
"""

import dataclasses
import hashlib
import os
import re
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from newsletter.bounded import TooMuch, run_bounded
from newsletter.collect.documents import manuscript
from newsletter.collect.pages.page import read_page
from newsletter.collect.text.clean import plain
from newsletter.collect.text.decode import to_text
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.model import RawItem

MAX_BYTES = 5 << 20
MAX_DOCUMENT = 25 << 20  # a document carries its pictures
_READERS = {
    ".docx": Path(__file__).with_name("word.py"),
    ".pdf": Path(__file__).with_name("pdf.py"),
}
TEXTS = (".txt", ".md", ".markdown", ".html", ".htm")
SUFFIXES = (*TEXTS, *_READERS)
FRESH = 2.0  # seconds: what changed so lately may still be growing
LOOK_AGAIN = 0.1  # seconds until such a file is looked at once more; a copying program writes every few milliseconds
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_file(path: Path) -> RawItem:
    """The article in one file. `guid` comes from the file's absolute path: it survives edits of the text.

    Title: what the file marks as one, else its first heading or line. Raises FetchRefused (not a regular file, too large,
    other suffix), Unreadable (empty, binary, broken, without text), SourceError (changes while it is read).
    """
    suffix = _suffix(path)
    if suffix not in SUFFIXES:
        raise FetchRefused("this kind of file is not read", where=str(path), hint=f"known: {', '.join(SUFFIXES)}")
    body = _bytes(path, MAX_DOCUMENT if suffix in _READERS else MAX_BYTES)
    return dataclasses.replace(_article(path, suffix, body), guid=_guid(path))


def _article(path: Path, suffix: str, body: bytes) -> RawItem:
    if suffix in _READERS:
        return _from_document(path, suffix, body)
    body = _unpacked(path, body)
    if suffix in (".html", ".htm"):
        try:
            item = read_page(body)
        except Unreadable as error:
            raise Unreadable(error.what, where=str(path), hint=_really(body) or error.hint) from error
        return dataclasses.replace(item, title=item.title or manuscript.stem(path.name))
    return manuscript.from_text(_text(path, body), markdown=suffix != ".txt", name=str(path))


def _from_document(path: Path, suffix: str, body: bytes) -> RawItem:
    if not body:
        raise Unreadable("the file is empty", where=str(path))
    try:
        found = run_bounded(_READERS[suffix], body)
    except TooMuch as error:
        raise SourceError(str(error), where=str(path)) from error
    if "error" in found:
        raise Unreadable(found["error"], where=str(path), hint=found.get("hint", ""))
    item = manuscript.from_document(found, name=str(path))
    if not item.text:
        raise Unreadable("the document has no text", where=str(path))
    return item


def _guid(path: Path) -> str:
    return "file:" + hashlib.sha256(os.fsencode(path.resolve())).hexdigest()


def read_folder(
    path: Path, told: Callable[[str], object] = lambda name: None
) -> Iterator[tuple[Path, RawItem | SourceError]]:
    """Each readable file directly in `path`, by name, with its article or the error it met; `told` hears each name first.

    Hidden and other files are left out. Raises SourceError when the folder itself cannot be read.
    """
    names = _names(path)
    home = path.resolve(strict=True)
    growing = _growing(names)
    for name in names:
        told(name.name)
        try:
            if not name.resolve().is_relative_to(home):
                raise FetchRefused("a link that leads out of the folder is not followed", where=str(name))
            if name in growing:
                raise SourceError("it is still being written; the next run reads it", where=str(name))
            yield name, read_file(name)
        except SourceError as error:
            yield name, error
        except (OSError, RuntimeError):  # links in a circle
            yield name, SourceError("the link leads in a circle", where=str(name))


def folder_state(path: Path) -> str:
    """A hash that changes with every change of the folder's readable files. Raises SourceError."""
    looks = [f"{name.name}\0{_look(name)}" for name in _names(path)]
    return hashlib.sha256("\n".join(looks).encode("utf-8", "surrogatepass")).hexdigest()


def _names(path: Path) -> list[Path]:
    """What may be an article, by name; not the locks (`~$a.docx`) that Word puts beside an open document."""
    try:
        found = sorted(path.iterdir())
    except OSError as error:
        raise SourceError(f"the folder cannot be read: {error.strerror}", where=str(path)) from error
    return [name for name in found if not name.name.startswith((".", "~$")) and _suffix(name) in SUFFIXES]


def _growing(names: list[Path]) -> set[Path]:
    """Files that changed a moment ago and change still; a second look tells, so that a finished one need not wait."""
    looks = {name: _look(name) for name in names}
    now = time.time()
    fresh = [name for name, look in looks.items() if look is not None and abs(now - look[2] / 1e9) < FRESH]
    if not fresh:
        return set()
    time.sleep(LOOK_AGAIN)
    return {name for name in fresh if _look(name) != looks[name]}


def _look(name: Path) -> tuple[int, int, int, int] | None:
    """(inode, octets, modified, changed), in nanoseconds; None when there is nothing to look at."""
    try:
        seen = name.stat()
    except (OSError, RuntimeError):
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _suffix(path: Path) -> str:
    """In lower case; only texts are read packed."""
    inner = Path(path.name.lower().removesuffix(".gz")).suffix
    return path.suffix.lower() if inner in _READERS else inner


def _bytes(path: Path, most: int) -> bytes:
    """Opened without waiting (a FIFO would) and checked on the open handle, so that nothing can be swapped between."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        os.close(handle)
        raise FetchRefused("this is not a regular file", where=str(path))
    with os.fdopen(handle, "rb") as file:
        body = file.read(most + 1)
        after = os.fstat(file.fileno())
    if len(body) > most:
        raise FetchRefused(f"the file is larger than {most >> 20} MB", where=str(path))
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SourceError("it is still being written; the next run reads it", where=str(path))
    return body


def _really(body: bytes) -> str:
    """What a file is, against its name; "" if that is not known."""
    if body.startswith(b"PK\x03\x04") and b"word/document.xml" in body:
        return "it is a Word document: call it .docx"
    return "it is a PDF: call it .pdf" if body.startswith(b"%PDF") else ""


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
        raise Unreadable("this is a binary file, not text", where=str(path), hint=_really(body))
    return plain(text)
