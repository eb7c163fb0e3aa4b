"""Our pictures over HTTP: for mail programs, for the public page of an issue, and in the preview of staff."""

import http.client
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import sync_playwright

from newsletter import summarise
from newsletter.compose.painting import painted
from newsletter.model import Image, PictureMode, RawItem
from newsletter.store import articles, images, issues, mailings, newsletters, sources
from newsletter.store.schema.collecting import articles as article_rows
from newsletter.store.schema.picturing import image_fetches
from tests.fakes.pictures import photo

ADDRESS = "https://vien.example/anh/phao.jpg"


def illustrate(world, mode=PictureMode.HOSTED):
    """A newest article with a picture, which is known already: nobody has to be asked for it."""
    now = world.clock.now()
    with world.app.db.begin() as conn:
        source = sources.listed(conn)[0]
        item = RawItem(title="Cầu cảng mới đón chuyến tàu đầu tiên", url="https://vien.example/tin/cang", image=ADDRESS,
                       text="Cầu cảng mới đón chuyến tàu đầu tiên vào sáng nay.\n\nTàu chở 40 tấn muối.",
                       published=date(2026, 11, 22))  # fmt: skip
        articles.add(conn, source, item, keys=["t:cang"], now=now, language="vi", named=True)
        [letter] = newsletters.listed(conn)
        newsletters.save(conn, replace(letter, images=mode), now=now)
        for slot in ((552, 310), (143, 95)):
            content, kind, (width, height) = painted(photo(), slot)
            images.keep(conn, (ADDRESS, *slot), Image.of(content, kind, width=width, height=height), now=now)
    summarise.run(world.app, now)


