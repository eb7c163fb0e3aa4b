"""Listings and sitemaps as sources on a real site: articles with their text, the second run, and the broken layout."""

from datetime import date, timedelta
from typing import Any

import pytest

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.collect.lists import serial
from newsletter.model import Article, ArticleState, Source, SourceKind, SourceState
from newsletter.store import articles, sources

Site = Any  # tests/collect/conftest.py

LISTING = "http://vien.example/tin-tuc"
LONG = "Đoàn khảo sát đo độ sâu ở mười hai điểm của đầm và lấy mẫu bùn tại sáu điểm, kết quả có sau hai tuần nữa. " * 5
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def title(number: int) -> str:
    return f"Bài viết số {number} kể về chuyến khảo sát ở đầm phá"


def article(number: int, day: str) -> str:
    return (
        f"<html lang='vi'><body><article><h1>{title(number)}</h1><span class='date'>{day}</span><p>{LONG}</p><p>{LONG}</p>"
        "</article></body></html>"
    )


def rows(
    *numbers: int, form: str = "<li class='tin'><h3><a href='/bai/{n}.html'>{title}</a></h3> <i>{day}</i></li>"
) -> str:
    items = "".join(form.format(n=n, title=title(n), day=f"{n:02}/11/2026") for n in numbers)
    menu = "<div class='nav'><a href='/a'>A</a></div>"
    return f"<html><head><title>Tin viện</title></head><body>{menu}<ul>{items}</ul></body></html>"


def fill(site: Site, *numbers: int) -> None:
    for n in numbers:
        site.put(f"/bai/{n}.html", article(n, f"{n:02}/11/2026"))


def add(app: App, kind: SourceKind, url: str) -> None:
    with app.db.begin() as conn:
        sources.add(conn, sources.new("vien", kind, url, newest=3, max_age=timedelta(days=20)), now=app.clock.now())


def state(app: App) -> Source:
    with app.db.read() as conn:
        found = sources.by_slug(conn, "vien")
    assert found is not None
    return found


def stored(app: App) -> dict[str, Article]:
    with app.db.read() as conn:
        return {article.title: article for article in articles.listed(conn)}


def again(app: App, clock: FixedClock) -> int:
    clock.at += timedelta(hours=25)
    return collect.run(app, clock.now())


def test_a_listing_gives_articles_with_text_and_date_and_the_second_run_nothing(
    app: App, site: Site, clock: FixedClock
) -> None:
    site.put("/tin-tuc", rows(*range(20, 10, -1)))
    fill(site, *range(11, 21))
    add(app, SourceKind.LISTING, LISTING)
    assert collect.run(app, clock.now()) == 3
    assert sorted(site.paths()) == ["/bai/18.html", "/bai/19.html", "/bai/20.html", "/robots.txt", "/tin-tuc"]
    found = stored(app)
    assert len(found) == 10
    newest = found[title(20)]
    assert (newest.state, newest.published, newest.url) == (
        ArticleState.NEW,
        date(2026, 11, 20),
        "http://vien.example/bai/20.html",
    )
    assert newest.text.startswith("Đoàn khảo sát đo độ sâu")
    assert newest.provenance["title"] == "listing"
    assert found[title(12)].reason == "backlog of the first run"
    assert again(app, clock) == 0
    site.put("/tin-tuc", rows(*range(21, 10, -1)))
    fill(site, 21)
    assert again(app, clock) == 1
    assert len(stored(app)) == 11


REDESIGNS = {
    "menu only": "<html><body><ul class='menu'><li><a href='/gioi-thieu'>Giới thiệu</a></li></ul></body></html>",
    "no link": "<html><body><div id='app'></div></body></html>",
    "another structure with other links": rows(
        *range(51, 61), form="<div class='the'><a href='/giai-tri/{n}.html'><h4>{title}</h4></a></div>"
    ),
    "a few known among many others": rows(
        *range(51, 71), 19, 20, form="<div class='the'><a href='/bai/{n}.html'><h4>{title}</h4></a></div>"
    ),
    "two known in another place": rows(
        20, 19, form="<div class='the'><a href='/bai/{n}.html'><h4>{title}</h4></a></div>"
    ),
    "two of ten": rows(20, 19),
}


