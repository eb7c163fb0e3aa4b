"""Staff who may log in, their one-time links, and how often a wrong password was tried."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.model import PersonId, StaffId, new_id
from newsletter.store.engine import Connection
from newsletter.store.schema.staff import login_failures, staff, staff_links

LINK_LIVES = timedelta(hours=48)
TRIES_BEFORE_PAUSE = 5
LONGEST_LOGIN_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    id: StaffId
    person_id: PersonId
    name: str
    language: str
    password_hash: str | None
    session_epoch: int
    sees_addresses: bool  # of readers, whole; else masked


def add(
    conn: Connection, person_id: PersonId, *, name: str, language: str, now: datetime, sees_addresses: bool = False
) -> StaffId:
    """Write a staff member, or give back the one that this person is already."""
    values = {"name": name, "language": language, "sees_addresses": sees_addresses}
    known = conn.execute(sa.select(staff.c.id).where(staff.c.person_id == person_id)).scalar()
    if known is not None:
        conn.execute(sa.update(staff).where(staff.c.id == known).values(**values, active=True))
        return StaffId(known)
    staff_id = StaffId(new_id())
    conn.execute(sa.insert(staff).values(id=staff_id, person_id=person_id, created_at=now, **values))
    return staff_id


def listed(conn: Connection) -> list[Staff]:
    return [_staff(row) for row in conn.execute(_select().order_by(staff.c.name))]


def get(conn: Connection, staff_id: StaffId) -> Staff | None:
    row = conn.execute(_select().where(staff.c.id == staff_id)).first()
    return _staff(row) if row else None


def of_person(conn: Connection, person_id: PersonId) -> Staff | None:
    row = conn.execute(_select().where(staff.c.person_id == person_id)).first()
    return _staff(row) if row else None


def make_link(conn: Connection, staff_id: StaffId, *, now: datetime) -> str:
    """A secret that lets this person set a password once, within 48 hours. Only its hash is kept."""
    secret = secrets.token_urlsafe(24)
    conn.execute(
        sa.insert(staff_links).values(secret_hash=_hash(secret), staff_id=staff_id, expires_at=now + LINK_LIVES)
    )
    return secret


def check_link(conn: Connection, secret: str, *, now: datetime) -> Staff | None:
    """Whose link this is, without using it up (a page may be fetched by a scanner)."""
    query = _select().join(staff_links, staff_links.c.staff_id == staff.c.id)
    query = query.where(
        staff_links.c.secret_hash == _hash(secret), staff_links.c.used_at.is_(None), staff_links.c.expires_at > now
    )
    row = conn.execute(query).first()
    return _staff(row) if row else None


def use_link(conn: Connection, secret: str, password_hash: str, *, now: datetime) -> Staff | None:
    """Set the password by a link; it works once, and ends all earlier sessions. None when it is spent or expired."""
    member = check_link(conn, secret, now=now)
    used = conn.execute(
        sa.update(staff_links)
        .where(staff_links.c.secret_hash == _hash(secret), staff_links.c.used_at.is_(None))
        .values(used_at=now)
    )
    if member is None or used.rowcount != 1:
        return None
    spent = sa.update(staff_links).where(staff_links.c.staff_id == member.id, staff_links.c.used_at.is_(None))
    conn.execute(spent.values(used_at=now))  # earlier links would let an old letter set another password
    conn.execute(
        sa.update(staff)
        .where(staff.c.id == member.id)
        .values(password_hash=password_hash, session_epoch=staff.c.session_epoch + 1)
    )
    return get(conn, member.id)


def remove(conn: Connection, staff_id: StaffId) -> None:
    """Nobody of staff any more: sessions end, password and links are void. The name stays beside what they decided."""
    ended = {"active": False, "password_hash": None, "sees_addresses": False}
    conn.execute(
        sa.update(staff).where(staff.c.id == staff_id).values(**ended, session_epoch=staff.c.session_epoch + 1)
    )
    conn.execute(sa.delete(staff_links).where(staff_links.c.staff_id == staff_id))


def name_of(conn: Connection, staff_id: StaffId) -> str | None:
    """The name of one who is or was staff; None for anybody else."""
    return conn.execute(sa.select(staff.c.name).where(staff.c.id == staff_id)).scalar()


def end_sessions(conn: Connection, staff_id: StaffId) -> None:
    conn.execute(sa.update(staff).where(staff.c.id == staff_id).values(session_epoch=staff.c.session_epoch + 1))


def login_pause(conn: Connection, who: str, *, now: datetime) -> timedelta:
    """How long this name must still wait after wrong passwords: doubles from the fifth on, up to 15 minutes."""
    query = sa.select(login_failures.c["count"].label("tries"), login_failures.c.last_at)
    row = conn.execute(query.where(login_failures.c.key == _hash(who))).first()
    if row is None or row.tries < TRIES_BEFORE_PAUSE:
        return timedelta()
    pause: timedelta = min(timedelta(seconds=15) * 2 ** min(row.tries - TRIES_BEFORE_PAUSE, 10), LONGEST_LOGIN_PAUSE)
    last_at: datetime = row.last_at
    return max(last_at + pause - now, timedelta())


def login_failed(conn: Connection, who: str, *, now: datetime) -> None:
    key = _hash(who)
    bumped = conn.execute(
        sa.update(login_failures)
        .where(login_failures.c.key == key)
        .values(count=login_failures.c.count + 1, last_at=now)
    )
    if not bumped.rowcount:
        conn.execute(sa.insert(login_failures).values(key=key, count=1, last_at=now))


def login_succeeded(conn: Connection, who: str) -> None:
    conn.execute(sa.delete(login_failures).where(login_failures.c.key == _hash(who)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.strip().lower().encode() if "@" in text else text.encode()).hexdigest()


_Row = tuple[str, str, str, str, str | None, int, bool]


def _select() -> sa.Select[_Row]:
    columns = (
        staff.c.id,
        staff.c.person_id,
        staff.c.name,
        staff.c.language,
        staff.c.password_hash,
        staff.c.session_epoch,
        staff.c.sees_addresses,
    )
    return sa.select(*columns).where(staff.c.active)


def _staff(row: sa.Row[_Row]) -> Staff:
    return Staff(
        id=StaffId(row.id),
        person_id=PersonId(row.person_id),
        name=row.name,
        language=row.language,
        password_hash=row.password_hash,
        session_epoch=row.session_epoch,
        sees_addresses=row.sees_addresses,
    )