def asked(world, path, method="GET", **headers):
    """(status, headers, octets), the path as it stands."""
    parts = urlsplit(world.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


@pytest.fixture
def picture(world):
    content, kind, (width, height) = painted(photo(), (552, 310))
    image = Image.of(content, kind, width=width, height=height)
    with world.app.db.begin() as conn:
        images.keep(conn, (ADDRESS, 552, 310), image, now=world.clock.now())
    return image


def test_a_picture_is_served_under_its_hash_for_ever(world, picture):
    status, headers, body = asked(world, f"/images/{picture.name}")
    assert (status, body) == (200, picture.content)
    assert headers["content-type"] == "image/jpeg"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    status, headers, body = asked(world, f"/images/{picture.name}", "HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", str(len(picture.content)))
    status, headers, body = asked(world, f"/images/{picture.name}", If_None_Match=headers["etag"])
    assert (status, body) == (304, b"")
    assert asked(world, f"/images/{picture.name}", "POST")[0] == 405


def test_no_other_name_opens_anything(world, picture):
    digits, _, kind = picture.name.partition(".")
    for name in (
        "..%2f..%2fsecrets.toml", "../data/secrets.toml", "%2e%2e/newsletter.db", digits, f"{digits}.png",
        f"{digits.upper()}.{kind}",
        f"{'0' * 32}.jpg", f"{picture.name}%00", f"{picture.name}/", f"x{picture.name}", f"{digits}.svg", "%27%20OR%201=1", "",
    ):  # fmt: skip
        status, headers, _ = asked(world, f"/images/{name}")
        assert status == 404, name
        assert headers["cache-control"] == "no-store", name


def test_mail_shows_the_hosted_pictures_and_the_public_page_its_own(behind_proxy):
    world = behind_proxy
    illustrate(world)
    issue = world.send()
    assert issue.state == "sent"
    html = world.mail_to("ngoc@").get_body(("html",)).get_content()
    [src] = re.findall(r'<img [^>]*src="([^"]+)"', html)
    assert re.fullmatch(r"https://vien\.example/ban-tin/images/[0-9a-f]{32}\.jpg", src)
    page = world.fetch(f"/ban-tin/issues/{issue.id}")
    [shown] = re.findall(r'<img [^>]*src="([^"]+)"', page.text)
    assert shown == src.removeprefix("https://vien.example")
    assert "img-src 'self'" in page.headers["content-security-policy"]
    for path in (shown, shown.removeprefix("/ban-tin")):  # the proxy may strip the prefix or not
        assert asked(world, path)[0] == 200


def test_embedded_pictures_travel_with_the_mail_and_are_shown_by_the_pages_all_the_same(world):
    illustrate(world, PictureMode.EMBEDDED)
    issue = world.send()
    for mail in world.mails():
        html = mail.get_body(("html",)).get_content()
        [cid] = re.findall(r'src="cid:([^"]+)"', html)
        [attached] = [part for part in mail.walk() if part.get_content_maintype() == "image"]
        assert attached["Content-ID"] == f"<{cid}>"
        assert attached.get_payload(decode=True).startswith(b"\xff\xd8")
    page = world.fetch(f"/issues/{issue.id}")
    [shown] = re.findall(r'<img [^>]*src="([^"]+)"', page.text)
    assert asked(world, shown)[0] == 200


def test_an_issue_that_is_composed_again_keeps_its_pictures_and_forgets_the_first_composition(world):
    illustrate(world, PictureMode.EMBEDDED)
    first = world.compose()
    with world.app.db.begin() as conn:
        issues.back_to_draft(conn, first.id, reason="again")
    again = world.compose()
    assert again.mailing_id != first.mailing_id
    assert again.content_hash == first.content_hash
    with world.app.db.read() as conn:
        assert mailings.find(conn, first.mailing_id) is None
        assert len(mailings.get(conn, again.mailing_id).images) == 1


@contextmanager
def browsing(chromium):
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


def test_a_browser_shows_them_in_the_preview_and_on_the_public_page(world, chromium):
    illustrate(world, PictureMode.EMBEDDED)
    issue = world.compose()
    world.approve()
    name, value = world.log_in().split("=", 1)
    drawn = "[...document.images].map(i => [i.naturalWidth, i.getBoundingClientRect().width, i.getBoundingClientRect().height])"
    with browsing(chromium) as browser:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": world.url}])
        page = context.new_page()
        for path in (f"/issues/{issue.id}", f"/staff/issues/{issue.id}/frame?in=vi&width=600"):
            page.goto(world.url + path)
            [[natural, width, height]] = page.evaluate(drawn)
            assert (natural, round(width), round(height)) == (1104, 552, 310)
        page.set_viewport_size({"width": 360, "height": 800})
        [[_, width, height]] = page.evaluate(drawn)
        assert (round(width), round(height)) == (312, 176)  # neither cut nor stretched on a telephone
        page.goto(f"{world.url}/staff/issues/{issue.id}/frame?in=vi&width=600&pictures=off")
        assert [natural for natural, _, _ in page.evaluate(drawn)] == [0]


def offered_topics(world, topics):
    """Readers may choose these: the source carries them as labels, and so do its articles."""
    with world.app.db.begin() as conn:
        source = sources.listed(conn)[0]
        sources.add(conn, replace(source, topics=topics), now=world.clock.now())
        conn.execute(sa.update(article_rows).values(topics=list(topics)))


def test_the_design_page_shows_pictures_of_ours_and_drawings_and_asks_nobody(world, monkeypatch):
    illustrate(world, PictureMode.EMBEDDED)
    offered_topics(world, ("hải dương",))
    issue = world.compose()
    with world.app.db.read() as conn:
        assert mailings.get(conn, issue.mailing_id).renderings[0].segments is not None
    monkeypatch.setattr(type(world.app.looks), "at", lambda *_, **__: pytest.fail("links were looked at"))
    monkeypatch.setattr(type(world.app.fetcher), "get", lambda *_, **__: pytest.fail("a picture was fetched"))
    cookie, before = world.log_in(), world.dump()
    for design in ("bulletin", "cards"):
        html = world.fetch(f"/staff/designs/ban-tin/frame?design={design}", cookie=cookie).text
        [src] = re.findall(r'<img [^>]*src="([^"]+)"', html)
        assert re.fullmatch(r"/images/[0-9a-f]{32}\.jpg", src)
        assert asked(world, src)[0] == 200
        assert "Begin(" not in html
        assert "End(" not in html
    assert world.dump() == before
    with world.app.db.begin() as conn:
        conn.execute(sa.delete(image_fetches))
    html = world.fetch("/staff/designs/ban-tin/frame", cookie=cookie).text
    assert "data:image/svg+xml," in html
    assert ADDRESS not in html
    with world.app.db.begin() as conn:
        [letter] = newsletters.listed(conn)
        newsletters.save(conn, replace(letter, images=PictureMode.LINKED), now=world.clock.now())
    assert f'src="{ADDRESS}"' in world.fetch("/staff/designs/ban-tin/frame", cookie=cookie).text
