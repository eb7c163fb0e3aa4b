"""Lines are kept for the next question to their host, and only while nothing unread or dead is on them."""

import socket
from collections.abc import Callable, Sequence

import pytest

from newsletter.errors import Unreadable
from newsletter.http import Fetcher
from tests.fakes.rawserver import Answer, Server

Serve = Callable[..., Server]
Clients = Callable[..., Fetcher]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntin"


def one_by_one(answers: Sequence[bytes], *, then_close: bool = False) -> Answer:
    """Answers the questions of one connection with `answers`, in order, and leaves it open (or not)."""

    def speak(line: socket.socket, _request: bytes) -> None:
        for number, answer in enumerate(answers):
            while number and b"\r\n\r\n" not in (asked := line.recv(65536)):
                if not asked:
                    return
            line.sendall(answer)
        if not then_close:
            line.recv(1)

    return speak


def test_the_next_page_of_a_host_comes_over_the_same_line(serve: Serve, fetcher: Clients) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntin\r\n0\r\n\r\n"
    not_modified = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    server = serve(one_by_one([OK, chunked, not_modified, OK]))
    client = fetcher(server)
    assert [client.get(f"http://vien.example/{n}").body for n in range(2)] == [b"tin", b"tin"]
    assert client.get("http://vien.example/2", etag='"1"').not_modified
    assert client.get("http://vien.example/3").body == b"tin"
    assert server.accepted == 1


def test_a_line_that_died_in_store_costs_no_answer(serve: Serve, fetcher: Clients) -> None:
    server = serve(one_by_one([OK], then_close=True))
    client = fetcher(server)
    assert [client.get(f"http://vien.example/{n}").body for n in range(3)] == [b"tin"] * 3
    assert server.accepted == 3


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"HTTP/1.1 200 OK\r\n\r\ntin",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nlie",
    ],
    ids=["close", "1.0", "until the end", "more than asked"],
)
def test_a_line_that_may_not_be_used_again_is_not(serve: Serve, fetcher: Clients, answer: bytes) -> None:
    server = serve(one_by_one([answer], then_close=True))
    client = fetcher(server)
    assert [client.get(f"http://vien.example/{n}").body for n in range(2)] == [b"tin", b"tin"]
    assert server.accepted == 2


def test_an_answer_that_is_not_read_whole_takes_its_line_with_it(serve: Serve, fetcher: Clients) -> None:
    far = b"HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 5\r\n\r\nthere"
    answers = iter([far, OK])
    server = serve(lambda line, request: one_by_one([next(answers)])(line, request))
    assert fetcher(server).get("http://vien.example/1").body == b"tin"
    assert server.accepted == 2


def test_interim_answers_are_passed_over_and_bounded(serve: Serve, fetcher: Clients) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    assert fetcher(serve(one_by_one([hint + hint + OK]))).get("http://vien.example/").body == b"tin"
    with pytest.raises(Unreadable, match="interim answers without end"):
        fetcher(serve(one_by_one([hint * 50]))).get("http://vien.example/")


def test_addresses_are_asked_for_as_the_wire_wants_them(serve: Serve, fetcher: Clients) -> None:
    server = serve(one_by_one([OK]))
    client = fetcher(None, resolve={"xn--vin-5kz.example": server.address, "vien.example": server.address})
    client.get("http://vien.example/tin tức?q=Viện#đầu")
    client.get("http://viện.example/")
    asked = [request.decode("ascii").split("\r\n")[:2] for request in server.requests]
    assert asked[0] == ["GET /tin%20t%E1%BB%A9c?q=Vi%E1%BB%87n HTTP/1.1", "Host: vien.example"]
    assert asked[1][0] == "GET / HTTP/1.1"
    assert asked[1][1].startswith("Host: xn--vi")
