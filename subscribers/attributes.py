"""What is known of people beside their name: attributes that are declared, each with a type. Values are checked at every door.

A value nobody declared may lie in a person's row, because an import brings what another program knew: it is kept and
exported, but no segment and no letter reads it before it is declared.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from subscribers import jsonrows
from subscribers.errors import InvalidValue, UnknownPerson
from subscribers.ids import PersonId
from subscribers.people import lock
from subscribers.states import PersonState
from subscribers.tables import attributes, people

LONGEST_TEXT = 1_000  # characters
MOST_TEXTS = 100
LARGEST = 10**15  # whole numbers up to here are the same in JSON, SQLite, Postgres and Python
MOST_ATTRIBUTES = 100
_BATCH = 5_000  # people read at once
_SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# What a segment's grammar or a template already means by a word cannot be the name of an attribute.
_WORDS = """
    and or not in is set contains starts ends with within before since last days day issues issue never ever yes no true false
    tag tags topic topics list lists language timezone time_zone name domain mail_group joined confirmed opened clicked opens
    clicks email address state
"""
RESERVED = frozenset(_WORDS.split())


class AttributeType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes-no"
    DATE = "date"  # a day: 2026-11-22
    TEXTS = "texts"  # a list of texts, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    slug: str
    type: AttributeType
    label_vi: str
    label_en: str

    def label(self, language: str) -> str:
        """What people see it called."""
        return self.label_vi if language.split("-")[0] == "vi" else self.label_en


def declare_attribute(
    conn: Connection,
    slug: str,
    *,
    type: AttributeType | str,
    now: datetime,
    label_vi: str = "",
    label_en: str = "",
    on_adopted: Callable[[int, int], None] | None = None,
) -> Attribute:
    """Declare it, or label it anew. A label that is not given is the other one, or the slug.

    What imports brought under this name before is brought into the form of the type; `on_adopted` is told how many values
    were changed, and how many do not fit and count as absent. Raises InvalidValue: see check_declaration; declared with
    another type; too many.
    """
    kind = check_declaration(slug, type)
    declared = {one.slug: one for one in list_attributes(conn)}
    labels = {"label_vi": _label(label_vi or label_en or slug), "label_en": _label(label_en or label_vi or slug)}
    known = declared.get(slug)
    if known is None:
        if len(declared) >= MOST_ATTRIBUTES:
            raise InvalidValue(f"there are {MOST_ATTRIBUTES} attributes already", where="slug")
        conn.execute(insert(attributes), {"slug": slug, "type": kind.value, "created_at": now} | labels)
    elif known.type is not kind:
        raise InvalidValue(
            f"{slug} is declared as {known.type}", where="type", hint="remove it first, or take another name"
        )
    else:
        conn.execute(update(attributes).where(attributes.c.slug == slug).values(labels))
    declared_now = Attribute(slug=slug, type=kind, **labels)
    if known is None:
        changed, unfit = _adopt(conn, declared_now)
        if on_adopted is not None:
            on_adopted(changed, unfit)
    return declared_now


def _adopt(conn: Connection, attribute: Attribute) -> tuple[int, int]:
    """(values brought into form, values left that do not fit), a batch of people at a time."""
    changed, unfit, last = 0, 0, ""
    mine = jsonrows.has(conn.dialect.name, people.c.attributes, attribute.slug)
    query = select(people.c.id, people.c.attributes).where(mine).order_by(people.c.id).limit(_BATCH)
    while rows := conn.execute(query.where(people.c.id > last)).all():
        last, anew = rows[-1].id, []
        for row in rows:
            try:
                value = check_value(attribute, row.attributes[attribute.slug])
            except InvalidValue:
                unfit += 1
                continue
            held = {slug: kept for slug, kept in row.attributes.items() if slug != attribute.slug}
            held |= {} if value is None else {attribute.slug: value}
            if held != row.attributes or type(value) is not type(row.attributes[attribute.slug]):
                anew.append({"who": row.id, "to": held})
        if anew:
            changing = update(people).where(people.c.id == bindparam("who")).values(attributes=bindparam("to"))
            conn.execute(changing, anew)
        changed += len(anew)
    return changed, unfit


def check_declaration(slug: str, type: AttributeType | str) -> AttributeType:
    """Raises InvalidValue: the slug is none, or means something in segments; there is no such type (pure)."""
    if len(slug) > 40 or not _SLUG.fullmatch(slug):
        raise InvalidValue(
            f"{slug!r} is no name of an attribute", where="slug", hint="use a-z, 0-9 and _, like job_title"
        )
    if slug in RESERVED:
        raise InvalidValue(f"{slug} means something else in segments", where="slug", hint="choose another name")
    try:
        kind = AttributeType(type)
    except ValueError:
        raise InvalidValue(
            f"{type!r} is no type", where="type", hint="use one of " + ", ".join(AttributeType)
        ) from None
    return kind


def _label(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())[:80]


def list_attributes(conn: Connection) -> list[Attribute]:
    """All that are declared, by slug."""
    rows = conn.execute(select(attributes).order_by(attributes.c.slug))
    return [
        Attribute(slug=row.slug, type=AttributeType(row.type), label_vi=row.label_vi, label_en=row.label_en)
        for row in rows
    ]


def undeclare(conn: Connection, slug: str) -> None:
    """The declaration goes; what people's rows hold stays. Raises InvalidValue when there is none."""
    if conn.execute(delete(attributes).where(attributes.c.slug == slug)).rowcount == 0:
        raise InvalidValue(f"there is no attribute {slug!r}", where="slug")


