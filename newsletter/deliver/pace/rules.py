"""What the settings ask of each mail group, as quotas of tokens (seconds, minutes) and counts in the database (hours, days).

Hours and days are counted by slices of wall-clock time, because a crash must not take a day's tokens along; a slice counts
until it and the minute in which its last message may have left are past, so a quota of an hour is kept to 0.98 and one of a
day to 0.995. Machines that share a database agree on the time within that minute. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.deliver.pace.tokens import SECOND
from newsletter.settings.pace import DEFAULT, Limit, Pace

ALL = "all"
LATE = timedelta(minutes=1)  # from the claim, where a message is counted, to the grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`tokens` of all processes, each resting `span` nanoseconds after its use."""

    bucket: str
    tokens: int
    span: int

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.tokens / self.span * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """At most `most` messages in any `span`, counted in slices of `slice`."""

    series: str
    most: int
    span: timedelta
    slice: timedelta

    def slice_of(self, now: datetime) -> datetime:
        since = now - datetime.min.replace(tzinfo=UTC)
        return now - since % self.slice

    def since(self, now: datetime) -> datetime:
        """Slices that begin here or later still count."""
        return self.slice_of(now) - self.span - LATE

    def free_again(self, oldest: datetime) -> datetime:
        """When the slice that began at `oldest` counts no more."""
        return oldest + self.span + LATE + self.slice

    @property
    def rate(self) -> float:
        return self.most / self.span.total_seconds()


class Rules:
    """The limits of `[pace]`. `group_of` makes a mail group of a domain."""

    def __init__(self, pace: Pace, group_of: Callable[[str], str]) -> None:
        self._all = pace
        self._groups: Mapping[str, Limit] = {
            group_of(name) if "." in name else name: limit for name, limit in pace.groups.items() if name != DEFAULT
        }
        self._default = pace.groups.get(DEFAULT, Limit())

    @property
    def any(self) -> bool:
        """Whether anything is limited at all."""
        return self._all.any or self._default.any or any(limit.any for limit in self._groups.values())

    @property
    def counted(self) -> bool:
        """Whether anything is limited by the hour or the day."""
        return any(limit.per_hour or limit.per_day for limit in (self._all, self._default, *self._groups.values()))

    def of(self, group: str) -> Limit:
        """`group` ALL: what all messages together may."""
        return self._all if group == ALL else self._groups.get(group, self._default)

    def quotas(self, group: str) -> tuple[Quota, ...]:
        limit = self.of(group)
        spans = (("second", limit.per_second, SECOND), ("minute", limit.per_minute, 60 * SECOND))
        return tuple(Quota(bucket=f"{group}/{name}", tokens=most, span=span) for name, most, span in spans if most)

    def counts(self, group: str) -> tuple[Count, ...]:
        limit = self.of(group)
        spans = (
            ("hour", limit.per_hour, timedelta(hours=1), timedelta(seconds=10)),
            ("day", limit.per_day, timedelta(days=1), timedelta(minutes=4)),
        )
        return tuple(
            Count(series=f"{group}/{name}", most=most, span=span, slice=part)
            for name, most, span, part in spans
            if most
        )
