"""Segments by slug. A query is read before it is kept, so that what is kept could be read then."""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from subscribers.attributes import Attribute, undeclare
from subscribers.errors import InvalidValue, SegmentFault, UnknownSegment
from subscribers.lists import check_slug
from subscribers.segments.fields import Vocabulary, vocabulary
from subscribers.segments.reading import read
from subscribers.segments.tree import Node, conditions
from subscribers.tables import segments

MAX_SEGMENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    slug: str
    name: str
    query: str
    created_at: datetime
    changed_at: datetime


def create_segment(conn: Connection, slug: str, *, name: str, query: str, now: datetime) -> Segment:
    """Raises InvalidValue: the slug is taken or none, the name blank, too many; SegmentFault for the query."""
    check_slug(slug, where="segment")
    if conn.execute(select(segments.c.slug).where(segments.c.slug == slug)).first():
        raise InvalidValue(f"there is already a segment {slug}", where="segment", hint="choose another slug")
    if len(list_segments(conn)) >= MAX_SEGMENTS:
        raise InvalidValue(f"there are {MAX_SEGMENTS} segments already", where="segment")
    made = Segment(slug=slug, name=_named(name), query=_checked(conn, query), created_at=now, changed_at=now)
    conn.execute(insert(segments), asdict(made))
    return made


def update_segment(conn: Connection, slug: str, *, name: str, query: str, now: datetime) -> Segment:
    """Raises UnknownSegment, InvalidValue, SegmentFault."""
    get_segment(conn, slug)
    values = {"name": _named(name), "query": _checked(conn, query), "changed_at": now}
    conn.execute(update(segments).where(segments.c.slug == slug).values(values))
    return get_segment(conn, slug)


def get_segment(conn: Connection, slug: str) -> Segment:
    """Raises UnknownSegment."""
    row = conn.execute(select(segments).where(segments.c.slug == slug)).first()
    if row is None:
        raise UnknownSegment(f"there is no segment {slug!r}", hint="see the slugs with: newsletter segment list")
    return Segment(**row._mapping)


def list_segments(conn: Connection) -> list[Segment]:
    """All segments by slug."""
    return [Segment(**row._mapping) for row in conn.execute(select(segments).order_by(segments.c.slug))]


def remove_segment(conn: Connection, slug: str) -> None:
    """The caller has seen to it that no newsletter goes by it. Raises UnknownSegment."""
    if conn.execute(delete(segments).where(segments.c.slug == slug)).rowcount == 0:
        raise UnknownSegment(f"there is no segment {slug!r}")


def read_segment(conn: Connection, query: str) -> Node:
    """What a query says, with the attributes and lists there are now. Raises SegmentFault."""
    return read(query, vocabulary(conn))


def check_query(query: str, declared: Iterable[Attribute], lists: Collection[str]) -> Node:
    """The same with attributes and lists (slugs) that are not written yet (pure). Raises SegmentFault."""
    return read(query, Vocabulary.of(list(declared), frozenset(lists)))


def remove_attribute(conn: Connection, slug: str) -> None:
    """The declaration goes; the values stay in people's rows, where nothing reads them any more.

    Raises InvalidValue when it is not declared or a segment names it.
    """
    for segment in list_segments(conn):
        try:
            named = {one.field for one in conditions(read_segment(conn, segment.query))}
        except SegmentFault:
            continue
        if slug in named:
            raise InvalidValue(
                f"the segment {segment.slug} names {slug}", where="slug", hint="change the segment first"
            )
    undeclare(conn, slug)


def _checked(conn: Connection, query: str) -> str:
    read_segment(conn, query)
    return query.strip()


def _named(name: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain or len(plain) > 200:
        raise InvalidValue("a segment has a name of 1 to 200 characters", where="name")
    return plain
