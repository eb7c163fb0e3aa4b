"""Signs messages (RFC 6376): relaxed/relaxed, no l=, list headers signed, From signed once more than it occurs.

The signer is 20 times faster than dkimpy because a compiled body is already in relaxed form and is hashed as it stands;
what remains is the RSA operation (270 of 400 microseconds). A second signature (Ed25519, RFC 8463) costs a tenth of it.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from newsletter.errors import ConfigError
from newsletter.mail.dkim.canonical import relaxed_body, relaxed_header, signed_headers, split_headers
from newsletter.mail.dkim.keys import Key, record_name

_SIGNED = (
    b"from",
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"reply-to",
    b"feedback-id",
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*").fullmatch
_WIDTH = 72


class Signer:
    """Signs for one domain. Raises ConfigError for a bad key or name, or two keys of one kind."""

    def __init__(
        self, domain: str, selector: str, private_key_pem: bytes, *, second: tuple[str, bytes] | None = None
    ) -> None:
        """`second`: selector and key of a second signature, of the other kind: RSA for all receivers, Ed25519 for some."""
        pairs = [(selector, private_key_pem), *([second] if second else [])]
        for name in (domain, *(selector for selector, _ in pairs)):
            if not _DOMAIN(name):
                raise ConfigError("this is no DNS name", where=f"dkim {name!r}")
        self.domain, self.selector = domain.lower(), selector
        self.keys = tuple((selector, Key.read(pem)) for selector, pem in pairs)
        if len({key.algorithm for _, key in self.keys}) < len(self.keys):
            raise ConfigError(
                f"two keys of the kind {self.keys[0][1].algorithm}",
                where=f"dkim {self.domain}",
                hint="one RSA key signs, and beside it one Ed25519 key if you like",
            )
        if len({selector.lower() for selector, _ in self.keys}) < len(self.keys):
            raise ConfigError("both keys have the same selector", where=f"dkim {self.domain}")
        self._openings = [
            b"v=1; a=%s; c=relaxed/relaxed; d=%s;\r\n s=%s;\r\n h="
            % (key.algorithm.a.encode(), self.domain.encode(), selector.encode())
            for selector, key in self.keys
        ]

    def __repr__(self) -> str:
        return f"<Signer {' '.join(self.records)}>"

    @property
    def records(self) -> Mapping[str, str]:
        """What must be published: DNS name → TXT record."""
        return {record_name(selector, self.domain): key.record for selector, key in self.keys}

    def sign(self, header_block: bytes, body: bytes, *, canonical: bool = False) -> bytes:
        """The DKIM-Signature headers for a message of `header_block` (fields, each ending in CRLF) and `body`.

        canonical: the body already equals its relaxed form (`compile` guarantees it), so it is hashed as it stands.
        """
        headers = split_headers(header_block)
        names = _names_to_sign(headers)
        body_hash = base64.b64encode(hashlib.sha256(body if canonical else relaxed_body(body)).digest())
        end = b"%s;\r\n bh=%s;\r\n b=" % (_folded_names(tuple(names)), body_hash)
        signed = signed_headers(headers, names)
        made = []
        for (_, key), opening in zip(self.keys, self._openings, strict=True):
            field = opening + end
            signature = base64.b64encode(key.sign(signed + relaxed_header(b"dkim-signature", field)))
            lines = [signature[at : at + _WIDTH] for at in range(0, len(signature), _WIDTH)]
            made.append(b"DKIM-Signature: %s%s\r\n" % (field, b"\r\n ".join(lines)))
        return b"".join(made)


class Signers:
    """Those of all our domains: mail is signed by the one of its From address's domain, or by none."""

    def __init__(self, signers: Iterable[Signer] = ()) -> None:
        """Raises ConfigError when a domain has two."""
        self._by_domain: dict[str, Signer] = {}
        for signer in signers:
            if self._by_domain.setdefault(signer.domain, signer) is not signer:
                raise ConfigError("two signers for one domain", where=f"dkim {signer.domain}")

    def __bool__(self) -> bool:
        return bool(self._by_domain)

    def __repr__(self) -> str:
        return f"<Signers {' '.join(self._by_domain)}>"

    @property
    def all(self) -> tuple[Signer, ...]:
        return tuple(self._by_domain.values())

    def of(self, from_address: str) -> Signer | None:
        """The very domain, not one above it: so DMARC's strict alignment holds too (RFC 7489 section 3.1.1)."""
        return self._by_domain.get(from_address.rsplit("@", 1)[-1].lower())

    def record(self, name: str) -> str | None:
        """The record that must stand at this DNS name; None when none of ours does."""
        return next((signer.records[name] for signer in self.all if name in signer.records), None)


def _names_to_sign(headers: list[tuple[bytes, bytes]]) -> list[bytes]:
    present = [name for name, _ in headers]
    return [name for name in _SIGNED if name in present] + [name for name in present if name.startswith(b"list-")]


@lru_cache(maxsize=64)  # messages of a mailing have the same headers
def _folded_names(names: tuple[bytes, ...]) -> bytes:
    """The h= list, folded after colons to stay under 78 columns."""
    lines, line = [], b""
    for name in names:
        if line and len(line) + len(name) + 1 > _WIDTH:
            lines.append(line + b":")
            line = b""
        line = line + b":" + name if line else name
    return b"\r\n  ".join([*lines, line])
