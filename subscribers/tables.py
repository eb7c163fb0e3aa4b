"""The tables of people and their consent. Nothing outside this package reads or writes them.

No foreign key leads to other tables of the database: the two halves live together but never join.
Times are aware and UTC. Erasing a person empties the row and keeps it, so that other tables' person ids stay meaningful.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time: timestamptz on Postgres, fixed-width text on SQLite (`2026-11-22T08:00:00.000000Z` sorts as it reads).

    Raises ValueError for a naive time.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        moment = utc(value)
        return as_text(moment) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return read_moment(value)


def read_moment(stored: Any) -> datetime | None:
    """What a driver gives for a time, in UTC."""
    if stored is None:
        return None
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored.astimezone(UTC)


def utc(moment: datetime) -> datetime:
    """`moment` in UTC. Raises ValueError for a naive time."""
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


@lru_cache(maxsize=64)  # an import asks for one moment a hundred thousand times
def as_text(moment: datetime) -> str:
    """`2026-11-22T08:00:00.000000Z`, always 27 characters."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"  # 6× strftime


def insert_or_skip(conn: Connection, table: Table, unique: list[str]) -> Any:
    """An INSERT that leaves a row alone when `unique` is already taken, in the dialect of `conn`."""
    return upsert(conn, table).on_conflict_do_nothing(index_elements=unique)


def upsert(conn: Connection, table: Table) -> Any:
    """An INSERT that may say ON CONFLICT DO UPDATE, in the dialect of `conn`."""
    return (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table)


metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("address_local", Text),  # as the person writes it; NULL once erased, like all that follows from the address
    Column("address_domain", Text),  # ASCII A-label in lower case
    Column("address_key", Text),  # local part in lower case, at sign, domain: one person per key
    Column("address_hash", Text),  # keyed hash of address_key: what suppressions know a person by
    Column("mail_group", Text),  # big receiver's name, or keyed hash of the domain
    Column("name", Text, nullable=False, default=""),
    Column("language", Text),  # BCP 47; NULL = the newsletter's default
    Column("time_zone", Text),  # IANA; NULL = the newsletter's own
    Column("attributes", JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    # list of texts, each once; NULL: none
    Column("tags", JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")),
    Column("state", Text, nullable=False),  # active | bounced | complained | erased
    Column("salt", Text),  # secret of this person's consent digests; erase discards it
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),
    UniqueConstraint("address_key", name="uq_people_address_key"),  # serves find and the import's look-up per batch
)

lists = Table(
    "lists",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("double_opt_in", Boolean, nullable=False),  # a sign-up waits for the letter's answer
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("slug", name="uq_lists_slug"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    # The key in this order serves the audience: one list's people in the order of their ids, without a sort.
    Column("list_id", Text, ForeignKey("lists.id"), primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("state", Text, nullable=False),  # pending | active | paused | unsubscribed
    Column("since", UtcDateTime),  # active from; NULL until then
    Column("requested_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    Column("left_reason", Text),
    Column("topics", JSON(none_as_null=True)),  # list of those chosen; NULL: everything
    Column("paused_until", UtcDateTime),  # of a pause with an end
    # ending pauses before an audience is frozen: few rows have one
    Index(
        "ix_subscriptions_paused_until",
        "paused_until",
        sqlite_where=text("paused_until IS NOT NULL"),
        postgresql_where=text("paused_until IS NOT NULL"),
    ),
    Index("ix_subscriptions_person", "person_id"),  # serves export and erase of one person
)

consent_forms = Table(
    "consent_forms",
    metadata,
    # What was shown when somebody agreed, kept once: the key is the digest of the other columns, so it cannot change.
    Column("digest", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("language", Text, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    # Append-only. `link` chains each row to the one before it (see consent.py); a changed or missing row breaks the chain.
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … per person
    Column("list_id", Text, ForeignKey("lists.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", Text, nullable=False),  # subscribe | confirm | import | unsubscribe | resubscribe | move
    Column("source", Text, nullable=False),  # form | api | staff | import, or the way somebody left
    Column("form", Text, ForeignKey("consent_forms.digest")),  # NULL where nothing was shown (one-click leaving)
    Column("ip", Text),  # optional; NULL once erased
    Column("who_digest", Text, nullable=False),  # salted digest of the address
    Column("ip_digest", Text, nullable=False),  # salted digest of the IP, "" without one
    Column("link", Text, nullable=False),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "key", Text, nullable=False
    ),  # keyed hash of the normalised address: survives erasure, tells nobody who it was
    # "" = every list. Not NULL, because a unique index lets any number of NULLs in.
    Column("list_slug", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False),  # bounced | complained | erased | staff
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("key", "list_slug", name="uq_suppressions_key"),  # serves audience, re-check and import
)

import_marks = Table(
    "import_marks",
    metadata,
    # How far an import that is not through has come. The key is a keyed digest of its file, its list and its wishes.
    Column("import_id", Text, primary_key=True),
    Column("run", Text, nullable=False),  # which run moves the mark; another one takes it over
    Column("done", Integer, nullable=False),  # usable rows that are decided and written
    Column("tally", JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),  # what became of them
    Column("at", UtcDateTime, nullable=False),
)

originals = Table(
    "originals",
    metadata,
    # Messages that came back, as they came: to see why mail to somebody failed. They name addresses, so they lie here.
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Index("ix_originals_person", "person_id"),  # serves export and erase of one person
    Index("ix_originals_at", "at"),  # serves forgetting
)

changes = Table(
    "changes",
    metadata,
    # What happened to somebody, written in the transaction of its cause, until the caller has taken it (changes.py).
    Column("id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("list_slug", Text),  # NULL: it is about the person, not about one list
    Column("kind", Text, nullable=False),  # of changes.ChangeKind
    Column("at", UtcDateTime, nullable=False),
)

attributes = Table(
    "attributes",
    metadata,
    # What people's attributes are called and which values they take. People hold the values; a value that does not fit
    # its declaration counts as absent.
    Column("slug", Text, primary_key=True),
    Column("type", Text, nullable=False),  # text | number | yes-no | date | texts
    Column("label_vi", Text, nullable=False),
    Column("label_en", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # as it was typed; see segments/reading.py for its grammar
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

sendings = Table(
    "sendings",
    metadata,
    # When something was sent to a list: what "the last 5 issues" means to a segment.
    Column("list_id", Text, ForeignKey("lists.id"), primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
)

engagements = Table(
    "engagements",
    metadata,
    # Who opened and clicked what a list sent them: one row per person and list, none for those who never did, so that an
    # import writes nothing here. The key in this order serves the audience.
    Column("list_id", Text, ForeignKey("lists.id"), primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("last_opened_at", UtcDateTime),
    Column("last_clicked_at", UtcDateTime),
    Column("opened_sending", UtcDateTime),  # when the latest of what they opened was sent
    Column("clicked_sending", UtcDateTime),
    Column("opens", Integer, nullable=False),
    Column("clicks", Integer, nullable=False),
    Index("ix_engagements_person", "person_id"),  # serves export and erase of one person
    sqlite_with_rowid=False,
)
