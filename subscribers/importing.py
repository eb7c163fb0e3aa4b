"""A file of people into a list: streamed, judged row by row, written batch by batch. Running it twice changes nothing.

Each batch is one transaction, and an import that was stopped goes on there when it is run again. It never brings back
anybody who left, bounced, complained, was erased or is suppressed, and it never overwrites: it only fills what is blank.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from subscribers.address import VERDICTS
from subscribers.attributes import list_attributes
from subscribers.bulk import RowsRefused, lost_a_race
from subscribers.consent import ConsentGiven, ConsentSource, keep_form
from subscribers.ending import end, ended, says_no, to_end
from subscribers.errors import ImportProblem
from subscribers.findings import Findings, Reviewer
from subscribers.keyed import SuppressionKey, suppression_hashes
from subscribers.known import Rehearsal, look_up
from subscribers.lists import get_list
from subscribers.loading import Destination, Plan
from subscribers.reading import Batch, PeopleFile, Reading, TableRead, open_people
from subscribers.rejects import Rejected
from subscribers.resuming import Mark, Transactions, import_id_of, set_mark

BATCH = 5_000  # rows per transaction: keeps the write lock under half a second on SQLite and memory flat
_MAX_BATCH = 10_000
_TRIES = 5  # somebody may sign up while their row is being imported; the second look finds them


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """rows = added + already + updated + rejected + the sum of refused_by_reason.

    `encoding` and `ignored` are the first table's; `tables` has them all. `findings` only a dry run makes.
    """

    rows: int  # records of the file, without its header and empty lines
    added: int
    already: int  # on the list, also by an earlier row of this file
    updated: int  # on the list; a blank name, language, time zone or attribute was filled
    rejected: int  # unusable rows
    ended: int = 0  # subscriptions resting on imports alone that this file says are over; these rows count as refused
    refused_by_reason: Mapping[str, int] = field(
        default_factory=dict
    )  # left, bounced, complained, erased, suppressed …
    rejected_by_reason: Mapping[str, int] = field(default_factory=dict)
    files: tuple[Path, ...] = ()  # each rejected row with line, column and reason; one file per table that has any
    tables: tuple[TableRead, ...] = ()
    left_out: tuple[str, ...] = ()  # of a ZIP or workbook: what holds no people
    resumed: int = 0  # usable rows that a run before this one, which was stopped, had taken; counted above
    findings: Findings | None = field(default=None, compare=False)

    @property
    def refused(self) -> int:
        return sum(self.refused_by_reason.values())

    @property
    def file(self) -> Path | None:
        return self.files[0] if self.files else None

    @property
    def encoding(self) -> str:
        return self.tables[0].encoding

    @property
    def ignored(self) -> tuple[str, ...]:
        return self.tables[0].ignored


_AS_IT_LOOKS = Reading()


def import_people(
    database: Transactions,
    path: Path,
    *,
    list_slug: str,
    key: SuppressionKey,
    now: datetime,
    consent: str,
    reading: Reading = _AS_IT_LOOKS,
    mode: Literal["subscribe"] = "subscribe",
    on_progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
    rejected_path: Path | None = None,
    batch: int = BATCH,
) -> ImportReport:
    """Subscribe the people of a CSV, a ZIP of CSVs or an XLSX to a list. `consent` says where their consent can be
    found; it is kept as evidence. `reading` says what the caller knows better than looking at the file would tell.

    `on_progress(rows, octets read)` is called after each batch. A dry run only reads the database and writes the
    rejected file, which holds line, column, reason and the row itself. `mode` leaves room for other ways to import.
    Raises ImportProblem (unreadable, empty, no address column, no consent, wishes that do not fit), UnknownList.
    """
    assert mode == "subscribe", "the only mode there is"
    if not consent.strip():
        raise ImportProblem("nothing says where these people's consent can be found", hint="give a source of consent")
    if rejected_path is not None and rejected_path.exists() and path.exists() and rejected_path.samefile(path):
        raise ImportProblem("the rejected rows would overwrite the file itself", where=str(path), hint="name another")
    with ExitStack() as stack:
        stack.enter_context(_old_objects_left_alone())
        rejected = stack.enter_context(Rejected(rejected_path))
        with database.begin() as conn:
            declared = list_attributes(conn)
        people = stack.enter_context(open_people(path, reading, rejected, declared=declared))
        destination = _destination(database, list_slug, key=key, now=now, consent=consent, dry_run=dry_run)
        run = _Run(database, destination)
        if dry_run:
            run.rehearsal, run.reviewer = stack.enter_context(Rehearsal()), Reviewer()
        for chunk in people.batches(min(batch, _MAX_BATCH)):
            if not dry_run and run.mark is None:
                run.go_on(path, repr(reading), repr(declared))
            run.take(chunk)
            if on_progress is not None:
                on_progress(run.rows, chunk.position)
        if run.mark is not None:
            run.mark.remove(database)
        return _report(run, rejected, people)


@contextmanager
def _old_objects_left_alone() -> Iterator[None]:
    """The garbage collector need not walk through the whole program again and again because an import makes much."""
    gc.freeze()  # 1 of 25 µs a row; what is made from here on is collected as ever
    try:
        yield
    finally:
        gc.unfreeze()


def _destination(
    database: Transactions, list_slug: str, *, key: SuppressionKey, now: datetime, consent: str, dry_run: bool
) -> Destination:
    given = ConsentGiven(form="import", wording=consent.strip(), language="", source=ConsentSource.IMPORT)
    with database.begin() as conn:
        list_id = get_list(conn, list_slug).id
        form = None if dry_run else keep_form(conn, given)
    return Destination(list_id=list_id, list_slug=list_slug, key=key, now=now, form=form)


@dataclass(slots=True)
class _Run:
    """An import under way. `done` counts usable rows, `rows` all; `tally` what became of the usable ones."""

    database: Transactions
    destination: Destination
    rehearsal: Rehearsal | None = None
    reviewer: Reviewer | None = None
    mark: Mark | None = None
    tally: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    done: int = 0

    def go_on(self, path: Path, *wishes: str) -> None:
        """Where a run of this very import was stopped, else from the beginning."""
        to = self.destination
        import_id = import_id_of(path, to.list_id, to.form or "", VERDICTS, *wishes, key=to.key)
        self.mark = set_mark(self.database, import_id, now=to.now)
        self.tally.update(self.mark.tally)

    def take(self, chunk: Batch) -> None:
        """One batch in one transaction, tried again when somebody signed up at that very moment. Raises ImportProblem.

        Rows before the mark are read again, so that the rejected file is whole, and passed over.
        """
        self.rows += chunk.rows
        over = max(0, self.mark.done - self.done) if self.mark is not None else 0
        candidates, lines = chunk.candidates[over:], chunk.lines[over:]
        if any(map(says_no, candidates)):  # of two rows about one person the one that says no counts, wherever it is
            order = sorted(range(len(lines)), key=lambda place: not says_no(candidates[place]))
            candidates, lines = [candidates[place] for place in order], [lines[place] for place in order]
        if candidates:
            self.tally = self._tried(chunk._replace(candidates=candidates, lines=lines), len(chunk.candidates))
        self.done += len(chunk.candidates)

    def _tried(self, chunk: Batch, size: int) -> Counter[str]:
        """The tally with this batch in it."""
        keys = [row.key for row in chunk.candidates]
        hashed = list(suppression_hashes(keys, self.destination.key))
        hashes = dict(zip(keys, hashed, strict=True))
        domains = dict(zip(hashed, [row.domain for row in chunk.candidates], strict=True))
        for _ in range(_TRIES):
            try:
                with self.database.begin() as conn:
                    tally = self.tally + self._decided(conn, chunk, hashes, domains)
                    if self.mark is not None:
                        self.mark.move(conn, done=self.done + size, tally=tally, now=self.destination.now)
                return tally
            except (DBAPIError, RowsRefused) as error:
                if not _lost_a_race(error):
                    raise
        # The database's own words stay here: they may quote an address.
        where = self.destination.list_slug
        raise ImportProblem("somebody else kept changing the same people", where=where, hint="run the import again")

    def _decided(
        self, conn: Connection, chunk: Batch, hashes: Mapping[str, str], domains: Mapping[str, str]
    ) -> Counter[str]:
        list_id, slug = self.destination.list_id, self.destination.list_slug
        found = look_up(conn, hashes, domains, list_id=list_id, list_slug=slug, rehearsal=self.rehearsal)
        ending = to_end(conn, self.destination, chunk.candidates, found)
        plan = Plan(self.destination, found, hashes)
        plan.end(ended(ending))
        if self.rehearsal is None:
            end(conn, self.destination, ending)
            plan.take(chunk.candidates)
            plan.write(conn)
        else:
            _rehearse(plan, chunk, self.reviewer)
            self.rehearsal.remember(plan.changed(), hashes)
        return plan.tally


def _rehearse(plan: Plan, chunk: Batch, reviewer: Reviewer | None) -> None:
    for row, line in zip(chunk.candidates, chunk.lines, strict=True):
        if reviewer is not None:
            reviewer.see(row, plan.refusal(row), table=chunk.table.name, line=line)
        plan.take([row])


def _lost_a_race(error: DBAPIError | RowsRefused) -> bool:
    return error.raced if isinstance(error, RowsRefused) else lost_a_race(error.orig)


def _report(run: _Run, rejected: Rejected, people: PeopleFile) -> ImportReport:
    tally = run.tally
    refused = {name.removeprefix("refused "): n for name, n in sorted(tally.items()) if name.startswith("refused ")}
    return ImportReport(
        rows=run.rows,
        added=tally["added"],
        already=tally["already"],
        updated=tally["updated"],
        rejected=rejected.reasons.total(),
        ended=tally["ended"],
        refused_by_reason=refused,
        rejected_by_reason=dict(rejected.reasons.most_common()),
        files=tuple(rejected.written),
        tables=tuple(people.tables),
        left_out=tuple(people.left_out),
        resumed=run.mark.done if run.mark is not None else 0,
        findings=run.reviewer.findings() if run.reviewer is not None else None,
    )
