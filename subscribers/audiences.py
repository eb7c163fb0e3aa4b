"""Who gets a mailing, asked twice: once for the whole list when it is frozen, once per person just before sending."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, Text, bindparam, cast, literal_column, select

from subscribers.address import Address
from subscribers.engagement import nth_last_sending
from subscribers.errors import KeyMismatch
from subscribers.ids import PersonId
from subscribers.keyed import SuppressionKey, suppression_hashes
from subscribers.lists import get_list, list_lists
from subscribers.people import address_of
from subscribers.prepared import Prepared, listed, one_of
from subscribers.segments.fields import vocabulary
from subscribers.segments.meaning import ENGAGED, Scope, condition
from subscribers.segments.saved import get_segment, read_segment
from subscribers.segments.tree import conditions
from subscribers.states import NotMailableReason, PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import DOMAIN, EVERYWHERE, barred, domain_rules
from subscribers.tables import engagements, lists, people, read_moment, subscriptions, suppressions

_CHUNK = 1_000  # ids per look-up


class Envelope(NamedTuple):
    """What one message needs to know about its reader. Only sending holds it, and only for that long.

    One for every message: a frozen dataclass takes five times as long to make (3.2 to 0.6 µs).
    """

    person_id: PersonId
    address: Address
    name: str
    language: str | None
    since: datetime | None  # subscribed from; None for a letter that belongs to no list
    topics: tuple[str, ...] = ()  # those they chose on this list; none: everything
    time_zone: str | None = None  # IANA
    attributes: Mapping[str, Any] = MappingProxyType({})  # as stored: read with `value_of`

    def __repr__(self) -> str:
        return f"<Envelope of {self.person_id}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMailable:
    person_id: PersonId
    reason: NotMailableReason


def audience(
    conn: Connection,
    list_slug: str,
    segment: str | None = None,
    *,
    now: datetime | None = None,
    time_zone: str = "UTC",
) -> Select[Any]:
    """A SELECT of `(person_id, language, time_zone, topics, mail_group)` of everybody mailable, by person id.

    Mailable: an active subscription, an active person, no suppression here or everywhere, and named by the saved segment
    of this slug if one is given; then `now` is the moment, and `time_zone` where days begin. For `INSERT … SELECT`: no
    person is read yet. `topics` is a JSON list, NULL for everything. Raises UnknownList, UnknownSegment, SegmentFault;
    ValueError for a segment without `now`.
    """
    query = None if segment is None else get_segment(conn, segment).query
    chosen = mailable(conn, list_slug, query, now=now, time_zone=time_zone)
    return chosen.with_only_columns(
        people.c.id.label("person_id"),
        people.c.language,
        people.c.time_zone,
        cast(subscriptions.c.topics, Text).label("topics"),
        people.c.mail_group,
    ).order_by(subscriptions.c.person_id)


def mailable(
    conn: Connection, list_slug: str, query: str | None, *, now: datetime | None, time_zone: str
) -> Select[Any]:
    """The rows of everybody mailable whom a segment's query names; the caller says which columns. Raises as `audience`."""
    list_id = get_list(conn, list_slug).id
    scope = suppressions.c.list_slug.in_((EVERYWHERE, list_slug))
    by_itself = select(suppressions.c.id).where(suppressions.c.key == people.c.address_hash, scope).exists()
    by_domain = select(suppressions.c.id).where(suppressions.c.key == DOMAIN + people.c.address_domain, scope).exists()
    unbarred = (
        [~by_itself, ~by_domain] if domain_rules(conn) else [~by_itself]
    )  # asked of each person: only where it counts
    joined = subscriptions.join(people, people.c.id == subscriptions.c.person_id)
    named = []
    if query is not None:
        if now is None:
            raise ValueError("a segment is asked at a moment")
        node = read_segment(conn, query)
        named.append(condition(node, _scope(conn, list_id, now=now, time_zone=time_zone)))
        theirs = (engagements.c.list_id == list_id) & (engagements.c.person_id == subscriptions.c.person_id)
        if any(one.field in ENGAGED for one in conditions(node)):
            joined = joined.outerjoin(engagements, theirs)
    return (
        select(people.c.id)
        .select_from(joined)
        .where(
            subscriptions.c.list_id == list_id,
            subscriptions.c.state == SubscriptionState.ACTIVE,
            people.c.state == PersonState.ACTIVE,
            *named,
            *unbarred,
        )
    )


