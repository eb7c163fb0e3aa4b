"""Reading a CSV that somebody's spreadsheet wrote: its encoding, its delimiter, its records; one bad line costs one line.

Memory is flat: the file is read twice as a stream (once for the encoding), never whole. Nothing is ever guessed silently:
a line whose bytes or quotes cannot be right comes back as a fault with its number.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from subscribers.errors import ImportProblem
from subscribers.files.encoding import detect_encoding, named_encoding
from subscribers.files.tables import Forced, Judge, Record, Sense

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_MAX_LINE = 100_000  # characters; no row of people is longer, and csv itself refuses fields from 131,072 on
_MAX_RECORD_LINES = 20  # a note may hold line breaks; a quotation mark left open would swallow the rest of the file
_SHOWN = 1_000  # characters of a line that cannot be read
_OPEN = "a quotation mark is opened and never closed"


class _OpenQuote(Exception):
    """csv asked for a further line where there must be none."""


class Delimited:
    """An open CSV. `header` is its first line, [] when that holds a person; iterating gives every later record once.

    `position` says how many octets of the file on disk are read; `raw` is read from its beginning and stays the caller's.
    Raises ImportProblem for a file that is empty, or an encoding or delimiter there is not.
    """

    def __init__(
        self, raw: IO[bytes], judge: Judge, *, forced: Forced, where: str, name: str, position: Callable[[], int]
    ) -> None:
        self.name, self._position = name, position
        detected = named_encoding(forced.encoding) if forced.encoding else detect_encoding(raw)
        self.encoding, self._evidence = detected.name, detected.evidence
        raw.seek(0)
        self._text = io.TextIOWrapper(raw, encoding=detected.codec, errors="replace", newline="")
        self._ahead: deque[tuple[int, str]] = deque()  # lines read but given back
        self._faults: deque[Record] = deque()
        self._line = self._first = 0
        self._inside = False  # has csv been given the beginning of a record?
        self._begun = ""  # the line that began it
        self.delimiter, first, sense = self._read_first(where, judge, forced.delimiter)
        self._width = len(first)
        self.first = first if sense == Sense.PERSON else None
        self.header = first if self.first is None else []

    @property
    def evidence(self) -> str:
        return self._evidence

    @property
    def position(self) -> int:
        return self._position()

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
                self._faults.append(Record(self._first, self._made_out(self._begun), reason))
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
            self._begun = line
            if len(line) >= _MAX_LINE or "\ufffd" in line:
                self._faults.append(Record(self._line, self._made_out(line), _line_fault(line)))
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
        self._faults.append(Record(taken[0][0], self._made_out(line), _OPEN))
        self._ahead.extendleft(reversed(taken[1:]))
        return []

    def _is_complete(self, line: str) -> bool:
        fields = next(csv.reader([line], delimiter=self.delimiter), [])
        return len(fields) == self._width and not fields[-1].endswith(("\n", "\r"))

    def _is_one_record(self, lines: list[str]) -> bool:
        """Do these lines read as one row of the right width in which no address was swallowed by another field?"""
        rows = list(csv.reader(lines, delimiter=self.delimiter))
        return (
            len(rows) == 1
            and len(rows[0]) == self._width
            and not any("@" in field and "\n" in field for field in rows[0])
        )

    def _made_out(self, line: str) -> list[str]:
        """What can be shown of a line that cannot be read, in the columns where it probably belongs."""
        return line[:_SHOWN].rstrip("\r\n").split(self.delimiter)

    # ---------------------------------------------------------------- first line

    def _read_first(self, where: str, judge: Judge, forced: str | None) -> tuple[str, list[str], Sense]:
        """`(delimiter, cells, what they look like)`. A first line that holds a person is given back."""
        line = self._next()
        if line.lower().startswith("sep=") and len(line.strip()) == 5:  # Excel's own hint
            forced = forced or line.strip()[4]
            line = self._next()
        while line and not line.strip():
            line = self._next()
        if not line:
            raise ImportProblem("the file is empty", where=where, hint="the first line must name the columns")
        tries = []
        for delimiter in (forced,) if forced is not None else DELIMITERS:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
            tries.append((judge(cells, self.name), len(cells), delimiter, cells))
        sense, _, delimiter, cells = max(tries, key=lambda found: found[:2])
        if sense == Sense.PERSON:
            self._ahead.appendleft((self._line, line))
        return delimiter, cells, sense


def _line_fault(line: str) -> str:
    if len(line) >= _MAX_LINE:
        return f"the line is longer than {_MAX_LINE} characters"
    return "the line holds bytes that are not in the file's encoding"


def named_delimiter(name: str) -> str:
    """The delimiter of a word (`tab`) or of the sign itself. Raises ImportProblem."""
    wanted = name.strip().lower() or name
    for sign, word in DELIMITERS.items():
        if wanted in (sign, word):
            return sign
    raise ImportProblem("no delimiter of that name", where=name[:20], hint="use " + ", ".join(DELIMITERS.values()))
