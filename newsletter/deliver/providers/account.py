"""What all connections to one provider know of their account: until when it must wait, and that it has worked."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta


class Account:
    """Safe to share between threads. `pause` sleeps that many seconds; it may be cut short when the program ends."""

    def __init__(self, now: Callable[[], datetime], pause: Callable[[float], object]) -> None:
        self._now, self._pause = now, pause
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._asked = 0.0
        self.proven = False  # it has taken a message since the program began

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

    def wait(self) -> None:
        left = self.left()
        if left:
            self._pause(left)
