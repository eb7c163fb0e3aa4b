"""A Word document (.docx, ECMA-376) to its words. Run only in a bounded child process (bounded.py); imports nothing of ours.

Packed sizes are counted twice before anything is parsed: as the archive's directory claims them, and as they really
inflate. Must never follow a relationship out of the file.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

MAX_PARTS = 5000
MAX_UNPACKED = 100 << 20  # bytes, pictures included
MAX_XML = 30 << 20  # bytes of the parts that are parsed
MAX_TEXT = 400_000  # characters
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_UNSEEN = frozenset(  # what is struck out by tracked changes, or shown to older programs only
    {f"{_W}del", f"{_W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
_MOTTO = re.compile(r"cộng\s+h(?:òa|oà)\s+xã\s+hội\s+chủ\s+nghĩa|độc\s+lập\s*[-–]\s*tự\s+do", re.I)


def read(body: bytes) -> dict[str, str]:
    """{title, title_rule, text, author, created}, or {error, hint}."""
    if body.startswith(b"\xd0\xcf\x11\xe0"):
        return {"error": "this is an old Word document (.doc) or one behind a password", "hint": "save it as .docx"}
    if not body.startswith(b"PK\x03\x04"):
        return {"error": "this is no Word document, whatever its name says"}
    fault = _too_big(body)
    if fault:
        return {"error": fault}
    import docx
    from docx.opc.exceptions import OpcError

    try:
        document = docx.Document(io.BytesIO(body))
    except (KeyError, ValueError, AttributeError, OpcError, zipfile.BadZipFile) as error:
        return {"error": "this is a packed file, but no Word document", "hint": str(error)[:200]}
    return _words(document)


def _too_big(body: bytes) -> str:
    """Why the archive must not be opened, or ""."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                return f"it holds more than {MAX_PARTS} parts"
            claimed = sum(part.file_size for part in parts)
            if claimed > MAX_UNPACKED:
                return f"it unpacks to {claimed >> 20} MB, more than {MAX_UNPACKED >> 20}"
            if sum(p.file_size for p in parts if p.filename.lower().endswith((".xml", ".rels"))) > MAX_XML:
                return f"its text unpacks to more than {MAX_XML >> 20} MB"
            return _inflates(archive, parts)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error):
        return "its packing is broken or breaks off: is it still being written?"


def _inflates(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> str:
    total = 0
    for part in parts:
        with archive.open(part) as stream:
            while chunk := stream.read(1 << 16):
                total += len(chunk)
                if total > MAX_UNPACKED:
                    return f"it unpacks to more than {MAX_UNPACKED >> 20} MB"
    return ""


def _words(document: Any) -> dict[str, str]:
    names = {style.style_id: (style.name or "").lower() for style in document.styles}
    title, rule, left = "", "", MAX_TEXT
    kept: list[str] = []
    for style_id, text in _paragraphs(document.element.body):
        style = names.get(style_id, "")
        if style == "caption" or style.startswith("toc ") or left <= 0:
            continue
        if not title and not kept and (style == "title" or style.startswith("heading")):
            title, rule = text, "title style" if style == "title" else "first heading"
        else:
            kept.append(text)
            left -= len(text)
    if not title:  # a heading may stand behind a letterhead or a date line
        title, rule = "", ""
    core = document.core_properties
    return {
        "title": title,
        "title_rule": rule,
        "text": "\n\n".join(kept),
        "author": core.author or "",
        "created": core.created.date().isoformat() if core.created else "",
    }


def _paragraphs(body: Any) -> Iterator[tuple[str, str]]:
    """(style id, text) of each paragraph that has text, in order, those of tables, frames and content controls too."""
    letterheads = {table for table in body.iter(f"{_W}tbl") if _MOTTO.search("".join(_texts(table))[:2000])}
    for paragraph in body.iter(f"{_W}p"):
        above = list(paragraph.iterancestors())
        if any(one.tag in _UNSEEN or one in letterheads for one in above):
            continue
        text = "".join(_texts(paragraph)).strip()
        if text and not (_MOTTO.search(text) and len(text) < 120):
            style = paragraph.find(f"{_W}pPr/{_W}pStyle")
            yield (style.get(f"{_W}val", "") if style is not None else ""), text


def _texts(element: Any) -> Iterator[str]:
    """Its own text: what belongs to a paragraph within it (a text frame) is that one's."""
    inner = element.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen")
    for piece in inner:
        above = list(piece.iterancestors())
        owner = next((one for one in above if one.tag == f"{_W}p"), None)
        if element.tag == f"{_W}p" and owner is not element:
            continue
        if any(one.tag in _UNSEEN for one in above):
            continue
        if piece.tag == f"{_W}t":
            yield piece.text or ""
        else:
            yield "-" if piece.tag == f"{_W}noBreakHyphen" else " " if piece.tag == f"{_W}tab" else "\n"
