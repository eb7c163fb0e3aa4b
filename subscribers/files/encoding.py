"""Which encoding the bytes of a table are in, by evidence that can be told to a person. Never decodes more than a sample.

What is not Unicode is told apart by Vietnamese writing itself: in windows-1258 a tone mark is a sign of its own behind
its vowel, and the same byte is an accented letter in windows-1252.
"""

import codecs
import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from subscribers.errors import ImportProblem

_SAMPLE = 65_536  # octets of lines that are not UTF-8
_BLOCK = 1 << 20
_LONGEST = 1_000  # octets of one such line that count

# The five tones of Vietnamese as windows-1258 writes them: grave, hook above, tilde, acute, dot below.
_TONES = "\u0300\u0309\u0303\u0301\u0323"
_TONE = re.compile(f"[{_TONES}]")
_TONE_ON_VOWEL = re.compile(f"[aeiouyăâêôơư][{_TONES}]", re.I)
_UNUSED_IN_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")

_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1258": "windows-1258", "cp1252": "windows-1252"}
_NAMES |= {"iso8859-1": "latin-1", "utf-16": "UTF-16", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE"}


class Encoding(NamedTuple):
    codec: str  # a Python codec name
    evidence: str

    @property
    def name(self) -> str:
        return _NAMES.get(self.codec, self.codec)


def named_encoding(name: str) -> Encoding:
    """An encoding the caller names. Raises ImportProblem for one there is not, or that is no encoding of text."""
    try:
        codec = codecs.lookup(name.strip())
        if not isinstance("".encode(codec.name), bytes):
            raise LookupError
    except (LookupError, UnicodeError, ValueError, TypeError):
        raise ImportProblem(
            "there is no such encoding", where=name[:40], hint="use a name like utf-8, utf-16, windows-1258"
        ) from None
    # What begins with a mark is read without it, whatever the caller calls it.
    return Encoding("utf-8-sig" if codec.name == "utf-8" else codec.name, "as asked for")


def detect_encoding(handle: IO[bytes]) -> Encoding:
    """By byte order mark, by the zero octets of UTF-16, as UTF-8, or by Vietnamese tone marks. Reads to the end once.

    A UTF-8 file with a few broken lines stays UTF-8.
    """
    head = handle.read(_SAMPLE)
    marked = _by_mark(head) or _by_zeros(head)
    if marked is not None:
        return marked
    handle.seek(0)
    sound, broken, sample = _count_utf8(handle)
    if broken == 0:
        return Encoding("utf-8", f"all {sound:,} lines beyond ASCII are UTF-8" if sound else "all is ASCII")
    if broken <= sound:
        return Encoding("utf-8", f"{sound:,} lines are UTF-8, {broken:,} are broken")
    return _by_tones(sample)


def _by_mark(head: bytes) -> Encoding | None:
    if head.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", "byte order mark")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "byte order mark")
    return None


def _by_zeros(head: bytes) -> Encoding | None:
    """Addresses are ASCII, so in UTF-16 about every second octet of a list is zero."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if max(first, second) * 4 <= len(head) or min(first, second) * 4 > max(first, second):
        return None
    share = f"{max(first, second) * 200 // len(head)} of 100 characters have a zero octet"
    return Encoding("utf-16-le" if second > first else "utf-16-be", share)


def _by_tones(sample: bytes) -> Encoding:
    vietnamese = sample.decode("cp1258", "replace")
    tones, on_vowels = len(_TONE.findall(vietnamese)), len(_TONE_ON_VOWEL.findall(vietnamese))
    if on_vowels * 10 > tones * 9 and (on_vowels > 1 or "đ" in vietnamese.lower()):
        return Encoding("cp1258", f"{on_vowels:,} of {tones:,} Vietnamese tone marks stand behind a vowel")
    if _UNUSED_IN_1252.search(sample):
        return Encoding("iso8859-1", "not UTF-8, and with octets that windows-1252 does not use")
    return Encoding("cp1252", "not UTF-8, and no Vietnamese tone marks")


def _count_utf8(handle: IO[bytes]) -> tuple[int, int, bytes]:
    """`(sound, broken, sample)`: lines beyond ASCII that are UTF-8, those that are not, and some of the latter."""
    sound = broken = 0
    sample = bytearray()
    for block in _whole_lines(handle):
        if block.isascii():
            continue
        lines = [line for line in block.splitlines() if not line.isascii()]
        if _is_utf8(block):
            sound += len(lines)
            continue
        bad = [line for line in lines if not _is_utf8(line)]
        broken += len(bad)
        sound += len(lines) - len(bad)
        for line in bad:
            if len(sample) >= _SAMPLE:
                break
            sample += line[:_LONGEST] + b"\n"
    return sound, broken, bytes(sample)


def _whole_lines(handle: IO[bytes]) -> Iterator[bytes]:
    """The octets in blocks that end with a line; one without an end is cut at 4 MB."""
    rest = b""
    while chunk := handle.read(_BLOCK):
        block = rest + chunk
        cut = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
        if cut == 0 and len(block) < 4 * _BLOCK:
            rest = block
            continue
        yield block[: cut or len(block)]
        rest = block[cut:] if cut else b""
    yield rest


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
