"""Where an import that was stopped goes on: a mark that moves in the transaction of each batch, so it is always true.

Kept until the import is through. It holds counts and a keyed digest of the file, nothing of any person.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, delete, insert, select, update

from subscribers.errors import ImportProblem
from subscribers.ids import new_id
from subscribers.keyed import SuppressionKey
from subscribers.tables import import_marks

# Later the list may have changed in ways that the rows before the mark should see; from the start costs little more.
_FORGOTTEN_AFTER = timedelta(days=7)


class Transactions(Protocol):
    """What opens write transactions: a SQLAlchemy engine, or anything that wraps one."""

    def begin(self) -> AbstractContextManager[Connection]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`done` usable rows are decided and written, with the counts of `tally`. `run` tells two runs of one import apart."""

    import_id: str
    run: str
    done: int
    tally: Mapping[str, int]

    def move(self, conn: Connection, *, done: int, tally: Mapping[str, int], now: datetime) -> None:
        """In the transaction that wrote the rows. Raises ImportProblem when another run has taken over."""
        mine = (import_marks.c.import_id == self.import_id) & (import_marks.c.run == self.run)
        moved = conn.execute(update(import_marks).where(mine).values(done=done, tally=dict(tally), at=now))
        if not moved.rowcount:
            raise ImportProblem("the same import was started again and goes on there", hint="look at the later one")

    def remove(self, database: Transactions) -> None:
        """The import is through: the next one of this file begins at its beginning."""
        mine = (import_marks.c.import_id == self.import_id) & (import_marks.c.run == self.run)
        with database.begin() as conn:
            conn.execute(delete(import_marks).where(mine))


def set_mark(database: Transactions, import_id: str, *, now: datetime) -> Mark:
    """The mark of an import that was stopped within the last week, taken over; else a new one at the beginning."""
    with database.begin() as conn:
        conn.execute(delete(import_marks).where(import_marks.c.at < now - _FORGOTTEN_AFTER))
        mine = import_marks.c.import_id == import_id
        left = conn.execute(select(import_marks).where(mine).with_for_update()).first()
        run = new_id()
        if left is None:
            conn.execute(insert(import_marks).values(import_id=import_id, run=run, done=0, tally={}, at=now))
            return Mark(import_id=import_id, run=run, done=0, tally={})
        conn.execute(update(import_marks).where(mine).values(run=run, at=now))
        return Mark(import_id=import_id, run=run, done=left.done, tally=Counter(left.tally))


def import_id_of(path: Path, *wishes: str, key: SuppressionKey) -> str:
    """Equal for the same octets read with the same wishes. Raises ImportProblem when the file cannot be read."""
    try:
        with path.open("rb") as file:
            content = file_digest(file, lambda: blake2b(key=key, digest_size=32, person=b"import")).hexdigest()
    except OSError as error:
        raise ImportProblem(f"cannot be read: {error.strerror}", where=str(path)) from error
    told = "\n".join([content, *(f"{len(wish)}:{wish}" for wish in wishes)])
    return blake2b(told.encode(), key=key, digest_size=16, person=b"import").hexdigest()