def _scope(conn: Connection, list_id: str, *, now: datetime, time_zone: str) -> Scope:
    return Scope(
        dialect=conn.dialect.name,
        fields=vocabulary(conn).fields,
        lists={one.slug: one.id for one in list_lists(conn)},
        now=now,
        zone=ZoneInfo(time_zone),
        sending=lambda number: nth_last_sending(conn, list_id, number),
    )


def envelopes(
    conn: Connection, list_slug: str | None, person_ids: Sequence[PersonId], *, key: SuppressionKey
) -> Iterator[Envelope | NotMailable]:
    """One answer per id, in the order of `person_ids`.

    `list_slug` None is a letter that belongs to no list (confirmation, goodbye, notice): it needs no subscription, and
    may go to somebody erased who has come back, because answering it is how they prove it.
    On Postgres the rows are held (FOR SHARE) until the transaction ends, so that leaving waits for the caller's commit.
    Raises UnknownList; KeyMismatch when `key` is not the one the addresses were stored with.
    """
    list_id = None if list_slug is None else get_list(conn, list_slug).id
    for start in range(0, len(person_ids), _CHUNK):
        chunk = person_ids[start : start + _CHUNK]
        ids = listed(conn, chunk)
        persons = {row[0]: _Person._make(row) for row in _PERSONS.run(conn, ids=ids)}
        subscribed: dict[PersonId, _Subscription] = {}
        if list_id is not None:
            rows = _SUBSCRIPTIONS.run(conn, ids=ids, list_id=list_id)
            subscribed = {row[0]: _Subscription._make(row) for row in rows}
        hashed = [row for row in persons.values() if row.address_hash]
        hashes = suppression_hashes([row.address_key for row in hashed], key)
        trusted = {row.id for row, found in zip(hashed, hashes, strict=True) if found == row.address_hash}
        suppressed = barred(conn, {row.address_hash or "": row.address_domain or "" for row in hashed}, list_slug)
        for person_id in chunk:
            row, subscription = persons.get(person_id), subscribed.get(person_id)
            reason = decide_mailable(row, barred=suppressed, subscription=subscription, needs_list=list_id is not None)
            if reason is not None:
                yield NotMailable(person_id=person_id, reason=reason)
                continue
            assert row is not None, "an unknown person is not mailable"
            if person_id not in trusted:
                raise KeyMismatch(
                    "the suppression key is not the one these addresses were stored with; nothing was sent",
                    hint="restore the key from the backup: with another one, suppressed people would be mailed",
                )
            yield _envelope(row, subscription)


def not_mailable(
    conn: Connection, list_slug: str | None, person_ids: Sequence[PersonId], *, key: SuppressionKey
) -> dict[PersonId, NotMailableReason]:
    """Those of `person_ids` to whom nothing may be sent now, with the reason. Rules and locks as `envelopes`.

    It is asked again for every message, so nearly everybody is answered for by two statements that name nobody's reason.
    """
    doubtful = person_ids if list_slug is None else _doubtful(conn, list_slug, person_ids)
    answers = envelopes(conn, list_slug, doubtful, key=key) if doubtful else ()
    return {answer.person_id: answer.reason for answer in answers if isinstance(answer, NotMailable)}


def _doubtful(conn: Connection, list_slug: str, person_ids: Sequence[PersonId]) -> list[PersonId]:
    """Those who are not active subscribers without any suppression. First the rows are held, then suppressions read."""
    rows = _ACTIVE.run(conn, ids=listed(conn, person_ids), slug=list_slug)
    hash_of: dict[PersonId, str] = {row[0]: row[1] for row in rows}
    suppressed = barred(conn, {row[1]: row[2] for row in rows}, list_slug)
    return [one for one in person_ids if hash_of.get(one, "") in suppressed or one not in hash_of]


