"""Reading a CSV that somebody's spreadsheet wrote: its encoding, its delimiter, its records; one bad line costs one line.

Memory is flat: the file is read twice as a stream (once for the encoding), never whole. Nothing is ever guessed silently:
a line whose bytes or quotes cannot be right comes back as a fault with its number.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from charset_normalizer import from_bytes

from subscribers.errors import ImportProblem

_MAX_LINE = 100_000  # characters; no row of people is longer, and csv itself refuses fields from 131,072 on
_MAX_RECORD_LINES = 20  # a note may hold line breaks; a quotation mark left open would swallow the rest of the file
_DELIMITERS = ",;\t"
_OPEN = "a quotation mark is opened and never closed"


class _OpenQuote(Exception):
    """csv asked for a further line where there must be none."""


class Record(NamedTuple):
    line: int  # where the record begins, from 1
    fields: list[str]
    fault: str | None = None  # why the line cannot be read; then `fields` is empty


class CsvFile:
    """An open CSV. `header` is its first line; iterating gives every later record once, readable or not.

    `chooses(header)` says whether a header makes sense, so that the delimiter can be tried; the best try is kept.
    Raises ImportProblem for a file that cannot be opened or is empty.
    """

    def __init__(self, path: Path, *, chooses: Callable[[Sequence[str]], bool]) -> None:
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise ImportProblem(
                f"cannot be read: {error.strerror}", where=str(path), hint="give the path of a CSV file"
            ) from error
        self.encoding = detect_encoding(self._raw)
        self._raw.seek(0)
        self._text = io.TextIOWrapper(self._raw, encoding=self.encoding, errors="replace", newline="")
        self._ahead: deque[tuple[int, str]] = deque()  # lines read but given back
        self._faults: deque[Record] = deque()
        self._line = self._first = 0
        self._inside = False  # has csv been given the beginning of a record?
        try:
            self.delimiter, self.header = self._read_header(str(path), chooses)
        except BaseException:
            self._text.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._text.close()

    @property
    def position(self) -> int:
        """Bytes read so far (a little ahead of the records given)."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[Record]:
        reader = self._reader()
        while True:
            self._inside = False
            try:
                fields = next(reader)
            except StopIteration:
                yield from self._drain()
                return
            except (csv.Error, _OpenQuote) as error:
                reason = _OPEN if isinstance(error, _OpenQuote) else f"cannot be read: {error}"
                self._faults.append(Record(self._first, [], reason))
                reader = self._reader()
                continue
            if self._faults:
                yield from self._drain()
            if fields:
                yield Record(self._first, fields)

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._sound_lines(), delimiter=self.delimiter)

    def _drain(self) -> Iterator[Record]:
        while self._faults:
            yield self._faults.popleft()

    # ---------------------------------------------------------------- lines

    def _next(self) -> str:
        """The next line with its end, "" at the end of the file. An over-long line comes cut, with its rest skipped."""
        if self._ahead:
            self._line, line = self._ahead.popleft()
            return line
        line = self._text.readline(_MAX_LINE)
        if line:
            self._line += 1
            cut = line
            while len(cut) == _MAX_LINE and cut[-1] not in "\r\n":
                cut = self._text.readline(_MAX_LINE)
        return line

    def _sound_lines(self) -> Iterator[str]:
        """Lines that csv may see: each begins a record, or is known to belong to the one before."""
        while line := self._next():
            if self._inside:  # csv wants more for a record that was whole: a quotation mark in mid-line opened a field
                self._ahead.appendleft((self._line, line))
                raise _OpenQuote
            self._first = self._line
            fault = _line_fault(line)
            if fault is not None:
                self._faults.append(Record(self._line, [], fault))
                continue
            odd = '"' in line and line.count('"') % 2 == 1
            lines = self._rest_of(line) if odd and not self._is_complete(line) else (line,)
            for part in lines:
                self._inside = True
                yield part

    def _rest_of(self, line: str) -> Sequence[str]:
        """`line` and those that complete its open quotation mark; without them nothing, a fault, and the lines back."""
        taken = [(self._line, line)]
        while len(taken) < _MAX_RECORD_LINES and (further := self._next()):
            taken.append((self._line, further))
            if further.count('"') % 2 and self._is_one_record([text for _, text in taken]):
                return [text for _, text in taken]
        self._faults.append(Record(taken[0][0], [], _OPEN))
        self._ahead.extendleft(reversed(taken[1:]))
        return []

    def _is_complete(self, line: str) -> bool:
        fields = next(csv.reader([line], delimiter=self.delimiter), [])
        return len(fields) == len(self.header) and not fields[-1].endswith(("\n", "\r"))

    def _is_one_record(self, lines: list[str]) -> bool:
        """Do these lines read as one row of the right width in which no address was swallowed by another field?"""
        rows = list(csv.reader(lines, delimiter=self.delimiter))
        return (
            len(rows) == 1
            and len(rows[0]) == len(self.header)
            and not any("@" in field and "\n" in field for field in rows[0])
        )

    # ---------------------------------------------------------------- header

    def _read_header(self, where: str, chooses: Callable[[Sequence[str]], bool]) -> tuple[str, list[str]]:
        line = self._next()
        if line.lower().startswith("sep=") and len(line.strip()) == 5:  # Excel's own hint
            line = self._next()
        while line and not line.strip():
            line = self._next()
        if not line:
            raise ImportProblem("the file is empty", where=where, hint="the first line must name the columns")
        tries = [(delimiter, next(csv.reader([line], delimiter=delimiter))) for delimiter in _DELIMITERS]
        delimiter, header = max(tries, key=lambda pair: (chooses(pair[1]), len(pair[1])))
        return delimiter, [cell.strip() for cell in header]


def _line_fault(line: str) -> str | None:
    if len(line) >= _MAX_LINE:
        return f"the line is longer than {_MAX_LINE} characters"
    if "\ufffd" in line:
        return "the line holds bytes that are not in the file's encoding"
    return None


def detect_encoding(handle: BinaryIO) -> str:
    """A Python codec name. By byte order mark, by the zero bytes of UTF-16, as UTF-8, or else by charset-normalizer.

    A UTF-8 file with a few broken lines stays UTF-8; what is not UTF-8 is read as windows-1258 or windows-1252.
    """
    head = handle.read(65_536)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros_first, zeros_second = head[0::2].count(0), head[1::2].count(0)
    if max(zeros_first, zeros_second) * 4 > len(head):
        return "utf-16-le" if zeros_second > zeros_first else "utf-16-be"
    handle.seek(0)
    sound, broken, sample = _count_utf8(handle)
    if broken <= sound:
        return "utf-8"
    best = from_bytes(sample, cp_isolation=["cp1258", "cp1252"]).best()
    return best.encoding if best else "cp1252"


def _count_utf8(handle: BinaryIO) -> tuple[int, int, bytes]:
    """`(sound, broken, sample)`: lines beyond ASCII that are UTF-8, those that are not, and some of the latter."""
    sound = broken = 0
    sample = bytearray()
    while lines := handle.readlines(1 << 20):
        if b"".join(lines).isascii():
            continue
        for line in lines:
            if line.isascii():
                continue
            try:
                line.decode()
                sound += 1
            except UnicodeDecodeError:
                broken += 1
                if len(sample) < 65_536:
                    sample += line[:1000]
    return sound, broken, bytes(sample)
