"""robots.txt as RFC 9309 means it: what it says, how it is fetched, and what a missing, huge or broken one means."""

import gzip
import socket
from collections.abc import Callable

import pytest

from newsletter.errors import FetchRefused, SourceError
from newsletter.http import Fetcher
from newsletter.http.robots import KEPT, MAX_BYTES, REFUSAL_KEPT, Robots, product_token, read_robots
from tests.fakes.rawserver import Answer, Server, path_of, reply

PAGE = "http://vien.example/bai/1.html"
TOKEN = "newsletter"

RULES = {
    # name: (robots.txt, path, whether it may be read)
    "nothing": ("", "/a", True),
    "everybody is shut out": ("User-agent: *\nDisallow: /", "/a", False),
    "only others are": ("User-agent: Otherbot\nDisallow: /", "/a", True),
    "our own group counts alone": ("User-agent: *\nDisallow: /\n\nUser-agent: Newsletter\nDisallow: /b", "/a", True),
    "in any case": ("User-agent: *\nDisallow:\n\nUser-agent: NEWSLETTER\nDisallow: /a", "/a", False),
    "with a version": ("User-agent: Newsletter/2.0\nDisallow: /a", "/a", False),
    "a longer name is another's": ("User-agent: newsletterbot\nDisallow: /", "/a", True),
    "a shorter name is another's": ("User-agent: news\nDisallow: /", "/a", True),
    "a group of several": ("User-agent: a\nUser-agent: newsletter\nUser-agent: b\nDisallow: /a", "/a", False),
    "groups of one name are one": (
        "User-agent: newsletter\nDisallow: /b\n\nUser-agent: x\nDisallow: /\n\nUser-agent: newsletter\nDisallow: /a",
        "/a",
        False,
    ),
    "the longest rule wins": ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
    "allow wins a draw": ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
    "a star": ("User-agent: *\nDisallow: /*.pdf", "/x/y.pdf?z", False),
    "an end": ("User-agent: *\nDisallow: /*.php$", "/x.php?y", True),
    "a comment": ("User-agent: * # all\nDisallow: /a # this", "/a", False),
    "a byte order mark": ("\ufeffUser-agent: *\r\nDisallow: /a", "/a", False),
    "written in percents": ("User-agent: *\nDisallow: /tin-t%E1%BB%A9c", "/tin-tức/1", False),
    "written in letters": ("User-agent: *\nDisallow: /tin-tức", "/tin-t%e1%bb%a9c/1", False),
    "a sitemap in between": ("User-agent: *\nSitemap: http://vien.example/s.xml\nDisallow: /a", "/a", False),
    "a page of HTML": ("<!DOCTYPE html><html><pre>User-agent: *\nDisallow: /</pre>", "/a", True),
    "no rules at all": ("Xin chào\x00\x01\nDisallow: /a\n: :\n" * 50, "/a", True),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_are_read_as_the_standard_says(name: str) -> None:
    text, path, allowed = RULES[name]
    assert read_robots(text.encode(), TOKEN).allows(f"http://vien.example{path}") is allowed


def test_what_stands_behind_the_first_500_kib_is_not_read_nor_half_a_line() -> None:
    head = b"User-agent: *\nDisallow: /a\n"
    body = head + b"#" * (MAX_BYTES - len(head) - 12) + b"\nDisallow: /b/nhap\nDisallow: /c\n"
    rules = read_robots(body, TOKEN)
    assert [rules.allows(f"http://vien.example{path}") for path in ("/a", "/b", "/b/nhap", "/c")] == [
        False,
        True,
        True,
        True,
    ]


def test_thousands_of_names_with_thousands_of_rules_are_one_group() -> None:
    names = "".join(f"User-agent: bot{n}\n" for n in range(10_000))
    rules = "".join(f"Disallow: /x{n}\n" for n in range(20_000))
    found = read_robots(f"{names}User-agent: {TOKEN}\n{rules}".encode(), TOKEN)
    assert [found.allows(f"http://vien.example/{path}") for path in ("x77", "y77")] == [False, True]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("-1", 0.0), ("nan", 0.0), ("inf", 0.0), ("soon", 0.0), ("1e9", 1e9)],
)
def test_a_crawl_delay_is_a_number_of_seconds(said: str, seconds: float) -> None:
    assert read_robots(f"User-agent: *\nCrawl-delay: {said}\nDisallow: /x".encode(), TOKEN).delay == seconds


@pytest.mark.parametrize(
    ("agent", "token"),
    [
        ("Newsletter/0.1 (collects articles for a digest)", "newsletter"),
        ("Vien-Bot (+https://vien.example/bot)", "vien-bot"),
        ("Mozilla/5.0 (compatible; VienBot/1.0)", "vienbot"),
        ("", ""),
    ],
)
def test_our_name_is_the_product_of_the_user_agent(agent: str, token: str) -> None:
    assert product_token(agent) == token


def test_an_answer_is_kept_for_a_day_and_a_failure_for_minutes() -> None:
    now, asked = [0.0], list[str]()
    answers: list[bytes | SourceError] = [b"User-agent: *\nCrawl-delay: 7", SourceError("no answer in time"), b""]
    wishes: list[tuple[str, float]] = []

    def read(url: str) -> bytes:
        asked.append(url)
        answer = answers[len(asked) - 1]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    robots = Robots(TOKEN, read, lambda host, seconds: wishes.append((host, seconds)), clock=lambda: now[0])
    robots.check("https://vien.example:8443/a?b")
    now[0] = KEPT - 1
    robots.check("https://vien.example:8443/c")
    assert asked == ["https://vien.example:8443/robots.txt"]
    now[0] = KEPT
    for _ in range(2):
        with pytest.raises(SourceError, match="left alone for now: no answer in time"):
            robots.check("https://vien.example:8443/a")
    now[0] += REFUSAL_KEPT
    robots.check("https://vien.example:8443/a")
    assert len(asked) == 3
    assert wishes == [("vien.example", 7.0), ("vien.example", 0.0), ("vien.example", 0.0)]


