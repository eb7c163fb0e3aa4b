"""Which kind of file it is, told by its first octets and never by its name; then its tables, one after another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from subscribers.errors import ImportProblem
from subscribers.files.archive import BROKEN, Archive
from subscribers.files.delimited import Delimited
from subscribers.files.tables import Forced, Judge, TableOf
from subscribers.files.workbook import open_workbook

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_KNOWN = {
    _OLE: ("an old or protected Excel file", "save it as .xlsx without a password, or as CSV"),
    b"\x1f\x8b": ("a gzip file", "unpack it"),
    b"%PDF": ("a PDF", "ask for the list as CSV or XLSX"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it, or pack it as ZIP"),
    b"Rar!": ("a RAR archive", "unpack it, or pack it as ZIP"),
}


class Tables:
    """The tables of one file. `left_out` names what of it was not read, complete once they are through."""

    def __init__(self, tables: Iterator[TableOf], left_out: list[str]) -> None:
        self._tables, self.left_out = tables, left_out

    def __iter__(self) -> Iterator[TableOf]:
        return self._tables


@contextmanager
def open_tables(path: Path, judge: Judge, *, forced: Forced, order: Callable[[str], int]) -> Iterator[Tables]:
    """The tables of a CSV (one), ZIP or XLSX file. `order` ranks the members of a ZIP by name, lowest first.

    Raises ImportProblem for a file that cannot be opened or is none of these.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise ImportProblem(
            f"cannot be read: {error.strerror}", where=str(path), hint="give the path of a CSV, ZIP or XLSX file"
        ) from error
    with raw:
        head = raw.read(8)
        raw.seek(0)
        for magic, (kind, hint) in _KNOWN.items():
            if head.startswith(magic):
                raise ImportProblem(f"this is {kind}", where=str(path), hint=hint)
        if not head.startswith((_ZIP, _EMPTY_ZIP)):
            table = Delimited(raw, judge, forced=forced, where=str(path), name="", position=raw.tell)
            yield Tables(iter([table]), [])
        elif _is_workbook(raw, path):
            with open_workbook(raw, judge, where=str(path), size=path.stat().st_size) as sheets:
                yield Tables(sheets, [])
        else:
            archive = Archive(raw, str(path), order=order)
            yield Tables(_members(archive, judge, forced), archive.left_out)


def _is_workbook(raw: IO[bytes], path: Path) -> bool:
    try:
        with ZipFile(raw) as parts:
            names = set(parts.namelist())
    except BROKEN:
        return False  # Archive says what is wrong with it
    finally:
        raw.seek(0)
    if "mimetype" in names and "content.xml" in names:
        raise ImportProblem("this is an OpenDocument file", where=str(path), hint="save it as .xlsx or CSV")
    return "xl/workbook.xml" in names


def _members(archive: Archive, judge: Judge, forced: Forced) -> Iterator[TableOf]:
    before = 0
    for entry in archive.members:
        with archive.open(entry, judge, forced=forced, before=before) as table:
            yield table
        before += entry.compress_size
