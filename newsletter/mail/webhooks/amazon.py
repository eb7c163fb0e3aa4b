"""Is a signing certificate Amazon SNS's own? Its chain, time and name are checked; that it lay at Amazon's address is not enough.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Pure: whoever calls fetches the certificate, and
those of its issuers, which it names itself (RFC 5280 section 4.2.2.1). Revocation is not asked about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from newsletter.mail.webhooks.event import Refused

ROOT = "Amazon"  # the organisation whose roots stand above SNS's certificates (amazontrust.com/repository)
_HOST = re.compile(r"sns\.([a-z0-9-]{3,40})\.(amazonaws\.com(?:\.cn)?)").fullmatch
_ISSUER = re.compile(r"http://crt\.[a-z0-9-]{1,40}\.amazontrust\.com/[A-Za-z0-9._-]{1,80}").fullmatch
_GOV = "sns-us-gov-west-1.amazonaws.com"  # of all its regions
MOST_CERTIFICATES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A certificate that stood every check at the time it was looked at. `until`: when it, or one above it, ends."""

    pem: bytes
    until: datetime


def read_chain(pem: bytes) -> list[x509.Certificate]:
    """The certificate and those that came with it. Raises Refused."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise Refused("what lies at Amazon's address is no certificate") from None
    if len(found) > MOST_CERTIFICATES:
        raise Refused("too many certificates came at once")
    return found


def read_issuer(octets: bytes) -> x509.Certificate:
    """An issuer's certificate as it is published: DER, at times PEM. Raises Refused."""
    try:
        return (
            x509.load_pem_x509_certificate(octets)
            if b"-----" in octets[:64]
            else x509.load_der_x509_certificate(octets)
        )
    except ValueError:
        raise Refused("what lies at the issuer's address is no certificate") from None


def issuer_url(certificate: x509.Certificate) -> str | None:
    """Where the certificate above lies; only Amazon's own. Over http, as such addresses are: its signature is its proof."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    urls = (
        one.access_location.value
        for one in named
        if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
    )
    return next((url for url in urls if _ISSUER(url)), None)


def trusted(chain: Sequence[x509.Certificate], roots: Sequence[bytes], *, host: str, now: datetime) -> Trusted:
    """`chain`: the signing certificate, then others that may stand above it. `roots`: DER. `host`: where it lay.

    Raises Refused when it does not lead to a root, is not valid now, or is not SNS's.
    """
    leaf, *above = chain
    if not isinstance(leaf.public_key(), rsa.RSAPublicKey):
        raise Refused("the certificate of this notification is of another kind")
    anchors = [x509.load_der_x509_certificate(root) for root in roots]
    if not anchors:
        raise Refused("no root of Amazon's is trusted here, so its certificate cannot be verified")
    reason = ""
    for name in _names(host):
        verifier = PolicyBuilder().store(Store(anchors)).time(now).build_server_verifier(x509.DNSName(name))
        try:
            found = verifier.verify(leaf, above)
        except VerificationError as error:
            reason = reason or " ".join(str(error).partition("(encountered")[0].split())
            continue
        until = min(one.not_valid_after_utc for one in found)
        return Trusted(pem=leaf.public_bytes(Encoding.PEM), until=until)
    raise Refused(f"the certificate of this notification is not Amazon SNS's: {reason}"[:300])


def _names(host: str) -> list[str]:
    """What SNS's certificates are issued to: one name for most regions, the region's own for younger and closed ones."""
    found = _HOST(host)
    if found is None:
        return []
    region, end = found.groups()
    regional = [f"sns-signing.{region}.{end}", f"sns-{region}.{end}", host]
    return ["sns.amazonaws.com", *regional, *([_GOV] if region.startswith("us-gov-") else [])]
