"""Which column of a file means what, and what one row says (pure). Names are matched without case, blanks or accents."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, Self

from subscribers.address import key_of, split_address
from subscribers.errors import InvalidAddress, InvalidValue
from subscribers.people import check_language, check_time_zone, clean_name
from subscribers.states import PersonState, SubscriptionState
from subscribers.tables import utc

# Our export writes the first name of each; the others are what people and other programs call the same thing.
_NAMES = {
    "email": "email emailaddress mail address subscriberemail diachiemail thudientu",
    "name": "name fullname hoten hovaten subscribername",
    "first": "firstname givenname fname ten",
    "last": "lastname familyname surname lname ho",
    "language": "language lang locale ngonngu",
    "time_zone": "timezone tz muigio",
    "attributes": "attributes attribs datajson",
    "state": "state",
    "since": "since",
}
_MEANING = {name: meaning for meaning, names in _NAMES.items() for name in names.split()}

_STATES: Mapping[str, SubscriptionState | PersonState] = {
    "": SubscriptionState.ACTIVE,
    **{state.value: state for state in SubscriptionState},
    **{state.value: state for state in (PersonState.BOUNCED, PersonState.COMPLAINED)},
}


class RowFault(ValueError):
    """One row cannot be used: `column` as our export names it, `reason` without any part of an address."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


class Candidate(NamedTuple):
    """What one row says. `state` is the subscription's, or the person's where the address itself is at fault."""

    local: str
    domain: str
    key: str
    name: str = ""
    language: str | None = None
    time_zone: str | None = None
    attributes: Mapping[str, Any] = {}
    state: SubscriptionState | PersonState = SubscriptionState.ACTIVE
    since: datetime | None = None

    def __repr__(self) -> str:
        return "<Candidate>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Positions in a row; None for what the file does not have."""

    email: int
    name: int | None = None
    first: int | None = None
    last: int | None = None
    language: int | None = None
    time_zone: int | None = None
    attributes: int | None = None
    state: int | None = None
    since: int | None = None

    @classmethod
    def of(cls, header: Sequence[str]) -> Self | None:
        """None when no column holds addresses. Of two columns with one meaning the first counts."""
        found: dict[str, int] = {}
        for place, cell in enumerate(header):
            meaning = _MEANING.get(_fold(cell))
            if meaning is not None:
                found.setdefault(meaning, place)
        return cls(**found) if "email" in found else None

    @staticmethod
    def knows(cell: str) -> bool:
        return _fold(cell) in _MEANING

    def read(self, fields: Sequence[str]) -> Candidate:
        """Raises RowFault for the first thing that cannot be used."""
        local, domain = _address(_cell(fields, self.email))
        try:
            language = check_language(_cell(fields, self.language)) if self.language is not None else None
            zone = check_time_zone(_cell(fields, self.time_zone)) if self.time_zone is not None else None
        except InvalidValue as error:
            raise RowFault(error.where, f"{error.what}: {error.hint}") from None
        return Candidate(
            local,
            domain,
            key_of(local, domain),
            self._name(fields),
            language,
            zone,
            _attributes(_cell(fields, self.attributes)) if self.attributes is not None else {},
            _state(_cell(fields, self.state)) if self.state is not None else SubscriptionState.ACTIVE,
            _since(_cell(fields, self.since)) if self.since is not None else None,
        )

    def _name(self, fields: Sequence[str]) -> str:
        if self.name is not None and (whole := clean_name(_cell(fields, self.name))):
            return whole
        if self.first is None and self.last is None:
            return ""
        return clean_name(f"{_cell(fields, self.first)} {_cell(fields, self.last)}")


def _fold(cell: str) -> str:
    """`E-mail Address` → `emailaddress`, `Họ và tên` → `hovaten`."""
    plain = unicodedata.normalize("NFD", cell.casefold().replace("đ", "d"))
    return "".join([sign for sign in plain if sign.isalnum() and sign.isascii()])


def _cell(fields: Sequence[str], place: int | None) -> str:
    """A row may be shorter than its header: spreadsheets drop trailing blanks."""
    return fields[place] if place is not None and place < len(fields) else ""


def _address(text: str) -> tuple[str, str]:
    try:
        return split_address(text)
    except InvalidAddress as error:
        raise RowFault("email", "there is no address" if not text.strip() else error.reason) from None


def _attributes(text: str) -> Mapping[str, Any]:
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is JSON, but no text
    except (ValueError, RecursionError):
        raise RowFault("attributes", "no JSON object") from None
    if not isinstance(value, dict):
        raise RowFault("attributes", "no JSON object")
    if "\\u0000" in text:
        raise RowFault("attributes", "holds a zero character, which databases refuse")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _state(text: str) -> SubscriptionState | PersonState:
    try:
        return _STATES[text.strip().lower()]
    except KeyError:
        raise RowFault("state", "no known state: use " + ", ".join(state for state in _STATES if state)) from None


def _since(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        raise RowFault("since", "no ISO 8601 time with a zone, like 2026-11-22T08:00:00Z") from None
