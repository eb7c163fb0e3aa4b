"""What the database, or a rehearsal, knows about the people of a batch, in three statements whatever its size. Only reads."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, func, select

from subscribers.bulk import one_of
from subscribers.states import SuppressionReason
from subscribers.suppression import anybody_barred, barred
from subscribers.tables import consents, people, subscriptions


class Known(NamedTuple):
    """A person as the batch finds, or has just made, them."""

    person_id: str
    state: str
    subscription: str | None  # state on this list
    name: str
    language: str | None
    time_zone: str | None
    attributes: Mapping[str, Any]
    salt: str
    tags: Sequence[str] | None = None
    seq: int = 0  # of their last consent row
    link: str = ""

    def __repr__(self) -> str:
        return f"<Known {self.person_id}>"


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says about a batch: people by address key, suppressions by hash."""

    known: dict[str, Known]
    barred: dict[str, SuppressionReason]


def look_up(
    conn: Connection,
    hashes: Mapping[str, str],
    domains: Mapping[str, str],
    *,
    list_id: str,
    list_slug: str,
    rehearsal: "Rehearsal | None",
) -> Found:
    """`hashes`: address key → keyed hash, of everybody in the batch; `domains`: that hash → domain."""
    if not hashes:
        return Found({}, {})
    here = (subscriptions.c.person_id == people.c.id) & (subscriptions.c.list_id == list_id)
    query = (
        select(
            people.c.address_key,
            people.c.id,
            people.c.state,
            subscriptions.c.state.label("subscription"),
            people.c.name,
            people.c.language,
            people.c.time_zone,
            people.c.attributes,
            people.c.salt,
            people.c.tags,
        )
        .outerjoin_from(people, subscriptions, here)
        .where(one_of(conn, people.c.address_key, hashes))
    )
    known = {row[0]: Known(*row[1:]) for row in conn.execute(query)}
    _find_chain_ends(conn, known)
    if rehearsal is not None:
        known |= rehearsal.recall(hashes)
    # Asking for 5,000 random hashes is 0.8 µs a person: a sorted copy of them is made before an empty table is looked at.
    return Found(known, barred(conn, domains, list_slug) if anybody_barred(conn) else {})


def _find_chain_ends(conn: Connection, known: dict[str, Known]) -> None:
    """The last consent row of those who are known but new to this list: the next one is chained to it."""
    newcomers = {row.person_id: key for key, row in known.items() if row.subscription is None}
    if not newcomers:
        return
    last = (
        select(consents.c.person_id, func.max(consents.c.seq).label("seq"))
        .where(one_of(conn, consents.c.person_id, newcomers))
        .group_by(consents.c.person_id)
        .subquery()
    )
    query = select(consents.c.person_id, consents.c.seq, consents.c.link).join(
        last, (consents.c.person_id == last.c.person_id) & (consents.c.seq == last.c.seq)
    )
    for person_id, seq, link in conn.execute(query):
        key = newcomers[person_id]
        known[key] = known[key]._replace(seq=seq, link=link)


class Rehearsal:
    """What a dry run would have written so far, so that a row's twin in a later batch is counted as one.

    Kept in a temporary SQLite file that has no name and vanishes when closed, because a list may be larger than memory.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE seen (hash TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def remember(self, changed: Iterable[tuple[str, Known]], hashes: Mapping[str, str]) -> None:
        rows = [(hashes[key], json.dumps(known)) for key, known in changed]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", rows)
        self._db.execute("COMMIT")

    def recall(self, hashes: Mapping[str, str]) -> dict[str, Known]:
        query = "SELECT hash, person FROM seen WHERE hash IN (SELECT value FROM json_each(?))"
        seen = dict(self._db.execute(query, (json.dumps(list(hashes.values())),)).fetchall())
        return {key: Known(*json.loads(seen[hashed])) for key, hashed in hashes.items() if hashed in seen}
