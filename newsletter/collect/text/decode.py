"""Bytes to text. Pure. Must never fail: the worst case is a replacement character, never a lost page.

Order: byte order mark; bytes that cannot be anything but what they are; strict UTF-8 (text in another encoding is
hardly ever valid UTF-8 by accident); what the server or the document declares; UTF-8 with few faults; a guess.
"""

import codecs
import re

import charset_normalizer

from newsletter.collect.text.mend import mended

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What the names mean in practice: https://encoding.spec.whatwg.org/#names-and-labels
_MEANT = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "tis-620": "cp874",
    "windows-874": "cp874",
}
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})|<meta[^>]{0,300}?charset\s*=\s*["']?([\w.:-]{1,40})""",
    re.I,
)
_FEW = 2000  # one fault in so many bytes is damage, not another encoding
_SAMPLE = 200_000
_HIGH = bytes(range(128, 256))
_ENOUGH = 40  # fewer letters beyond ASCII than this make every guess a gamble: "déjà" was read as Polish


def to_text(body: bytes, charset: str | None = None) -> str:
    """The text of an XML, HTML or plain body; `charset` is the server's word. Font encodings are undone (mend.py)."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return mended(body.decode(name, "replace").lstrip("\ufeff"))
    wide = _wide(body)
    if wide:
        return body.decode(wide, "replace")
    names = [name for name in (charset, _declared(body)) if name]
    if b"\x1b" not in body[:_SAMPLE] or not any(name.lower().startswith("iso-2022") for name in names):
        names.insert(0, "utf-8")
    for name in names:
        text = _strictly(body, name)
        if text is not None:
            return _from_font(body) or text if _is_1258(name) else mended(text)
    return _guessed(body)


def _is_1258(name: str) -> bool:
    return name.lower().replace("_", "-") in ("windows-1258", "cp1258", "x-cp1258")


def _from_font(body: bytes) -> str:
    """The text if its bytes are those of a font for Vietnamese, declared as Windows-1258 for want of a better name; or "".

    Eighteen bytes differ between the two code pages, so the tables of the fonts want Windows-1252.
    """
    western = body.decode("cp1252", "replace")
    told = mended(western)
    return told if told != western else ""


def _declared(body: bytes) -> str | None:
    found = _DECLARED.search(body[:4096])
    return (found[1] or found[2]).decode("ascii", "ignore") if found else None


def _wide(body: bytes) -> str | None:
    """UTF-16 without a mark (markup begins with `<` and a zero byte), or the EBCDIC of an XML declaration."""
    head = body[:4]
    if len(head) == 4 and head[0] == 0x3C and head[1] == 0 and head[3] == 0:
        return "utf-16-le"
    if len(head) == 4 and head[0] == 0 and head[1] == 0x3C and head[2] == 0:
        return "utf-16-be"
    return "cp037" if head == b"\x4c\x6f\xa7\x94" else None


def _strictly(body: bytes, name: str) -> str | None:
    name = _MEANT.get(name.lower(), name)
    if name.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "ucs")):
        return None  # a mark or zero bytes would have shown it
    try:
        return body.decode(name)
    except (LookupError, UnicodeDecodeError, ValueError):
        return None


def _guessed(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    faults = text.count("\ufffd") - text.endswith("\ufffd")  # a cut tail is no sign of another encoding
    if faults <= len(body) // _FEW:
        return text
    if len(body) - len(body.translate(None, _HIGH)) < _ENOUGH:
        return body.decode("cp1252", "replace")
    if told := _from_font(body):  # what no detector knows
        return told
    best = charset_normalizer.from_bytes(body[:_SAMPLE]).best()
    return body.decode(best.encoding if best else "cp1252", "replace")
