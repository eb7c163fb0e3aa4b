"""dkimpy as a judge of Ed25519 signatures without PyNaCl: its own parsing, and only the curve's arithmetic from cryptography."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class _VerifyKey:
    def __init__(self, key: bytes, *, encoder: object) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

    def verify(self, digest: bytes, signature: bytes) -> None:
        self._key.verify(signature, digest)


class _SigningKey:
    """Signs for the benchmark; `key`: base64 of the 32 octets."""

    def __init__(self, key: bytes, *, encoder: object) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key))

    def sign(self, digest: bytes) -> Any:
        return SimpleNamespace(signature=self._key.sign(digest))


@contextmanager
def curve() -> Iterator[None]:
    """While it lasts dkimpy knows Ed25519."""
    nacl = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=_VerifyKey, SigningKey=_SigningKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
    )
    before = dkim.__dict__.get("nacl")
    dkim.__dict__["nacl"] = nacl
    try:
        yield
    finally:
        if before is None:
            del dkim.__dict__["nacl"]
        else:
            dkim.__dict__["nacl"] = before


def judged(raw: bytes, look_up: Callable[[str], str | None]) -> list[bool]:
    """What dkimpy says of each signature, from the topmost down; `look_up`: DNS name without its last dot → record."""

    def ask(name: bytes, timeout: int = 5) -> bytes | None:
        found = look_up(name.decode().rstrip("."))
        return None if found is None else found.encode()

    judge = dkim.DKIM(raw)
    count = sum(name.lower() == b"dkim-signature" for name, _ in judge.headers)
    with curve():
        return [bool(judge.verify(idx=at, dnsfunc=ask)) for at in range(count)]
