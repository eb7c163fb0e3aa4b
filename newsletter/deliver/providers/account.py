"""What all connections to one provider know of their account: until when it must wait, and whether it works.

It works from the first message it takes until eight in a row are refused: then the refusals may speak of the sender, the
domain or the plan, in the same words, and no reader may fail for that.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

GIVE_UP = 8  # messages refused in a row

Pause = Callable[[float], bool | None]


class Account:
    """Safe to share between threads. `pause` sleeps that many seconds; True: it was cut short, for the program ends."""

    def __init__(self, now: Callable[[], datetime], pause: Pause) -> None:
        self._now, self._pause = now, pause
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

    def left(self) -> float:
        """Seconds still to wait; never more than were asked for, whatever happens to the clock."""
        with self._lock:
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
