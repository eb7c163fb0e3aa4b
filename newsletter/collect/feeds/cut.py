"""A feed's bytes cut at its entries, so that those known since the last reading are neither decoded nor parsed. Pure.

Hashing a feed of 100 kB takes 0.2 ms where decoding and parsing it takes 2. Only the plainest layout is cut: entries of
one spelling, one behind the other, nothing but white space between them. Must never cut where a tag stands in a comment
or CDATA section: there a piece does not end with its closing tag, and the feed is not cut at all.
"""

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass

_FIRST = re.compile(rb"<(item|entry)[ >]")
_HEAD = 65_536  # bytes within which the first entry begins
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """`head` + `entries` + `tail`, with white space where it stood, are the feed's bytes."""

    head: bytes
    entries: tuple[bytes, ...]
    tail: bytes

    def prints(self, around: bytes) -> tuple[str, ...]:
        """For each entry 16 hex digits that stay the same exactly as long as its bytes do, and `around`: what it inherits."""
        key = hashlib.blake2b(around, digest_size=16).digest()
        return tuple(hashlib.blake2b(entry, digest_size=8, key=key).hexdigest() for entry in self.entries)

    @property
    def frame(self) -> bytes:
        """The feed without its entries."""
        return self.head + self.tail

    def without(self, seen: Container[str], prints: tuple[str, ...]) -> bytes:
        """The feed with only those entries whose print is not in `seen`."""
        fresh = (entry for entry, print_ in zip(self.entries, prints, strict=True) if print_ not in seen)
        return b"\n".join([self.head, *fresh, self.tail])


def cut(body: bytes) -> Cut | None:
    """The pieces of a feed that is plainly laid out; None for any other."""
    first = _FIRST.search(body, 0, _HEAD)
    if first is None:
        return None
    opening, end = first[0], b"</" + first[1]
    closing = end + b">"
    head, *pieces = body.split(opening)
    last, mark, tail = pieces[-1].partition(closing)
    pieces[-1] = last + mark
    entries = []
    for piece in pieces:
        entry = piece.rstrip(_BLANK)
        if not entry.endswith(closing) or entry.count(end) != 1:
            return None
        entries.append(opening + entry)
    return None if end in tail else Cut(head=head, entries=tuple(entries), tail=tail)
