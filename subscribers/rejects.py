"""The file of rejected rows: line, column and reason, then the row as it came, so that it can be mended and imported.

It holds addresses like the file it comes from, so only its owner can read it.
"""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from subscribers.errors import ImportProblem

COLUMNS = ("line", "column", "reason")
_MOST_REASONS = 100  # counted apart: some name a character, and there are many characters


class Rejected:
    """One file per table, made with its first row. Without a path rows are only counted."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._writer: Any = None
        self._header: Sequence[str] = ()
        self._target = path
        self._names: Counter[str] = Counter()
        self.written: list[Path] = []
        self.reasons: Counter[str] = Counter()  # "column: reason"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def begin(self, header: Sequence[str], table: str) -> None:
        """From here rows belong to this table; the second and later ones of a file get a file of their own."""
        self._close()
        self._header = header
        if self._path is not None and table:
            self._target = self._path.with_name(f"{self._path.stem}.{self._unused(table)}{self._path.suffix}")

    def _unused(self, table: str) -> str:
        """The table's name as part of a file's name; two folders of a ZIP may hold tables of one name."""
        safe = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in table)[-80:].removesuffix(".csv")
        self._names[safe] += 1
        return safe if self._names[safe] == 1 else f"{safe}-{self._names[safe]}"

    def add(self, line: int, fields: Sequence[str], *, column: str, reason: str) -> None:
        told = f"{column}: {reason}" if column else reason
        self.reasons[told if told in self.reasons or len(self.reasons) < _MOST_REASONS else "other reasons"] += 1
        if self._target is None:
            return
        if self._file is None:
            self._open(self._target)
        self._writer.writerow((line, column, reason, *fields))

    def _open(self, target: Path) -> None:
        # Never a file that was there: it is made anew, for its owner alone.
        try:
            target.unlink(missing_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise ImportProblem(
                f"the file of rejected rows cannot be written: {error.strerror}",
                where=str(target),
                hint="name another; what stood before is imported, and running it again does no harm",
            ) from error
        self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow((*COLUMNS, *self._header))
        self.written.append(target)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
