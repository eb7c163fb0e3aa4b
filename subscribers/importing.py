"""A file of people into a list: streamed, judged row by row, written batch by batch. Running it twice changes nothing.

Each batch is one transaction, so a killed import is finished by running it again. It never brings back anybody who left,
bounced, complained, was erased or is suppressed, and it never overwrites: it only fills what is blank.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from subscribers.attributes import list_attributes
from subscribers.consent import ConsentGiven, ConsentSource, keep_form
from subscribers.ending import end, ended, says_no, to_end
from subscribers.errors import ImportProblem
from subscribers.findings import Findings, Reviewer
from subscribers.keyed import SuppressionKey, suppression_hash
from subscribers.lists import get_list
from subscribers.loading import Destination, Plan, Rehearsal, look_up, refuse
from subscribers.reading import Batch, PeopleFile, Reading, TableRead, open_people
from subscribers.rejects import Rejected

BATCH = 2_000  # rows per transaction: keeps the write lock under half a second on SQLite and memory flat
_MAX_BATCH = 10_000  # SQLite binds at most 32,766 values in one look-up
_TRIES = 5  # somebody may sign up while their row is being imported; the second look finds them


class Transactions(Protocol):
    """What opens write transactions: a SQLAlchemy engine, or anything that wraps one."""

    def begin(self) -> AbstractContextManager[Connection]: ...


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
        rejected = stack.enter_context(Rejected(rejected_path))
        with database.begin() as conn:
            declared = list_attributes(conn)
        people = stack.enter_context(open_people(path, reading, rejected, declared=declared))
        destination = _destination(database, list_slug, key=key, now=now, consent=consent, dry_run=dry_run)
        rehearsal = stack.enter_context(Rehearsal()) if dry_run else None
        reviewer = Reviewer() if dry_run else None
        tally: Counter[str] = Counter()
        for chunk in people.batches(min(batch, _MAX_BATCH)):
            tally["rows"] += chunk.rows
            tally.update(_take(database, chunk, destination, rehearsal, reviewer))
            if on_progress is not None:
                on_progress(tally["rows"], chunk.position)
        return _report(tally, rejected, people, reviewer.findings() if reviewer is not None else None)


def _destination(
    database: Transactions, list_slug: str, *, key: SuppressionKey, now: datetime, consent: str, dry_run: bool
) -> Destination:
    given = ConsentGiven(form="import", wording=consent.strip(), language="", source=ConsentSource.IMPORT)
    with database.begin() as conn:
        list_id = get_list(conn, list_slug).id
        form = None if dry_run else keep_form(conn, given)
    return Destination(list_id=list_id, list_slug=list_slug, key=key, now=now, form=form)


def _take(
    database: Transactions,
    chunk: Batch,
    destination: Destination,
    rehearsal: Rehearsal | None,
    reviewer: Reviewer | None,
) -> Counter[str]:
    """One batch in one transaction, tried again when somebody signed up at that very moment. Raises ImportProblem."""
    hashes = {row.key: suppression_hash(row.key, destination.key) for row in chunk.candidates}
    # Of two rows about one person the one that says no counts, whichever comes first.
    rows = sorted(zip(chunk.candidates, chunk.lines, strict=True), key=lambda pair: not says_no(pair[0]))
    for _ in range(_TRIES):
        try:
            with database.begin() as conn:
                found = look_up(conn, destination, hashes, rehearsal)
                ending = to_end(conn, destination, chunk.candidates, found)
                found.known.update(ended(ending))
                plan = Plan(conn, destination, found, size=len(hashes))
                plan.changed.update(ended(ending))
                plan.tally["ended"] = len(ending)
                for row, line in rows:
                    if reviewer is not None:  # before the row changes what is known
                        refusal = refuse(row, found.known.get(row.key), found.barred.get(hashes[row.key]))
                        reviewer.see(row, refusal, table=chunk.table.name, line=line)
                    plan.take(row, hashes[row.key])
                if rehearsal is None:
                    end(conn, destination, ending)
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


def _report(tally: Counter[str], rejected: Rejected, people: PeopleFile, findings: Findings | None) -> ImportReport:
    refused = {name.removeprefix("refused "): n for name, n in sorted(tally.items()) if name.startswith("refused ")}
    return ImportReport(
        rows=tally["rows"],
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
        findings=findings,
    )
