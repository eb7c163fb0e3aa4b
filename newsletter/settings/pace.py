"""Settings of pace: how much may leave in which time, to whom, and how a new sending domain begins. Off by default."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

RECEIVERS = ("gmail", "outlook", "yahoo", "icloud", "gmx", "proton")  # the mail groups that have names (subscribers)
DEFAULT = "default"  # every other domain, each for itself
# Doubled on each day on which mail is sent: what mailbox providers and relays advise in this or a gentler form.
PLAN = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400)

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class Limit(BaseModel):
    """Messages of all senders together. None: no limit. Each holds in any such span, not only in whole minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: int | None = Field(None, ge=1, le=100_000)
    per_minute: int | None = Field(None, ge=1, le=1_000_000)
    per_hour: int | None = Field(None, ge=1)
    per_day: int | None = Field(None, ge=1)

    @property
    def any(self) -> bool:
        return any((self.per_second, self.per_minute, self.per_hour, self.per_day))


class Warmup(BaseModel):
    """A new sending domain begins small. `plan[0]` messages on the first day on which mail is sent, and so on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = False
    plan: tuple[int, ...] = PLAN

    @field_validator("plan")
    @classmethod
    def _is_a_ramp(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1:
            raise ValueError("lists at least one day, each of at least one message")
        return value


class Pace(Limit):
    groups: dict[str, Limit] = {}  # a receiver's name, a domain, or "default"
    back_off: bool = True  # when a receiver says 421 or "too fast", its rate halves and recovers
    stop_at: float = Field(0.01, ge=0, le=1)  # share of blocked messages in 15 minutes that stops a group; 0: never
    stop_hours: float = Field(6, gt=0, le=168)  # until it is tried again, unless a person is sooner
    warmup: Warmup = Warmup()

    @field_validator("groups")
    @classmethod
    def _are_known(cls, value: dict[str, Limit]) -> dict[str, Limit]:
        for name in value:
            if name not in RECEIVERS and name != DEFAULT and not _DOMAIN.fullmatch(name):
                known = ", ".join((*RECEIVERS, DEFAULT))
                raise ValueError(f"{name} is no mail group; use {known} or a domain in lower case")
        return value
