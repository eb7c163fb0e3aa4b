"""When a receiver says "not so fast": its mail group goes at half the rate and recovers little by little. Pure.

Halving and slow linear growth is what lets many senders find a common rate without knowing each other (Chiu and Jain 1989).
"Too fast" is 421 (RFC 5321 section 3.8), 4.7.x, and 450 to 452 whose words speak of rates or connections. Greylisting is
not: it looks at who writes to whom, and wants time instead of slowness (RFC 6647).
"""

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.app import Fate, Outcome
from newsletter.deliver.pace.tokens import SECOND
from newsletter.mail.bounces.reasons import reason_of_words
from newsletter.mail.bounces.returned import Reason
from newsletter.store.pace import Group

RECOVERY = timedelta(minutes=30)  # in which the rate grows by as much as it was when it was refused
SETTLING = timedelta(seconds=30)  # replies to what was already under way count once
SLOWEST = 1 / 60  # messages a second
UNKNOWN_RATE = 1.0  # what a group is thought to have got when its very first message was refused

_CODE = re.compile(r"(\d{3})(?: (\d\.\d{1,3}\.\d{1,3}))?(?= |$)")
_GREY = re.compile(r"gr[ae]y.?list", re.IGNORECASE)


def too_fast(outcome: Outcome) -> bool:
    """Whether a refusal for now asks this receiver's mail to slow down."""
    found = _CODE.match(outcome.reply)
    if outcome.fate is not Fate.RETRY or outcome.down or found is None or found[1][0] != "4":
        return False
    if found[1] == "421":
        return True
    if (found[2] or "").startswith("4.7."):
        return not _GREY.search(outcome.reply)
    return found[1] in ("450", "451", "452") and reason_of_words(outcome.reply[4:]) in (
        Reason.SPEED,
        Reason.CONNECTIONS,
    )


def slowed(group: Group, measured: float, *, reply: str, now: datetime) -> Group:
    """Half of what it got. `measured`: messages a second lately, counted only while no brake is on."""
    if group.slowed_at is not None and now - group.slowed_at < SETTLING:
        return group
    ceiling = max(rate_of(group, now) or measured or UNKNOWN_RATE, 2 * SLOWEST)
    return replace(group, rate=ceiling / 2, ceiling=ceiling, slowed_at=now, reply=reply[:300])


def rate_of(group: Group, now: datetime) -> float | None:
    """Messages a second that the group gets now; None: the brake is off, it got twice what it once refused."""
    if group.rate is None or group.ceiling is None or group.slowed_at is None:
        return None
    minutes = max(0, int((now - group.slowed_at) / timedelta(minutes=1)))  # in steps: all senders count alike
    rate = group.rate + group.ceiling * minutes * timedelta(minutes=1) / RECOVERY
    return rate if rate < 2 * group.ceiling else None


def off_at(group: Group) -> datetime | None:
    """When the brake is off, if the receiver takes it all."""
    if group.rate is None or group.ceiling is None or group.slowed_at is None:
        return None
    return group.slowed_at + RECOVERY * ((2 * group.ceiling - group.rate) / group.ceiling)


def quota_of(rate: float) -> tuple[int, int]:
    """(tokens, rest in nanoseconds) that make a rate a second: about ten seconds' worth, so that a low rate divides too."""
    quota = max(1, math.floor(rate * 10))
    return quota, round(quota / rate * SECOND)
