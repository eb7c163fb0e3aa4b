"""Tags: words that staff put on people. Each is written as it was first put, and compared without regard to capitals."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Text, func, literal_column, select, true, update

from subscribers.errors import InvalidValue, UnknownPerson
from subscribers.folding import folded
from subscribers.ids import PersonId
from subscribers.jsonrows import elements
from subscribers.people import lock
from subscribers.states import PersonState
from subscribers.tables import people

LONGEST_TAG = 80  # characters
MOST_TAGS = 100  # of one person


def tag(conn: Connection, person_id: PersonId, tags: Iterable[str]) -> tuple[str, ...]:
    """Put tags on a person; those they have stay as they are. Returns all they have now.

    Raises UnknownPerson (also for somebody erased), InvalidValue.
    """
    return _write(conn, person_id, lambda present: clean_tags([*present, *tags]))


def untag(conn: Connection, person_id: PersonId, tags: Iterable[str]) -> tuple[str, ...]:
    """Take tags off a person, however their letters are cased. Returns what is left. Raises as `tag`."""
    gone = {folded(one) for one in clean_tags(tags)}
    return _write(conn, person_id, lambda present: tuple(one for one in present if folded(one) not in gone))


def _write(conn: Connection, person_id: PersonId, change: Any) -> tuple[str, ...]:
    row = lock(conn, person_id)
    if row is None or row.state == PersonState.ERASED:
        raise UnknownPerson(f"there is no person {person_id}")
    present = tuple(row.tags or ())
    wanted: tuple[str, ...] = change(present)
    if wanted != present:
        conn.execute(update(people).where(people.c.id == person_id).values(tags=list(wanted) or None))
    return wanted


def list_tags(conn: Connection) -> list[tuple[str, int]]:
    """(tag, people who have it), by name; of several spellings the one most people have."""
    one = elements(conn.dialect.name, people.c.tags, "one")
    written = (
        one.c.value
        if conn.dialect.name == "sqlite"
        else one.c.value.op("#>>", return_type=Text())(literal_column("'{}'"))
    )
    query = (
        select(written, func.count())
        .select_from(people.join(one, true()))
        .where(people.c.tags.is_not(None))
        .group_by(written)
    )
    spellings: dict[str, list[tuple[int, str]]] = {}
    for spelling, number in conn.execute(query):
        spellings.setdefault(folded(spelling), []).append((number, spelling))
    return [(max(found)[1], sum(number for number, _ in found)) for _, found in sorted(spellings.items())]


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """NFC, blanks joined, each once (the first spelling counts), in the order given; empty ones are left out (pure).

    Raises InvalidValue for one that is too long or holds a semicolon (which parts tags in files), and for too many.
    """
    kept: dict[str, str] = {}
    for given in tags:
        written = " ".join(unicodedata.normalize("NFC", given).split())
        if len(written) > LONGEST_TAG or ";" in written or not written.isprintable():
            raise InvalidValue("no tag", where="tags", hint=f"at most {LONGEST_TAG} characters, without semicolon")
        if written:
            kept.setdefault(folded(written), written)
    if len(kept) > MOST_TAGS:
        raise InvalidValue(f"more than {MOST_TAGS} tags", where="tags")
    return tuple(kept.values())
