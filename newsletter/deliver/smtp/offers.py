"""What a relay says it can do, from its answer to EHLO, and how many messages that lets us have on the way. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

CHUNKED = 8  # messages with a durable intent and no recorded reply on one connection: the ledger's windows
PIPED = 2
LOCK_STEP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The extensions that matter here. `size`: the largest message in octets; None: it names none (RFC 1870)."""

    pipelining: bool = False  # RFC 2920
    chunking: bool = False  # RFC 3030
    eight_bit: bool = False  # RFC 6152
    smtputf8: bool = False  # RFC 6531
    starttls: bool = False  # RFC 3207
    has_size: bool = False
    size: int | None = None
    auth: tuple[str, ...] = ()  # RFC 4954: mechanisms in upper case

    @property
    def window(self) -> int:
        if self.pipelining and self.chunking:
            return CHUNKED
        return PIPED if self.pipelining else LOCK_STEP

    def told(self) -> str:
        """For a person: the names of what is offered, and what comes of it."""
        names = (
            ("PIPELINING", self.pipelining),
            ("CHUNKING", self.chunking),
            ("8BITMIME", self.eight_bit),
            ("SMTPUTF8", self.smtputf8),
            (f"SIZE {self.size}" if self.size else "SIZE", self.has_size),
        )
        found = ", ".join(name for name, there in names if there) or "nothing"
        return f"offers {found}; {self.window} on the way per connection"


def offers_of(lines: Sequence[str], *, pipelining: bool = True, chunking: bool = True) -> Offers:
    """Read the lines of an EHLO reply, the first (a greeting) included. The switches forbid what is offered."""
    said: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, *words = line.replace("=", " ", 1).upper().split() or [""]  # "AUTH=LOGIN" is from before RFC 4954
        said.setdefault(name, []).extend(words)
    size = next((int(word) for word in said.get("SIZE", ()) if word.isascii() and word.isdigit()), 0)
    return Offers(
        pipelining=pipelining and "PIPELINING" in said,
        chunking=chunking and "CHUNKING" in said,
        eight_bit="8BITMIME" in said,
        smtputf8="SMTPUTF8" in said,
        starttls="STARTTLS" in said,
        has_size="SIZE" in said,
        size=size or None,  # 0: no fixed limit
        auth=tuple(dict.fromkeys(said.get("AUTH", ()))),
    )
