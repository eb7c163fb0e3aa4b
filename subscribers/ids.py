"""Ids made in Python, so that no insert waits for the database to name its row."""

import os
import threading
import time
from collections.abc import Iterator
from typing import NewType

PersonId = NewType("PersonId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: sorts in ASCII, no i l o u
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)  # ten bits at a time: half the steps
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A time-ordered id of 16 characters: 44 bits of milliseconds, then 36 bits that only grow within a millisecond."""
    return next(new_ids(1))


def new_ids(count: int) -> Iterator[str]:
    """`count` ids in order, for rows that are written together; all are set aside when the first is taken."""
    global _last
    with _lock:
        first = (time.time_ns() // 1_000_000) << 36 | int.from_bytes(os.urandom(4), "big")
        first = max(first, _last + 1)
        _last = first + count - 1
    value, end = first, first + count
    while value < end:  # all but the last pair is the same for up to 1,024 ids
        head = "".join([_PAIRS[value >> shift & 1023] for shift in range(70, 0, -10)])
        run = min(end - value, 1024 - (value & 1023))
        for pair in _PAIRS[value & 1023 : (value & 1023) + run]:
            yield head + pair
        value += run
