"""People: one per normalised address. Shows them masked; the address leaves only by an envelope or an export."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, Row, select, update

from subscribers.address import Address, key_of
from subscribers.consent import new_salt
from subscribers.errors import InvalidValue, UnknownPerson
from subscribers.ids import PersonId, new_id
from subscribers.keyed import SuppressionKey, mail_group, suppression_hash
from subscribers.states import PersonState
from subscribers.tables import insert_or_skip, people

MAX_NAME = 200  # characters; longer ones are cut: a name is for a greeting


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What staff see. `address` masks itself; name and attributes stay out of the repr, which may reach a log."""

    id: PersonId
    address: Address | None  # None once erased
    name: str = field(repr=False)
    language: str | None
    time_zone: str | None
    attributes: Mapping[str, Any] = field(repr=False)
    tags: tuple[str, ...] = field(repr=False)
    state: PersonState
    mail_group: str | None
    created_at: datetime
    erased_at: datetime | None


def find(conn: Connection, address: Address) -> PersonId | None:
    """The person of an address, however its letters are cased; None when nobody (or an erased person) has it."""
    key = key_of(address.local, address.domain)
    return conn.execute(select(people.c.id).where(people.c.address_key == key)).scalar()


def person(conn: Connection, person_id: PersonId) -> Person:
    """Raises UnknownPerson."""
    row = conn.execute(select(people).where(people.c.id == person_id)).first()
    if row is None:
        raise UnknownPerson(f"there is no person {person_id}")
    return person_in(row)


def person_in(row: Row[Any]) -> Person:
    """The person that a row of `people` tells of."""
    return Person(
        id=row.id,
        address=address_of(row),
        name=row.name,
        language=row.language,
        time_zone=row.time_zone,
        attributes=row.attributes,
        tags=tuple(row.tags or ()),
        state=PersonState(row.state),
        mail_group=row.mail_group,
        created_at=row.created_at,
        erased_at=row.erased_at,
    )


def ensure_person(
    conn: Connection,
    address: Address,
    *,
    now: datetime,
    key: SuppressionKey,
    name: str = "",
    language: str | None = None,
    time_zone: str | None = None,
) -> PersonId:
    """The person of an address, made if new, without any subscription: staff, test recipients, somebody signing up.

    Somebody who is already known stays as they are, except that blanks (name, language, time zone) are filled.
    Holds the person's row until the transaction ends. Raises InvalidValue for an unusable language or time zone.
    """
    given = {"name": clean_name(name), "language": check_language(language), "time_zone": check_time_zone(time_zone)}
    row = new_person(new_id(), address.local, address.domain, key=key) | given | {"created_at": now}
    conn.execute(insert_or_skip(conn, people, ["address_key"]), row)
    mine = select(people).where(people.c.address_key == row["address_key"]).with_for_update()
    known = conn.execute(mine).one()
    blanks = {column: value for column, value in given.items() if value and not getattr(known, column)}
    if blanks:
        conn.execute(update(people).where(people.c.id == known.id).values(blanks))
    return PersonId(known.id)


def rename(conn: Connection, person_id: PersonId, name: str) -> None:
    """Raises UnknownPerson (also for somebody erased)."""
    _set(conn, person_id, name=clean_name(name))


def set_language(conn: Connection, person_id: PersonId, language: str | None) -> None:
    """`language` is BCP 47, or None for the newsletter's default. Raises UnknownPerson, InvalidValue."""
    _set(conn, person_id, language=check_language(language))


def set_time_zone(conn: Connection, person_id: PersonId, time_zone: str | None) -> None:
    """`time_zone` is an IANA name, or None for the newsletter's own. Raises UnknownPerson, InvalidValue."""
    _set(conn, person_id, time_zone=check_time_zone(time_zone))


def _set(conn: Connection, person_id: PersonId, **values: str | None) -> None:
    living = update(people).where(people.c.id == person_id, people.c.state != PersonState.ERASED)
    if conn.execute(living.values(values)).rowcount == 0:
        raise UnknownPerson(f"there is no person {person_id}")


def lock(conn: Connection, person_id: PersonId) -> Row[Any] | None:
    """The person's row, held against other writers until the transaction ends; None when unknown.

    SQLite has one writer at a time: there the caller's write transaction is the lock.
    """
    return conn.execute(select(people).where(people.c.id == person_id).with_for_update()).first()


def new_person(person_id: str, local: str, domain: str, *, key: SuppressionKey) -> dict[str, Any]:
    """A row of `people` with all that follows from the address (pure but for the salt); `created_at` is the caller's."""
    address_key = key_of(local, domain)
    return {
        "id": person_id,
        "address_local": local,
        "address_domain": domain,
        "address_key": address_key,
        "address_hash": suppression_hash(address_key, key),
        "mail_group": mail_group(domain, key),
        "name": "",
        "language": None,
        "time_zone": None,
        "attributes": {},
        "state": "active",
        "salt": new_salt(),
    }


def address_of(row: Any) -> Address | None:
    return None if row.address_local is None else Address(row.address_local, row.address_domain)


# ---------------------------------------------------------------- what people write about themselves


def clean_name(text: str) -> str:
    """NFC, blanks (also no-break ones) joined into single spaces, unprintable signs dropped, at most 200 characters."""
    if not text:
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    name = " ".join(text.split())
    if not name.isprintable():
        name = "".join([sign for sign in name if sign.isprintable()])
    return name[:MAX_NAME]


@lru_cache(maxsize=1024)
def check_language(tag: str | None) -> str | None:
    """A BCP 47 tag in its usual case (`vi`, `pt-BR`), None for blank. Raises InvalidValue."""
    if not tag or not tag.strip():
        return None
    first, *rest = tag.strip().replace("_", "-").split("-")
    if not re.fullmatch(r"[A-Za-z]{2,3}", first) or not all(re.fullmatch(r"[A-Za-z0-9]{1,8}", part) for part in rest):
        raise InvalidValue("no language tag", where="language", hint="use a tag like vi or en")
    return "-".join([first.lower(), *[part.upper() if len(part) == 2 else part for part in rest]])


@lru_cache(maxsize=1024)
def check_time_zone(name: str | None) -> str | None:
    """An IANA name, None for blank. Raises InvalidValue."""
    if not name or not name.strip():
        return None
    if name.strip() not in _time_zones():
        raise InvalidValue("no time zone", where="time_zone", hint="use a name like Asia/Ho_Chi_Minh")
    return name.strip()


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
