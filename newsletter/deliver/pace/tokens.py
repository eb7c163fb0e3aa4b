"""A quota of N in a span of time as N tokens that rest that span after each use. Pure; times are monotonic nanoseconds.

No token is used twice within the span, so N tokens can never make more than N grants in any sliding span, however late or
unevenly their owner wakes; and what was late is made up for, because the others rest no longer for it. So the rate is
N / (1 + mean lateness in spans): 0.99 of the quota stands a mean lateness of 10 ms in a second. A quota divides by giving
tokens away, and only rested ones are given: no clock of one machine is ever compared with another's.

New tokens become ready one after the other over one span, and between two grants lies half their even distance at least:
otherwise a sender that was idle would let all of them go in one burst.
"""

from collections import deque

SECOND = 1_000_000_000


class Ring:
    """The tokens of one quota that one process holds. Not safe between threads by itself."""

    def __init__(self, quota: int, span: int) -> None:
        """`quota`: tokens that all processes hold together; `span`: their rest, in nanoseconds."""
        self.quota, self.span = quota, span
        self.usable_until = 0  # the lease: afterwards others may have these tokens
        self.uses = 0  # grants made, ever
        self._ready = 0
        self._resting: deque[int] = deque()  # when each was used, the oldest first
        self._owed = self._withheld = 0  # to be handed over as they become ready
        self._free_at = 0  # the distance to the grant before

    @property
    def held(self) -> int:
        """Tokens that are this process's, also those it is about to hand over."""
        return self._ready + len(self._resting) + self._withheld

    @property
    def spare(self) -> int:
        """Tokens ready for use at the last look."""
        return self._ready

    @property
    def _distance(self) -> int:
        even = self.span // self.quota
        return max(even // 2, even - SECOND // 2)

    def change(self, quota: int, span: int) -> None:
        """Another quota from now on. Tokens in excess are shed by `owe`."""
        self.quota, self.span = quota, span

    def look(self, now: int) -> None:
        """Bring up to date which tokens have rested."""
        resting, rested = self._resting, now - self.span
        while resting and resting[0] <= rested:
            resting.popleft()
            if self._withheld < self._owed:
                self._withheld += 1
            else:
                self._ready += 1

    def ready_at(self, now: int) -> int | None:
        """The earliest moment for one more grant; None when this process has no token to wait for."""
        if now >= self.usable_until:
            return None
        self.look(now)
        if self._ready:
            return max(now, self._free_at)
        if len(self._resting) <= self._owed - self._withheld:
            return None
        return max(self._resting[max(0, self._owed - self._withheld)] + self.span, self._free_at)

    def has(self, now: int) -> bool:
        """Whether a token is ready, however short ago the grant before was: for messages that go together."""
        if now >= self.usable_until:
            return False
        self.look(now)
        return self._ready > 0

    def use(self, now: int) -> None:
        """Grant one message. Only when `ready_at` is not after `now`, or `has` one for a message in company."""
        self.look(now)
        assert self._ready > 0, "nothing is granted without a token"
        self._ready -= 1
        self.uses += 1
        self._resting.append(now)
        self._free_at = max(self._free_at, now) + self._distance

    def take(self, count: int, now: int) -> None:
        """Rested tokens from the common store."""
        step = self.span // self.quota
        used = (now - self.span + step * number for number in range(count))
        self._resting = deque(sorted([*self._resting, *used]))
        self.look(now)

    def owe(self, count: int) -> None:
        """Hand over so many in all, of those that are ready and then as they become ready."""
        self._owed = count
        back = max(0, self._withheld - count)  # owed no longer
        moved = min(self._ready, max(0, count - self._withheld))
        self._ready += back - moved
        self._withheld += moved - back

    def give(self) -> int:
        """Take the rested tokens that are owed out: they are others' from now on. Returns how many."""
        given, self._withheld = self._withheld, 0
        self._owed -= given
        return given

    def rests_until(self, now: int) -> int:
        """When the last token will have rested; `now` when all have."""
        self.look(now)
        return self._resting[-1] + self.span if self._resting else now
