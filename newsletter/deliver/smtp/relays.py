"""Which relay the next connection goes to: by weight, past those that just failed. Opens nothing."""

import threading
import time
from collections.abc import Callable, Collection, Sequence

from newsletter.settings.smtp import Relay

REST = 60.0  # seconds a relay that failed is passed over while another is there


class Relays:
    """Shared by all connections of a transport; safe between threads. `now`: a clock in seconds that never goes back."""

    def __init__(self, relays: Sequence[Relay], now: Callable[[], float] = time.monotonic) -> None:
        self.all = tuple(relays)
        self._now = now
        self._open = dict.fromkeys(range(len(self.all)), 0)
        self._resting: dict[int, float] = {}
        self._lock = threading.Lock()

    def pick(self, tried: Collection[Relay] = ()) -> Relay | None:
        """The relay for a new connection; None when all were tried. `leave` is to be called when the connection ends.

        The one that has the fewest connections for its weight; weight 0 stands by until no other is left. A resting
        relay comes last, soonest awake first: it is better than none.
        """
        with self._lock:
            left = [number for number, relay in enumerate(self.all) if relay not in tried]
            if not left:
                return None
            chosen = min(left, key=self._rank)
            self._open[chosen] += 1
            return self.all[chosen]

    def _rank(self, number: int) -> tuple[float, bool, float, int]:
        weight = self.all[number].weight
        wakes = self._resting.get(number, 0.0)
        load = (self._open[number] + 1) / (weight or 1)
        return (wakes if wakes > self._now() else 0.0, weight == 0, load, number)

    def leave(self, relay: Relay) -> None:
        with self._lock:
            self._open[self.all.index(relay)] -= 1

    def rest(self, relay: Relay) -> None:
        """It failed: pass it over for a minute."""
        with self._lock:
            self._resting[self.all.index(relay)] = self._now() + REST

    def another(self, relay: Relay) -> bool:
        """Whether a relay beside this one is up."""
        with self._lock:
            now = self._now()
            return any(
                other != relay and self._resting.get(number, 0.0) <= now for number, other in enumerate(self.all)
            )
