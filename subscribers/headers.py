"""What the header of a file says (pure): which column means what, by its name, the caller's word, or the program's own.

Names are matched without case, blanks, signs or accents. Nothing is read from a column that nobody knows, and it is named.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from subscribers.attributes import Attribute
from subscribers.cells import RowFault, fold, plain_text, read_address
from subscribers.errors import ImportProblem
from subscribers.formats import Format, recognise

# Our export writes the first name of each; the others are what people and other programs call the same thing.
_NAMES = {
    "email": "email emailaddress mail address subscriberemail diachiemail thudientu",
    "name": "name fullname hoten hovaten subscribername tendaydu",
    "first": "firstname givenname fname ten",
    "last": "lastname familyname surname lname ho hovatendem hodem holot hovatenlot",
    "language": "language lang locale ngonngu",
    "time_zone": "timezone tz muigio",
    "attributes": "attributes attribs datajson thuoctinh",
    "tags": "tags labels nhan the",
    "state": "state status subscriptionstatus subscriberstatus emailstatus trangthai tinhtrang",
    "since": "since subscribedat subscribedon subscriptiondate optintime signupdate dateadded joinedat ngaydangky",
    "confirmed": "confirmed confirmedat confirmtime ngayxacnhan",
    "left": "left unsubscribedat unsubscribedon unsubtime ngayhuy",
    "paused_until": "pauseduntil tamdungden",
    "topics": "topics chude",
}
_FAMILY_FIRST = frozenset(
    ["ten", "ho", "hovatendem", "hodem", "holot", "hovatenlot"]
)  # of a language that says it first
_MEANING = {name: meaning for meaning, names in _NAMES.items() for name in names.split()}
DATES = ("since", "confirmed", "left", "paused_until")
_OWN_DATES = frozenset(fold(name) for name in DATES)
_REJECTS = ["line", "column", "reason"]  # what a file of rejected rows puts before the original ones
EXTRA = "attributes."
MAX_KEY = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Positions in a row; None for what the file does not have."""

    email: int
    name: int | None = None
    first: int | None = None
    last: int | None = None
    language: int | None = None
    time_zone: int | None = None
    attributes: int | None = None
    tags: int | None = None
    state: int | None = None
    topics: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller knows of a file's columns before looking.

    `asked` maps meanings (`email`, `attributes.phone`, …) to a column's name or number from 1, and goes before all
    else; `skipped` columns are not read; one called like a `declared` attribute is that. `format` is used instead of the
    one that the header shows, and `plain` says that it shows none. `language` is that of people whose row says none:
    it decides how a name in two columns is put together.
    """

    asked: Mapping[str, str] = field(default_factory=dict)
    skipped: Sequence[str] = ()
    declared: Sequence[Attribute] = ()
    format: Format | None = None
    plain: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything stands. `dates`: meaning, place, and whether it is one of our own columns, which are strict."""

    at: Places
    dates: tuple[tuple[str, int, bool], ...] = ()
    extra: tuple[tuple[str, int], ...] = ()  # attribute, place
    format: Format | None = None
    places: Mapping[str, int] = field(default_factory=dict)  # all columns by folded name, for the format
    ignored: tuple[str, ...] = ()
    family_first: bool = False  # by the names of the two columns; else a person's language decides


def understand(header: Sequence[str], wishes: Wishes) -> Layout | None:
    """None when no column holds addresses. Of two columns with one meaning the first counts.

    Raises ImportProblem for a column that was asked for and is not there.
    """
    folded = [fold(cell) for cell in header]
    chosen = wishes.format or (None if wishes.plain else recognise(folded))
    found, extra = _asked(header, folded, wishes.asked)
    dropped = {_place(header, folded, column) for column in wishes.skipped}
    taken = {*found.values(), *(place for _, place in extra)}
    called = _called(wishes.declared)
    ours = range(len(_REJECTS) if folded[: len(_REJECTS)] == _REJECTS else 0)
    ignored = []
    for place, cell in enumerate(header):
        if place in taken or place in ours:
            continue
        meaning = None if place in dropped else _meaning(cell, chosen, called)
        if meaning is None:
            ignored.append(cell)
        elif meaning.startswith(EXTRA):
            extra.append((meaning.removeprefix(EXTRA), place))
        else:
            found.setdefault(meaning, place)
    if "email" not in found:
        return None
    dates = tuple((name, found.pop(name), folded[place] in _OWN_DATES) for name, place in _dated(found))
    return Layout(
        at=Places(**found),
        dates=dates,
        extra=tuple(extra),
        format=chosen,
        places={name: place for place, name in reversed(list(enumerate(folded)))},
        ignored=tuple(cell for cell in ignored if cell.strip()),
        family_first=any(folded[found[half]] in _FAMILY_FIRST for half in ("first", "last") if half in found),
    )


