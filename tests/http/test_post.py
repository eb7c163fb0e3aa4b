"""Posting to a provider: the whole answer, or a clear word on whether the request may have arrived."""

import socket
from collections.abc import Callable

import pytest

from newsletter.errors import TransportDown
from newsletter.http import Fetcher, Uncertain
from tests.fakes.certificates import Authority
from tests.fakes.rawserver import Answer, Server, reply, silent


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
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], authority: Authority
) -> None:
    context = authority.server("vien.example")
    server = serve(reply(b"{}"), context)
    with pytest.raises(TransportDown, match="certificate"):
        fetcher(server).post_json("https://vien.example/", {}, headers={}, timeout=5)
    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        silent,
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
