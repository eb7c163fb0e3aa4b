"""When bounces say that nothing more is to be sent to an address. Pure: the same events in any order give the same answer.

A hard bounce counts at once. Soft ones add up, one a mailing, and fade; mail that arrived later wipes them out. Four points
with a half-life of 90 days are five soft bounces of a weekly newsletter in a row, or eight of a monthly one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.model import EventType
from newsletter.store.returns import Told

HALF_LIFE = timedelta(days=90)
GONE_AT = 4.0
SPAN = timedelta(days=14)  # a full mailbox over the holidays is none that is gone
QUIET = timedelta(days=7)  # after so long without a bounce a message counts as arrived
_GOOD = (EventType.DELIVERED, EventType.OPENED, EventType.CLICKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`gone`: send nothing there any more. `score`: of the soft bounces that still count."""

    gone: bool
    score: float
    why: str = ""


def judge(told: Iterable[Told], *, arrived: Sequence[datetime], now: datetime, hard_after: int = 1) -> Verdict:
    """`told`: all events of one person. `arrived`: when mail left for them and nothing bounced for QUIET."""
    events = list(told)
    hard = {one.mailing_id for one in events if one.type is EventType.BOUNCED and one.kind == "hard" and one.proven}
    if len(hard) >= hard_after:
        return Verdict(gone=True, score=0.0, why="the address does not exist")
    good = max([*arrived, *(one.at for one in events if one.type in _GOOD)], default=None)
    soft = _soft(events, after=good)
    if not soft:
        return Verdict(gone=False, score=0.0)
    score = sum(0.5 ** (max(now - at, timedelta()) / HALF_LIFE) for at in soft)
    gone = score >= GONE_AT and max(soft) - min(soft) >= SPAN
    return Verdict(gone=gone, score=round(score, 2), why=f"{len(soft)} soft bounces" if gone else "")


def _soft(events: Iterable[Told], *, after: datetime | None) -> list[datetime]:
    """The first soft bounce of each mailing since mail last arrived. What is not proven counts as soft at most."""
    first: dict[str, datetime] = {}
    for one in events:
        counts = one.type is EventType.BOUNCED and (one.kind == "soft" or one.kind == "hard")
        if counts and (after is None or one.at > after):
            first[one.mailing_id] = min(first.get(one.mailing_id, one.at), one.at)
    return sorted(first.values())