def without_header(first: Sequence[str], wishes: Wishes) -> Layout:
    """The columns of a table whose first row is a person already: only the address is known, or what is asked for.

    Raises ImportProblem.
    """
    found, extra = _asked([str(n + 1) for n in range(len(first))], [], wishes.asked)
    found.setdefault("email", next(place for place, cell in enumerate(first) if is_address(cell)))
    taken = {*found.values(), *(place for _, place in extra)}
    ignored = tuple(f"column {n + 1}" for n in range(len(first)) if n not in taken)
    dates = tuple((name, found.pop(name), False) for name, _ in _dated(found))
    return Layout(at=Places(**found), dates=dates, extra=tuple(extra), ignored=ignored)


def _meaning(cell: str, chosen: Format | None, called: Mapping[str, str]) -> str | None:
    """`email`, `attributes.phone` …; None for a column nothing is read from."""
    name = fold(cell)
    if chosen is None:
        return _MEANING.get(name) or (EXTRA + called[name] if name in called else None)
    if name in chosen.columns:
        return chosen.columns[name]
    if name in chosen.system:
        return None
    meaning = _MEANING.get(name)
    if meaning is not None:
        return meaning if meaning != "state" else None  # the format's own words say that
    key = called.get(name) or attribute_key(chosen.key(cell))
    return EXTRA + key if key else None


def is_address(cell: str) -> bool:
    if "@" not in cell:
        return False
    try:
        read_address(cell)
    except RowFault:
        return False
    return True


def attribute_key(name: str) -> str:
    """A column's name as the name of an attribute, such that it can be declared: `Phòng ban` → `phong_ban`.

    A name without any Latin letter stays as it is.
    """
    plain = unicodedata.normalize("NFKD", name.lower().replace("đ", "d"))
    slug = "_".join(re.findall("[a-z0-9]+", "".join(sign for sign in plain if not unicodedata.combining(sign))))
    slug = slug[:MAX_KEY].rstrip("_")
    if slug[:1].isdigit():
        return f"c_{slug}"
    return slug or plain_text(" ".join(name.split()))[:MAX_KEY]


def _called(declared: Sequence[Attribute]) -> dict[str, str]:
    """Folded names of columns that mean a declared attribute: its slug, or what people see it called."""
    return {fold(name): one.slug for one in declared for name in (one.label_en, one.label_vi, one.slug) if fold(name)}


def _dated(found: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, found[name]) for name in DATES if name in found]


def _asked(
    header: Sequence[str], folded: Sequence[str], asked: Mapping[str, str]
) -> tuple[dict[str, int], list[tuple[str, int]]]:
    found: dict[str, int] = {}
    extra: list[tuple[str, int]] = []
    for meaning, column in asked.items():
        place = _place(header, folded, column)
        if meaning.startswith(EXTRA) and (key := plain_text(meaning.removeprefix(EXTRA))):
            extra.append((key, place))
        elif meaning in _NAMES:
            found[meaning] = place
        else:
            raise ImportProblem(
                "no such meaning of a column",
                where=meaning[:40],
                hint=f"use {', '.join(_NAMES)} or attributes.KEY",
            )
    return found, extra


def _place(header: Sequence[str], folded: Sequence[str], column: str) -> int:
    wanted = fold(column)
    if wanted and wanted in folded:
        return folded.index(wanted)
    if column.strip() in header:
        return header.index(column.strip())
    if column.strip().isdigit() and 1 <= int(column) <= len(header):
        return int(column) - 1
    shown = ", ".join(cell for cell in header[:20] if cell and "@" not in cell)
    raise ImportProblem("there is no such column", where=column[:40], hint=f"the file has {shown}"[:400])
