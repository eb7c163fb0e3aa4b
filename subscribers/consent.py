"""The consent ledger: who agreed to what, when, shown which words; and the proof that nobody changed it afterwards.

Rows are only ever added. Each carries digests of what is personal (address, IP), made with the person's salt, and a link:
a hash over the link before it, the digests and the open fields. Erasing removes address, IP and salt: the links still
verify, and nothing in them can be traced back to the person by trying addresses.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2s
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from subscribers.ids import PersonId
from subscribers.tables import as_text, consent_forms, consents, insert_or_skip, people, utc


class ConsentAction(StrEnum):
    SUBSCRIBE = "subscribe"
    CONFIRM = "confirm"  # answered the confirmation letter; with a form: was on the list already, on others' word alone
    IMPORT = "import"  # agreed elsewhere; staff vouch for it with the wording
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"  # came back by their own hand
    MOVE = "move"  # the same person at a new address, proven by a letter to it


class ConsentSource(StrEnum):
    FORM = "form"  # the person, on a page of ours
    API = "api"  # the person, on a page of somebody who calls us
    STAFF = "staff"
    IMPORT = "import"


OWN_HAND = frozenset({ConsentSource.FORM, ConsentSource.API})  # the sources that may bring back somebody who left


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """What was shown and how it came. `form` names the form and its version (`footer/3`); `ip` only where policy allows."""

    form: str
    wording: str
    language: str
    source: ConsentSource
    ip: str | None = None


def new_salt() -> str:
    return secrets.token_hex(16)


def new_salts(count: int) -> Iterator[str]:
    """`count` salts from one draw."""
    drawn = secrets.token_hex(16 * count)
    for start in range(0, len(drawn), 32):
        yield drawn[start : start + 32]


@lru_cache(maxsize=256)
def form_digest(form: str, wording: str, language: str) -> str:
    return _digest(form, wording, language)


def keep_form(conn: Connection, given: ConsentGiven) -> str:
    """Store what was shown, once. Returns its digest."""
    digest = form_digest(given.form, given.wording, given.language)
    row = {"digest": digest, "version": given.form, "wording": given.wording, "language": given.language}
    conn.execute(insert_or_skip(conn, consent_forms, ["digest"]), row)
    return digest


def kept_form(conn: Connection, digest: str, source: ConsentSource, *, ip: str | None = None) -> ConsentGiven | None:
    """What `keep_form` stored; None when nothing is stored under this digest."""
    row = conn.execute(select(consent_forms).where(consent_forms.c.digest == digest)).first()
    if row is None:
        return None
    return ConsentGiven(form=row.version, wording=row.wording, language=row.language, source=source, ip=ip)


class Act(NamedTuple):
    """One row of the ledger, without what was shown."""

    action: str
    source: str
    at: datetime


def acts(conn: Connection, person_id: PersonId, list_id: str) -> list[Act]:
    """What was recorded of a person on one list, in order."""
    mine = (consents.c.person_id == person_id) & (consents.c.list_id == list_id)
    query = select(consents.c.action, consents.c.source, consents.c.at).where(mine).order_by(consents.c.seq)
    return [Act._make(row) for row in conn.execute(query)]


def record(
    conn: Connection,
    person_id: PersonId,
    *,
    list_id: str,
    action: ConsentAction,
    now: datetime,
    given: ConsentGiven | None = None,
    source: str = "",
) -> None:
    """Append one row. The caller holds the person's row lock, so that two writers cannot take one place in the chain."""
    who = conn.execute(select(people.c.address_key, people.c.salt).where(people.c.id == person_id)).one()
    last = conn.execute(
        select(consents.c.seq, consents.c.link)
        .where(consents.c.person_id == person_id)
        .order_by(consents.c.seq.desc())
        .limit(1)
    ).first()
    row = entry(
        person_id=person_id,
        seq=last.seq + 1 if last else 1,
        previous=last.link if last else "",
        list_id=list_id,
        at=utc(now),
        action=action,
        source=given.source if given else source,
        form=keep_form(conn, given) if given else None,
        ip=given.ip if given else None,
        address_key=who.address_key,
        salt=who.salt,
    )
    conn.execute(insert(consents), row)


