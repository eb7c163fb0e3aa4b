"""Which column of a file means what, and what one row says (pure). Names are matched without case, blanks or accents."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from subscribers.address import key_of
from subscribers.cells import (
    RowFault,
    State,
    fold,
    plain_text,
    read_address,
    read_attributes,
    read_moment,
    read_own_moment,
    read_state,
    read_tags,
)
from subscribers.errors import ImportProblem, InvalidValue
from subscribers.formats import Format, Row, recognise
from subscribers.people import check_language, check_time_zone, clean_name
from subscribers.states import SubscriptionState
from subscribers.subscriptions import LONGEST_TOPIC
from subscribers.tags import MOST_TAGS, clean_tags

# Our export writes the first name of each; the others are what people and other programs call the same thing.
_NAMES = {
    "email": "email emailaddress mail address subscriberemail diachiemail thudientu",
    "name": "name fullname hoten hovaten subscribername tendaydu",
    "first": "firstname givenname fname ten",
    "last": "lastname familyname surname lname ho hovatendem",
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
_MEANING = {name: meaning for meaning, names in _NAMES.items() for name in names.split()}
_DATES = ("since", "confirmed", "left", "paused_until")
_OWN_DATES = frozenset(fold(name) for name in _DATES)
_REJECTS = ["line", "column", "reason"]  # what a file of rejected rows puts before the original ones
_EXTRA = "attributes."
MAX_KEY = 38
_NO_MOMENTS: tuple[datetime | None, ...] = (None, None, None, None)


class Candidate(NamedTuple):
    """What one row says. `state` is the subscription's, or the person's where the address itself is at fault."""

    local: str
    domain: str
    key: str
    name: str = ""
    language: str | None = None
    time_zone: str | None = None
    attributes: Mapping[str, Any] = {}
    state: State = SubscriptionState.ACTIVE
    since: datetime | None = None
    confirmed: datetime | None = None
    left: datetime | None = None
    paused_until: datetime | None = None
    topics: tuple[str, ...] = ()  # those chosen; none: everything
    sure: bool = True  # does the file itself say what state they are in?
    tags: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "<Candidate>"


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
class Columns:
    """How to read the rows of one table. `losses` counts cells that were left out."""

    at: Places
    dates: tuple[tuple[str, int, bool], ...] = ()  # meaning, place, in our own strict form?
    extra: tuple[tuple[str, int], ...] = ()  # attribute, place
    format: Format | None = None
    places: Mapping[str, int] = field(default_factory=dict)  # all columns by folded name, for the format
    file: str = ""
    ignored: tuple[str, ...] = ()
    losses: Counter[str] = field(default_factory=Counter)
    # what is asked of every row is answered once
    told: bool = field(init=False)  # does a column say states?
    attributed: bool = field(init=False)  # does any hold attributes?

    def __post_init__(self) -> None:
        at = self.at
        object.__setattr__(self, "told", self.format is not None or at.state is not None)
        object.__setattr__(self, "attributed", at.attributes is not None or bool(self.extra))

    @classmethod
    def of(
        cls,
        header: Sequence[str],
        *,
        file: str = "",
        asked: Mapping[str, str] | None = None,
        skipped: Sequence[str] = (),
        format: Format | None = None,
        plain: bool = False,
    ) -> Self | None:
        """None when no column holds addresses. Of two columns with one meaning the first counts.

        `asked` maps meanings (`email`, `attributes.phone`, …) to a column's name or number from 1, and goes before all
        else; columns that are `skipped` are not read; `format` is used instead of the one that the header shows, and
        `plain` says that it shows none. Raises ImportProblem for a column not there.
        """
        folded = [fold(cell) for cell in header]
        chosen = format or (None if plain else recognise(folded))
        found, extra = _asked(header, folded, asked or {})
        dropped = {_place(header, folded, column) for column in skipped}
        taken = {*found.values(), *(place for _, place in extra)}
        ignored = []
        for place, cell in enumerate(header):
            meaning = _meaning(folded[place], chosen)
            if place in taken:
                continue
            if place in dropped:
                ignored.append(cell)
                continue
            if meaning is not None and meaning.startswith(_EXTRA):
                extra.append((meaning.removeprefix(_EXTRA), place))
            elif meaning is not None:
                found.setdefault(meaning, place)
            elif place < 3 and folded[:3] == _REJECTS:
                continue
            elif chosen is not None and folded[place] not in chosen.system and (key := attribute_key(chosen.key(cell))):
                extra.append((key, place))
            elif cell.strip():
                ignored.append(cell)
        if "email" not in found:
            return None
        dates = tuple((name, found.pop(name), folded[place] in _OWN_DATES) for name, place in _dated(found))
        return cls(
            at=Places(**found),
            dates=dates,
            extra=tuple(extra),
            format=chosen,
            places={name: place for place, name in reversed(list(enumerate(folded)))},
            file=fold(file),
            ignored=tuple(ignored),
        )

    @classmethod
    def without_header(cls, width: int, cells: Sequence[str], asked: Mapping[str, str]) -> Self:
        """The columns of a file whose first row is a person already: only the address is known, or what is `asked`.

        Raises ImportProblem.
        """
        found, extra = _asked([str(n + 1) for n in range(width)], [], asked)
        found.setdefault("email", next(place for place, cell in enumerate(cells) if is_address(cell)))
        taken = {*found.values(), *(place for _, place in extra)}
        ignored = tuple(f"column {n + 1}" for n in range(width) if n not in taken)
        dates = tuple((name, found.pop(name), False) for name, _ in _dated(found))
        return cls(at=Places(**found), dates=dates, extra=tuple(extra), ignored=ignored)

    def read(self, fields: Sequence[str]) -> Candidate:
        """Raises RowFault for the first thing that cannot be used."""
        at = self.at
        local, domain = read_address(fields[at.email] if at.email < len(fields) else "")
        state, sure = self._state(fields) if self.told else (SubscriptionState.ACTIVE, False)
        since, confirmed, left, until = self._moments(fields) if self.dates else _NO_MOMENTS
        return Candidate(
            local,
            domain,
            key_of(local, domain),
            self._name(fields),
            self._checked(check_language, _cell(fields, at.language)) if at.language is not None else None,
            self._checked(check_time_zone, _cell(fields, at.time_zone)) if at.time_zone is not None else None,
            self._attributes(fields) if self.attributed else {},
            state,
            since,
            confirmed,
            left,
            until,
            _topics(_cell(fields, at.topics)) if at.topics is not None else (),
            sure,
            self._tags(fields) if at.tags is not None else (),
        )

    def _state(self, fields: Sequence[str]) -> tuple[State, bool]:
        if self.format is not None:
            row = Row(fields, self.places, self.file)
            return self.format.state(row), self.format.sure(row)
        told = read_state(_cell(fields, self.at.state))
        return told or SubscriptionState.ACTIVE, told is not None

    def _checked(self, check: Callable[[str | None], str | None], text: str) -> str | None:
        """A language or time zone. Another program's that we do not know is left out; in a plain file it is a fault."""
        try:
            return check(text)
        except InvalidValue as error:
            if self.format is None:
                raise RowFault(error.where, f"{error.what}: {error.hint}") from None
            self.losses[error.where] += 1
            return None

    def _moments(self, fields: Sequence[str]) -> tuple[datetime | None, ...]:
        """since, confirmed, left, paused until."""
        found: dict[str, datetime | None] = {}
        for name, place, own in self.dates:
            text = _cell(fields, place)
            if own and self.format is None:
                found[name] = read_own_moment(text, name)
            elif text.strip():
                found[name] = read_moment(text)
                if found[name] is None:
                    self.losses[name] += 1
        since, *others = (found.get(name) for name in _DATES)
        return (since or found.get("confirmed"), *others)

    def _attributes(self, fields: Sequence[str]) -> Mapping[str, Any]:
        held = read_attributes(_cell(fields, self.at.attributes)) if self.at.attributes is not None else {}
        for key, place in self.extra:
            if text := plain_text(_cell(fields, place)):
                held.setdefault(key, text)
        return held

    def _tags(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Those that can be a tag here; what cannot is left out and counted."""
        kept: list[str] = []
        for tag in read_tags(_cell(fields, self.at.tags)):
            try:
                kept.extend(clean_tags([tag]))
            except InvalidValue:
                self.losses["tags"] += 1
        if len(kept) > MOST_TAGS:
            self.losses["tags"] += len(kept) - MOST_TAGS
        return clean_tags(kept[:MOST_TAGS])

    def _name(self, fields: Sequence[str]) -> str:
        if self.at.name is not None and (whole := clean_name(_cell(fields, self.at.name))):
            return whole
        if self.at.first is None and self.at.last is None:
            return ""
        return clean_name(f"{_cell(fields, self.at.first)} {_cell(fields, self.at.last)}")


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


def _meaning(name: str, chosen: Format | None) -> str | None:
    if chosen is None:
        return _MEANING.get(name)
    if name in chosen.columns:
        return chosen.columns[name]
    meaning = _MEANING.get(name) if name not in chosen.system else None
    return None if meaning == "state" else meaning


def _dated(found: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, found[name]) for name in _DATES if name in found]


def _asked(
    header: Sequence[str], folded: Sequence[str], asked: Mapping[str, str]
) -> tuple[dict[str, int], list[tuple[str, int]]]:
    found: dict[str, int] = {}
    extra: list[tuple[str, int]] = []
    for meaning, column in asked.items():
        place = _place(header, folded, column)
        if meaning.startswith(_EXTRA) and (key := plain_text(meaning.removeprefix(_EXTRA))):
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


def _cell(fields: Sequence[str], place: int | None) -> str:
    """A row may be shorter than its header: spreadsheets drop trailing blanks."""
    return fields[place] if place is not None and place < len(fields) else ""


def _topics(text: str) -> tuple[str, ...]:
    topics = {plain_text(topic) for topic in read_tags(text)}
    if any(len(topic) > LONGEST_TOPIC for topic in topics):
        raise RowFault("topics", f"a topic has 1 to {LONGEST_TOPIC} characters")
    return tuple(sorted(topics))
