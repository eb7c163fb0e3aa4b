"""The App that every stage is handed, and the small interfaces it holds. Builds nothing: main.py does that."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from newsletter.clock import Clock
from newsletter.http import Fetcher
from newsletter.http.looks import Looks
from newsletter.limits import Limits
from newsletter.mail.compile import Message
from newsletter.mail.dkim import Signers
from newsletter.mail.tokens import Keyring
from newsletter.model import MailingId, PersonId
from newsletter.settings import Settings
from newsletter.store import Database
from subscribers import SuppressionKey


class Outgoing(
    NamedTuple
):  # one for every message: a frozen dataclass takes five times as long to make (3.2 to 0.6 µs)
    """One built message on its way: `message` is whole, `epoch` fences every ledger write about it."""

    mailing_id: MailingId
    list_slug: str | None
    person_id: PersonId
    epoch: int
    tries: int
    frozen_at: datetime
    message: Message
    refused_at: datetime | None = None  # since when it is refused for now
    mail_group: str | None = None  # a big receiver's name or a hash of the domain: what pace goes by


class Fate(StrEnum):
    ACCEPTED = "accepted"  # the peer took responsibility
    REJECTED = "rejected"  # permanent: not to be tried again
    RETRY = "retry"  # transient: certainly not sent
    UNKNOWN = "unknown"  # the line broke when it may have been taken
    REFUSED = "refused"  # our own ledger did not let it go: left meanwhile, paused, claim lost


class Outcome(NamedTuple):  # as Outgoing
    """What became of one message. `reply` is the peer's words with addresses masked."""

    fate: Fate
    reply: str = ""
    kind: str | None = None  # hard, soft or block, when the reply speaks about the recipient
    provider_id: str | None = None
    retry_after: timedelta | None = None
    down: str = ""  # with RETRY: why mail can leave for nobody now; the row is given back and the sending stops


# Asked with a batch just before it can no longer be recalled; answers, when the intent is durable, who may go.
Permit = Callable[[Sequence[Outgoing]], set[PersonId]]


class Session(Protocol):
    """One open connection to a peer. Used by one thread."""

    @property
    def batch(self) -> int:
        """Messages one call takes at most."""
        ...

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        """One outcome per message, in order. Messages are built before `permit` is asked.

        Raises TransportDown when certainly nothing of this batch was sent, BadInput when a message cannot be written.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Flow(Protocol):
    """A session that has messages under way between two calls, because round trips cost more than messages.

    A call returns what is known by then, of earlier messages too; every message pushed is returned once. No more than the
    window of the ledger have a durable intent and were not returned: whoever calls records what is returned before, or
    together with, the next intents.
    """

    @property
    def batch(self) -> int:
        """Messages the next `push` takes at most."""
        ...

    @property
    def busy(self) -> bool:
        """Whether something is under way, which `drain` goes on with."""
        ...

    def push(self, batch: Sequence[Outgoing], permit: Permit) -> list[tuple[Outgoing, Outcome]]:
        """Raises BadInput, and nothing of this batch was begun, when a message cannot be written."""
        ...

    def drain(self, permit: Permit) -> list[tuple[Outgoing, Outcome]]:
        """Go on with what is under way until something of it is known, or nothing is: called again while `busy`."""
        ...

    def close(self) -> None: ...


class Transport(Protocol):
    """How mail leaves. `batch` messages at most have a durable intent and no recorded reply on one connection."""

    name: str
    connections: int
    batch: int

    def open(self) -> Session:
        """Raises TransportDown: the peer is not there, its certificate is wrong, the password is refused."""
        ...


class Engine(Protocol):
    """Who else sends while this process does: nobody, processes of this machine, or workers of many."""

    @property
    def worth_counting(self) -> int:
        """How many due deliveries make a difference to `start`; 0: none."""
        ...

    def start(self, due: int) -> "Helping": ...


class Helping(Protocol):
    def wait(self) -> bool:
        """Until they have ended. Whether one died, so that what it held must be taken back."""
        ...


class Alone:
    """The Engine of a process that sends by itself."""

    worth_counting = 0

    def start(self, due: int) -> "Alone":
        return self

    def wait(self) -> bool:
        return False


class Watch(Protocol):
    """Told what happens, for a person who looks on. `done` of `total` when a number is known."""

    def __call__(self, stage: str, what: str, done: int = 0, total: int | None = None) -> None: ...


def nobody(stage: str, what: str, done: int = 0, total: int | None = None) -> None:
    """The Watch of a service that nobody looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    settings: Settings
    db: Database
    clock: Clock
    fetcher: Fetcher
    transport: Transport
    keyring: Keyring  # link and return-path tokens
    suppression_key: SuppressionKey
    nonce_secret: bytes  # marks per-reader values in renderings
    session_key: bytes  # staff sessions
    signers: Signers  # of our domains that have a DKIM key
    design_folders: tuple[Path, ...]
    watch: Watch = nobody
    engine: Engine = field(default_factory=Alone)
    looks: Looks = field(default_factory=Looks)  # what was found behind links lately
    limits: Limits = field(default_factory=Limits)  # how often strangers asked lately
    stopping: threading.Event = field(default_factory=threading.Event)  # set: finish what is in flight, claim nothing

    def url(self, path: str) -> str:
        """An absolute URL of our own pages. `path` begins with a slash."""
        return self.settings.base_url + path
