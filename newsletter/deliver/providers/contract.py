"""What a provider's adapter is: it writes requests and reads answers, and does nothing else.

    message → piece (encoded once) → request of one or many pieces → posted → an answer for each piece, or a refusal

`transport.py` does the rest for all of them: permission, sizes, waiting, bisecting, repeating with a key. An adapter is pure:
same message, same octets; it must never open a connection, sleep, or decide about other messages than those it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from newsletter.app import Outcome, Outgoing
from newsletter.http import Posted


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One message as the provider takes it. `shared`: what all messages of one request must have in common."""

    content: bytes = field(repr=False)
    message_id: str
    shared: bytes = b""
    alone: bool = False  # needs a request of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    url: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)  # keys stand here
    content_type: str = "application/json"


class Trouble(StrEnum):
    """Why a whole request was not answered message by message."""

    THROTTLED = "throttled"  # certainly not taken; the account must wait
    DOWN = "down"  # certainly not taken; login, account or address of the service: a person must act
    CONTENT = "content"  # certainly not taken; at least one message in it is at fault (400, 413, 422)
    LOST = "lost"  # may have been taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`after`: seconds the provider asks to wait. `words` hold no address."""

    trouble: Trouble
    words: str
    after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """The provider says this message is at fault. Believed while it takes others of this account: a wrong sender or plan

    is told in the same words, and must not fail every reader.
    """

    words: str
    kind: str | None = None


Answers = list[Outcome | Blamed]


class Adapter(Protocol):
    name: str
    most: int  # messages a request, and so the window of a connection; at most 100
    most_octets: int  # of a request
    idempotent: bool  # a request with the same key is carried out once: it may be repeated

    def piece(self, outgoing: Outgoing) -> Piece:
        """Raises BadInput for a message it cannot write, TransportDown when the provider lacks what all of them need."""
        ...

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        """`key`: 32 hex digits, the same for the same messages."""
        ...

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        """In the order of the request, `count` of them."""
        ...