_BY_PERSON = {
    PersonState.ERASED: NotMailableReason.ERASED,
    PersonState.BOUNCED: NotMailableReason.BOUNCED,
    PersonState.COMPLAINED: NotMailableReason.COMPLAINED,
}
_BY_SUBSCRIPTION = {
    SubscriptionState.UNSUBSCRIBED: NotMailableReason.LEFT,
    SubscriptionState.PENDING: NotMailableReason.PENDING,
    SubscriptionState.PAUSED: NotMailableReason.PAUSED,
}


def decide_mailable(
    row: Any, *, barred: dict[str, SuppressionReason], subscription: Any, needs_list: bool
) -> NotMailableReason | None:
    """Why nothing may be sent to this person, or None (pure). The person's own wish is named before anything else."""
    if row is None:
        return NotMailableReason.UNKNOWN_PERSON
    if row.state == PersonState.ERASED:
        return NotMailableReason.ERASED
    if needs_list and subscription is None:
        return NotMailableReason.NOT_SUBSCRIBED
    if needs_list and subscription.state in _BY_SUBSCRIPTION:
        return _BY_SUBSCRIPTION[subscription.state]
    if row.state in _BY_PERSON:
        return _BY_PERSON[row.state]
    reason = barred.get(row.address_hash)
    if reason is None or (reason == SuppressionReason.ERASED and not needs_list):
        return None
    return NotMailableReason.SUPPRESSED


def _envelope(row: "_Person", subscription: "_Subscription | None") -> Envelope:
    address = address_of(row)
    assert address is not None, "only an erased person has no address"
    return Envelope(
        person_id=row.id,
        address=address,
        name=row.name,
        language=row.language,
        since=None if subscription is None else read_moment(subscription.since),
        topics=() if subscription is None else _topics(subscription.topics),
        time_zone=row.time_zone,
        attributes=_attributes(row.attributes),
    )


def _topics(stored: Any) -> tuple[str, ...]:
    return tuple((json.loads(stored) if isinstance(stored, str) else stored) or ()) if stored else ()


def _attributes(stored: Any) -> Mapping[str, Any]:
    if stored == "{}":  # nearly everybody's
        return {}
    found: Mapping[str, Any] = json.loads(stored) if isinstance(stored, str) else stored
    return found


# ---------------------------------------------------------------- what is read of each person


class _Person(NamedTuple):
    id: PersonId
    state: str
    address_local: str | None
    address_domain: str | None
    address_key: str
    address_hash: str | None
    name: str
    language: str | None
    time_zone: str | None
    attributes: Any


class _Subscription(NamedTuple):
    person_id: PersonId
    state: str
    since: Any
    topics: Any


def _held(dialect: str, query: Select[Any], column: Any) -> Select[Any]:
    """Of some people, share-locked in the order of their ids (two senders can then never wait for each other)."""
    return query.where(one_of(dialect, column, "ids")).order_by(column).with_for_update(read=True)


_PERSONS = Prepared(lambda dialect: _held(dialect, select(*(people.c[name] for name in _Person._fields)), people.c.id))
_SUBSCRIPTIONS = Prepared(
    lambda dialect: _held(
        dialect,
        select(*(subscriptions.c[name] for name in _Subscription._fields)).where(
            subscriptions.c.list_id == bindparam("list_id")
        ),
        subscriptions.c.person_id,
    )
)
_ACTIVE = Prepared(
    lambda dialect: (
        select(people.c.id, people.c.address_hash, people.c.address_domain)
        .join_from(lists, subscriptions, subscriptions.c.list_id == lists.c.id)
        .join(people, people.c.id == subscriptions.c.person_id)
        .where(
            lists.c.slug == bindparam("slug"),
            one_of(dialect, subscriptions.c.person_id, "ids"),
            subscriptions.c.state == literal_column(f"'{SubscriptionState.ACTIVE.value}'"),
            people.c.state == literal_column(f"'{PersonState.ACTIVE.value}'"),
        )
        .order_by(subscriptions.c.person_id)
        .with_for_update(read=True, of=[people, subscriptions])
    )
)
