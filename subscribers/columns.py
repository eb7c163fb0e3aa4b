"""What one row of a file says (pure), once it is known which column means what."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from subscribers.address import key_of
from subscribers.attributes import Attribute, check_value
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
from subscribers.errors import InvalidValue
from subscribers.formats import Row
from subscribers.headers import DATES, Layout, Wishes, understand, without_header
from subscribers.people import check_language, check_time_zone, clean_name
from subscribers.states import SubscriptionState
from subscribers.subscriptions import LONGEST_TOPIC
from subscribers.tags import MOST_TAGS, clean_tags

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


_BARE = Candidate("", "", "", sure=False)[6:]  # what follows the time zone where a file says nothing more


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How to read the rows of one table. `losses` counts cells that were left out."""

    layout: Layout
    file: str = ""  # the table's or file's own name, folded
    declared: Mapping[str, Attribute] = field(default_factory=dict)
    losses: Counter[str] = field(default_factory=Counter)
    speaks: str | None = None  # the language of people whose row says none
    # what is asked of every row is answered once
    told: bool = field(init=False)  # does a column say states?
    attributed: bool = field(init=False)  # does any hold attributes?
    bare: bool = field(init=False)  # does none say more than address, name, language and time zone?

    def __post_init__(self) -> None:
        layout = self.layout
        told = layout.format is not None or layout.at.state is not None
        object.__setattr__(self, "told", told)
        attributed = layout.at.attributes is not None or bool(layout.extra)
        object.__setattr__(self, "attributed", attributed)
        more = told or attributed or layout.dates or layout.at.topics is not None or layout.at.tags is not None
        object.__setattr__(self, "bare", not more)

    @classmethod
    def of(cls, header: Sequence[str], wishes: Wishes, *, file: str = "") -> Self | None:
        """None when no column holds addresses. Raises ImportProblem for a column that was asked for and is not there."""
        layout = understand(header, wishes)
        if layout is None:
            return None
        declared = {one.slug: one for one in wishes.declared}
        return cls(layout=layout, file=fold(file), declared=declared, speaks=wishes.language)

    @classmethod
    def without_header(cls, first: Sequence[str], wishes: Wishes) -> Self:
        """For a table whose first row is a person already. Raises ImportProblem."""
        declared = {one.slug: one for one in wishes.declared}
        return cls(layout=without_header(first, wishes), declared=declared, speaks=wishes.language)

    def read(self, fields: Sequence[str]) -> Candidate:
        """Raises RowFault for the first thing that cannot be used."""
        at = self.layout.at
        local, domain = read_address(fields[at.email] if at.email < len(fields) else "")
        if self.bare:
            language = self._language(fields)
            name, zone = self._name(fields, language), self._time_zone(fields)
            return tuple.__new__(Candidate, (local, domain, key_of(local, domain), name, language, zone, *_BARE))
        state, sure = self._state(fields) if self.told else (SubscriptionState.ACTIVE, False)
        language = self._language(fields)
        since, confirmed, left, until = self._moments(fields) if self.layout.dates else _NO_MOMENTS
        return Candidate(
            local,
            domain,
            key_of(local, domain),
            self._name(fields, language),
            language,
            self._time_zone(fields),
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
        if self.layout.format is not None:
            row = Row(fields, self.layout.places, self.file)
            return self.layout.format.state(row), self.layout.format.sure(row)
        told = read_state(_cell(fields, self.layout.at.state))
        return told or SubscriptionState.ACTIVE, told is not None

    def _language(self, fields: Sequence[str]) -> str | None:
        place = self.layout.at.language
        return self._checked(check_language, _cell(fields, place)) if place is not None else None

    def _time_zone(self, fields: Sequence[str]) -> str | None:
        place = self.layout.at.time_zone
        return self._checked(check_time_zone, _cell(fields, place)) if place is not None else None

    def _checked(self, check: Callable[[str | None], str | None], text: str) -> str | None:
        """A language or time zone. Another program's that we do not know is left out; in a plain file it is a fault."""
        try:
            return check(text)
        except InvalidValue as error:
            if self.layout.format is None:
                raise RowFault(error.where, f"{error.what}: {error.hint}") from None
            self.losses[error.where] += 1
            return None

    def _moments(self, fields: Sequence[str]) -> tuple[datetime | None, ...]:
        """since, confirmed, left, paused until."""
        found: dict[str, datetime | None] = {}
        for name, place, own in self.layout.dates:
            text = _cell(fields, place)
            if own and self.layout.format is None:
                found[name] = read_own_moment(text, name)
            elif text.strip():
                found[name] = read_moment(text)
                if found[name] is None:
                    self.losses[name] += 1
        since, *others = (found.get(name) for name in DATES)
        return (since or found.get("confirmed"), *others)

    def _attributes(self, fields: Sequence[str]) -> Mapping[str, Any]:
        """What nobody declared stays as it came; a declared attribute comes in the form it is stored in."""
        place = self.layout.at.attributes
        given = read_attributes(_cell(fields, place)) if place is not None else {}
        if place is not None and not self.declared.keys().isdisjoint(given):
            typed = ((key, self._typed(key, value, column="attributes")) for key, value in given.items())
            given = {key: value for key, value in typed if value is not None or key not in self.declared}
        held = dict(given)
        for key, place in self.layout.extra:
            text = plain_text(_cell(fields, place))
            if text and key not in held and (value := self._typed(key, text)) is not None:
                held[key] = value
        return held

    def _typed(self, key: str, value: Any, *, column: str = "") -> Any:
        """`column`: where it stands, when not in a column of its own. Raises RowFault for a file of our own form."""
        declared = self.declared.get(key)
        if declared is None:
            return value
        try:
            return check_value(declared, value)
        except InvalidValue as error:
            if self.layout.format is None:
                where = f"{key}: " if column else ""
                raise RowFault(column or key, f"{where}{error.what}, {error.hint}") from None
            self.losses[key] += 1
            return None

    def _tags(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Those that can be a tag here; what cannot is left out and counted."""
        kept: list[str] = []
        for tag in read_tags(_cell(fields, self.layout.at.tags)):
            try:
                kept.extend(clean_tags([tag]))
            except InvalidValue:
                self.losses["tags"] += 1
        if len(kept) > MOST_TAGS:
            self.losses["tags"] += len(kept) - MOST_TAGS
        return clean_tags(kept[:MOST_TAGS])

    def _name(self, fields: Sequence[str], language: str | None) -> str:
        """Of two columns as it is said: family name first in Vietnamese (also when the columns are called so), else last."""
        if self.layout.at.name is not None and (whole := clean_name(_cell(fields, self.layout.at.name))):
            return whole
        if self.layout.at.first is None and self.layout.at.last is None:
            return ""
        first, last = _cell(fields, self.layout.at.first), _cell(fields, self.layout.at.last)
        spoken = (language or self.speaks or "").partition("-")[0].lower()
        return clean_name(f"{last} {first}" if self.layout.family_first or spoken == "vi" else f"{first} {last}")


def _cell(fields: Sequence[str], place: int | None) -> str:
    """A row may be shorter than its header: spreadsheets drop trailing blanks."""
    return fields[place] if place is not None and place < len(fields) else ""


def _topics(text: str) -> tuple[str, ...]:
    topics = {plain_text(topic) for topic in read_tags(text)}
    if any(len(topic) > LONGEST_TOPIC for topic in topics):
        raise RowFault("topics", f"a topic has 1 to {LONGEST_TOPIC} characters")
    return tuple(sorted(topics))
