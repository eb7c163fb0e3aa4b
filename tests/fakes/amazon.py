"""Amazon SNS on loopback: its signing certificate over TLS, the certificate above it over plain HTTP, and its confirmations."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tests.fakes.certificates import Authority
from tests.fakes.loopback import Loopback

HOST, ISSUER = "sns.eu-west-1.amazonaws.com", "crt.thu1.amazontrust.com"
CERTIFICATE, CONFIRM = "/cert.pem", "/?Action=ConfirmSubscription"


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Chain:
    """A root, a certificate below it, and below that the one that signs: `leaf` PEM and `key`. Times are around `at`."""

    def __init__(self, at: datetime, *names: str, days: float = 9, issuer: str = f"http://{ISSUER}/thu1.cer") -> None:
        self.at = at
        root, middle = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.key = _signing_key()
        self.root = self._issued("Thu root", "Thu root", root, root, days=900, authority=True)
        self.middle = self._issued("Thu 1", "Thu root", middle, root, days=90, authority=True)
        leaf = self._issued(
            "sns", "Thu 1", self.key, middle, days=days, names=names or ("sns.amazonaws.com",), issuer=issuer
        )
        self.leaf = leaf.public_bytes(serialization.Encoding.PEM)

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def _issued(
        self,
        subject: str,
        above: str,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey,
        *,
        days: float,
        authority: bool = False,
        names: tuple[str, ...] = (),
        issuer: str = "",
    ) -> x509.Certificate:
        built = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, above)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.at - timedelta(days=30))
            .not_valid_after(self.at + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            built = built.add_extension(usage, critical=True)
        if names:
            built = built.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
        if issuer:
            where = x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuer)
            )
            built = built.add_extension(x509.AuthorityInformationAccess([where]), critical=False)
        return built.sign(signer, hashes.SHA256())


class Site(Loopback):
    """`pages`: path → body; `asked`: paths in order."""

    def __init__(self, pages: dict[str, bytes], **more: object) -> None:
        self.pages, self.asked = pages, list[str]()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.pages.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        super().__init__(Handler, **more)  # type: ignore[arg-type]


@contextmanager
def amazon(chain: Chain, authority: Authority, folder: Path) -> Iterator[tuple[Site, Site, dict[str, object]]]:
    """The two sites, and the settings of [fetch] that lead there and trust the chain's root."""
    roots = folder / "roots.pem"
    roots.write_bytes(authority.ca_file.read_bytes() + chain.root_pem)
    middle = chain.middle.public_bytes(serialization.Encoding.DER)
    with (
        Site({CERTIFICATE: chain.leaf, CONFIRM: b"<ok/>"}, tls=authority.server(HOST)) as sns,
        Site({"/thu1.cer": middle}) as issuers,
    ):
        yield sns, issuers, {"ca_file": roots, "resolve": {HOST: sns.at, ISSUER: issuers.at}}
