"""Links and pictures of a finished issue, looked at on a real server on loopback; our own addresses are never called."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from newsletter.compose.online import about_links, about_pictures, addresses, findings_online, with_pictures_inside
from newsletter.http import Fetcher
from newsletter.http.looks import MOST, Look, Looks, Verdict
from newsletter.locale import labels
from newsletter.mail.findings import told
from newsletter.model import (
    ArticleId,
    Item,
    Mailing,
    MailingId,
    MailingKind,
    MailingState,
    Rendering,
)
from tests.fakes.loopback import Loopback

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PNG = bytes.fromhex("89504e470d0a1a0a") + b"\0" * 40
ANSWERS = {
    "/tin/co": (200, "text/html", b"<p>Tin</p>" * 200_000),
    "/tin/mat": (404, "text/html", b""),
    "/tin/dong": (410, "text/html", b""),
    "/tin/dang-nhap": (403, "text/html", b""),
    "/tin/hong": (500, "text/html", b""),
    "/tin/ve-trang-chu": (302, "/", b""),
    "/tin/doi-cho": (301, "/tin/co", b""),
    "/": (200, "text/html", b"front"),
    "/anh/a.png": (200, "image/png", PNG),
    "/anh/nang.png": (200, "image/png", b"\0" * 700_000),
    "/anh/khong-phai.png": (200, "text/html", b"<p>no picture</p>"),
}


class Site(Loopback):
    """Answers as ANSWERS say and remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                status, kind, body = ANSWERS.get(self.path, (404, "text/plain", b""))
                self.send_response(status)
                self.send_header("Location" if status in (301, 302) else "Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):  # a look reads the beginning only
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        super().__init__(Handler)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def fetcher(site: Site) -> Iterator[Fetcher]:
    made = Fetcher(user_agent="test/1", resolve={"tin.example": site.at})
    yield made
    made.close()


def at(*paths: str) -> list[str]:
    return [f"http://tin.example{path}" for path in paths]


def item(url: str, *, title: str = "Phao đo sóng", image: str | None = None) -> Item:
    return Item(
        article_id=ArticleId("a"), position=1, section=None, title=title, url=url, summary="Tóm tắt.", source="Viện",
        author=None, image=image, language="vi", published=None,
    )  # fmt: skip


def looked(fetcher: Fetcher, *paths: str, **how: object) -> dict[str, Look]:
    found = Looks().at(fetcher, at(*paths), now=NOW, seconds=20, **how)  # type: ignore[arg-type]
    return {url.removeprefix("http://tin.example"): look for url, look in found.items()}


def test_every_kind_of_answer_has_its_verdict(fetcher: Fetcher) -> None:
    found = looked(fetcher, "/tin/co", "/tin/mat", "/tin/dong", "/tin/dang-nhap", "/tin/hong", "/tin/doi-cho")
    assert {path: look.verdict for path, look in found.items()} == {
        "/tin/co": Verdict.THERE,
        "/tin/mat": Verdict.GONE,
        "/tin/dong": Verdict.GONE,
        "/tin/dang-nhap": Verdict.REFUSED,
        "/tin/hong": Verdict.FAILING,
        "/tin/doi-cho": Verdict.THERE,
    }
    assert found["/tin/doi-cho"].url.endswith("/tin/co")


def test_where_our_own_guard_will_not_go_is_forbidden(fetcher: Fetcher) -> None:
    urls = ["http://127.0.0.1:1/x", "http://10.0.0.1/x"]
    found = Looks().at(fetcher, urls, now=NOW, seconds=20)
    assert [look.verdict for look in found.values()] == [Verdict.FORBIDDEN] * 2


def test_nobody_answering_is_unreachable(site: Site) -> None:
    closed = Fetcher(user_agent="test/1", resolve={"zu.example": "127.0.0.1:9"})
    found = Looks().at(closed, ["http://zu.example/a"], now=NOW, seconds=20)
    assert found["http://zu.example/a"].verdict is Verdict.UNREACHABLE
    closed.close()


def test_a_good_look_is_remembered_for_hours_and_a_bad_one_for_minutes(site: Site, fetcher: Fetcher) -> None:
    looks, urls = Looks(), at("/tin/co", "/tin/mat")
    for minutes in (0, 4, 10, 300, 400):
        looks.at(fetcher, urls, now=NOW + timedelta(minutes=minutes), seconds=20)
    assert site.asked.count("/tin/co") == 2
    assert site.asked.count("/tin/mat") == 4


def test_too_many_addresses_are_said_to_be_not_looked_at(site: Site, fetcher: Fetcher) -> None:
    urls = at(*(f"/tin/{n}" for n in range(MOST + 5)))
    found = Looks().at(fetcher, urls, now=NOW, seconds=60)
    assert sum(look.verdict is Verdict.NOT_ASKED for look in found.values()) == 5
    assert len(site.asked) == MOST
    faults = about_links(found, {})
    assert (faults[-1].level, dict(faults[-1].values)["n"]) == ("note", 5)


@pytest.mark.parametrize(
    ("verdict", "level"),
    [
        (Verdict.GONE, "error"),
        (Verdict.FORBIDDEN, "error"),
        (Verdict.FAILING, "warning"),
        (Verdict.UNREACHABLE, "warning"),
        (Verdict.REFUSED, "note"),
        (Verdict.THERE, None),
    ],
)
def test_a_dead_link_is_told_with_its_article(verdict: Verdict, level: str | None) -> None:
    url = "https://tin.example/tin/1"
    faults = about_links({url: Look(verdict=verdict, url=url, status=404)}, {url: "Phao đo sóng"})
    assert [fault.level for fault in faults] == ([level] if level else [])
    assert all(dict(fault.values)["title"] == "Phao đo sóng" for fault in faults)


def test_a_network_that_is_down_is_one_warning_and_blocks_nothing() -> None:
    found = {f"https://tin.example/{n}": Look(verdict=Verdict.UNREACHABLE, url="") for n in range(9)}
    [fault] = about_links(found, {})
    assert fault.level == "warning"


def test_an_article_led_on_to_the_front_page_may_be_gone(fetcher: Fetcher) -> None:
    found = Looks().at(fetcher, at("/tin/ve-trang-chu", "/tin/doi-cho", "/"), now=NOW, seconds=20)
    [fault] = about_links(found, {})
    assert "front page" in fault.template
    assert dict(fault.values)["url"] == at("/tin/ve-trang-chu")[0]


def test_pictures_are_weighed_and_must_be_pictures(fetcher: Fetcher) -> None:
    urls = at("/anh/a.png", "/anh/nang.png", "/anh/khong-phai.png", "/anh/mat.png")
    found = Looks().at(fetcher, urls, now=NOW, seconds=20, picture_bytes=4 << 20)
    assert found[urls[1]].size == 700_000
    templates = [fault.template for fault in about_pictures(found, {})]
    assert len(templates) == 4
    assert about_pictures({urls[0]: found[urls[0]]}, {}) == []


def mailing(html: str) -> Mailing:
    rendering = Rendering(language="vi", subject="s", preheader="p", html=html, text="t")
    return Mailing(
        id=MailingId("m" * 16), kind=MailingKind.ISSUE, state=MailingState.COMPOSED, issue_id=None, list_slug="tin",
        sender_name="Viện", unknown_policy="hold", content_hash="", nonce="0" * 16, renderings=(rendering,),
    )  # fmt: skip


def test_our_own_addresses_are_never_called(site, make_app) -> None:
    """A look must count as no opening and leave no list: unsubscribe, preferences and web view are ours."""
    app = make_app(
        base_url="http://tin.example/thu",
        fetch={"resolve": {"tin.example": site.at}},
        preflight={"links": True, "spamassassin": False},
    )
    own = "".join(
        f'<a href="http://tin.example/thu/{path}">x</a>' for path in ("u/abc", "p/abc", "issues/1", "images/1.png")
    )
    html = (
        f'<html><body>{own}<a href="http://tin.example/thu">x</a><a href="http://tin.example/tin/mat">y</a>'
        '<a href="mailto:a@b.example">z</a><img src="http://tin.example/thu/o.gif"></body></html>'
    )
    found = findings_online(app, mailing(html), [item("http://tin.example/tin/mat")], now=NOW)
    assert site.asked == ["/tin/mat"]
    [finding] = found
    assert (finding.level, finding.where) == ("error", "links")
    assert "“Phao đo sóng” không còn" in told(labels("vi"), finding)
    assert findings_online(make_app(), mailing(html), [], now=NOW) == []


def test_addresses_are_found_once_in_any_html() -> None:
    html = '<html><body><a href="https://a.example/1">x</a><a href="https://a.example/1">y</a><img src="cid:1"></body></html>'
    assert addresses([html, html, "", "<"], own="https://b.example") == (["https://a.example/1"], [])


def test_pictures_are_put_into_a_document_for_who_may_not_fetch(site, make_app) -> None:
    app = make_app(fetch={"resolve": {"tin.example": site.at}})
    html = (
        '<html><body><img src="http://tin.example/anh/a.png"><img src="http://tin.example/anh/mat.png"></body></html>'
    )
    made = with_pictures_inside(app, html)
    assert made.count("data:image/png;base64,") == 1
    assert "anh/mat.png" in made
