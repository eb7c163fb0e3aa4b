"""Tokens of the API: `nl_ID_SECRET`, shown once; only a keyed hash of the secret is kept.

The key is the caller's and never changes (main hands in the suppression key, under a name of its own for hashing).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.errors import BadInput
from newsletter.model import ID_LENGTH, Scope, new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.machines import api_tokens

_FORM = re.compile(rf"nl_([0-9a-z]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
_NAME = re.compile(r"[\w .,:()/-]{1,80}")
_NOBODY = "0" * 64
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def add(
    conn: Connection,
    name: str,
    scopes: Iterable[Scope],
    *,
    key: bytes,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """Make a token; returns it whole, this one time. Raises BadInput for a name that is taken or unusable, or no scope."""
    if not _NAME.fullmatch(name):
        raise BadInput("a token's name has 1 to 80 letters, digits and simple signs", where="name")
    wanted = sorted(set(scopes))
    if not wanted:
        raise BadInput("a token without a scope may do nothing", where="scope", hint="add --scope")
    token_id, secret = new_id(), secrets.token_urlsafe(32)
    statement = (
        insert(conn, api_tokens)
        .values(
            id=token_id,
            name=name,
            secret_hash=_hash(secret, key),
            scopes=[scope.value for scope in wanted],
            created_at=now,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(api_tokens.c.id)
    )
    if conn.execute(statement).first() is None:
        raise BadInput("there is already a token of this name", where=name, hint="choose another, or revoke it first")
    return f"nl_{token_id}_{secret}"


def find(conn: Connection, text: str, *, key: bytes, now: datetime) -> Token | None:
    """The token a caller shows; None for one that is none, revoked or too old. Takes as long for any wrong secret."""
    matched = _FORM.fullmatch(text)
    if matched is None:
        return None
    row = conn.execute(sa.select(api_tokens).where(api_tokens.c.id == matched[1])).first()
    kept = row.secret_hash if row is not None else _NOBODY
    right = hmac.compare_digest(kept, _hash(matched[2], key))
    token = _token(row) if row is not None and right else None
    return token if token is not None and token.is_good(now) else None


def used(conn: Connection, token_id: str, *, now: datetime) -> None:
    conn.execute(sa.update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_at=now))


def is_stale(token: Token, now: datetime) -> bool:
    """Whether `used` is to be written: once a minute is enough, and a read stays a read otherwise."""
    return token.last_used_at is None or now - token.last_used_at >= _MINUTE


def listed(conn: Connection) -> list[Token]:
    return [_token(row) for row in conn.execute(sa.select(api_tokens).order_by(api_tokens.c.name))]


def revoke(conn: Connection, name: str, *, now: datetime) -> None:
    """Ends it for good; the name can be used again. Raises BadInput when no token has the name."""
    mine = sa.select(api_tokens.c.id).where(api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))
    token_id = conn.execute(mine).scalar()
    if token_id is None:
        raise BadInput("there is no such token", where=name, hint="`newsletter api-token list` shows them")
    ended = {"revoked_at": now, "name": f"{name[:50]} (revoked {token_id})"}
    conn.execute(sa.update(api_tokens).where(api_tokens.c.id == token_id).values(ended))


def _hash(secret: str, key: bytes) -> str:
    return hashlib.blake2s(secret.encode(), key=key[:32], person=b"apitoken").hexdigest()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    held = row._mapping
    known = {scope.value for scope in Scope}  # one of a later version grants nothing here
    names = ("id", "name", "created_at", "expires_at", "revoked_at", "last_used_at")
    scopes = frozenset(Scope(name) for name in held["scopes"] if name in known)
    return Token(scopes=scopes, **{name: held[name] for name in names})
