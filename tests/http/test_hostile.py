"""Servers that mean harm, or do it: what the client takes of them and what it says.

The list of hostile cases, and where each is tested (`collect` is tests/collect, the others are beside this file):

| no. | case | test |
|---|---|---|
| 1 | gzip bomb, one member and many (1 GiB) | here; of robots.txt: test_robots |
| 2, 3 | brotli although not asked for; stacked and unknown packings | here |
| 4, 5 | endless chunked body; one byte after another, in head and body | here |
| 6, 7 | endless headers; one header of 500 kB | here |
| 8, 9 | redirect circle; more than five redirects | here |
| 10, 11 | redirect to the metadata service; to file:, gopher:, ftp:, a private name | test_guard |
| 12, 13 | a name that changes its mind between two connections; mixed answers | test_guard |
| 14, 15 | 127.0.0.1 in odd spellings; IPv6, mapped, NAT64, 6to4, zones | test_guard |
| 16, 17 | user names, backslashes, white space; ports that are not the web's | test_guard |
| 18 | Content-Length larger or smaller than the body | here |
| 19 | broken status line, closed socket | here |
| 20 | 304 that nobody asked for | here |
| 21 | another body under the same ETag | collect/test_health |
| 22, 23 | 301 to a parked page, back and forth; 410 once, twice, then 200 | collect/test_health |
| 24 | Retry-After of a year, a date, a negative number | collect/test_health |
| 25 | robots.txt endless, packed bomb, 5xx, redirecting, HTML, for others | test_robots |
| 26 | charset of the header against the declaration against the bytes | collect/test_hostile, collect/text/test_text |
| 48 | lead image of 40 MB: no picture is ever fetched | collect/test_hostile |
| 49 | sitemap index of itself; 50,000 URLs; packed bomb | collect/test_hostile, lists/test_serial, lists/test_sitemap |
| – | names that no server answers: they hold up no other name | test_guard |
| – | all of them at once: each has its reason, the good source its articles | collect/test_hostile |
"""

import gzip
import socket
from collections.abc import Callable

import pytest

from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.http import Fetcher, Limits
from tests.fakes.rawserver import Server, path_of, reply, silent


def test_a_gzip_bomb_is_refused_before_it_grows(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < 100_000
    server = serve(reply(bomb, headers="Content-Encoding: gzip\r\n"))
    with pytest.raises(FetchRefused, match="larger than 10 MB when unpacked"):
        fetcher(server).get("http://vien.example/")


def test_a_bomb_of_many_members_is_refused_before_it_grows(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    bomb = gzip.compress(bytes(1 << 20)) * 1024  # 1 GiB in 1 MB
    with pytest.raises(FetchRefused, match="larger than 10 MB when unpacked"):
        fetcher(serve(reply(bomb, headers="Content-Encoding: gzip\r\n"))).get("http://vien.example/")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", "compress"])
def test_packings_nobody_asked_for_are_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], encoding: str
) -> None:
    server = serve(reply(b"\x0b\x02\x80hello\x03", headers=f"Content-Encoding: {encoding}\r\n"))
    with pytest.raises(Unreadable, match="not asked for"):
        fetcher(server).get("http://vien.example/")
    assert b"Accept-Encoding: gzip, deflate\r\n" in server.requests[0]


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
    server = serve(silent)
    with pytest.raises(SourceError, match="no answer in time"):
        fetcher(server, limits=Limits(read=0.1)).get("http://vien.example/")


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


def test_a_304_nobody_asked_for_is_an_error(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    with pytest.raises(Unreadable, match="304"):
        fetcher(serve(reply(status="304 Not Modified"))).get("http://vien.example/")


@pytest.mark.parametrize(
    "piece", [b"X-More: " + b"x" * 1000 + b"\r\n", b"x" * 1000], ids=["endless headers", "one endless header"]
)
def test_headers_have_a_bound(serve: Callable[..., Server], fetcher: Callable[..., Fetcher], piece: bytes) -> None:
    def answer(line: socket.socket, _request: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nX-First: ")
        for _ in range(1000):
            line.sendall(piece)

    with pytest.raises(Unreadable, match="the answer is broken"):
        fetcher(serve(answer)).get("http://vien.example/")


def test_what_stands_behind_the_announced_length_is_no_part_of_this_or_the_next_answer(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    def answer(line: socket.socket, request: bytes) -> None:
        line.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshortHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        )

    client = fetcher(serve(answer))
    assert [client.get(f"http://vien.example/{n}").body for n in range(3)] == [b"short"] * 3
