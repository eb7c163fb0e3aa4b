"""The order of the articles in an issue: by rank, then what staff pinned and placed. Pure.

Places that staff gave hold whatever else changes; the others keep their ranked order around them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One article to be ordered. `key`: any name of it; `at`: when staff said where it stands."""

    key: str
    section: str | None
    place: int | None = None  # from 1
    pin: Pin | None = None
    at: datetime | None = None


def seated(ranked: Sequence[Seat], *, lead: bool = True) -> list[Seat]:
    """`ranked`, best first, in the order of the issue. `lead`: the first one stands apart from its section.

    Of two with one place the one that staff placed later has it; of two pinned as lead the one pinned later leads, and the
    other is the first of its section.
    """
    leads = [seat for seat in ranked if seat.pin is Pin.LEAD]
    leader = max(leads, key=_said_at) if leads else None
    free = [seat for seat in ranked if seat.place is None and seat is not leader]
    order = _pinned_first(free, apart=lead and leader is None)
    if leader is not None:
        order.insert(0, leader)
    for seat in sorted((seat for seat in ranked if seat.place is not None and seat is not leader), key=_placing):
        assert seat.place is not None
        order.insert(max(seat.place - 1, 1 if leader else 0), seat)
    return order


def _said_at(seat: Seat) -> tuple[float, str]:
    return seat.at.timestamp() if seat.at else 0.0, seat.key


def _placing(seat: Seat) -> tuple[int, float, str]:
    return seat.place or 0, *_said_at(seat)


def _pinned_first(ranked: Sequence[Seat], *, apart: bool) -> list[Seat]:
    """Within each section the pinned before the others; every section keeps the seats it had.

    `apart`: the best one leads the issue and keeps its seat; a pin never makes a lead.
    """
    head = list(ranked[:1]) if apart and ranked and ranked[0].pin is None else []
    rest = list(ranked[len(head) :])
    dealt = {
        section: iter(sorted((seat for seat in rest if seat.section == section), key=lambda seat: seat.pin is None))
        for section in {seat.section for seat in rest}
    }
    return head + [next(dealt[seat.section]) for seat in rest]
