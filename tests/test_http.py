"""The HTTP client against real loopback servers: what it dials, how much it takes, and what it says when it stops."""

import gzip
import ipaddress
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from newsletter.errors import ConfigError, FetchRefused, SourceError, TransportDown, Unreadable
from newsletter.http import Fetcher, Limits, Uncertain, is_public, retry_after, shown

Answer = Callable[[socket.socket, bytes], None]


class Server:
    """Accepts connections in a thread and lets `answer` speak; remembers each request it read."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer, self._context = answer, context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            line.settimeout(5)
            if self._context:
                with self._context.wrap_socket(line, server_side=True) as secure:
                    self._speak(secure)
            else:
                self._speak(line)

    def _speak(self, line: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = line.recv(65536)
            if not piece:
                return
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += line.recv(65536)
        request = head + b"\r\n\r\n" + body
        self.requests.append(request)
        self._answer(line, request)

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Answer, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(answer, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def fetcher() -> Iterator[Callable[..., Fetcher]]:
    made: list[Fetcher] = []

    def make(server: Server | None = None, **options: object) -> Fetcher:
        resolve = {"vien.example": server.address} if server else {}
        made.append(Fetcher(user_agent="test/1", **{"resolve": resolve, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def reply(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> Answer:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")
    return lambda line, _request: line.sendall(head + body)


def path_of(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


# ---------------------------------------------------------------- the guard


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://10.0.0.1/",
        "http://192.168.1.1:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "https://224.0.0.1/",
    ],
)
def test_private_addresses_are_refused_however_they_are_spelled(fetcher: Callable[..., Fetcher], url: str) -> None:
    with pytest.raises(FetchRefused, match="not public"):
        fetcher().get(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "only http"),
        ("gopher://vien.example/", "only http"),
        ("//vien.example/", "bare path"),
        ("http://me:secret@vien.example/", "user name"),
        ("http://vien.example\\@127.0.0.1/", "host name"),
        ("http:///path", "host name"),
        ("http://[::1/", "not a usable URL"),
        ("http://0177.0.0.1/", "not a usable URL"),
        ("http://1.1.1.1:22/", "port 22"),
        ("http://1.1.1.1:25/", "port 25"),
    ],
)
def test_urls_of_another_form_are_refused(fetcher: Callable[..., Fetcher], url: str, reason: str) -> None:
    with pytest.raises(FetchRefused, match=reason) as caught:
        fetcher().get(url)
    assert "secret" not in str(caught.value)


def test_one_private_answer_refuses_the_whole_name(fetcher: Callable[..., Fetcher]) -> None:
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "10.0.0.7"]

    with pytest.raises(FetchRefused, match="not public"):
        fetcher(lookup=lookup).get("https://mixed.example/feed")
    assert asked == ["mixed.example"]


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "93.184.215.14"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["::7f00:1", "5f00::1", "192.88.99.1", "ff02::1", "fec0::1", "2001::1", "0.0.0.0"])
def test_tunnels_and_retired_ranges_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_redirect_to_the_metadata_service_is_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    server = serve(reply(status="302 Found", headers="Location: http://169.254.169.254/latest/\r\n"))
    with pytest.raises(FetchRefused, match="not public"):
        fetcher(server).get("http://vien.example/")


def test_a_mapping_that_is_no_endpoint_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="ADDRESS:PORT"):
        Fetcher(user_agent="test/1", resolve={"vien.example": "somewhere"})


def test_environment_proxies_are_not_used(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(reply(b"proxy")), serve(reply(b"origin"))
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("ALL_PROXY", f"http://{proxy.address}")
    assert fetcher(server).get("http://vien.example/").body == b"origin"
    assert proxy.requests == []


# ---------------------------------------------------------------- bodies


def test_a_gzip_bomb_is_refused_before_it_grows(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < 100_000
    server = serve(reply(bomb, headers="Content-Encoding: gzip\r\n"))
    with pytest.raises(FetchRefused, match="larger than 10 MB when unpacked"):
        fetcher(server).get("http://vien.example/")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", "compress"])
def test_packings_nobody_asked_for_are_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], encoding: str
) -> None:
    server = serve(reply(b"\x0b\x02\x80hello\x03", headers=f"Content-Encoding: {encoding}\r\n"))
    with pytest.raises(Unreadable, match="not asked for"):
        fetcher(server).get("http://vien.example/")
    assert b"Accept-Encoding: gzip, deflate\r\n" in server.requests[0]


def _raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"Xin ch\xc3\xa0o")),
        ("gzip", gzip.compress(b"Xin ") + gzip.compress(b"ch\xc3\xa0o")),
        ("x-gzip", gzip.compress(b"Xin ch\xc3\xa0o") + bytes(8)),
        ("deflate", zlib.compress(b"Xin ch\xc3\xa0o")),
        ("deflate", _raw_deflate(b"Xin ch\xc3\xa0o")),
        ("identity", b"Xin ch\xc3\xa0o"),
    ],
    ids=["gzip", "two members", "padded", "deflate", "raw deflate", "identity"],
)
def test_every_honest_packing_is_unpacked(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], encoding: str, body: bytes
) -> None:
    server = serve(reply(body, headers=f"Content-Encoding: {encoding}\r\nContent-Type: text/plain; charset=UTF-8\r\n"))
    found = fetcher(server).get("http://vien.example/")
    assert (found.body.decode(), found.content_type, found.charset) == ("Xin chào", "text/plain", "UTF-8")


@pytest.mark.parametrize("body", [gzip.compress(b"x" * 5000)[:-6], b"\x1f\x8bnonsense", b"plain text"], ids=range(3))
def test_a_broken_gzip_answer_says_so(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], body: bytes
) -> None:
    server = serve(reply(body, headers="Content-Encoding: gzip\r\n"))
    with pytest.raises(Unreadable, match="gzip packing of the answer"):
        fetcher(server).get("http://vien.example/")


def test_an_endless_body_stops_at_the_wire_limit(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    def endless(line: socket.socket, _request: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")

    with pytest.raises(FetchRefused, match="larger than 1 MB"):
        fetcher(serve(endless), limits=Limits(wire=1 << 20)).get("http://vien.example/")


def test_a_body_larger_than_the_caller_allows_is_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    with pytest.raises(FetchRefused, match="larger"):
        fetcher(serve(reply(bytes(2000)))).get("http://vien.example/", max_body=1000)


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "]
)
def test_a_slow_drip_ends_with_the_total_time(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], start: bytes
) -> None:
    def drip(line: socket.socket, _request: bytes) -> None:
        line.sendall(start)
        while not server.closing.wait(0.05):
            line.sendall(b"x")

    server = serve(drip)
    with pytest.raises(SourceError, match="too long in all"):
        fetcher(server, limits=Limits(total=0.4, read=0.3)).get("http://vien.example/")


def test_silence_ends_with_the_read_time(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    server = serve(_silent)
    with pytest.raises(SourceError, match="no answer in time"):
        fetcher(server, limits=Limits(read=0.1)).get("http://vien.example/")


def test_a_slow_name_server_does_not_hold_the_fetch(fetcher: Callable[..., Fetcher]) -> None:
    release = threading.Event()

    def lookup(host: str, port: int) -> list[str]:
        release.wait(5)
        return ["1.1.1.1"]

    try:
        with pytest.raises(SourceError, match="no answer in time"):
            fetcher(lookup=lookup, limits=Limits(connect=0.1)).get("http://slow.example/")
    finally:
        release.set()


@pytest.mark.parametrize(
    "raw",
    [
        b"not http at all\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nBad header\r\n\r\n",
    ],
)
def test_a_broken_answer_is_one_clear_error(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], raw: bytes
) -> None:
    with pytest.raises(Unreadable, match="broken") as caught:
        fetcher(serve(lambda line, _request: line.sendall(raw))).get("http://vien.example/a?key=secret")
    assert str(caught.value).startswith("http://vien.example/a?…: ")
    assert "secret" not in str(caught.value)


def test_a_closed_port_and_an_unknown_name_are_source_errors(fetcher: Callable[..., Fetcher]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceError, match="cannot connect"):
        fetcher(resolve={"vien.example": f"127.0.0.1:{port}"}).get("http://vien.example/")

    def lookup(host: str, port: int) -> list[str]:
        raise socket.gaierror("Name or service not known")

    with pytest.raises(SourceError, match="name not found"):
        fetcher(lookup=lookup).get("http://nowhere.example/")


# ---------------------------------------------------------------- redirects, conditions, statuses


def test_redirects_are_followed_and_permanent_ones_reported(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    def hops(line: socket.socket, request: bytes) -> None:
        path = path_of(request)
        target = {"/old": ("301 Moved Permanently", "/newer"), "/newer": ("308 Permanent Redirect", "new?a=1")}
        target |= {"/mixed": ("301 Moved Permanently", "/for-now"), "/for-now": ("302 Found", "/new?a=1")}
        if path in target:
            reply(status=target[path][0], headers=f"Location: {target[path][1]}\r\n")(line, request)
        else:
            reply(b"here")(line, request)

    client = fetcher(serve(hops))
    moved = client.get("http://vien.example/old")
    assert (moved.url, moved.moved, moved.body) == (
        "http://vien.example/new?a=1",
        "http://vien.example/new?a=1",
        b"here",
    )
    mixed = client.get("http://vien.example/mixed")
    assert (mixed.url, mixed.moved) == ("http://vien.example/new?a=1", None)
    assert client.get("http://vien.example/new").moved is None


def test_a_redirect_circle_and_a_long_chain_end(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    def circle(line: socket.socket, request: bytes) -> None:
        target = "/b" if path_of(request) == "/a" else "/a"
        reply(status="302 Found", headers=f"Location: {target}\r\n")(line, request)

    def chain(line: socket.socket, request: bytes) -> None:
        reply(status="302 Found", headers=f"Location: {path_of(request)}x\r\n")(line, request)

    with pytest.raises(FetchRefused, match="circle"):
        fetcher(serve(circle)).get("http://vien.example/a")
    server = serve(chain)
    with pytest.raises(FetchRefused, match="more than 5 redirects"):
        fetcher(server).get("http://vien.example/a")
    assert len(server.requests) == 6


def test_validators_come_back_byte_for_byte_and_give_a_304(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    tag, day = 'W/"b\xe9-1"', "Tue, 02 Jan 2024 08:30:00 GMT"

    def answer(line: socket.socket, request: bytes) -> None:
        if b"If-None-Match: " in request:
            reply(status="304 Not Modified")(line, request)
        else:
            reply(b"feed", headers=f"ETag: {tag}\r\nLast-Modified: {day}\r\n")(line, request)

    server = serve(answer)
    client = fetcher(server)
    first = client.get("http://vien.example/feed")
    again = client.get("http://vien.example/feed", etag=first.etag, last_modified=first.last_modified)
    assert (again.not_modified, again.body) == (True, b"")
    assert f"If-None-Match: {tag}\r\n".encode("latin-1") in server.requests[1]
    assert f"If-Modified-Since: {day}\r\n".encode() in server.requests[1]


def test_validators_go_only_to_the_url_they_belong_to(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    def answer(line: socket.socket, request: bytes) -> None:
        if path_of(request) == "/feed":
            reply(status="302 Found", headers="Location: /real\r\n")(line, request)
        else:
            reply(b"feed" if b"If-None-Match" not in request else b"", status="200 OK")(line, request)

    server = serve(answer)
    client = fetcher(server)
    assert client.get("http://vien.example/feed", etag='"1"').body == b"feed"
    client.get("http://vien.example/feed", etag='"2"', validators_url="http://vien.example/real")
    assert [b"If-None-Match" in request for request in server.requests] == [True, False, False, True]


def test_a_304_nobody_asked_for_is_an_error(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    with pytest.raises(Unreadable, match="304"):
        fetcher(serve(reply(status="304 Not Modified"))).get("http://vien.example/")


@pytest.mark.parametrize(
    ("status", "header", "seconds"), [("429 Too Many Requests", "120", 120), ("404 Not Found", "", None)]
)
def test_an_error_status_carries_its_number_and_the_wait(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], status: str, header: str, seconds: float | None
) -> None:
    server = serve(reply(b"no", status=status, headers=f"Retry-After: {header}\r\n" if header else ""))
    with pytest.raises(SourceError, match=f"answered {status}") as caught:
        fetcher(server).get("http://vien.example/")
    assert (caught.value.status, caught.value.retry_after) == (int(status[:3]), seconds)


def test_retry_after_reads_seconds_and_dates_and_nothing_else() -> None:
    assert retry_after("90") == 90
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert 3500 < (retry_after(later) or 0) <= 3600
    assert retry_after("Tue, 02 Jan 2024 08:30:00 GMT") == 0
    assert [retry_after(value) for value in (None, "", "-5", "soon", "1e9")] == [None] * 5


def test_shown_urls_carry_no_secrets() -> None:
    assert shown("https://u:p@vien.example/a?token=1#x") == "https://vien.example/a?…"


# ---------------------------------------------------------------- TLS and the mapping


def _certified(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority's PEM file and a server context for `host` signed by it."""
    now = datetime.now(UTC)

    def build(
        name: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            return builder.add_extension(usage, critical=True).sign(signer, hashes.SHA256())
        return builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(
            signer, hashes.SHA256()
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = build("Test root", "Test root", ca_key, ca_key, ca=True)
    leaf = build(host, "Test root", key, ca_key, ca=False)
    ca_file, chain = folder / "root.pem", folder / "chain.pem"
    ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return ca_file, context


def test_the_mapping_serves_https_under_the_urls_own_name(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], tmp_path: Path
) -> None:
    ca_file, context = _certified(tmp_path, "vien.example")
    server = serve(reply(b"secure"), context)
    found = fetcher(server, ca_file=ca_file).get("https://vien.example/a")
    assert (found.body, found.url) == (b"secure", "https://vien.example/a")
    assert b"Host: vien.example\r\n" in server.requests[0]


def test_a_certificate_for_another_name_or_of_an_unknown_root_is_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], tmp_path: Path
) -> None:
    ca_file, context = _certified(tmp_path, "other.example")
    server = serve(reply(b"secure"), context)
    with pytest.raises(SourceError, match="certificate"):
        fetcher(server, ca_file=ca_file).get("https://vien.example/")
    with pytest.raises(SourceError, match="certificate"):
        fetcher(server).get("https://vien.example/")
    assert server.requests == []


