"""What becomes of each imported row (decided purely, against what is known), and the few statements that write a batch."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, update

from subscribers.bulk import insert_rows
from subscribers.cells import State
from subscribers.columns import Candidate
from subscribers.consent import entry, first_entries, new_salts
from subscribers.folding import folded
from subscribers.ids import new_id, new_ids
from subscribers.keyed import SuppressionKey, mail_group
from subscribers.known import Found, Known
from subscribers.states import NotMailableReason, PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import EVERYWHERE
from subscribers.tables import as_text, consents, insert_or_skip, people, subscriptions, suppressions, utc
from subscribers.tags import MOST_TAGS, clean_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a batch goes. `form` is the digest of the consent's wording; None in a dry run."""

    list_id: str
    list_slug: str
    key: SuppressionKey
    now: datetime
    form: str | None


_PEOPLE = (
    *("id", "address_local", "address_domain", "address_key", "address_hash", "mail_group", "name", "language"),
    *("time_zone", "attributes", "tags", "state", "salt"),
)
_SUBSCRIPTIONS = (
    *("person_id", "state", "since", "requested_at", "confirmed_at", "left_at", "left_reason", "paused_until"),
    "topics",
)
_CONSENTS = ("person_id", "seq", "list_id", "at", "action", "source", "form", "who_digest", "ip_digest", "link")
_USUAL = SubscriptionState.ACTIVE
_consent_values = itemgetter(*_CONSENTS)
_Row = tuple[Any, ...]


