"""The head and the framing of an answer are read as RFC 9112 says, and what is none is refused."""

import io

import pytest

from newsletter.errors import Unreadable
from newsletter.http.answer import Body, Disconnected, Head, read_head


def answered(raw: bytes) -> tuple[Head, Body]:
    reader = io.BufferedReader(io.BytesIO(raw))  # type: ignore[type-var]
    head = read_head(reader)
    return head, Body(reader, head)


def test_the_first_value_counts_and_a_folded_line_goes_on() -> None:
    head, _ = answered(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\netag: "b"\r\nX-Note: one\r\n two\r\n\r\n')
    assert (head.status, head.reason, head.length, head.closes) == (304, "Not Modified", 0, False)
    assert head.headers == {"etag": '"a"', "x-note": "one two"}


def test_interim_answers_are_passed_over() -> None:
    head, _ = answered(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204\r\n\r\n")
    assert (head.status, dict(head.headers)) == (204, {})


@pytest.mark.parametrize(
    ("fields", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
    ],
)
def test_a_line_is_kept_only_where_the_answer_says_its_end(fields: bytes, closes: bool) -> None:
    assert answered(fields)[0].closes is closes


def test_chunks_are_joined_and_their_trailer_read() -> None:
    _, body = answered(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;note=x\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    assert not body.is_whole
    assert (b"".join(body.chunks()), body.is_whole) == (b"abcde", True)


@pytest.mark.parametrize("rest", [b"3\r\nab", b"3\r\nabcd\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"3\r\nabc\r\n"])
def test_broken_chunks_are_never_whole(rest: bytes) -> None:
    _, body = answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
    with pytest.raises(Unreadable):
        list(body.chunks())
    assert not body.is_whole


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-hello\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: none\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 65_600 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30,
    ],
)
def test_what_is_no_head_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="the answer is broken"):
        answered(raw)


def test_a_line_that_ends_before_an_answer_is_told_apart() -> None:
    with pytest.raises(Disconnected):
        answered(b"")