def test_an_unreadable_trust_root_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("not a certificate")
    with pytest.raises(ConfigError, match="certificate"):
        Fetcher(user_agent="test/1", ca_file=tmp_path / "root.pem")


# ---------------------------------------------------------------- posting


def test_post_json_gives_back_the_whole_answer_whatever_its_status(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    server = serve(reply(b'{"ErrorCode": 406}', status="422 Unprocessable", headers="Retry-After: 7\r\nX-Id: 9\r\n"))
    found = fetcher(server).post_json(
        "http://vien.example/email", {"Subject": "Chào"}, headers={"X-Token": "t"}, timeout=5, idempotency_key="k-1"
    )
    assert (found.status, found.json, found.retry_after, found.headers["x-id"]) == (422, {"ErrorCode": 406}, 7, "9")
    assert b"Idempotency-Key: k-1\r\n" in server.requests[0]
    assert b"X-Token: t\r\n" in server.requests[0]
    assert server.requests[0].endswith('{"Subject":"Chào"}'.encode())


def test_an_answer_that_is_not_json_keeps_its_text(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    found = fetcher(serve(reply(b"<h1>busy</h1>", status="503 Busy"))).post_json(
        "http://vien.example/", {}, headers={}, timeout=5
    )
    assert (found.status, found.json, found.text) == (503, None, "<h1>busy</h1>")


def test_nothing_was_sent_when_the_connection_failed(fetcher: Callable[..., Fetcher]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = fetcher(resolve={"api.example": f"127.0.0.1:{port}"})
    with pytest.raises(TransportDown, match="cannot connect"):
        client.post_json("http://api.example/", {}, headers={}, timeout=5)
    with pytest.raises(TransportDown, match="not public"):
        client.post_json("http://127.0.0.1/", {}, headers={}, timeout=5)


def test_nothing_was_sent_when_tls_failed(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], tmp_path: Path
) -> None:
    _, context = _certified(tmp_path, "vien.example")
    server = serve(reply(b"{}"), context)
    with pytest.raises(TransportDown, match="certificate"):
        fetcher(server).post_json("https://vien.example/", {}, headers={}, timeout=5)
    assert server.requests == []


def _silent(line: socket.socket, _request: bytes) -> None:
    with suppress(OSError):
        line.recv(1)  # until the client gives up


@pytest.mark.parametrize(
    "answer",
    [
        _silent,
        lambda line, _request: line.close(),
        lambda line, _request: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        lambda line, _request: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"),
    ],
    ids=["silence", "closed", "half an answer", "unreadable answer"],
)
def test_a_line_that_breaks_after_the_request_left_is_uncertain(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], answer: Answer
) -> None:
    server = serve(answer)
    with pytest.raises(Uncertain):
        fetcher(server).post_json("http://vien.example/", {"a": 1}, headers={}, timeout=0.5)
    assert len(server.requests) == 1


def test_threads_share_one_client_and_keep_their_own_time(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    def answer(line: socket.socket, request: bytes) -> None:
        if path_of(request) == "/slow":
            server.closing.wait(1.5)
        reply(path_of(request).encode())(line, request)

    server = serve(answer)
    client = fetcher(server, limits=Limits(total=0.6))
    results: dict[str, object] = {}

    def get(path: str) -> None:
        try:
            results[path] = client.get(f"http://vien.example{path}").body
        except SourceError as error:
            results[path] = error.what

    threads = [threading.Thread(target=get, args=(path,)) for path in ("/slow", "/1", "/2", "/3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"/slow": "it took too long in all", "/1": b"/1", "/2": b"/2", "/3": b"/3"}


def test_no_cookie_is_kept(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    server = serve(reply(b"x", headers="Set-Cookie: id=1; Path=/\r\n"))
    client = fetcher(server)
    client.get("http://vien.example/")
    client.get("http://vien.example/")
    assert b"Cookie" not in server.requests[1]


def test_the_literal_check_agrees_with_the_standard_library_on_private_ranges() -> None:
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8"):
        assert not is_public(str(ipaddress.ip_network(net)[5]))