@pytest.mark.parametrize("redesign", REDESIGNS)
def test_a_redesign_raises_an_alarm_and_loses_nothing(app: App, site: Site, clock: FixedClock, redesign: str) -> None:
    site.put("/tin-tuc", rows(*range(20, 10, -1)))
    fill(site, *range(11, 22))
    add(app, SourceKind.LISTING, LISTING)
    collect.run(app, clock.now())
    before = stored(app)
    site.put("/tin-tuc", REDESIGNS[redesign])
    for _ in range(2):  # the same page a second time is no less broken
        assert again(app, clock) == 0
        source = state(app)
        assert source.state is SourceState.FAILING
        assert (source.reason or "").startswith("http://vien.example/tin-tuc: the page's layout changed: 10 links")
    assert stored(app) == before
    site.put("/tin-tuc", rows(*range(21, 11, -1)))
    assert again(app, clock) == 1
    assert (state(app).state, state(app).reason) == (SourceState.ACTIVE, None)


CARD = "<div class='the'><a href='{path}/{{n}}.html'><h4>{{title}}</h4></a><p>{{day}}</p></div>"


@pytest.mark.parametrize("path", ["/bai", "/tin/2026"], ids=["same addresses", "new addresses, same titles and days"])
def test_a_new_layout_with_the_known_articles_is_learnt_without_a_person(
    app: App, site: Site, clock: FixedClock, path: str
) -> None:
    site.put("/tin-tuc", rows(*range(20, 10, -1)))
    fill(site, *range(11, 22))
    add(app, SourceKind.LISTING, LISTING)
    collect.run(app, clock.now())
    old, known = state(app).signature, set(stored(app))
    # its day is after the last look; an older one among so many new addresses would be held for a person
    site.put("/tin-tuc", rows(24, *range(20, 11, -1), form=CARD.format(path=path)))
    site.put(f"{path}/24.html", article(24, "24/11/2026"))
    assert again(app, clock) == 1
    assert set(stored(app)) - known == {title(24)}
    assert state(app).state is SourceState.ACTIVE
    assert state(app).signature not in (None, old)


