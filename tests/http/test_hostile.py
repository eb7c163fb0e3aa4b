"""Servers that mean harm, or do it: what the client takes of them and what it says."""

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
