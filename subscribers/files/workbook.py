"""An Excel workbook (.xlsx): each visible sheet a table of texts, read as a stream. Formulas count as their last values.

Numbers come as they were shown where that is certain (whole ones, leading zeros, fixed decimals, per cent), dates in
ISO 8601, because a shown `02/01/2024` is two days. Never evaluates, never follows links, never reads macros.
"""

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import IO, Any

from subscribers.errors import ImportProblem
from subscribers.files.archive import check_archive
from subscribers.files.tables import Judge, Record, Sense

_MAX_COLUMNS = 256  # Excel has 16,384: one cell in the last would make every row that wide
_MAX_CELL = 100_000  # characters; Excel itself stops at 32,767
_MAX_STRINGS = 256 << 20  # octets of the shared strings, the one part that is held in memory
_MAX_RATIO = 500  # our own export of 100,000 people without names shrinks 70 times
_HINT = "save the sheet as CSV (UTF-8) and import that"
_ZEROS = re.compile(r"0+")
_DECIMALS = re.compile(r"(?:#,##)?0\.(0+)")
_PER_CENT = re.compile(r"0(?:\.(0+))?%")


class Sheet:
    """One sheet. `header` is its first row that is not empty, [] when that holds a person."""

    encoding, delimiter, evidence = "XLSX", "", "an Excel workbook"

    def __init__(self, rows: Iterator[tuple[Any, ...]], judge: Judge, name: str, position: Callable[[], int]) -> None:
        self.name, self._position, self._line = name, position, 0
        self._rows = rows
        sense: Sense = Sense.NONE
        self.header: list[str] = []
        for cells in self._read():
            sense, self.header = judge(cells, name), [cell.strip() for cell in cells]
            break
        self.first = self.header if sense == Sense.PERSON else None
        if self.first is not None:
            self.header = []

    @property
    def position(self) -> int:
        return self._position()

    def __iter__(self) -> Iterator[Record]:
        if self.first is not None:
            yield Record(self._line, self.first)
        for cells in self._read():
            if any(len(cell) > _MAX_CELL for cell in cells):
                shown = [cell[:1_000] for cell in cells]
                yield Record(self._line, shown, f"a cell is longer than {_MAX_CELL} characters")
            else:
                yield Record(self._line, cells)

    def _read(self) -> Iterator[list[str]]:
        for row in self._rows:
            self._line += 1
            cells = [as_shown(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield cells


@contextmanager
def open_workbook(raw: IO[bytes], judge: Judge, *, where: str, size: int) -> Iterator[Iterator[Sheet]]:
    """The visible sheets, one after another. Raises ImportProblem for what is no workbook, or a bomb."""
    import openpyxl  # 0.2 s: only who imports a workbook pays for it

    try:
        with zipfile.ZipFile(raw) as parts:
            check_archive(parts.infolist(), where, ratio=_MAX_RATIO)
            strings = [part.file_size for part in parts.infolist() if part.filename.endswith("sharedStrings.xml")]
            if sum(strings) > _MAX_STRINGS:
                raise ImportProblem("the workbook holds too much text", where=where, hint=_HINT)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions it does not know, which nobody asked for
            book = openpyxl.load_workbook(raw, read_only=True, data_only=True, keep_links=False)
    except ImportProblem:
        raise
    except Exception as error:  # openpyxl raises whatever a broken part leads to
        raise ImportProblem("the Excel file is broken", where=where, hint=_HINT) from error
    try:
        yield _sheets(book, judge, where=where, size=size)
    finally:
        book.close()


def _sheets(book: Any, judge: Judge, *, where: str, size: int) -> Iterator[Sheet]:
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for number, sheet in enumerate(sheets):
        sheet.reset_dimensions()  # what a file says of its own size is often wrong
        # openpyxl does not tell how far it is in a sheet: progress goes sheet by sheet
        done = size * (number + 1) // len(sheets)
        rows = _guarded(sheet.iter_rows(max_col=_MAX_COLUMNS), f"{where}: {sheet.title}")
        yield Sheet(rows, judge, sheet.title if len(sheets) > 1 else "", lambda done=done: done)  # type: ignore[misc]


def _guarded(rows: Iterator[tuple[Any, ...]], where: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from rows
    except Exception as error:  # as above: XML, ZIP, value errors of a broken part
        raise ImportProblem(
            "the Excel file is broken here", where=where, hint="what stood before is imported; " + _HINT
        ) from error


def as_shown(value: Any, number_format: str) -> str:
    """A cell as text: what the person who made the sheet saw, where its format leaves no doubt."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            bare = value.time() == time() and not _shows_hours(number_format)
            return value.date().isoformat() if bare else value.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case int() | float():
            return _number(value, number_format)
        case _:
            return str(value)


@lru_cache(maxsize=256)
def _shows_hours(number_format: str) -> bool:
    return "h" in number_format.lower()


def _number(value: int | float, number_format: str) -> str:
    if _ZEROS.fullmatch(number_format) and value == int(value):
        return str(int(value)).zfill(len(number_format))  # a telephone number, a code
    if found := _PER_CENT.fullmatch(number_format):
        return f"{value:.{len(found[1] or '')}%}"
    if found := _DECIMALS.fullmatch(number_format):
        return f"{value:.{len(found[1])}f}"
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.15g}"  # what Excel keeps of a number
