"""What becomes of each imported row (decided purely, against what is known), and the few statements that write a batch."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from operator import itemgetter
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Table, bindparam, func, select, update

from subscribers.columns import Candidate
from subscribers.consent import entry, new_salts
from subscribers.folding import folded
from subscribers.ids import new_id, new_ids
from subscribers.keyed import SuppressionKey, mail_group
from subscribers.states import NotMailableReason, PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import EVERYWHERE, reasons
from subscribers.tables import UtcDateTime, consents, insert_or_skip, people, subscriptions, suppressions, utc
from subscribers.tags import MOST_TAGS, clean_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a batch goes. `form` is the digest of the consent's wording; None in a dry run."""

    list_id: str
    list_slug: str
    key: SuppressionKey
    now: datetime
    form: str | None


@dataclass(frozen=True, slots=True)
class Known:
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


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says about a batch: people by address key, suppressions by hash."""

    known: dict[str, Known]
    barred: Mapping[str, SuppressionReason]


def look_up(
    conn: Connection, destination: Destination, hashes: Mapping[str, str], rehearsal: "Rehearsal | None"
) -> Found:
    """Three statements for a whole batch, whatever its size."""
    if not hashes:
        return Found({}, {})
    here = (subscriptions.c.person_id == people.c.id) & (subscriptions.c.list_id == destination.list_id)
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
        .where(people.c.address_key.in_(hashes))
    )
    known = {row[0]: Known(*row[1:]) for row in conn.execute(query)}
    _find_chain_ends(conn, known)
    if rehearsal is not None:
        known |= rehearsal.recall(hashes)
    return Found(known, reasons(conn, hashes.values(), destination.list_slug))


def _find_chain_ends(conn: Connection, known: dict[str, Known]) -> None:
    """The last consent row of those who are known but new to this list: the next one is chained to it."""
    newcomers = {row.person_id: key for key, row in known.items() if row.subscription is None}
    if not newcomers:
        return
    last = (
        select(consents.c.person_id, func.max(consents.c.seq).label("seq"))
        .where(consents.c.person_id.in_(newcomers))
        .group_by(consents.c.person_id)
        .subquery()
    )
    query = select(consents.c.person_id, consents.c.seq, consents.c.link).join(
        last, (consents.c.person_id == last.c.person_id) & (consents.c.seq == last.c.seq)
    )
    for person_id, seq, link in conn.execute(query):
        key = newcomers[person_id]
        known[key] = replace(known[key], seq=seq, link=link)


_PEOPLE = (
    *("id", "address_local", "address_domain", "address_key", "address_hash", "mail_group", "name", "language"),
    *("time_zone", "attributes", "tags", "state", "salt", "created_at"),
)
_SUBSCRIPTIONS = (
    *("list_id", "person_id", "state", "since", "requested_at", "confirmed_at", "left_at", "left_reason"),
    *("paused_until", "topics"),
)
_CONSENTS = ("person_id", "seq", "list_id", "at", "action", "source", "form", "who_digest", "ip_digest", "link")


class Plan:
    """Rows in, decisions out: counts and the rows to write. Nothing is written before `write`.

    Rows are tuples in the driver's own types: SQLAlchemy's handling of each value took two thirds of an import's time.
    """

    def __init__(self, conn: Connection, destination: Destination, found: Found, *, size: int) -> None:
        self._to, self._known, self._barred = destination, found.known, found.barred
        self._dialect = conn.dialect
        self._at = utc(destination.now)
        self._now = self._moment(self._at)
        self._ids, self._salts = new_ids(size), new_salts(size)
        self.tally: Counter[str] = Counter()
        self._people: list[tuple[Any, ...]] = []
        self._subscriptions: list[tuple[Any, ...]] = []
        self._consents: list[tuple[Any, ...]] = []
        self._suppressions: list[dict[str, Any]] = []
        self._fillings: list[dict[str, Any]] = []
        self.changed: dict[str, Known] = {}  # by address key: people as they are after this batch

    def take(self, row: Candidate, hashed: str) -> None:
        """Decide one row. The strongest reason not to mail somebody comes first."""
        known = self._known.get(row.key)
        refusal = refuse(row, known, self._barred.get(hashed))
        if refusal is not None:
            self.tally[f"refused {refusal}"] += 1
            if known is None and hashed not in self._barred:
                self._keep_refusal(row, refusal, hashed)
        elif known is None or known.subscription is None:
            self.tally["added"] += 1
            self._subscribe(row, known or self._make(row, "active", hashed))
        else:
            self._fill(row, known)

    def _subscribe(self, row: Candidate, known: Known) -> None:
        self._join(row, known, row.state.value)
        agreed = entry(
            previous=known.link,
            address_key=row.key,
            salt=known.salt,
            person_id=known.person_id,
            seq=known.seq + 1,
            list_id=self._to.list_id,
            at=self._at,
            action="import",
            source="import",
            form=self._to.form,
            ip=None,
        )
        agreed["at"] = self._now
        self._consents.append(_consent_values(agreed))

    def _keep_refusal(self, row: Candidate, refusal: str, hashed: str) -> None:
        """Somebody new of whom the file itself says that they left or cannot be reached: remember exactly that."""
        if row.state == SubscriptionState.UNSUBSCRIBED:
            self._join(row, self._make(row, "active", hashed), "unsubscribed")
        elif isinstance(row.state, PersonState):
            self._join(row, self._make(row, row.state.value, hashed), "active")
            self._suppress(hashed, SuppressionReason(row.state.value))
        elif row.state == NotMailableReason.SUPPRESSED:
            self._join(row, self._make(row, "active", hashed), "active")
            self._suppress(hashed, SuppressionReason.STAFF)
            # for a twin later in the file, which a rehearsal must count as a run would
            self._known[row.key] = self.changed[row.key] = replace(self._known[row.key], state=refusal)

    def _suppress(self, hashed: str, reason: SuppressionReason) -> None:
        self._suppressions.append(
            {"id": new_id(), "key": hashed, "list_slug": EVERYWHERE, "reason": reason.value, "at": self._at}
        )

    def _make(self, row: Candidate, state: str, hashed: str) -> Known:
        person_id, salt = next(self._ids), next(self._salts)
        local, domain, key, name, language, zone, attributes = row[:7]
        group = mail_group(domain, self._to.key)
        held = json.dumps(attributes) if attributes else "{}"
        tags = json.dumps(row.tags, ensure_ascii=False) if row.tags else None
        self._people.append(
            (person_id, local, domain, key, hashed, group, name, language, zone, held, tags, state, salt, self._now)
        )
        return Known(person_id, state, None, name, language, zone, attributes, salt, row.tags)

    def _join(self, row: Candidate, known: Known, state: str) -> None:
        left = state == "unsubscribed"
        since = self._moment(row.since) if row.since else (None if left else self._now)
        left_at, reason = (self._moment(row.left) if row.left else self._now, "import") if left else (None, None)
        confirmed = self._moment(row.confirmed) if row.confirmed else None
        until = self._moment(row.paused_until) if row.paused_until and state == "paused" else None
        topics = json.dumps(row.topics, ensure_ascii=False) if row.topics else None
        mine = (self._to.list_id, known.person_id, state, since, self._now, confirmed, left_at, reason, until, topics)
        self._subscriptions.append(mine)
        name, language, zone, attributes = known.name, known.language, known.time_zone, known.attributes
        joined = Known(known.person_id, known.state, state, name, language, zone, attributes, known.salt, known.tags)
        self._known[row.key] = self.changed[row.key] = joined

    def _fill(self, row: Candidate, known: Known) -> None:
        if not _fills_a_blank(row, known):
            self.tally["already"] += 1
            return
        self.tally["updated"] += 1
        filled = replace(
            known,
            name=known.name or row.name,
            language=known.language or row.language,
            time_zone=known.time_zone or row.time_zone,
            attributes={**row.attributes, **known.attributes},
            tags=clean_tags([*(known.tags or ()), *row.tags])[:MOST_TAGS] if row.tags else known.tags,
        )
        self._known[row.key] = self.changed[row.key] = filled
        values: dict[str, Any] = {"to_tags": list(filled.tags or ()) or None}
        values |= {"who": known.person_id, "to_name": filled.name, "to_language": filled.language}
        self._fillings.append(values | {"to_time_zone": filled.time_zone, "to_attributes": filled.attributes})

    def _moment(self, moment: datetime) -> Any:
        return UtcDateTime().process_bind_param(moment, self._dialect)

    def write(self, conn: Connection) -> None:
        """At most five statements, each with all its rows. Raises IntegrityError when somebody else was faster."""
        _insert(conn, people, _PEOPLE, self._people)
        _insert(conn, subscriptions, _SUBSCRIPTIONS, self._subscriptions)
        _insert(conn, consents, _CONSENTS, self._consents)
        if self._suppressions:
            conn.execute(insert_or_skip(conn, suppressions, ["key", "list_slug"]), self._suppressions)
        if self._fillings:
            fillable = ("name", "language", "time_zone", "attributes", "tags")
            filling: dict[str, Any] = {column: bindparam(f"to_{column}") for column in fillable}
            conn.execute(update(people).where(people.c.id == bindparam("who")).values(filling), self._fillings)


def _fills_a_blank(row: Candidate, known: Known) -> bool:
    return bool(
        (row.name and not known.name)
        or (row.language and not known.language)
        or (row.time_zone and not known.time_zone)
        or (row.attributes and not row.attributes.keys() <= known.attributes.keys())
        or (row.tags and not {folded(tag) for tag in row.tags} <= {folded(tag) for tag in known.tags or ()})
    )


_consent_values = itemgetter(*_CONSENTS)


def _insert(conn: Connection, table: Table, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    mark = "?" if conn.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names only
    conn.exec_driver_sql(statement, rows)


def refuse(row: Candidate, known: Known | None, barred: SuppressionReason | None) -> str | None:
    """Why this row must not be subscribed, or None (pure)."""
    if barred is not None:
        return "suppressed" if barred == SuppressionReason.STAFF else barred.value
    if known is not None and known.state != PersonState.ACTIVE:
        return known.state
    if known is not None and known.subscription is not None:
        return "left" if known.subscription == SubscriptionState.UNSUBSCRIBED else None
    if isinstance(row.state, PersonState | NotMailableReason):
        return row.state.value
    return {SubscriptionState.UNSUBSCRIBED: "left", SubscriptionState.PENDING: "pending"}.get(row.state)


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

    def remember(self, changed: Mapping[str, Known], hashes: Mapping[str, str]) -> None:
        rows = [(hashes[key], json.dumps(asdict(known))) for key, known in changed.items()]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", rows)
        self._db.execute("COMMIT")

    def recall(self, hashes: Mapping[str, str]) -> dict[str, Known]:
        found: dict[str, Known] = {}
        for key, hashed in hashes.items():
            row = self._db.execute("SELECT person FROM seen WHERE hash = ?", (hashed,)).fetchone()
            if row is not None:
                found[key] = Known(**json.loads(row[0]))
        return found
