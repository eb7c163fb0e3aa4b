"""Rows of pace: shares of quotas, counts in slices of time, groups slowed or stopped. What they mean: deliver/pace/."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.store.engine import Connection, insert
from newsletter.store.schema.pacing import pace_counts, pace_groups, pace_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one process holds of one quota. `holds`: seconds after its beat for which its tokens count as its own."""

    bucket: str
    worker: str
    tokens: int
    wants: int
    beat: int
    holds: float
    beat_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A mail group that was slowed (`rate`, `ceiling` a second, `reply`: its words) or stopped, now or before."""

    mail_group: str
    rate: float | None = None
    ceiling: float | None = None
    slowed_at: datetime | None = None
    reply: str | None = None
    stopped_at: datetime | None = None
    stopped_until: datetime | None = None
    resumed_at: datetime | None = None

    def is_stopped(self, now: datetime) -> bool:
        return self.stopped_until is not None and self.stopped_until > now


def take_turns(conn: Connection) -> None:
    """Until this transaction ends nobody else divides or counts. SQLite's writers take turns anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("LOCK TABLE pace_shares, pace_counts IN SHARE ROW EXCLUSIVE MODE"))


# ---------------------------------------------------------------- shares


def shares(conn: Connection, buckets: Collection[str]) -> list[Share]:
    rows = conn.execute(sa.select(pace_shares).where(pace_shares.c.bucket.in_(buckets))).mappings()
    return [Share(**row) for row in rows]


def write_shares(conn: Connection, mine: Sequence[Share]) -> None:
    if not mine:
        return
    statement = insert(conn, pace_shares)
    names = ("tokens", "wants", "beat", "holds", "beat_at")
    statement = statement.on_conflict_do_update(
        index_elements=["bucket", "worker"], set_={name: statement.excluded[name] for name in names}
    )
    keys = ("bucket", "worker", *names)
    conn.execute(statement, [{name: getattr(share, name) for name in keys} for share in mine])


def drop_shares(conn: Connection, gone: Iterable[Share]) -> None:
    """Give the tokens of these rows back to all."""
    for share in gone:
        conn.execute(
            sa.delete(pace_shares).where(
                pace_shares.c.bucket == share.bucket,
                pace_shares.c.worker == share.worker,
                pace_shares.c.beat == share.beat,
            )
        )


def drop_own(conn: Connection, bucket: str, worker: str) -> None:
    conn.execute(sa.delete(pace_shares).where(pace_shares.c.bucket == bucket, pace_shares.c.worker == worker))


# ---------------------------------------------------------------- counts


def count(conn: Connection, series: str, slice_at: datetime, number: int) -> None:
    """Add to a slice; a negative number takes back what was counted and not used, never below nothing."""
    statement = insert(conn, pace_counts).values(series=series, slice_at=slice_at, count=max(0, number))
    total = pace_counts.c.count + number
    statement = statement.on_conflict_do_update(
        index_elements=["series", "slice_at"], set_={"count": sa.case((total < 0, 0), else_=total)}
    )
    conn.execute(statement)


def counted(conn: Connection, series: str, *, since: datetime) -> int:
    """The sum of the slices that begin at or after `since`."""
    query = sa.select(sa.func.coalesce(sa.func.sum(pace_counts.c.count), 0)).where(
        pace_counts.c.series == series, pace_counts.c.slice_at >= since
    )
    return int(conn.execute(query).scalar_one())


def slices(conn: Connection, series: str, *, since: datetime | None = None) -> list[tuple[datetime, int]]:
    """(beginning, count) of the slices with any, the oldest first."""
    query = sa.select(pace_counts.c.slice_at, pace_counts.c.count).where(
        pace_counts.c.series == series, pace_counts.c.count > 0
    )
    if since is not None:
        query = query.where(pace_counts.c.slice_at >= since)
    return [(row[0], row[1]) for row in conn.execute(query.order_by(pace_counts.c.slice_at))]


def forget(conn: Connection, *, before: datetime) -> None:
    """Slices that no limit looks at any more. The days of a plan stay: they tell which day of it is next."""
    conn.execute(
        sa.delete(pace_counts).where(pace_counts.c.slice_at < before, ~pace_counts.c.series.startswith("plan/"))
    )


# ---------------------------------------------------------------- groups


def groups(conn: Connection) -> dict[str, Group]:
    rows = conn.execute(sa.select(pace_groups)).mappings()
    return {row["mail_group"]: Group(**row) for row in rows}


def save_group(conn: Connection, group: Group) -> None:
    names = ("rate", "ceiling", "slowed_at", "reply", "stopped_at", "stopped_until", "resumed_at")
    values = {name: getattr(group, name) for name in names}
    statement = insert(conn, pace_groups).values(mail_group=group.mail_group, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["mail_group"], set_=values))
