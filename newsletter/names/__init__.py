"""What the DNS answers: the only package that asks name servers (asking.py); this part is data, and imports nothing heavy.

Answers come from strangers: they are bounded in number, length and time, and whatever is wrong with them is a Status,
never an exception. Nothing here decides what a record means for mail (newsletter/mail/domains does).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The value is how a person is told."""

    FOUND = "found"
    NOTHING = "there is no such record"  # the name is there
    NO_NAME = "there is no such name"  # NXDOMAIN
    FAILED = "the name server fails"  # SERVFAIL, REFUSED, an answer that cannot be read
    LATE = "no answer in time"
    LOOP = "its alias (CNAME) leads in a circle"
    TOO_LARGE = "the answer is too large to be meant"
    BAD_NAME = "this is no DNS name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`kind`: TXT, MX, A, AAAA, PTR. `records`: a TXT's strings joined; an MX as "10 host"; names in lower case without their
    last dot. `alias`: the name a CNAME led to, or "".
    """

    name: str
    kind: str
    status: Status
    records: tuple[str, ...] = ()
    alias: str = ""

    @property
    def absent(self) -> bool:
        """Certainly not there, as opposed to not known."""
        return self.status in (Status.NOTHING, Status.NO_NAME)

    @property
    def unknown(self) -> bool:
        """Nobody could say: another resolver or another time may."""
        return self.status is Status.LATE


Ask = Callable[[str, str], Answer]  # name, kind
