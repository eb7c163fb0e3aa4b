"""Ids: one type per noun, and how a new one is made."""

import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from subscribers import PersonId as PersonId
else:  # the same type; the package itself costs 0.3 s to import, and commands that need no people should not pay it
    PersonId = str

SourceId = NewType("SourceId", str)
ArticleId = NewType("ArticleId", str)
NewsletterId = NewType("NewsletterId", str)
IssueId = NewType("IssueId", str)
MailingId = NewType("MailingId", str)
StaffId = NewType("StaffId", str)
StoryId = NewType("StoryId", str)

ID_LENGTH = 16
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: sorts in ASCII, no i l o u
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A time-ordered id of 16 characters: 44 bits of milliseconds, 36 random bits that only grow within one millisecond."""
    global _last
    with _lock:
        value = (time.time_ns() // 1_000_000) << 36 | int.from_bytes(os.urandom(4), "big")
        _last = value = max(value, _last + 1)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(75, -1, -5))


def made_at(made: str) -> datetime:
    """When an id of `new_id` was made, to the millisecond."""
    value = 0
    for letter in made:
        value = value << 5 | _ALPHABET.index(letter)
    return datetime.fromtimestamp((value >> 36) / 1000, UTC)
