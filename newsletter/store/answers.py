"""What was answered to requests with an Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header), for 24 hours.

The row is there before the work begins, so that of two requests with one key the second is told, whatever process gets it.
Answers hold no address: those that would are not kept (web/api says which).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.model import new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.machines import api_answers

KEPT = timedelta(hours=24)
DEAD = timedelta(minutes=2)  # no request takes so long: whoever began it is gone, and the next one may try


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of a key. `turn`: set when it is the caller's turn to answer; `status` None: somebody is at it."""

    turn: str | None = None
    fingerprint: str = ""
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: str = ""


def begin(conn: Connection, token_id: str, key: str, *, fingerprint: str, now: datetime) -> Kept:
    """Take the turn to answer, or see who has it or what was answered."""
    turn = new_id()
    values = {"fingerprint": fingerprint, "began_at": now, "turn": turn, "status": None, "headers": None, "body": None}
    made = insert(conn, api_answers).values(token_id=token_id, key=key, **values)
    over = sa.or_(
        api_answers.c.began_at <= now - KEPT,
        sa.and_(
            api_answers.c.status.is_(None),
            api_answers.c.began_at <= now - DEAD,
            api_answers.c.fingerprint == fingerprint,
        ),
    )
    taken = made.on_conflict_do_update(index_elements=["token_id", "key"], set_=values, where=over)
    if conn.execute(taken.returning(api_answers.c.turn)).first() is not None:
        return Kept(turn=turn, fingerprint=fingerprint)
    mine = sa.select(api_answers).where(api_answers.c.token_id == token_id, api_answers.c.key == key)
    row = conn.execute(mine).first()
    if row is None:  # given up or forgotten between the two looks
        return begin(conn, token_id, key, fingerprint=fingerprint, now=now)
    return Kept(fingerprint=row.fingerprint, status=row.status, headers=row.headers, body=row.body or "")


def keep(
    conn: Connection, token_id: str, key: str, *, turn: str, status: int, headers: Mapping[str, str], body: str
) -> bool:
    """The answer of whoever has the turn. False when the turn was taken over meanwhile."""
    values = {"status": status, "headers": dict(headers), "body": body}
    done: int = conn.execute(_mine(sa.update(api_answers), token_id, key, turn).values(values)).rowcount
    return done == 1


def give_up(conn: Connection, token_id: str, key: str, *, turn: str) -> None:
    """Nothing was done: the key is as if it had never been used."""
    conn.execute(_mine(sa.delete(api_answers), token_id, key, turn))


def forget(conn: Connection, *, now: datetime) -> int:
    return conn.execute(sa.delete(api_answers).where(api_answers.c.began_at <= now - KEPT)).rowcount


def _mine(statement: Any, token_id: str, key: str, turn: str) -> Any:
    return statement.where(
        api_answers.c.token_id == token_id,
        api_answers.c.key == key,
        api_answers.c.turn == turn,
        api_answers.c.status.is_(None),
    )
