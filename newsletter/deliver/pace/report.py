"""What a person is told of pace: the limits, where the plan stands, who was slowed or stopped and until when."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.app import App
from newsletter.deliver.pace import brake, plan
from newsletter.deliver.pace.plans import plan_today
from newsletter.deliver.pace.rules import ALL
from newsletter.store import Connection
from newsletter.store import pace as rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A mail group that is slowed (`rate` a second) or stopped now. `reply`: its words."""

    group: str
    stopped: bool
    rate: float | None
    until: datetime | None
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Where the plan of one sending domain stands."""

    domain: str
    today: plan.Today

    @property
    def waits(self) -> bool:
        """Whether today's part is used up."""
        return self.today.left == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    limits: list[tuple[str, str, int]]  # (group or "all", "per_second" …, messages)
    plans: list[Planned]  # one for each domain mail comes from, the usual one first; none where no plan is set
    held: list[Held]

    def plan_of(self, domain: str) -> Planned | None:
        return next((planned for planned in self.plans if planned.domain == domain), None)

    def of(self, group: str | None) -> Held | None:
        return next((held for held in self.held if held.group == group), None)


def report(app: App, conn: Connection, now: datetime) -> Report:
    pace = app.settings.pace
    named = {ALL: pace, **pace.groups}
    spans = ("per_second", "per_minute", "per_hour", "per_day")
    return Report(
        limits=[
            (name, span, most) for name, limit in named.items() for span in spans if (most := getattr(limit, span))
        ],
        plans=[
            Planned(domain=domain, today=today)
            for domain in app.settings.sender.domains
            if (today := plan_today(app, conn, domain, now)) is not None
        ],
        held=[held for group in rows.groups(conn).values() if (held := _held(group, now)) is not None],
    )


def _held(group: rows.Group, now: datetime) -> Held | None:
    rate, stopped = brake.rate_of(group, now), group.is_stopped(now)
    if not stopped and rate is None:
        return None
    until = group.stopped_until if stopped else brake.off_at(group)
    return Held(group=group.mail_group, stopped=stopped, rate=rate, until=until, reply=group.reply or "")
