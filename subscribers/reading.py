"""From a file to what each of its rows says: tables opened, columns understood, unusable rows put aside with a reason."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from subscribers.attributes import Attribute
from subscribers.cells import RowFault, fold
from subscribers.columns import Candidate, Columns
from subscribers.errors import ImportProblem
from subscribers.files.delimited import DELIMITERS, named_delimiter
from subscribers.files.opening import Tables, open_tables
from subscribers.files.tables import Forced, Sense, TableOf
from subscribers.formats import BY_NAME, FORMATS, Format, reading_order
from subscribers.headers import EXTRA, Layout, Wishes, is_address
from subscribers.rejects import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the caller knows better than looking would tell.

    `columns` maps a meaning (`email`, `state`, `attributes.phone`, …) to a column's name, or its number from 1;
    `skipped` columns are not read, whatever they are called.
    `format` is the program that wrote the file, `plain` for none; `delimiter` a word (comma, tab, …) or the sign.
    `language` is the one of people whose row says none; a name in two columns is put together as it is said there.
    """

    encoding: str | None = None
    delimiter: str | None = None
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    skipped: Sequence[str] = ()
    language: str | None = None


@dataclass(slots=True, kw_only=True)
class TableRead:
    """How one table was understood; `rows` and `losses` grow while it is read."""

    name: str  # "" where the file is one table
    format: str  # the program that wrote it, "" for none that is known
    encoding: str
    delimiter: str  # a word; "" for a workbook
    evidence: str
    header: bool
    rows: int = 0
    read: tuple[
        tuple[str, str], ...
    ] = ()  # column as it is called in the file, what it means here; in the file's order
    ignored: tuple[str, ...] = ()  # columns nothing was read from
    losses: Mapping[str, int] = field(
        default_factory=dict
    )  # cells left out by column: languages, zones, times unknown here


class Batch(NamedTuple):
    table: TableRead
    rows: int  # of the file, usable or not
    candidates: list[Candidate]
    lines: list[int]  # of each candidate
    position: int  # octets of the file read so far


class PeopleFile:
    """A file being read. `tables` and `left_out` are complete when `batches` is through."""

    def __init__(self, path: Path, tables: Tables, choices: "_Choices", rejected: Rejected) -> None:
        self._path, self._opened, self._choices, self._rejected = path, tables, choices, rejected
        self.tables: list[TableRead] = []
        self.left_out: list[str] = list(tables.left_out)

    def batches(self, size: int) -> Iterator[Batch]:
        """Raises ImportProblem when no table holds addresses."""
        for table in self._opened:
            columns, width = self._understood(table)
            if columns is None:
                continue
            known = _described(table, columns)
            self.tables.append(known)
            self._rejected.begin(table.header or _without_names(columns, width), table.name)
            records = iter(table)
            while True:
                candidates: list[Candidate] = []
                lines: list[int] = []
                taken = 0
                for record in islice(records, size):  # one at a time: none outlives its turn
                    taken += 1
                    line, fields, fault = record
                    try:
                        if fault is not None:
                            raise RowFault("", fault)
                        candidates.append(columns.read(fields))
                        lines.append(line)
                    except RowFault as found:
                        self._rejected.add(line, fields, column=found.column, reason=found.reason)
                if not taken:
                    break
                known.rows += taken
                yield Batch(known, taken, candidates, lines, table.position)
        if not self.tables:
            raise ImportProblem(
                "no column holds addresses",
                where=str(self._path),
                hint="name one of the columns email in the first line, or say which it is (map email to it)",
            )

    def _understood(self, table: TableOf) -> tuple[Columns | None, int]:
        """The table's columns, None for a table without addresses; and how many it has."""
        if table.header:
            columns = self._choices.columns(table.header, table.name or self._path.name)
            if columns is None:
                self.left_out.append(table.name or self._path.name)
            return columns, len(table.header)
        if table.first is None:
            self.left_out.append(table.name)
            return None, 0
        return self._choices.without_header(table.first), len(table.first)


@contextmanager
def open_people(
    path: Path, reading: Reading, rejected: Rejected, *, declared: Sequence[Attribute] = ()
) -> Iterator[PeopleFile]:
    """`declared` attributes are read by their names, and come in the form they are stored in.

    Raises ImportProblem for what cannot be opened, is empty, or asks for an encoding or format there is not."""
    choices = _Choices(reading, declared)
    delimiter = named_delimiter(reading.delimiter) if reading.delimiter else None
    forced = Forced(encoding=reading.encoding, delimiter=delimiter)

    def judge(cells: Sequence[str], name: str) -> Sense:
        if any(is_address(cell) for cell in cells):
            return Sense.PERSON
        return Sense.HEADER if choices.makes_sense(cells, name or path.name) else Sense.NONE

    with open_tables(path, judge, forced=forced, order=reading_order) as tables:
        yield PeopleFile(path, tables, choices, rejected)


class _Choices:
    """The caller's wishes, checked."""

    def __init__(self, reading: Reading, declared: Sequence[Attribute]) -> None:
        chosen = named_format(reading.format) if reading.format else None
        plain = reading.format is not None and chosen is None
        self._wishes = Wishes(
            asked=reading.columns,
            skipped=reading.skipped,
            declared=declared,
            format=chosen,
            plain=plain,
            language=reading.language,
        )

    def columns(self, header: Sequence[str], file: str) -> Columns | None:
        """Raises ImportProblem when the header lacks what was asked for."""
        chosen = self._wishes.format
        if chosen is not None:
            lacking = min(([*needs.difference(map(fold, header))] for needs in chosen.needs), key=len)
            if lacking:
                hint = f"it lacks {', '.join(sorted(lacking))}"
                raise ImportProblem(f"this is no export of {chosen.name}", where=file, hint=hint)
        return Columns.of(header, self._wishes, file=file)

    def without_header(self, first: Sequence[str]) -> Columns:
        return Columns.without_header(first, self._wishes)

    def makes_sense(self, header: Sequence[str], file: str) -> bool:
        try:
            return self.columns(header, file) is not None
        except ImportProblem:
            return False


def named_format(name: str) -> Format | None:
    """The format of a name; None for `plain`. Raises ImportProblem."""
    if fold(name) == "plain":
        return None
    try:
        return BY_NAME[fold(name)]
    except KeyError:
        names = ", ".join([*(one.name for one in FORMATS), "plain"])
        raise ImportProblem("no format of that name", where=name[:40], hint=f"use one of {names}") from None


def _described(table: TableOf, columns: Columns) -> TableRead:
    return TableRead(
        name=table.name,
        format=columns.layout.format.name if columns.layout.format is not None else "",
        encoding=table.encoding,
        delimiter=DELIMITERS.get(table.delimiter, ""),
        evidence=table.evidence,
        header=bool(table.header),
        read=_read_as(columns.layout, table.header),
        ignored=columns.layout.ignored,
        losses=columns.losses,
    )


def _read_as(layout: Layout, header: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found = [(place, name) for name, place in asdict(layout.at).items() if place is not None]
    found += [(place, name) for name, place, _ in layout.dates]
    found += [(place, EXTRA + key) for key, place in layout.extra]
    return tuple((header[at] if at < len(header) else f"column {at + 1}", name) for at, name in sorted(found))


def _without_names(columns: Columns, width: int) -> list[str]:
    """A header for the rejected rows of a file that has none, so that they can be imported."""
    return ["email" if place == columns.layout.at.email else f"column {place + 1}" for place in range(width)]
