"""Who must not be written to, whatever any list says. Keeps keyed hashes, never addresses, so it survives erasure.

A whole domain may be suppressed as well; its rule is kept in the clear (`@example.org`), because it names nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, literal_column, or_, select, update

from subscribers.address import Address, key_of, parse_address
from subscribers.changes import ChangeKind, note
from subscribers.errors import UnknownPerson
from subscribers.ids import PersonId, new_id
from subscribers.keyed import SuppressionKey, suppression_hash
from subscribers.people import lock
from subscribers.prepared import Prepared, listed, one_of
from subscribers.states import PersonState, SuppressionReason
from subscribers.tables import insert_or_skip, people, suppressions

EVERYWHERE = ""  # the list slug of a suppression that holds for all lists
DOMAIN = "@"  # what the key of a whole domain's suppression begins with; a hash never does

_SAYS_ABOUT_PERSON = {
    SuppressionReason.BOUNCED: PersonState.BOUNCED,
    SuppressionReason.COMPLAINED: PersonState.COMPLAINED,
}


def suppress(
    conn: Connection,
    who: Address | PersonId,
    *,
    reason: SuppressionReason,
    now: datetime,
    key: SuppressionKey,
    list_slug: str | None = None,
) -> bool:
    """Never mail this address again, on one list or (None) on all. True when that is new; the first reason stays.

    Everywhere-suppressions for bounces and complaints also mark the person. Raises UnknownPerson.
    """
    # Wait for senders that hold the row for the message in flight, then be seen by all later ones.
    if isinstance(who, Address):
        address_key = key_of(who.local, who.domain)
        hashed = suppression_hash(address_key, key)
        mine = people.c.address_key == address_key
        conn.execute(select(people.c.id).where(mine).with_for_update())
    else:
        row = lock(conn, who)
        if row is None or row.address_hash is None:
            raise UnknownPerson(f"there is no person {who}")
        hashed, mine = row.address_hash, people.c.id == who
    if list_slug is None and reason in _SAYS_ABOUT_PERSON:
        marked = update(people).where(mine, people.c.state == PersonState.ACTIVE).returning(people.c.id)
        state = _SAYS_ABOUT_PERSON[reason].value
        for (person_id,) in conn.execute(marked.values(state=state)).all():
            note(conn, PersonId(person_id), ChangeKind(state), now=now)
    return add(conn, hashed, list_slug or EVERYWHERE, reason=reason, now=now)


def is_suppressed(conn: Connection, address: Address, *, key: SuppressionKey, list_slug: str | None = None) -> bool:
    """On all lists, or on this one."""
    return bool(barred(conn, {address_hash(address, key=key): address.domain}, list_slug))


def address_hash(address: Address, *, key: SuppressionKey) -> str:
    """Equal for every spelling of one address: for counting without keeping it."""
    return suppression_hash(key_of(address.local, address.domain), key)


def add(conn: Connection, hashed: str, list_slug: str, *, reason: SuppressionReason, now: datetime) -> bool:
    row = {"id": new_id(), "key": hashed, "list_slug": list_slug, "reason": reason, "at": now}
    made = insert_or_skip(conn, suppressions, ["key", "list_slug"]).returning(suppressions.c.id)
    return conn.execute(made, row).first() is not None


def barred(conn: Connection, who: Mapping[str, str], list_slug: str | None) -> dict[str, SuppressionReason]:
    """Which of these address hashes (each with its domain) are suppressed, by themselves or by their domain, and why."""
    found = reasons(conn, [*who, *{DOMAIN + domain for domain in who.values()}], list_slug)
    rules = {key[1:]: found.pop(key) for key in list(found) if key.startswith(DOMAIN)}
    if rules:
        for hashed, domain in who.items():
            if domain in rules and found.get(hashed, SuppressionReason.ERASED) == SuppressionReason.ERASED:
                found[hashed] = rules[domain]
    return found


def anybody_barred(conn: Connection) -> bool:
    """Is there any suppression at all, of a person or a domain?"""
    return bool(_ANY.run(conn))


def reasons(conn: Connection, hashes: Iterable[str], list_slug: str | None) -> dict[str, SuppressionReason]:
    """Which of these hashes are suppressed, with the reason. The strongest counts: any other before `erased`."""
    found: dict[str, SuppressionReason] = {}
    for hashed, reason in _REASONS.run(conn, keys=listed(conn, list(hashes)), slug=list_slug or EVERYWHERE):
        if found.get(hashed, SuppressionReason.ERASED) == SuppressionReason.ERASED:
            found[hashed] = SuppressionReason(reason)
    return found


_ANY = Prepared(lambda _dialect: select(suppressions.c.key).limit(literal_column("1")))
_REASONS = Prepared(
    lambda dialect: select(suppressions.c.key, suppressions.c.reason).where(
        one_of(dialect, suppressions.c.key, "keys"),
        or_(suppressions.c.list_slug == literal_column("''"), suppressions.c.list_slug == bindparam("slug")),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRule:
    """Nothing is sent to a domain, by one list or (None) by all."""

    domain: str
    list_slug: str | None
    at: datetime


def suppress_domain(conn: Connection, domain: str, *, now: datetime, list_slug: str | None = None) -> bool:
    """Send nothing to any address of this domain (its subdomains are others). True when that is new.

    Raises InvalidAddress for what is no domain.
    """
    return add(conn, _domain_key(domain), list_slug or EVERYWHERE, reason=SuppressionReason.STAFF, now=now)


def lift_domain(conn: Connection, domain: str, *, list_slug: str | None = None) -> bool:
    """Take such a rule back; those who were suppressed by themselves stay so. True when there was one."""
    mine = (suppressions.c.key == _domain_key(domain)) & (suppressions.c.list_slug == (list_slug or EVERYWHERE))
    return bool(conn.execute(delete(suppressions).where(mine)).rowcount)


def domain_rules(conn: Connection) -> list[DomainRule]:
    """All of them, by domain."""
    query = select(suppressions).where(suppressions.c.key.like(f"{DOMAIN}%")).order_by(suppressions.c.key)
    return [
        DomainRule(domain=row.key.removeprefix(DOMAIN), list_slug=row.list_slug or None, at=row.at)
        for row in conn.execute(query)
    ]


def _domain_key(domain: str) -> str:
    return DOMAIN + parse_address(f"a@{domain.strip().removeprefix(DOMAIN)}").domain


def lift_staff(conn: Connection, address: Address, *, key: SuppressionKey, list_slug: str | None = None) -> bool:
    """Take back what staff suppressed. What bounced, complained or was erased stays. True when there was something."""
    mine = (suppressions.c.key == address_hash(address, key=key)) & (
        suppressions.c.list_slug == (list_slug or EVERYWHERE)
    )
    by_staff = suppressions.c.reason == SuppressionReason.STAFF
    return bool(conn.execute(delete(suppressions).where(mine, by_staff)).rowcount)


def lift_erased(conn: Connection, hashed: str) -> None:
    """Somebody once erased has come back and proved it by answering the letter."""
    conn.execute(
        delete(suppressions).where(suppressions.c.key == hashed, suppressions.c.reason == SuppressionReason.ERASED)
    )


def lift_bounced(conn: Connection, person_id: PersonId) -> bool:
    """The bounces that suppressed this address turned out not to mean it: mail may go there again. True when it was so.

    Only a suppression for bounces, everywhere, is lifted. Raises UnknownPerson.
    """
    row = lock(conn, person_id)
    if row is None or row.address_hash is None:
        raise UnknownPerson(f"there is no person {person_id}")
    bounced = suppressions.c.reason == SuppressionReason.BOUNCED
    lifted = conn.execute(
        delete(suppressions).where(
            suppressions.c.key == row.address_hash, suppressions.c.list_slug == EVERYWHERE, bounced
        )
    ).rowcount
    back = update(people).where(people.c.id == person_id, people.c.state == PersonState.BOUNCED)
    conn.execute(back.values(state=PersonState.ACTIVE.value))
    return bool(lifted)
