"""The words in which every kind of file is read: a table of records, each with the line it stands on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    line: int  # where the record begins, from 1
    fields: list[str]
    fault: str | None = None  # why it cannot be read; then `fields` holds what could be made out, to be shown only


class Sense(IntEnum):
    """What the first row of a table looks like; the higher, the surer."""

    NONE = 0
    PERSON = 1  # it holds an address: there is no header
    HEADER = 2  # it names a column of addresses


class Judge(Protocol):
    """Says what a first row looks like. `name` is the table's own name, "" where it has none."""

    def __call__(self, cells: Sequence[str], name: str) -> Sense: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """What the caller knows better than looking would tell; None: look."""

    encoding: str | None = None
    delimiter: str | None = None


class TableOf(Protocol):
    """`header` is the first row, [] when that is a person already; iterating gives every later record once.

    `name` tells tables of one file apart ("" where there is one only). `encoding`, `delimiter` and `evidence` say how
    the table was read.
    """

    @property
    def name(self) -> str: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def first(self) -> list[str] | None:
        """The first row when it holds a person; it is among the records too."""
        ...

    @property
    def encoding(self) -> str: ...
    @property
    def delimiter(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def position(self) -> int:
        """Octets of the file on disk read so far, a little ahead of the records given."""
        ...

    def __iter__(self) -> Iterator[Record]: ...