def set_attributes(conn: Connection, person_id: PersonId, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write some of a person's attributes; blank ("", None, an empty list) takes one away. Returns all they have now.

    Raises UnknownPerson (also for somebody erased); InvalidValue for an undeclared name or a value of another type.
    """
    checked = check_attributes(list_attributes(conn), given)
    row = lock(conn, person_id)
    if row is None or row.state == PersonState.ERASED:
        raise UnknownPerson(f"there is no person {person_id}")
    held = {**row.attributes, **checked}
    kept = {slug: value for slug, value in held.items() if value is not None}
    conn.execute(update(people).where(people.c.id == person_id).values(attributes=kept))
    return kept


# ---------------------------------------------------------------- values


def check_attributes(
    declared: Iterable[Attribute], given: Mapping[str, Any], *, keep_unknown: bool = False
) -> dict[str, Any]:
    """Each value as it is stored: JSON of its type, texts in NFC; None for a blank one.

    Raises InvalidValue with the attribute as `where`; for an undeclared one unless `keep_unknown`.
    """
    by_slug = {one.slug: one for one in declared}
    checked = {}
    for slug, value in given.items():
        attribute = by_slug.get(slug)
        if attribute is not None:
            checked[slug] = check_value(attribute, value)
        elif keep_unknown:
            checked[slug] = value
        else:
            known = ", ".join(by_slug) or "none yet"
            raise InvalidValue("no such attribute is declared", where=str(slug)[:40], hint=f"declared: {known}")
    return checked


def check_value(attribute: Attribute, value: Any) -> Any:
    """One value as it is stored, from JSON or from what a cell or a form says; None when it is blank.

    Texts: numbers as `11.4`, days as `2026-11-22` or `22/11/2026`, yes and no also as có and không, lists parted by `;`.
    Raises InvalidValue.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        read = _READERS[attribute.type](value)
    except _TooMuch as error:
        raise InvalidValue(error.what, where=attribute.slug, hint=error.hint) from None
    except (ValueError, OverflowError):
        raise InvalidValue(f"no {_SAID[attribute.type]}", where=attribute.slug, hint=_HINTS[attribute.type]) from None
    return None if read in ("", []) else read


class _TooMuch(ValueError):
    """Right in kind, but more than is kept."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a postcode that a spreadsheet took for a number
    if not isinstance(value, str):
        raise ValueError
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if not text.isprintable():
        raise ValueError
    if len(text) > LONGEST_TEXT:
        raise _TooMuch(f"a text of {len(text):,} characters, more than {LONGEST_TEXT:,}", "shorten it")
    return text


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str):
        plain = value.strip()
        if not re.fullmatch(r"[+-]?\d{1,20}(\.\d{1,20})?", plain, re.ASCII):
            raise ValueError
        value = float(plain) if "." in plain else int(plain)
    if not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError
    return int(value) if value == int(value) else value


_YES = frozenset(("yes", "y", "true", "1", "có", "x", "✓"))
_NO = frozenset(("no", "n", "false", "0", "không"))


def _yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    said = unicodedata.normalize("NFC", str(value)).strip().casefold()
    if said in _YES or said in _NO:
        return said in _YES
    raise ValueError


def _day(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise ValueError
    plain = value.strip()
    if found := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", plain, re.ASCII):
        return date(int(found[3]), int(found[2]), int(found[1])).isoformat()
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain, re.ASCII):
        raise ValueError
    return date.fromisoformat(plain).isoformat()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        value = value.split(";")
    if not isinstance(value, list | tuple):
        raise ValueError
    if len(value) > MOST_TEXTS:
        raise _TooMuch(f"{len(value):,} texts, more than {MOST_TEXTS:,}", "leave some out")
    return list(dict.fromkeys(text for text in map(_text, value) if text))


_READERS: Mapping[AttributeType, Callable[[Any], Any]] = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.YES_NO: _yes_no,
    AttributeType.DATE: _day,
    AttributeType.TEXTS: _texts,
}
_SAID = {
    AttributeType.TEXT: "text of one line",
    AttributeType.NUMBER: "number",
    AttributeType.YES_NO: "yes or no",
    AttributeType.DATE: "day",
    AttributeType.TEXTS: "list of texts",
}
_HINTS = {
    AttributeType.TEXT: f"at most {LONGEST_TEXT:,} characters",
    AttributeType.NUMBER: "like 12 or 11.4",
    AttributeType.YES_NO: "yes or no",
    AttributeType.DATE: "like 2026-11-22 or 22/11/2026",
    AttributeType.TEXTS: "parted by ;",
}


def value_of(attribute: Attribute, held: Mapping[str, Any]) -> Any:
    """What a person's row says of an attribute: str, int, float, bool, date or a tuple of texts; None when it says nothing.

    A value of another type (brought before the attribute was declared) is nothing.
    """
    value = held.get(attribute.slug)
    match attribute.type:
        case AttributeType.YES_NO:
            return value if isinstance(value, bool) else None
        case AttributeType.NUMBER:
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None
        case AttributeType.TEXTS:
            return tuple(one for one in value if isinstance(one, str)) or None if isinstance(value, list) else None
    if not isinstance(value, str):
        return None
    if attribute.type is AttributeType.TEXT:
        return value or None
    try:
        return date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) else None
    except ValueError:
        return None
