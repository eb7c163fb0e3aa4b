"""Proof that somebody took the trouble: a signed ticket in the form, time between showing and sending, and a little work.

The work is Hashcash (Back 2002): a number n such that SHA-256 of "ticket:n" begins with DIFFICULTY zero bits; a browser finds
it in about a tenth of a second, a server checks it with one hash. Without JavaScript a person waits instead, and fewer
of them are let in per hour. Nothing is stored when a ticket is made: a GET changes nothing. Pure but for the nonce.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

DIFFICULTY = 16  # bits: 65,536 hashes on average
QUICKEST = timedelta(seconds=2)  # nobody reads a form and types an address faster
SLOW_WAIT = timedelta(seconds=15)  # what stands in for the work where no script runs
GOOD_FOR = timedelta(hours=2)
_LONGEST_SOLUTION = 12  # digits


class Verdict(StrEnum):
    PROVEN = "proven"
    WAITED = "waited"  # no work shown, but time
    QUICK = "quick"  # sent sooner than a person can
    WAIT = "wait"  # no work shown: not yet long enough
    STALE = "stale"  # forged, of another form, or too old


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a form carries. `ticket` is TIME.NONCE.MAC in hexadecimal."""

    ticket: str
    difficulty: int = DIFFICULTY


def issue(key: bytes, form: str, *, now: datetime) -> Challenge:
    """A fresh ticket for one form (`subscribe/news`), good for two hours."""
    payload = f"{int(now.timestamp()):x}.{secrets.token_hex(8)}"
    return Challenge(ticket=f"{payload}.{_mac(key, form, payload)}")


def judge(key: bytes, form: str, *, ticket: str, solution: str, now: datetime) -> Verdict:
    """What a posted form's ticket and solution are worth. Whether it was used before is the caller's to know."""
    shown = issued_at(key, form, ticket)
    if shown is None or not timedelta(seconds=-1) <= now - shown <= GOOD_FOR:
        return Verdict.STALE
    age = now - shown
    if age < QUICKEST:
        return Verdict.QUICK
    if solves(ticket, solution):
        return Verdict.PROVEN
    return Verdict.WAITED if age >= SLOW_WAIT else Verdict.WAIT


def issued_at(key: bytes, form: str, ticket: str) -> datetime | None:
    """When a ticket of ours was made; None for any other text."""
    payload, _, mac = ticket[:100].rpartition(".")
    if not payload or not hmac.compare_digest(_mac(key, form, payload).encode(), mac.encode("utf-8", "replace")):
        return None
    return datetime.fromtimestamp(int(payload.split(".")[0], 16), UTC)


def good_until(ticket: str) -> datetime:
    """Of a ticket that was judged: after this nobody can use it."""
    return datetime.fromtimestamp(int(ticket.split(".")[0], 16), UTC) + GOOD_FOR


def solves(ticket: str, solution: str, difficulty: int = DIFFICULTY) -> bool:
    if not 0 < len(solution) <= _LONGEST_SOLUTION or not solution.isascii() or not solution.isdigit():
        return False
    digest = hashlib.sha256(f"{ticket}:{solution}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - difficulty) == 0


def _mac(key: bytes, form: str, payload: str) -> str:
    return hashlib.blake2s(f"{form}\n{payload}".encode(), key=key[:32], digest_size=16, person=b"nl-form").hexdigest()
