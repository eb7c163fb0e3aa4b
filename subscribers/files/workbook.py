"""An Excel workbook (.xlsx): each visible sheet a table of texts, read as a stream. Formulas count as their last values.

Numbers come as they were shown where that is certain (whole ones, leading zeros, fixed decimals, per cent), dates in
ISO 8601, because a shown `02/01/2024` is two days. Never evaluates, never follows links, never reads macros.
"""

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import IO, Any

from subscribers.errors import ImportProblem
from subscribers.files.archive import check_archive
from subscribers.files.tables import Judge, Record, Sense

_MAX_COLUMNS = 256  # Excel has 16,384: one cell in the last would make every row that wide
_MAX_ROWS = 1_048_576  # Excel's own: the number of a row is a claim of the file, and openpyxl makes every row up to it
_MAX_BLANK = (
    5_000_000  # rows of a workbook without a text: a second's work; 200 sheets with one cell far down, a minute
)
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

    def __init__(
        self, rows: Iterator[tuple[int, list[str]]], judge: Judge, name: str, position: Callable[[], int]
    ) -> None:
        self.name, self._position, self._line = name, position, 0
        self._rows = rows
        sense: Sense = Sense.NONE
        self.header: list[str] = []
        for line, cells in self._rows:
            self._line, sense, self.header = line, judge(cells, name), [cell.strip() for cell in cells]
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
        for line, cells in self._rows:
            if any(len(cell) > _MAX_CELL for cell in cells):
                shown = [cell[:1_000] for cell in cells]
                yield Record(line, shown, f"a cell is longer than {_MAX_CELL} characters")
            else:
                yield Record(line, cells)


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
    blanks = _Blanks(where)
    for number, sheet in enumerate(sheets):
        sheet.reset_dimensions()  # what a file says of its own size is often wrong
        # openpyxl does not tell how far it is in a sheet: progress goes sheet by sheet
        done = size * (number + 1) // len(sheets)
        inside = f"{where}: {sheet.title}"
        rows = _guarded(sheet.iter_rows(max_col=_MAX_COLUMNS, max_row=_MAX_ROWS + 1), inside)
        filled, name = _filled(rows, inside, blanks), sheet.title if len(sheets) > 1 else ""
        yield Sheet(filled, judge, name, lambda done=done: done)  # type: ignore[misc]


@dataclass(slots=True)
class _Blanks:
    """How many rows of a workbook held nothing. Raises ImportProblem when they are too many."""

    where: str
    number: int = 0

    def add(self) -> None:
        self.number += 1
        if self.number > _MAX_BLANK:
            raise ImportProblem(
                f"the workbook holds more than {_MAX_BLANK:,} empty rows",
                where=self.where,
                hint="delete what stands far below the people, or " + _HINT,
            )


def _filled(rows: Iterator[tuple[Any, ...]], where: str, blanks: _Blanks) -> Iterator[tuple[int, list[str]]]:
    """The rows with any text, each with its number from 1. Raises ImportProblem for a number that Excel does not have."""
    before: tuple[Any, ...] | None = None
    for line, row in enumerate(rows, 1):
        if line > _MAX_ROWS:
            raise ImportProblem(f"a row has a number above {_MAX_ROWS:,}, Excel's last", where=where, hint=_HINT)
        if row is before:  # a row of a gap, for which openpyxl gives one and the same tuple: not looked at again
            blanks.add()
            continue
        before = row
        cells = [as_shown(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield line, cells
        else:
            blanks.add()


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
