"""Hostile sources beside a good one, in one run: each is recorded with its reason, and the good one gives its articles.

The list of all hostile cases stands in tests/http/test_hostile.py.
"""

import gzip
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.http import Fetcher, Limits
from newsletter.model import Article, SourceKind, SourceState
from newsletter.store import articles, sources
from tests.fakes.rawserver import Answer, Server, path_of, reply

Site = Any  # tests/collect/conftest.py

LONG = "Trạm quan trắc ghi mực nước sáu phút một lần và gửi số liệu về phòng trực ở bến cảng. " * 8
FEED = f"""<rss version="2.0"><channel><title>Tin</title><item><title>Trạm quan trắc mới ở bến cảng</title>
<link>http://vien.example/bai/1</link><description>{LONG}</description></item></channel></rss>"""


def _raw(answer: bytes) -> Answer:
    return lambda line, _request: line.sendall(answer)


def _endless(line: socket.socket, _request: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        line.sendall(b"10000\r\n" + b"<item>" + bytes(0xFFFA) + b"\r\n")


def _endless_headers(line: socket.socket, _request: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"X-More: and more\r\n" * 100)


def _to(target: str) -> Answer:
    return reply(status="302 Found", headers=f"Location: {target}\r\n")


def _chain(line: socket.socket, request: bytes) -> None:
    _to(f"{path_of(request)}x")(line, request)


def _packed(body: bytes, encoding: str = "gzip") -> Answer:
    return reply(body, headers=f"Content-Encoding: {encoding}\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`answer`: of a server that is the source's; without one, `url` is refused before anything is dialled."""

    reason: str
    answer: Answer | None = None
    url: str = ""


CASES = {
    "1-bomb": Case(answer=_packed(gzip.compress(bytes(1 << 20)) * 64), reason="larger than 12 MB when unpacked"),
    "2-brotli": Case(answer=_packed(b"\x8b\x02\x80", "br"), reason="'br' was not asked for"),
    "3-stacked": Case(answer=_packed(b"\x1f\x8b", "gzip, gzip"), reason="'gzip, gzip' was not asked for"),
    "4-endless": Case(answer=_endless, reason="the answer is larger than 1 MB"),
    "6-headers": Case(answer=_endless_headers, reason="the answer is broken"),
    "7-header": Case(answer=_raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000), reason="the answer is broken"),
    "8-circle": Case(answer=_to("/feed"), reason="the redirects go round in a circle"),
    "9-chain": Case(answer=_chain, reason="more than 5 redirects"),
    "10-metadata": Case(answer=_to("http://169.254.169.254/latest/"), reason="not public"),
    "11-file": Case(answer=_to("file:///etc/passwd"), reason="only http and https are fetched, not file"),
    "11-gopher": Case(answer=_to("gopher://127.0.0.1/1"), reason="only http and https are fetched, not gopher"),
    "14-hex": Case(url="http://0x7f.1/feed", reason="not public"),
    "15-mapped": Case(url="http://[::ffff:10.0.0.1]/feed", reason="not public"),
    "16-user": Case(url="http://me:secret@vien.example/feed", reason="user name or password"),
    "17-port": Case(url="http://8.8.8.8:25/feed", reason="port 25 is not a web port"),
    "18-short": Case(
        answer=_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<rss>"), reason="the answer is broken"
    ),
    "19-status": Case(answer=_raw(b"220 mail.example ESMTP\r\n"), reason="the answer is broken"),
    "19-closed": Case(answer=lambda line, _request: line.close(), reason="the answer is broken"),
    "20-304": Case(answer=reply(status="304 Not Modified"), reason="304 Not Modified to a question without"),
    "22-parked": Case(answer=reply(b"<html><body>For sale</body></html>"), reason="an HTML page, not a feed"),
    "23-gone": Case(answer=reply(status="410 Gone"), reason="answered 410 Gone"),
    "24-busy": Case(answer=reply(status="429 Busy", headers="Retry-After: 99999999\r\n"), reason="answered 429 Busy"),
}


@pytest.fixture
def hostile(app: App, site: Site) -> Iterator[App]:
    """The App, with a host for each case: its own server, all beside the good site."""
    servers = {name: Server(case.answer) for name, case in CASES.items() if case.answer is not None}
    resolve = {f"c{name}.example": server.address for name, server in servers.items()}
    fetcher = Fetcher(
        user_agent="test/1",
        resolve={**resolve, "vien.example": site.address},
        limits=Limits(total=20, read=10, wire=1 << 20),
    )
    yield replace(app, fetcher=fetcher)
    fetcher.close()
    for server in servers.values():
        server.close()


def add(app: App, slug: str, url: str, kind: SourceKind = SourceKind.FEED) -> None:
    with app.db.begin() as conn:
        sources.add(conn, sources.new(slug, kind, url), now=app.clock.now())


def stored(app: App) -> dict[str, Article]:
    with app.db.read() as conn:
        return {article.title: article for article in articles.listed(conn)}


def test_each_hostile_source_has_its_reason_and_the_good_one_its_articles(
    hostile: App, site: Site, clock: FixedClock
) -> None:
    site.put("/feed", FEED)
    for name, case in CASES.items():
        add(hostile, name, case.url or f"http://c{name}.example/feed")
    add(hostile, "good", "http://vien.example/feed")
    assert collect.run(hostile, clock.now()) == 1
    with hostile.db.read() as conn:
        found = {source.slug: source for source in sources.listed(conn)}
    assert found.pop("good").state is SourceState.ACTIVE
    wrong = {
        name: source.reason
        for name, source in found.items()
        if source.state is not SourceState.FAILING or not re.search(CASES[name].reason, source.reason or "")
    }
    assert wrong == {}
    assert not any("secret" in (source.reason or "") for source in found.values())
    assert list(stored(hostile)) == ["Trạm quan trắc mới ở bến cảng"]


@pytest.mark.parametrize(
    ("said", "declared", "written"),
    [
        ("iso-8859-1", "utf-8", "utf-8"),
        ("utf-8", "windows-1258", "utf-8"),
        ("utf-8", "utf-8", "utf-16"),
        ("x-unknown", "x-unknown", "utf-8"),
    ],
)
def test_the_bytes_decide_between_the_header_and_the_declaration(
    app: App, site: Site, clock: FixedClock, said: str, declared: str, written: str
) -> None:
    body = f'<?xml version="1.0" encoding="{declared}"?>{FEED}'.encode(written)
    site.put("/feed", body, Content_Type=f"application/rss+xml; charset={said}")
    add(app, "tin", "http://vien.example/feed")
    assert collect.run(app, clock.now()) == 1
    (article,) = stored(app).values()
    assert article.title == "Trạm quan trắc mới ở bến cảng"
    assert article.text.startswith("Trạm quan trắc ghi mực nước")


def test_no_lead_image_is_fetched_whatever_it_is(app: App, site: Site, clock: FixedClock) -> None:
    pictures = "".join(
        f"<img src='{src}'>" for src in ("/40MB.jpg", "/logo.svg", "data:image/png;base64,AAAA", "/1px.gif")
    )
    site.put(
        "/bai",
        "<html><head><meta property='og:image' content='/40MB.jpg'></head><body><article>"
        f"<h1>Trạm quan trắc mới ở bến cảng</h1>{pictures}<p>{LONG}</p></article></body></html>",
    )
    add(app, "bai", "http://vien.example/bai", SourceKind.PAGE)
    assert collect.run(app, clock.now()) == 1
    assert site.paths() == ["/bai"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<sitemapindex><sitemap><loc>http://vien.example/s.xml</loc></sitemap></sitemapindex>", None),
        (gzip.compress(bytes(60 << 20)), "larger than 50 MB when unpacked"),
        ("<html><body>Đăng nhập</body></html>", "not a sitemap"),
    ],
    ids=["index of itself", "packed bomb", "log-in page"],
)
def test_a_hostile_sitemap_ends(app: App, site: Site, clock: FixedClock, body: str | bytes, reason: str | None) -> None:
    site.put("/s.xml", body)
    add(app, "s", "http://vien.example/s.xml", SourceKind.SITEMAP)
    assert collect.run(app, clock.now()) == 0
    assert site.paths() == ["/s.xml"]
    with app.db.read() as conn:
        source = sources.by_slug(conn, "s")
    assert source is not None
    assert (source.reason is None) if reason is None else (reason in (source.reason or ""))
