"""A ZIP of CSVs, as Mailchimp and listmonk export: its members one after another, straight from the archive.

Nothing is ever written to disk under a member's name. An archive that could be a bomb, or whose names lead out of a
folder, is refused whole: an honest export looks like neither.
"""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any

from subscribers.errors import ImportProblem
from subscribers.files.delimited import Delimited
from subscribers.files.tables import Forced, Judge

_MAX_MEMBERS = 200
_MAX_OCTETS = 8 << 30  # 5 million rows of Mailchimp's widest export are 2 GB
MAX_RATIO = 200  # lists shrink 3 to 30 times; a bomb 1,000 times
_SMALL = 1 << 20  # octets below which no ratio is suspicious
_TABLES = (".csv", ".tsv", ".tab", ".txt")
_AGAIN = "what stood before may be imported already, which does no harm; export it again"
# what zipfile and zlib raise for archives that are none: damaged tables and members, unknown methods, odd names
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)
_HINT = "unpack it, look into it, and import the CSV files one by one"


class Archive:
    """`members` are the tables in it, in reading order; `left_out` names what is no table, or empty.

    Raises ImportProblem for an archive that is broken, protected by a password, suspicious, or without any CSV.
    """

    def __init__(self, raw: IO[bytes], where: str, *, order: Callable[[str], int]) -> None:
        self._where = where
        try:
            self._zip = zipfile.ZipFile(raw)
        except BROKEN:
            raise ImportProblem("the ZIP file is broken", where=where, hint="export it again") from None
        found = [entry for entry in self._zip.infolist() if not _is_litter(entry.filename)]
        check_archive(found, where)
        tables = [entry for entry in found if entry.filename.lower().endswith(_TABLES)]
        tables = [entry for entry in tables if entry.file_size]
        self.left_out = [entry.filename for entry in found if entry not in tables]
        self.members = sorted(tables, key=lambda entry: order(member_name(entry)))
        if not self.members:
            raise ImportProblem("the ZIP file holds no CSV", where=where, hint=_HINT)

    @contextmanager
    def open(self, entry: zipfile.ZipInfo, judge: Judge, *, forced: Forced, before: int) -> Iterator[Delimited]:
        """One member as a table; `before` is how many octets of the archive earlier ones took up."""
        where = f"{self._where}: {entry.filename}"
        try:
            inflating = self._zip.open(entry)
        except BROKEN as error:
            raise ImportProblem("the ZIP file is broken here", where=where, hint=_AGAIN) from error
        with inflating as inflated:

            def position() -> int:
                return before + entry.compress_size * inflated.tell() // max(entry.file_size, 1)

            raw = io.BufferedReader(_Member(inflated, where), 1 << 16)
            yield Delimited(raw, judge, forced=forced, where=where, name=member_name(entry), position=position)


class _Member(io.RawIOBase):
    """What is inflated of a member; where the archive is broken that is said in one line."""

    def __init__(self, inflated: IO[bytes], where: str) -> None:
        self._inflated, self._where = inflated, where

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._inflated.seek(offset, whence)

    def tell(self) -> int:
        return self._inflated.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            octets = self._inflated.read(len(buffer))
        except BROKEN as error:
            raise ImportProblem("the ZIP file is broken here", where=self._where, hint=_AGAIN) from error
        buffer[: len(octets)] = octets
        return len(octets)


def member_name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).name


def check_archive(entries: list[zipfile.ZipInfo], where: str, *, ratio: int = MAX_RATIO) -> None:
    """By what the archive says of itself: zipfile never inflates a member beyond its declared size. Raises ImportProblem."""
    if len(entries) > _MAX_MEMBERS:
        raise ImportProblem(f"the ZIP file holds more than {_MAX_MEMBERS} files", where=where, hint=_HINT)
    if sum(entry.file_size for entry in entries) > _MAX_OCTETS:
        raise ImportProblem("the ZIP file would unpack to more than 8 GB", where=where, hint=_HINT)
    for entry in entries:
        name = entry.filename
        if ".." in PurePosixPath(name.replace("\\", "/")).parts or name.startswith(("/", "\\")) or ":" in name[:2]:
            raise ImportProblem("a name in the ZIP file leads out of it", where=where, hint=_HINT)
        if entry.flag_bits & 0x1:
            raise ImportProblem("the ZIP file is protected by a password", where=where, hint=_HINT)
        if entry.file_size > _SMALL and entry.file_size > ratio * max(entry.compress_size, 1):
            raise ImportProblem("a file in the ZIP file is packed like a bomb", where=where, hint=_HINT)


def _is_litter(name: str) -> bool:
    """Folders, and what a Mac puts into every archive."""
    return (
        name.endswith("/")
        or not name
        or name.startswith("__MACOSX/")
        or PurePosixPath(name).name in (".DS_Store", "Thumbs.db")
    )
