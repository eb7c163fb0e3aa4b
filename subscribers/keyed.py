"""Keyed hashes: how an address is recognised where it must not be stored, and how domains are grouped without naming them.

The key comes from the caller and never changes: with another one, everybody who was suppressed would be unknown.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2s
from typing import NewType

SuppressionKey = NewType("SuppressionKey", bytes)  # 16 to 32 octets, secret, part of the backup

_NATIONAL = "com fr de it es nl be jp co.uk co.jp co.in co.th com.br com.au com.sg com.vn vn ca"
_BIG_RECEIVERS = {  # receiver -> names and suffixes that are its own: one set of rules and limits
    "gmail": ("gmail googlemail", "com"),
    "outlook": ("outlook hotmail live msn", _NATIONAL),
    "yahoo": ("yahoo ymail rocketmail aol", _NATIONAL),
    "icloud": ("icloud me mac", "com"),
    "gmx": ("gmx", "de net com at ch"),
    "proton": ("proton protonmail", "me com ch"),
}
_BY_DOMAIN = {
    f"{name}.{suffix}": receiver
    for receiver, (names, suffixes) in _BIG_RECEIVERS.items()
    for name in names.split()
    for suffix in suffixes.split()
}


def suppression_hash(address_key: str, key: SuppressionKey) -> str:
    """32 hexadecimal digits; equal for every spelling of one address."""
    return next(suppression_hashes([address_key], key))


def suppression_hashes(address_keys: Iterable[str], key: SuppressionKey) -> Iterator[str]:
    """The same of each, in order: a third less work than one by one, because the key is taken in once."""
    keyed = blake2s(key=key, digest_size=16, person=b"suppress")
    for address_key in address_keys:
        hashed = keyed.copy()
        hashed.update(address_key.encode())
        yield hashed.hexdigest()


@lru_cache(maxsize=16_384)
def mail_group(domain: str, key: SuppressionKey) -> str:
    """A big receiver's name ("gmail"), else a keyed hash of the domain ("h-" and 16 digits): what sending limits go by."""
    receiver = _BY_DOMAIN.get(domain)
    if receiver is not None:
        return receiver
    return "h-" + blake2s(domain.encode(), key=key, digest_size=8, person=b"mailgrp").hexdigest()