def entry(*, previous: str, address_key: str, salt: str, **row: Any) -> dict[str, Any]:
    """One complete row of `consents` (pure): the given columns with their digests and their link to `previous`."""
    secret = bytes.fromhex(salt)
    row["who_digest"] = _salted(secret, address_key)
    row["ip_digest"] = _salted(secret, row["ip"]) if row["ip"] else ""
    row["link"] = link(previous, row, as_text(row["at"]))
    return row


def first_entries(
    address_keys: Iterable[str],
    salts: Iterable[str],
    *,
    list_id: str,
    at: datetime,
    action: str,
    source: str,
    form: str | None,
) -> Iterator[tuple[str, str]]:
    """`(who_digest, link)` of each address and salt (pure): the first rows of chains that tell one act, without an IP.

    What `entry` computes for seq 1, with all that the rows have in common hashed once: an import makes a million of them.
    """
    before = _prefixed("", "1") + _act(list_id, as_text(at), action, source, form or "")
    opened = blake2s(f"{before}32:".encode(), digest_size=16)
    for address_key, salt in zip(address_keys, salts, strict=True):
        who = blake2s(address_key.encode(), key=bytes.fromhex(salt), digest_size=16).hexdigest()  # as `_salted`
        chained = opened.copy()
        chained.update(f"{who}0:".encode())
        yield who, chained.hexdigest()


def link(previous: str, row: Any, at: str) -> str:
    """The hash that chains `row` to the row before it; reads only columns that erasing leaves as they are."""
    act = _act(row["list_id"], at, row["action"], row["source"], row["form"] or "")
    before = _prefixed(previous, str(row["seq"]))
    return _hash(before + act + _prefixed(row["who_digest"], row["ip_digest"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One row of a person's ledger with the words that were shown. `intact`: this row and all before it are unchanged."""

    list_slug: str
    at: datetime
    action: ConsentAction
    source: str
    form: str
    wording: str
    language: str
    ip: str | None
    intact: bool


def verify(rows: Sequence[Any], *, address_key: str | None, salt: str | None) -> list[bool]:
    """For each row of one person in order: is the chain whole up to and including it? (pure)

    Without a salt (erased) the digests are taken as they stand; with it, address and IP are checked against them too.
    The address is checked on the last row only: earlier ones may be of an earlier address. An IP address may have been
    let go (retention): then its digest stands for it.
    """
    whole, previous, verdicts = True, "", []
    for place, row in enumerate(rows, start=1):
        whole = whole and row["seq"] == place and row["link"] == link(previous, row, as_text(row["at"]))
        if salt and address_key:
            whole = whole and (not row["ip"] or row["ip_digest"] == _salted(bytes.fromhex(salt), row["ip"]))
            if place == len(rows):
                whole = whole and row["who_digest"] == _salted(bytes.fromhex(salt), address_key)
        if row["form"] is not None:
            whole = whole and row["form"] == _digest(row["version"], row["wording"], row["language"])
        verdicts.append(whole)
        previous = row["link"]
    return verdicts


def _salted(salt: bytes, text: str) -> str:
    return blake2s(text.encode(), key=salt, digest_size=16).hexdigest()


def _digest(*fields: str) -> str:
    return _hash(_prefixed(*fields))


def _hash(text: str) -> str:
    return blake2s(text.encode(), digest_size=16).hexdigest()


def _prefixed(*fields: str) -> str:
    """Each with its length before it, so that no two different sets of fields read the same."""
    return "".join([f"{len(text)}:{text}" for text in fields])


_act = lru_cache(maxsize=64)(_prefixed)  # in an import every row has the same