class Plan:
    """Rows in, decisions out: counts and the rows to write. Nothing is written before `write`.

    Somebody new stays the `Candidate` they came as until then, and is written with all the others in one sweep: of a
    first import that is nearly everybody, and work per row is what an import's time is made of.
    """

    def __init__(self, destination: Destination, found: Found, hashes: Mapping[str, str]) -> None:
        self._to, self._known, self._barred, self._hashes = destination, found.known, found.barred, hashes
        self._now = as_text(destination.now)
        self.tally: Counter[str] = Counter()
        self._fresh: dict[str, Candidate] = {}  # by address key: people to be made
        self._joining: list[tuple[Known, Candidate]] = []  # known, but new to this list
        self._filled: dict[str, Known] = {}  # blanks of theirs were filled
        self._changed: set[str] = set()  # keys of those who were known and are not as they were

    def end(self, after: Mapping[str, Known]) -> None:
        """Before any row is taken: these people's subscriptions have ended; they are now as `after` says."""
        self._known.update(after)
        self._changed.update(after)
        self.tally["ended"] += len(after)

    def take(self, rows: Iterable[Candidate]) -> None:
        """Decide each row, in order."""
        known, fresh, barred, hashes = self._known, self._fresh, self._barred, self._hashes
        plain = 0
        for row in rows:
            key = row.key
            if key in known or key in fresh or row.state is not _USUAL or (barred and hashes[key] in barred):
                self._weigh(row)
            else:
                fresh[key] = row
                plain += 1
        self.tally["added"] += plain

    def refusal(self, row: Candidate) -> str | None:
        """Why this row, coming next, would not be subscribed."""
        return refuse(row, self._as_known(row.key), self._barred.get(self._hashes[row.key]))

    def _weigh(self, row: Candidate) -> None:
        """Any row that is not plainly somebody new. The strongest reason not to mail somebody comes first."""
        known, hashed = self._as_known(row.key), self._hashes[row.key]
        refusal = self.refusal(row)
        if refusal is not None:
            self.tally[f"refused {refusal}"] += 1
            if known is None and hashed not in self._barred and row.state in _REMEMBERED:
                self._fresh[row.key] = row  # the file itself says that they left, or why not to write to them
                if row.state in _BARS:
                    self._barred[hashed] = _BARS[row.state]
        elif known is None:
            self.tally["added"] += 1
            self._fresh[row.key] = row
        elif known.subscription is None:
            self.tally["added"] += 1
            self._join(row, known)
        else:
            self.tally["updated" if self._fill(row, known) else "already"] += 1

    def _as_known(self, key: str) -> Known | None:
        return self._known.get(key) or self._just_made(key)

    def _just_made(self, key: str) -> Known | None:
        row = self._fresh.get(key)
        if row is None:
            return None
        return Known(
            person_id="",
            state=row.state.value if row.state in _BARS else PersonState.ACTIVE.value,
            subscription=_state_of_subscription(row.state),
            name=row.name,
            language=row.language,
            time_zone=row.time_zone,
            attributes=row.attributes,
            salt="",
            tags=row.tags,
        )

    def _join(self, row: Candidate, known: Known) -> None:
        self._joining.append((known, row))
        self._changed.add(row.key)
        self._known[row.key] = joined = known._replace(subscription=row.state.value)
        self._fill(row, joined)

    def _fill(self, row: Candidate, known: Known) -> bool:
        if not _fills_a_blank(row, known):
            return False
        filling: dict[str, Any] = {
            "name": known.name or row.name,
            "language": known.language or row.language,
            "time_zone": known.time_zone or row.time_zone,
            "attributes": {**row.attributes, **known.attributes},
            "tags": clean_tags([*(known.tags or ()), *row.tags])[:MOST_TAGS] if row.tags else known.tags,
        }
        if row.key in self._fresh:
            self._fresh[row.key] = self._fresh[row.key]._replace(**filling)
        else:
            self._known[row.key] = self._filled[row.key] = known._replace(**filling)
        return True

    def changed(self) -> Iterator[tuple[str, Known]]:
        """By address key: people as they are after this batch."""
        for key in self._fresh:
            made = self._just_made(key)
            assert made is not None
            yield key, made
        for key in self._changed | self._filled.keys():
            yield key, self._known[key]

    # ---------------------------------------------------------------- writing

    def write(self, conn: Connection) -> None:
        """A few statements with all their rows. Raises RowsRefused, also when somebody else was faster."""
        fresh, joining = list(self._fresh.values()), self._joining
        ids, salts = list(new_ids(len(fresh))), list(new_salts(len(fresh)))
        if fresh:
            insert_rows(conn, people, _PEOPLE, self._people(fresh, ids, salts), shared={"created_at": self._now})
        self._subscribe(conn, [*zip(fresh, ids, strict=True), *((row, known.person_id) for known, row in joining)])
        agreed = [one for one in zip(fresh, ids, salts, strict=True) if one[0].state in _AGREED]
        if agreed:
            self._agree(conn, agreed)
        if joining:
            insert_rows(conn, consents, _CONSENTS, self._chained())
        barred = [self._suppression(row) for row in fresh if row.state in _BARS]
        if barred:
            conn.execute(insert_or_skip(conn, suppressions, ["key", "list_slug"]), barred)
        if self._filled:
            fillable = ("name", "language", "time_zone", "attributes", "tags")
            filling: dict[str, Any] = {column: bindparam(f"to_{column}") for column in fillable}
            conn.execute(update(people).where(people.c.id == bindparam("who")).values(filling), self._fillings())

    def _fillings(self) -> list[dict[str, Any]]:
        """By person id, the order in which a sender holds them: in the file's order the two would block each other."""
        return [
            {
                "who": known.person_id,
                "to_name": known.name,
                "to_language": known.language,
                "to_time_zone": known.time_zone,
                "to_attributes": known.attributes,
                "to_tags": list(known.tags or ()) or None,
            }
            for known in sorted(self._filled.values(), key=lambda known: known.person_id)
        ]

    def _people(self, fresh: list[Candidate], ids: list[str], salts: list[str]) -> Iterator[_Row]:
        key, hashes = self._to.key, self._hashes
        for row, person_id, salt in zip(fresh, ids, salts, strict=True):
            local, domain, address_key, name, language, zone, attributes, state, *_, tags = row
            held = json.dumps(attributes) if attributes else "{}"
            labels = json.dumps(tags, ensure_ascii=False) if tags else None
            told = "active" if state is _USUAL else _state_of_person(state)
            hashed, group = hashes[address_key], mail_group(domain, key)
            yield person_id, local, domain, address_key, hashed, group, name, language, zone, held, labels, told, salt

    def _subscribe(self, conn: Connection, joining: list[tuple[Candidate, str]]) -> None:
        """Nearly all say nothing but that they are there: of them only the ids differ."""
        plain = [(person_id,) for row, person_id in joining if _says_nothing_more(row)]
        here, now = {"list_id": self._to.list_id}, self._now
        usual = {"state": _USUAL.value, "since": now, "requested_at": now}
        if plain:
            insert_rows(conn, subscriptions, ("person_id",), plain, shared=here | usual)
        if len(plain) < len(joining):
            others = ((one, *_subscription_of(row, now)) for row, one in joining if not _says_nothing_more(row))
            insert_rows(conn, subscriptions, _SUBSCRIPTIONS, others, shared=here)

    def _act(self) -> dict[str, Any]:
        act = {"list_id": self._to.list_id, "action": "import", "source": "import", "form": self._to.form}
        return act | {"at": utc(self._to.now)}

    def _agree(self, conn: Connection, fresh: list[tuple[Candidate, str, str]]) -> None:
        """The first consents of people, each with their id and salt."""
        act = self._act()
        keys, salts = (row.key for row, _, _ in fresh), (salt for _, _, salt in fresh)
        links = first_entries(keys, salts, **act)
        rows = ((person_id, *link) for (_, person_id, _), link in zip(fresh, links, strict=True))
        alike = act | {"seq": 1, "at": self._now, "ip_digest": ""}
        insert_rows(conn, consents, ("person_id", "who_digest", "link"), rows, shared=alike)

    def _chained(self) -> Iterator[_Row]:
        """Consents of people who were known, each linked to the last of theirs."""
        act = self._act()
        for known, row in self._joining:
            theirs = {"person_id": known.person_id, "address_key": row.key, "salt": known.salt}
            chained = entry(previous=known.link, seq=known.seq + 1, ip=None, **theirs, **act)
            yield _consent_values(chained | {"at": self._now})

    def _suppression(self, row: Candidate) -> dict[str, Any]:
        barred = {"key": self._hashes[row.key], "list_slug": EVERYWHERE, "reason": _BARS[row.state].value}
        return {"id": new_id(), "at": utc(self._to.now)} | barred


