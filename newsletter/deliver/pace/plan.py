"""A new sending domain's first days, and when a receiver that blocks is left alone. Pure.

A day of the plan is one on which mail was sent: a weekly newsletter goes from 50 to 100 in its second week, not to 6,400.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

WATCHED = timedelta(minutes=15)
FEWEST_BLOCKED = 10  # one refusal of twenty is no rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """`day`: the how-manieth of the plan. `allowed` None: the plan is over."""

    day: int
    allowed: int | None
    sent: int
    until: datetime  # the next day begins

    @property
    def left(self) -> int | None:
        return None if self.allowed is None else max(0, self.allowed - self.sent)


def day_of(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """When the local day began and when the next one begins; 23 or 25 hours apart where the clocks change."""
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    began, ends = (datetime.combine(day, time(), place) for day in (today, today + timedelta(days=1)))
    return began.astimezone(now.tzinfo), ends.astimezone(now.tzinfo)


def today(plan: Sequence[int], sent_on: Sequence[tuple[datetime, int]], *, now: datetime, zone: str) -> Today:
    """`sent_on`: (beginning of the day, messages) of each day on which mail was sent."""
    began, ends = day_of(now, zone)
    day = 1 + sum(at < began for at, _ in sent_on)
    sent = sum(number for at, number in sent_on if at >= began)
    return Today(day=day, allowed=plan[day - 1] if day <= len(plan) else None, sent=sent, until=ends)


def blocks(*, sent: int, blocked: int, most: float) -> bool:
    """Whether a group is to be stopped: `blocked` of `sent + blocked` messages of the last 15 minutes. `most` 0: never."""
    return most > 0 and blocked >= FEWEST_BLOCKED and blocked > most * (sent + blocked)