# ---------------------------------------------------------------- on the wire


def site(robots: Answer) -> Answer:
    def answer(line: socket.socket, request: bytes) -> None:
        (robots if path_of(request) == "/robots.txt" else reply(b"page"))(line, request)

    return answer


def asked(server: Server) -> list[str]:
    return [path_of(request) for request in server.requests]


def test_a_page_that_is_not_to_be_read_is_not_asked_for_and_a_feed_is(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    server = serve(site(reply(b"User-agent: test\nDisallow: /bai/")))
    client = fetcher(server)
    for _ in range(2):
        with pytest.raises(FetchRefused, match=r"^http://vien\.example/bai/1\.html: the site's robots\.txt asks"):
            client.get(PAGE, robots=True)
    assert asked(server) == ["/robots.txt"]
    assert client.get("http://vien.example/tin", robots=True).body == b"page"
    assert client.get(PAGE).body == b"page"  # entered by a person, or made for programs
    assert asked(server) == ["/robots.txt", "/tin", "/bai/1.html"]


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized", "403 Forbidden", "410 Gone", "429 Too Many"])
def test_a_site_without_a_robots_txt_may_be_read(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], status: str
) -> None:
    client = fetcher(serve(site(reply(b"User-agent: *\nDisallow: /", status=status))))
    assert client.get(PAGE, robots=True).body == b"page"


def test_a_robots_txt_that_cannot_be_had_shuts_the_site_for_now(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    for robots, reason in (
        (reply(status="503 Busy", headers="Retry-After: 90\r\n"), "answered 503 Busy"),
        (reply(status="500 Fault"), "answered 500 Fault"),
        (lambda line, _request: line.close(), "the answer is broken"),
        (reply(b"x", headers="Content-Encoding: br\r\n"), "not asked for"),
    ):
        server = serve(site(robots))
        with pytest.raises(SourceError, match=f"left alone for now: .*{reason}") as caught:
            fetcher(server).get(PAGE, robots=True)
        assert (caught.value.status, caught.value.retry_after) == (None, 90 if "503" in reason else None)
        assert asked(server) == ["/robots.txt"]


def test_an_endless_robots_txt_is_cut(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    def endless(line: socket.socket, _request: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\nUser-agent: *\nDisallow: /bai/\n")
        while True:
            line.sendall(b"# x\n" * 16384)

    client = fetcher(serve(site(endless)))
    with pytest.raises(FetchRefused, match=r"robots\.txt asks"):
        client.get(PAGE, robots=True)
    assert client.get("http://vien.example/tin", robots=True).body == b"page"


def test_a_packed_bomb_of_a_robots_txt_is_cut(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    bomb = gzip.compress(b"User-agent: *\nDisallow: /bai/\n" + bytes(32 << 20))
    client = fetcher(serve(site(reply(bomb, headers="Content-Encoding: gzip\r\n"))))
    with pytest.raises(FetchRefused, match=r"robots\.txt asks"):
        client.get(PAGE, robots=True)


@pytest.mark.parametrize(
    ("target", "may_be_read"),
    [
        ("/khac.txt", False),  # followed, RFC 9309 2.3.1.2
        ("/robots.txt", True),  # a circle
        ("/1", True),  # more than five
        ("http://127.0.0.1/robots.txt", True),  # not followed; what it says is not known
        ("file:///etc/passwd", True),
    ],
)
def test_redirects_of_a_robots_txt_are_followed_as_far_as_the_guard_lets_them(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], target: str, may_be_read: bool
) -> None:
    def answer(line: socket.socket, request: bytes) -> None:
        path = path_of(request)
        if path == "/khac.txt":
            reply(b"User-agent: *\nDisallow: /bai/")(line, request)
        elif path == "/robots.txt" or path[1:].isdigit():
            there = f"/{int(path[1:]) + 1}" if path[1:].isdigit() else target
            reply(status="302 Found", headers=f"Location: {there}\r\n")(line, request)
        else:
            reply(b"page")(line, request)

    client = fetcher(serve(answer))
    if may_be_read:
        assert client.get(PAGE, robots=True).body == b"page"
    else:
        with pytest.raises(FetchRefused, match=r"robots\.txt asks"):
            client.get(PAGE, robots=True)


def test_every_hop_of_a_redirect_is_asked_about(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    def answer(line: socket.socket, request: bytes) -> None:
        if path_of(request) == "/robots.txt":
            rule = b"Disallow: /kin/" if b"Host: khac.example" in request else b"Disallow:"
            reply(b"User-agent: *\n" + rule)(line, request)
        else:
            reply(status="302 Found", headers="Location: http://khac.example/kin/1\r\n")(line, request)

    server = serve(answer)
    client = fetcher(resolve={"vien.example": server.address, "khac.example": server.address})
    with pytest.raises(FetchRefused, match=r"^http://khac\.example/kin/1: the site's robots\.txt"):
        client.get(PAGE, robots=True)
    assert asked(server) == ["/robots.txt", "/bai/1.html", "/robots.txt"]
