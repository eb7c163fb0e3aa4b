"""What all connections to one provider know of their account: until when it must wait, and whether it works.

The first they share with all processes and machines of the database.

It works from the first message it takes until eight in a row are refused: then the refusals may speak of the sender, the
domain or the plan, in the same words, and no reader may fail for that.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.log import get_logger, one_line
from newsletter.store import Database, DatabaseUnavailable, polls

log = get_logger("deliver")

GIVE_UP = 8  # messages refused in a row

Pause = Callable[[float], bool | None]


class Rests(Protocol):
    """Until when an account must wait, by the word of whatever process it was told to."""

    def say(self, until: datetime) -> None: ...

    def heard(self) -> datetime | None: ...


class SharedRests:
    """In the database: a row for each account. A request takes 50 ms, reading this 0.1."""

    def __init__(self, db: Database, account: str) -> None:
        self._db, self._name = db, f"rest:{account}"[:40]

    def say(self, until: datetime) -> None:
        try:
            with self._db.begin() as conn:
                polls.rest(conn, self._name, until=until)
        except DatabaseUnavailable as error:  # this process knows it all the same
            log.warning("rest_not_shared", reason=one_line(error))

    def heard(self) -> datetime | None:
        try:
            with self._db.read() as conn:
                return polls.rests_until(conn, self._name)
        except DatabaseUnavailable:  # the intents that come next say so
            return None


class Account:
    """Safe to share between threads. `pause` sleeps that many seconds; True: it was cut short, for the program ends."""

    def __init__(self, now: Callable[[], datetime], pause: Pause, rests: Rests | None = None) -> None:
        """`rests`: what other processes that use the account were told."""
        self._now, self._pause, self._rests = now, pause, rests
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._asked = 0.0
        self.proven = False
        self._in_a_row = 0

    def took(self) -> None:
        """It has taken a message."""
        with self._lock:
            self.proven, self._in_a_row = True, 0

    def refused(self, count: int) -> bool:
        """It has refused so many and taken none between; whether a person should look before any other is tried."""
        with self._lock:
            self._in_a_row += count
            if self._in_a_row < GIVE_UP:
                return False
            self.proven, self._in_a_row = False, 0
            return True

    def rest(self, seconds: float) -> None:
        """Nobody asks the provider for so long."""
        with self._lock:
            until = self._now() + timedelta(seconds=seconds)
            if self._until is None or until > self._until:
                self._until, self._asked = until, seconds
        if self._rests is not None:
            self._rests.say(until)

    def left(self) -> float:
        """Seconds still to wait; never more than were asked for, whatever happens to the clock."""
        heard = self._rests.heard() if self._rests is not None else None
        with self._lock:
            if heard is not None and (self._until is None or heard > self._until):
                self._until, self._asked = heard, max(0.0, (heard - self._now()).total_seconds())
            if self._until is None:
                return 0.0
            left = (self._until - self._now()).total_seconds()
            if left <= 0:
                self._until = None
            return max(0.0, min(left, self._asked))

    def wait(self) -> bool:
        """Whether the provider may be asked now: not when the program ends before the rest is over."""
        left = self.left()
        return not (left and self._pause(left))