def test_a_person_who_resumes_takes_the_new_layout(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/tin-tuc", rows(*range(20, 10, -1)))
    fill(site, *range(11, 25))
    add(app, SourceKind.LISTING, LISTING)
    collect.run(app, clock.now())
    site.put("/tin-tuc", rows(24, 20, 19, 3, 2, 1, form=CARD.format(path="/bai")))
    assert again(app, clock) == 0
    assert "none in the same place now; elsewhere 6, of which 2 known" in (state(app).reason or "")
    with app.db.begin() as conn:
        sources.set_state(conn, state(app).id, SourceState.ACTIVE, now=clock.now())
    assert state(app).signature is None
    assert collect.run(app, clock.now()) == 1
    assert again(app, clock) == 0
    assert (state(app).state, len(stored(app))) == (SourceState.ACTIVE, 14)


def test_a_page_without_a_list_and_a_feed_in_its_place_say_so(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/tin-tuc", REDESIGNS["menu only"])
    add(app, SourceKind.LISTING, LISTING)
    collect.run(app, clock.now())
    assert "no list of articles was found on this page" in (state(app).reason or "")
    site.put("/tin-tuc", "<rss version='2.0'><channel><title>a</title></channel></rss>")
    again(app, clock)
    assert "this is a feed, not a listing page" in (state(app).reason or "")


def test_a_title_cut_short_is_completed_and_a_dead_link_is_held(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/tin-tuc", rows(20, 19, 18).replace(title(20), "Bài viết số 20 kể về chuyến khảo…"))
    fill(site, 18, 20)
    add(app, SourceKind.LISTING, LISTING)
    collect.run(app, clock.now())
    found = stored(app)
    assert title(20) in found
    assert (found[title(19)].state, found[title(19)].reason) == (ArticleState.HELD, "no text could be read")
    assert found[title(19)].provenance["page"] == "not read: answered 404 Not Found"


def test_titles_that_return_under_new_addresses_are_new_articles(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/tin-tuc", rows(20, 19, 18).replace(title(19), title(20)).replace("19/11", "20/11"))
    fill(site, 18, 19, 20)
    add(app, SourceKind.LISTING, LISTING)
    collect.run(app, clock.now())
    with app.db.read() as conn:
        assert len(list(articles.listed(conn))) == 3


# ---------------------------------------------------------------- sitemaps


def urlset(*entries: tuple[int, str]) -> str:
    each = "".join(
        f"<url><loc>http://vien.example/bai/{n}.html</loc><lastmod>{day}</lastmod></url>" for n, day in entries
    )
    return f"<urlset {SPACE}>{each}</urlset>"


def index(*paths: str) -> str:
    each = "".join(f"<sitemap><loc>http://vien.example{path}</loc></sitemap>" for path in paths)
    return f"<sitemapindex {SPACE}>{each}</sitemapindex>"


def test_a_sitemap_gives_articles_by_their_pages_own_title_and_date(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/sitemap.xml", urlset(*((n, "2026-11-22") for n in (20, 19, 1))))
    fill(site, 19, 20)
    site.put("/bai/1.html", article(1, "05/03/2019"))  # a site rebuilt yesterday calls its oldest page changed
    add(app, SourceKind.SITEMAP, "http://vien.example/sitemap.xml")
    assert collect.run(app, clock.now()) == 2
    found = stored(app)
    assert found[title(20)].published == date(2026, 11, 20)
    assert found[title(20)].provenance["published"].startswith("page: ")
    assert (found[title(1)].state, found[title(1)].published) == (ArticleState.SKIPPED, date(2019, 3, 5))
    assert again(app, clock) == 0


def test_a_date_found_on_a_page_lets_in_none_whose_page_was_not_read(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/sitemap.xml", urlset((10, "2026-11-22"), (9, "2026-11-22"), (8, "2026-11-22"), (7, "2026-11-21")))
    fill(site, 7)
    for n in (8, 9, 10):
        site.put(f"/bai/{n}.html", article(n, "05/03/2019"))
    add(app, SourceKind.SITEMAP, "http://vien.example/sitemap.xml")
    assert collect.run(app, clock.now()) == 0
    assert {article.state for article in stored(app).values()} == {ArticleState.SKIPPED}


def test_an_index_is_followed_within_bounds_and_what_fails_is_told(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/sitemap.xml", index("/sitemap.xml", "/a.xml", "/none.xml", "/inner.xml"), ETag='"1"')
    site.put("/a.xml", urlset((20, "2026-11-20")))
    site.put("/inner.xml", index("/b.xml", "/deep.xml", "/a.xml"))
    site.put("/b.xml", urlset((19, "2026-11-19")))
    site.put("/deep.xml", index("/c.xml"))
    fill(site, 19, 20, 21)
    told: list[str] = []
    object.__setattr__(app, "watch", lambda stage, what, *more: told.append(what))
    add(app, SourceKind.SITEMAP, "http://vien.example/sitemap.xml")
    assert collect.run(app, clock.now()) == 2
    assert "/c.xml" not in site.paths()
    assert sum("answered 404" in line or "too deep" in line for line in told) == 2
    site.put("/a.xml", urlset((21, "2026-11-21"), (20, "2026-11-20")))  # the index itself is unchanged
    assert again(app, clock) == 1


def test_an_index_of_nothing_readable_fails_and_an_endless_one_ends(
    app: App, site: Site, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put("/sitemap.xml", index("/a.xml", "/b.xml"))
    add(app, SourceKind.SITEMAP, "http://vien.example/sitemap.xml")
    collect.run(app, clock.now())
    assert "none of its sitemaps can be read: answered 404" in (state(app).reason or "")
    monkeypatch.setattr(serial, "MAX_SITEMAPS", 3)
    site.put("/sitemap.xml", index(*(f"/s{n}.xml" for n in range(50))))
    for n in range(50):
        site.put(f"/s{n}.xml", urlset((n % 20 + 1, f"2026-11-{n % 20 + 1:02}")))
    fill(site, 1, 2, 3)
    site.asked.clear()
    again(app, clock)
    assert [path for path in site.paths() if path.startswith("/s") and path != "/sitemap.xml"] == [
        "/s0.xml",
        "/s1.xml",
        "/s2.xml",
    ]
    assert state(app).state is SourceState.ACTIVE