_AGREED = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
_BARS = {  # states in a file that end all mail to an address
    PersonState.BOUNCED: SuppressionReason.BOUNCED,
    PersonState.COMPLAINED: SuppressionReason.COMPLAINED,
    NotMailableReason.SUPPRESSED: SuppressionReason.STAFF,
}
_REMEMBERED = frozenset({SubscriptionState.UNSUBSCRIBED, *_BARS})


def _state_of_person(told: State) -> str:
    return told.value if isinstance(told, PersonState) else "active"


def _state_of_subscription(told: State) -> str:
    return told.value if isinstance(told, SubscriptionState) else "active"


def _says_nothing_more(row: Candidate) -> bool:
    """Nearly every row of a list: active, and nothing about when."""
    return row.state is _USUAL and row[_FROM_SINCE] == _NOTHING_MORE


_FROM_SINCE = slice(Candidate._fields.index("since"), Candidate._fields.index("topics") + 1)
_NOTHING_MORE = Candidate("", "", "")[_FROM_SINCE]


def _subscription_of(row: Candidate, now: str) -> tuple[str | None, ...]:
    """What follows list and person in a row of `subscriptions`."""
    state = _state_of_subscription(row.state)
    left, paused = state == "unsubscribed", state == "paused"
    return (
        state,
        as_text(row.since) if row.since else (None if left else now),
        now,
        as_text(row.confirmed) if row.confirmed else None,
        (as_text(row.left) if row.left else now) if left else None,
        "import" if left else None,
        as_text(row.paused_until) if row.paused_until and paused else None,
        json.dumps(row.topics, ensure_ascii=False) if row.topics else None,
    )


def _fills_a_blank(row: Candidate, known: Known) -> bool:
    return bool(
        (row.name and not known.name)
        or (row.language and not known.language)
        or (row.time_zone and not known.time_zone)
        or (row.attributes and not row.attributes.keys() <= known.attributes.keys())
        or (row.tags and not {folded(tag) for tag in row.tags} <= {folded(tag) for tag in known.tags or ()})
    )


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
