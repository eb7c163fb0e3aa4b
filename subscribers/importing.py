"""A CSV of people into a list: streamed, judged row by row, written batch by batch. Running it twice changes nothing.

Each batch is one transaction, so a killed import is finished by running it again. It never brings back anybody who left,
bounced, complained, was erased or is suppressed, and it never overwrites: it only fills what is blank.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Protocol, Self

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from subscribers.attributes import Attribute, check_attributes, list_attributes
from subscribers.columns import Candidate, Columns, RowFault
from subscribers.consent import ConsentGiven, ConsentSource, keep_form
from subscribers.csvfile import CsvFile, Record
from subscribers.errors import ImportProblem, InvalidValue
from subscribers.keyed import SuppressionKey, suppression_hash
from subscribers.lists import get_list
from subscribers.loading import Destination, Plan, Rehearsal, look_up

BATCH = 2_000  # rows per transaction: keeps the write lock under half a second on SQLite and memory flat
_MAX_BATCH = 10_000  # SQLite binds at most 32,766 values in one look-up
_TRIES = 5  # somebody may sign up while their row is being imported; the second look finds them


class Transactions(Protocol):
    """What opens write transactions: a SQLAlchemy engine, or anything that wraps one."""

    def begin(self) -> AbstractContextManager[Connection]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """rows = added + already + updated + rejected + the sum of refused_by_reason."""

    rows: int  # records of the file, without its header and empty lines
    added: int
    already: int  # on the list, also by an earlier row of this file
    updated: int  # on the list; a blank name, language, time zone or attribute was filled
    rejected: int  # unusable rows
    refused_by_reason: Mapping[str, int] = field(
        default_factory=dict
    )  # left, bounced, complained, erased, suppressed …
    file: Path | None = None  # line, column and reason of each rejected row; None when there is none
    encoding: str = "utf-8"
    ignored: tuple[str, ...] = ()  # columns nothing was read from

    @property
    def refused(self) -> int:
        return sum(self.refused_by_reason.values())


def import_csv(
    database: Transactions,
    path: Path,
    *,
    list_slug: str,
    key: SuppressionKey,
    now: datetime,
    consent: str,
    mode: Literal["subscribe"] = "subscribe",
    on_progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
    rejected_path: Path | None = None,
    batch: int = BATCH,
) -> ImportReport:
    """Subscribe the people of a CSV to a list. `consent` says where their consent can be found; it is kept as evidence.

    `on_progress(rows, bytes)` is called after each batch. A dry run only reads the database and writes the rejected
    file. The rejected file holds line, column and reason, no addresses. `mode` leaves room for other ways to import.
    Raises ImportProblem (unreadable, empty, no address column, no consent), UnknownList.
    """
    assert mode == "subscribe", "the only mode there is"
    if not consent.strip():
        raise ImportProblem("nothing says where these people's consent can be found", hint="give a source of consent")
    with ExitStack() as stack:
        table = stack.enter_context(CsvFile(path, chooses=lambda header: Columns.of(header) is not None))
        columns = _columns(table, path)
        destination = _destination(database, list_slug, key=key, now=now, consent=consent, dry_run=dry_run)
        rejected = stack.enter_context(Rejected(rejected_path))
        rehearsal = stack.enter_context(Rehearsal()) if dry_run else None
        tally: Counter[str] = Counter()
        records = iter(table)
        while chunk := list(islice(records, min(batch, _MAX_BATCH))):
            tally["rows"] += len(chunk)
            candidates = list(_usable(chunk, columns, rejected, destination.declared))
            tally.update(_take(database, candidates, destination, rehearsal))
            if on_progress is not None:
                on_progress(tally["rows"], table.position)
        return _report(tally, rejected, table)


def _columns(table: CsvFile, path: Path) -> Columns:
    columns = Columns.of(table.header)
    if columns is None:
        raise ImportProblem(
            "no column holds addresses", where=f"{path}:1", hint="name one of the columns email in the first line"
        )
    return columns


def _destination(
    database: Transactions, list_slug: str, *, key: SuppressionKey, now: datetime, consent: str, dry_run: bool
) -> Destination:
    given = ConsentGiven(form="import", wording=consent.strip(), language="", source=ConsentSource.IMPORT)
    with database.begin() as conn:
        list_id = get_list(conn, list_slug).id
        form = None if dry_run else keep_form(conn, given)
        declared = tuple(list_attributes(conn))
    return Destination(list_id=list_id, list_slug=list_slug, key=key, now=now, form=form, declared=declared)


def _usable(
    chunk: Iterable[Record], columns: Columns, rejected: "Rejected", declared: Sequence[Attribute]
) -> Iterable[Candidate]:
    for record in chunk:
        if record.fault is not None:
            rejected.add(record.line, "", record.fault)
            continue
        try:
            row = columns.read(record.fields)
            yield row if not row.attributes else row._replace(attributes=_checked(row.attributes, declared))
        except RowFault as fault:
            rejected.add(record.line, fault.column, fault.reason)


def _checked(given: Mapping[str, Any], declared: Sequence[Attribute]) -> Mapping[str, Any]:
    """Declared attributes as they are stored; what nobody declared stays as it came. Raises RowFault."""
    try:
        checked = check_attributes(declared, given, keep_unknown=True)
    except InvalidValue as error:
        raise RowFault("attributes", f"{error.where}: {error.what}, {error.hint}") from None
    known = {one.slug for one in declared}
    return {slug: value for slug, value in checked.items() if value is not None or slug not in known}


def _take(
    database: Transactions, candidates: list[Candidate], destination: Destination, rehearsal: "Rehearsal | None"
) -> Counter[str]:
    """One batch in one transaction, tried again when somebody signed up at that very moment. Raises ImportProblem."""
    hashes = {row.key: suppression_hash(row.key, destination.key) for row in candidates}
    for _ in range(_TRIES):
        try:
            with database.begin() as conn:
                plan = Plan(conn, destination, look_up(conn, destination, hashes, rehearsal), size=len(hashes))
                for row in candidates:
                    plan.take(row, hashes[row.key])
                if rehearsal is None:
                    plan.write(conn)
                else:
                    rehearsal.remember(plan.changed, hashes)
            return plan.tally
        except DBAPIError as error:
            if not _lost_a_race(error):
                raise
    # The database's own words stay here: they may quote an address.
    raise ImportProblem(
        "somebody else kept changing the same people", where=destination.list_slug, hint="run the import again"
    )


def _lost_a_race(error: DBAPIError) -> bool:
    """Did another writer insert the same person, or (Postgres: deadlock, serialisation) wait for us as we for them?"""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in ("40P01", "40001")


def _report(tally: Counter[str], rejected: "Rejected", table: CsvFile) -> ImportReport:
    refused = {name.removeprefix("refused "): n for name, n in sorted(tally.items()) if name.startswith("refused ")}
    return ImportReport(
        rows=tally["rows"],
        added=tally["added"],
        already=tally["already"],
        updated=tally["updated"],
        rejected=rejected.count,
        refused_by_reason=refused,
        file=rejected.written,
        encoding=table.encoding,
        ignored=tuple(cell for cell in table.header if cell and not Columns.knows(cell)),
    )


class Rejected:
    """The file of rejected rows, made with its first row. Without a path they are only counted."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._file, self.count = path, None, 0
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    _file: IO[str] | None

    @property
    def written(self) -> Path | None:
        return self._path if self._file is not None else None

    def add(self, line: int, column: str, reason: str) -> None:
        self.count += 1
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(("line", "column", "reason"))
        self._writer.writerow((line, column, reason))
