"""Password hashes (argon2id with the library's defaults, RFC 9106 second choice). Two at a time: each takes 64 MiB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200  # characters
_hasher = PasswordHasher()
_room = threading.Semaphore(2)
_door = threading.Semaphore(8)  # more would wait in threads that other pages need (40 in all)
_NOBODYS = _hasher.hash("a password that nobody has")


def fault_of(password: str, repeated: str) -> str | None:
    """The label of what is wrong with a new password, or None (pure)."""
    if len(password) < SHORTEST:
        return "too short"
    if len(password) > LONGEST:
        return "too long"
    return None if password == repeated else "different"


@contextmanager
def turn() -> Iterator[bool]:
    """Whether there is a place in the queue to have a password looked at; it is held meanwhile."""
    taken = _door.acquire(blocking=False)
    try:
        yield taken
    finally:
        if taken:
            _door.release()


def hashed(password: str) -> str:
    with _room:
        return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """False also without a hash, after the same time, so that the answer does not tell who is staff."""
    if len(password) > LONGEST:
        return False
    with _room:
        try:
            return _hasher.verify(password_hash or _NOBODYS, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False
