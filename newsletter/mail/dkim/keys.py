"""Keys of DKIM: RSA (RFC 6376, RFC 8301) and Ed25519 (RFC 8463), what they publish and what a published record says.

A private key is never shown: a Key prints its kind alone. Reads no file, asks no name server.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from newsletter.errors import BadInput, ConfigError
from newsletter.mail.dkim.canonical import parse_tags

RSA_BITS = 2048  # RFC 8301 section 3.2: at least 1024, should be 2048; 4096 does not fit one UDP answer
LEAST_BITS = 1024

Private = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Public = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class Algorithm(StrEnum):
    """The value is that of k= in the record; `a` is that of a= in the signature."""

    RSA = "rsa"
    ED25519 = "ed25519"

    @property
    def a(self) -> str:
        return f"{self.value}-sha256"


@lru_cache(maxsize=16)  # proving that an RSA key is one takes 40 ms of CPU, and each start asks several times
def _loaded(pem: bytes) -> PrivateKeyTypes:
    return serialization.load_pem_private_key(pem, password=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A private key that signs. `record`: the TXT record of its public half."""

    algorithm: Algorithm
    bits: int
    record: str
    _private: Private = field(repr=False)

    @classmethod
    def read(cls, pem: bytes) -> "Key":
        """Raises ConfigError for what is no PEM key without password of one of the two kinds."""
        try:
            private = _loaded(pem)
        except (ValueError, TypeError) as error:
            raise ConfigError(
                "the DKIM key cannot be read", hint="it must be a PEM private key without password"
            ) from error
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return cls(algorithm=Algorithm.ED25519, bits=256, record=_record(private.public_key()), _private=private)
        if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < LEAST_BITS:
            raise ConfigError(f"the DKIM key is neither an RSA key of at least {LEAST_BITS} bits nor an Ed25519 key")
        record = _record(private.public_key())
        return cls(algorithm=Algorithm.RSA, bits=private.key_size, record=record, _private=private)

    def sign(self, data: bytes) -> bytes:
        """RFC 8463 section 3: Ed25519 signs the SHA-256 digest of what RSA would sign."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(hashlib.sha256(data).digest())
        return self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A key record as receivers read it. `testing`: t=y, by which they treat failures as if unsigned."""

    algorithm: Algorithm
    bits: int
    testing: bool
    public: Public = field(repr=False)

    def holds(self, signature: bytes, data: bytes) -> bool:
        try:
            if isinstance(self.public, ed25519.Ed25519PublicKey):
                self.public.verify(signature, hashlib.sha256(data).digest())
            else:
                self.public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def new_key(algorithm: Algorithm = Algorithm.RSA) -> bytes:
    """A fresh private key, PEM (PKCS 8, not encrypted)."""
    key: Private
    if algorithm is Algorithm.ED25519:
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def dns_record(private_key_pem: bytes) -> str:
    """The TXT record to publish at `record_name`; a zone file splits it at 255 octets."""
    return Key.read(private_key_pem).record


def record_name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"


def zone_text(record: str) -> str:
    """A TXT record as a zone file writes it: quoted strings of at most 255 octets (RFC 1035 section 3.3)."""
    return " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))


def published(record: str) -> Published:
    """What a key record says (RFC 6376 section 3.6.1, RFC 8463 section 4). Raises BadInput with the reason it is unusable."""
    tags = parse_tags(record.encode("latin-1", "replace"))
    if tags.get("v", "DKIM1") != "DKIM1":
        raise BadInput("is no DKIM key record")
    if "p" not in tags:
        raise BadInput("has no p=, so it holds no key")
    if not tags["p"]:
        raise BadInput("is revoked: its p= is empty")
    if "sha256" not in tags.get("h", "sha256").split(":"):
        raise BadInput("does not allow sha256 (h=)")
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        raise BadInput("is not meant for mail (s=)")
    algorithm, bits, public = _public(tags.get("k", "rsa"), tags["p"])
    return Published(algorithm=algorithm, bits=bits, testing="y" in tags.get("t", "").split(":"), public=public)


def _public(kind: str, text: str) -> tuple[Algorithm, int, Public]:
    try:
        octets = base64.b64decode(text, validate=True)
        if kind == Algorithm.ED25519:
            return Algorithm.ED25519, 256, ed25519.Ed25519PublicKey.from_public_bytes(octets)
        if kind == Algorithm.RSA:
            public = serialization.load_der_public_key(octets)
            if isinstance(public, rsa.RSAPublicKey):
                return Algorithm.RSA, public.key_size, public
    except (ValueError, binascii.Error):
        raise BadInput("holds a key that cannot be read; was it cut off or split wrongly?") from None
    raise BadInput(f"holds a key of another kind than k={kind} with which we could sign")


def _record(public: Public) -> str:
    """RFC 8463 section 4.2: the 32 octets of an Ed25519 key stand bare, an RSA key as SubjectPublicKeyInfo."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        octets, kind = public.public_bytes_raw(), Algorithm.ED25519
    else:
        kind = Algorithm.RSA
        octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k={kind}; p=" + base64.b64encode(octets).decode()
