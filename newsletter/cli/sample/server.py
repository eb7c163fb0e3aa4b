"""Serves the sample site on loopback over real TLS, for as long as the demo runs.

The certificates come from an authority made for this one run; its key is dropped as soon as it has signed, so that nobody
can ever use the root that the demo's settings trust. Must never listen on anything but loopback.
"""

import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from newsletter.cli.sample import Page

VALID = timedelta(days=7)
SLOWEST = 10  # seconds a silent client may hold a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where it is: `endpoint` is what `[fetch] resolve` maps the host to, `authority` the root to trust (PEM)."""

    endpoint: str
    authority: bytes


@contextmanager
def serving(pages: Mapping[str, Page], host: str) -> Iterator[Served]:
    """`pages` under https://`host`/ on a free port of 127.0.0.1 until the block ends."""
    authority, chain = certificates(host)
    server = _Server(("127.0.0.1", 0), _handler(pages))
    server.context = _context(chain)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sample", daemon=True)
    thread.start()
    try:
        yield Served(endpoint=f"127.0.0.1:{server.server_port}", authority=authority)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Shakes hands in the request's own thread: a client that says nothing holds up nobody."""

    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(SLOWEST)
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            return  # the client hung up or does not trust us: its own error says so


def _handler(pages: Mapping[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = pages.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the demo says what it collects."""

    return Handler


def _context(chain: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:  # made 0700; OpenSSL reads keys from files only
        path = Path(folder) / "server.pem"
        path.write_bytes(chain)
        context.load_cert_chain(path)
    return context


def certificates(host: str) -> tuple[bytes, bytes]:
    """(root certificate, server key and certificate), PEM, valid seven days. The root's key is gone on return."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Newsletter demo, thrown away")])
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)  # signs certificates only
    root = (
        _begun(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host)], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        _begun(name, root_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _pem(root), secret + _pem(certificate)


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ a little
        .not_valid_after(now + VALID)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
