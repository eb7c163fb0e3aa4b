"""Fetching from honest servers: packings, redirects, validators, statuses, TLS."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.errors import ConfigError, SourceError
from newsletter.http import Fetcher, Limits, retry_after, shown
from newsletter.http.headers import fresh_for
from tests.fakes.certificates import Authority
from tests.fakes.rawserver import Server, path_of, reply


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


def test_a_closed_port_and_an_unknown_name_are_source_errors(fetcher: Callable[..., Fetcher]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceError, match="cannot connect"):
        fetcher(resolve={"vien.example": f"127.0.0.1:{port}"}).get("http://vien.example/")

    def lookup(host: str, port: int) -> list[str]:
        raise socket.gaierror("Name or service not known")

    with pytest.raises(SourceError, match="name not found"):
        fetcher(lookup=lookup).get("http://nowhere.example/")


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


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": 'public, MAX-AGE="600", must-revalidate', "age": "100"}, 500),
        ({"cache-control": "max-age=600", "age": "9999"}, 0),
        ({"cache-control": "s-maxage=600"}, 0),  # for shared caches
        ({"cache-control": "no-cache, max-age=600"}, 0),
        ({"cache-control": "no-store"}, 0),
        ({"cache-control": "max-age=-1"}, 0),
        ({"expires": "Tue, 02 Jan 2024 09:30:00 GMT", "date": "Tue, 02 Jan 2024 08:30:00 GMT"}, 3600),
        ({"expires": "Tue, 02 Jan 2024 07:30:00 GMT", "date": "Tue, 02 Jan 2024 08:30:00 GMT"}, 0),
        ({"expires": "0"}, 0),
        ({"expires": "Tue, 02 Jan 2024 09:30:00 GMT"}, 0),  # long ago
        ({"expires": "99 Foo 99999999999", "cache-control": "max-age=x"}, 0),
    ],
)
def test_how_long_an_answer_may_be_kept(headers: dict[str, str], seconds: float) -> None:
    assert fresh_for(headers) == seconds


def test_an_answer_says_how_long_it_may_be_kept_also_with_a_304(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    server = serve(reply(status="304 Not Modified", headers="Cache-Control: max-age=7200\r\n"))
    assert fetcher(server).get("http://vien.example/", etag='"1"').fresh_for == 7200


def test_shown_urls_carry_no_secrets() -> None:
    assert shown("https://u:p@vien.example/a?token=1#x") == "https://vien.example/a?…"


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


def test_the_mapping_serves_https_under_the_urls_own_name(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], authority: Authority
) -> None:
    ca_file, context = authority.ca_file, authority.server("vien.example")
    server = serve(reply(b"secure"), context)
    found = fetcher(server, ca_file=ca_file).get("https://vien.example/a")
    assert (found.body, found.url) == (b"secure", "https://vien.example/a")
    assert b"Host: vien.example\r\n" in server.requests[0]


def test_a_certificate_for_another_name_or_of_an_unknown_root_is_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], authority: Authority
) -> None:
    ca_file, context = authority.ca_file, authority.server("other.example")
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
