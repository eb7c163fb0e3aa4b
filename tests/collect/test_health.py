"""Sources that fail, move, go away and come back, on a real site and both databases; and what staff are told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.collect import gather
from newsletter.model import ArticleState, Source, SourceKind, SourceState
from newsletter.store import articles, letters, sources, staff
from tests.conftest import subscribe

Site = Any  # tests/collect/conftest.py

FEED = "http://vien.example/feed"
MOVED = "http://vien.example/moi/feed"
LONG = "Đội khảo sát thả mười hai phao đo sóng ở cửa vịnh và thu lại sau ba tuần, không mất phao nào. " * 6
HOUR = timedelta(hours=1)


def feed(*numbers: int, more: str = "") -> str:
    items = "".join(
        f"<item><title>Phao đo sóng số {n}</title><link>http://vien.example/bai/{n}</link><guid>{n}</guid>"
        f"<description>{LONG}</description></item>"
        for n in numbers
    )
    return f'<rss version="2.0"><channel><title>Tin</title>{more}{items}</channel></rss>'


def add(app: App, kind: SourceKind = SourceKind.FEED, url: str = FEED, slug: str = "tin") -> None:
    with app.db.begin() as conn:
        sources.add(conn, sources.new(slug, kind, url, newest=5), now=app.clock.now())


def state(app: App, slug: str = "tin") -> Source:
    with app.db.read() as conn:
        found = sources.by_slug(conn, slug)
    assert found is not None
    return found


def look(app: App, clock: FixedClock) -> datetime:
    """At the moment the source is due; returns it."""
    clock.at = max(clock.at, state(app).next_check_at or clock.at)
    collect.run(app, clock.now())
    return clock.now()


def answer(site: Site, path: str, status: int, **headers: str) -> None:
    site.put(path, "không", **headers)
    site.pages[path].status = status


def redirect(site: Site, path: str, target: str, status: int = 301) -> None:
    answer(site, path, status, Location=target)


@pytest.fixture
def told(app: App) -> Callable[[], list[tuple[str, str, list[str]]]]:
    """Someone of staff, and what the letters to them say: (language, topic, lines)."""
    object.__setattr__(app, "suppression_key", b"k" * 32)
    (person,) = subscribe(app, "ban-bien-tap", ["lan@vien.example"])
    with app.db.begin() as conn:
        staff.add(conn, person, name="Lan", language="vi", now=app.clock.now())

    def read() -> list[tuple[str, str, list[str]]]:
        with app.db.read() as conn:
            return [(one.language, one.variables["topic"], one.variables["lines"]) for one in letters.asked(conn)]

    return read


# ---------------------------------------------------------------- pauses


def test_pauses_grow_with_each_failure_and_end_with_success(app: App, site: Site, clock: FixedClock) -> None:
    add(app)
    for hours in (1, 2, 4, 8, 16, 24, 24):
        now = look(app, clock)
        due = state(app).next_check_at
        assert due is not None
        assert HOUR * hours * 0.9 <= due - now <= HOUR * hours
    site.put("/feed", feed(1))
    look(app, clock)
    found = state(app)
    assert (found.state, found.reason, found.failures, found.failing_since) == (SourceState.ACTIVE, None, 0, None)


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ("10800", 3),
        ("31536000", 24),  # a year: once a day is seldom enough
        ("-7", 1),
        ("soon", 1),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24),
    ],
)
def test_retry_after_is_honoured_within_a_day(app: App, site: Site, clock: FixedClock, said: str, hours: int) -> None:
    answer(site, "/feed", 429, Retry_After=said)
    add(app)
    now = look(app, clock)
    assert state(app).next_check_at == now + HOUR * hours


@pytest.mark.parametrize(
    ("more", "headers", "hours"),
    [
        ("", {}, 1),
        ("", {"Cache_Control": "max-age=60"}, 1),
        ("", {"Cache_Control": "public, max-age=10800"}, 3),
        ("", {"Cache_Control": "max-age=31536000"}, 24),
        ("", {"Cache_Control": "no-cache, max-age=10800"}, 1),
        ("<ttl>240</ttl>", {}, 4),
        ("<ttl>999999</ttl>", {"Cache_Control": "max-age=7200"}, 24),
        ("<ttl>5</ttl>", {}, 1),
    ],
)
def test_a_source_may_ask_to_be_looked_at_more_seldom(
    app: App, site: Site, clock: FixedClock, more: str, headers: dict[str, str], hours: int
) -> None:
    site.put("/feed", feed(1, more=more), **headers)
    add(app)
    for _ in range(2):  # the second time the body is the same
        now = look(app, clock)
        assert state(app).next_check_at == now + HOUR * hours


def test_a_new_body_under_the_old_etag_is_read(app: App, site: Site, clock: FixedClock) -> None:
    add(app)
    for shown in ((1,), (2, 1)):
        site.put("/feed", feed(*shown), Etag='"1"')  # the test's site compares only `ETag`: it answers 200 all the same
        look(app, clock)
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    with app.db.read() as conn:
        assert len(list(articles.listed(conn))) == 2


# ---------------------------------------------------------------- moves


@pytest.mark.parametrize("status", [301, 308])
def test_an_address_follows_a_permanent_move_after_three_looks(
    app: App, site: Site, clock: FixedClock, status: int
) -> None:
    redirect(site, "/feed", "/moi/feed", status)
    site.put("/moi/feed", feed(1), ETag='"a"')  # the second and third look are answered with 304
    add(app)
    urls = [(look(app, clock), state(app).url)[1] for _ in range(3)]
    assert urls == [FEED, FEED, MOVED]
    site.asked.clear()
    look(app, clock)
    assert site.paths() == ["/moi/feed"]
    assert site.asked[0][1]["If-None-Match"] == '"a"'
    assert (state(app).state, state(app).moved_to) == (SourceState.ACTIVE, None)


def test_a_move_for_now_and_one_that_changes_its_mind_move_nothing(app: App, site: Site, clock: FixedClock) -> None:
    for path in ("/moi/feed", "/cu/feed"):
        site.put(path, feed(1))
    add(app)
    redirect(site, "/feed", "/moi/feed", 302)
    for _ in range(4):
        look(app, clock)
    assert (state(app).url, state(app).moved_seen) == (FEED, 0)
    for _ in range(3):
        for target in ("/moi/feed", "/cu/feed"):
            redirect(site, "/feed", target)
            look(app, clock)
    assert (state(app).url, state(app).moved_seen) == (FEED, 1)
    redirect(site, "/feed", "/moi/feed")
    redirect(site, "/moi/feed", "/feed")
    look(app, clock)
    assert "the redirects go round in a circle" in (state(app).reason or "")


@pytest.mark.parametrize("kind", [SourceKind.FEED, SourceKind.SITEMAP, SourceKind.LISTING])
def test_a_parked_page_is_never_taken_for_the_new_address(
    app: App, site: Site, clock: FixedClock, kind: SourceKind
) -> None:
    redirect(site, "/feed", "/parked")
    site.put("/parked", "<html><body><h1>This domain is for sale</h1><a href='/buy'>Buy it</a></body></html>")
    add(app, kind)
    for _ in range(5):
        look(app, clock)
    found = state(app)
    assert (found.url, found.state, found.moved_seen) == (FEED, SourceState.FAILING, 0)


def test_an_article_page_keeps_the_address_a_person_gave(app: App, site: Site, clock: FixedClock) -> None:
    redirect(site, "/bai", "/")
    site.put("/", f"<html><body><article><h1>Trang chủ của viện</h1><p>{LONG}</p></article></body></html>")
    add(app, SourceKind.PAGE, "http://vien.example/bai")
    for _ in range(4):
        look(app, clock)
    assert (state(app).url, state(app).state) == ("http://vien.example/bai", SourceState.ACTIVE)


# ---------------------------------------------------------------- given up


def test_a_source_that_is_gone_twice_is_given_up_and_staff_are_told_once(
    app: App, site: Site, clock: FixedClock, told: Callable[[], list[tuple[str, str, list[str]]]]
) -> None:
    answer(site, "/feed", 410)
    add(app)
    look(app, clock)
    assert (state(app).state, told()) == (SourceState.FAILING, [])
    look(app, clock)
    reason = f"paused, because it said twice that it is gone for good: {FEED}: answered 410 Gone"
    assert (state(app).state, state(app).reason, state(app).given_up) == (SourceState.PAUSED, reason, True)
    site.asked.clear()
    clock.at += timedelta(days=3)
    assert collect.run(app, clock.now()) == 0
    assert (site.paths(), told()) == ([], [("vi", "source_paused", [reason])])


def test_a_source_that_was_gone_once_recovers(app: App, site: Site, clock: FixedClock) -> None:
    add(app)
    for _ in range(3):
        answer(site, "/feed", 410)
        look(app, clock)
        assert state(app).gone == 1
        site.put("/feed", feed(1))
        look(app, clock)
        assert (state(app).state, state(app).gone) == (SourceState.ACTIVE, 0)


def test_two_weeks_without_an_answer_end_in_a_pause_and_two_letters(
    app: App, site: Site, clock: FixedClock, told: Callable[[], list[tuple[str, str, list[str]]]]
) -> None:
    add(app)
    began, looks = look(app, clock), 1
    while state(app).state is SourceState.FAILING:
        assert looks < 40
        look(app, clock)
        looks += 1
    assert timedelta(days=14) <= clock.now() - began <= timedelta(days=15)
    assert state(app).reason == (f"paused, because it could not be read for 14 days: {FEED}: answered 404 Not Found")
    assert [topic for _, topic, _ in told()] == ["source_failing", "source_paused"]


def test_a_person_who_resumes_clears_everything_and_may_be_told_again(
    app: App, site: Site, clock: FixedClock, told: Callable[[], list[tuple[str, str, list[str]]]]
) -> None:
    answer(site, "/feed", 410)
    add(app)
    for letters_sent in (1, 2):
        look(app, clock)
        look(app, clock)
        assert state(app).given_up
        assert len(told()) == letters_sent
        with app.db.begin() as conn:
            sources.set_state(conn, state(app).id, SourceState.ACTIVE, now=clock.now())
        found = state(app)
        assert (found.reason, found.failures, found.gone, found.failing_since) == (None, 0, 0, None)
    site.put("/feed", feed(1))
    look(app, clock)
    assert state(app).state is SourceState.ACTIVE


def test_a_corrected_address_is_looked_at_at_once(app: App, site: Site, clock: FixedClock) -> None:
    answer(site, "/feed", 410)
    add(app)
    look(app, clock)
    look(app, clock)
    site.put("/moi/feed", feed(1))
    add(app, url=MOVED)
    assert collect.run(app, clock.now()) == 1
    assert (state(app).state, state(app).reason) == (SourceState.ACTIVE, None)


def test_what_a_person_pauses_or_takes_out_while_it_is_read_stays_so(app: App, site: Site, clock: FixedClock) -> None:
    def take_out() -> None:
        with app.db.begin() as conn:
            sources.remove(conn, ["tin"])

    for status in (200, 410):
        answer(site, "/feed", status)
        site.pages["/feed"].body = feed(1).encode()
        site.pages["/feed"].before = take_out
        add(app)
        with app.db.begin() as conn:
            sources.set_state(conn, state(app).id, SourceState.ACTIVE, now=clock.now())
        collect.run(app, clock.now())
        assert sources.was_removed(state(app))
        assert not state(app).given_up


# ---------------------------------------------------------------- robots.txt


LISTING = (
    "<html><head><title>Tin viện</title></head><body><ul>"
    + "".join(
        f"<li class='tin'><h3><a href='/bai/{n}.html'>Chuyến thả phao số {n} ở cửa vịnh phía nam</a></h3></li>"
        for n in range(6)
    )
    + "</ul></body></html>"
)


def test_a_listing_that_is_not_to_be_read_fails_with_the_reason(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /tin")
    site.put("/tin", LISTING)
    add(app, SourceKind.LISTING, "http://vien.example/tin")
    look(app, clock)
    assert state(app).reason == (
        "http://vien.example/tin: the site's robots.txt asks programs not to read this page"
        " (its feed or sitemap may be read, or ask the site)"
    )
    assert site.paths() == ["/robots.txt"]


def test_a_page_that_is_not_to_be_read_leaves_its_article_with_the_reason(
    app: App, site: Site, clock: FixedClock
) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /bai/1.html")
    site.put("/tin", LISTING)
    for n in range(6):
        site.put(
            f"/bai/{n}.html",
            f"<html><body><article><h1>Chuyến thả phao số {n}</h1><p>{LONG}</p></article></body></html>",
        )
    add(app, SourceKind.LISTING, "http://vien.example/tin")
    look(app, clock)
    with app.db.read() as conn:
        found = {article.url: article for article in articles.listed(conn)}
    refused = found["http://vien.example/bai/1.html"]
    assert refused.provenance["page"] == "not read: the site's robots.txt asks programs not to read this page"
    assert (refused.state, refused.text) == (ArticleState.HELD, "")
    assert found["http://vien.example/bai/0.html"].text.startswith("Đội khảo sát")
    assert "/bai/1.html" not in site.paths()
    assert site.paths().count("/robots.txt") == 1


def test_feeds_sitemaps_and_pages_that_a_person_named_need_no_leave(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /")
    site.put("/feed", feed(1))
    site.put("/bai", f"<html><body><article><h1>Phao đo sóng</h1><p>{LONG}</p></article></body></html>")
    site.put("/ban-do.xml", "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'></urlset>")
    add(app)
    add(app, SourceKind.PAGE, "http://vien.example/bai", slug="bai")
    add(app, SourceKind.SITEMAP, "http://vien.example/ban-do.xml", slug="ban-do")
    look(app, clock)
    assert [state(app, slug).reason for slug in ("tin", "bai", "ban-do")] == [None] * 3
    assert "/robots.txt" not in site.paths()


def test_a_robots_txt_that_cannot_be_had_fails_the_listing_until_it_can(
    app: App, site: Site, clock: FixedClock
) -> None:
    answer(site, "/robots.txt", 503)
    site.put("/tin", LISTING)
    add(app, SourceKind.LISTING, "http://vien.example/tin")
    look(app, clock)
    assert "its robots.txt could not be read, so it is left alone for now: answered 503" in (state(app).reason or "")


# ---------------------------------------------------------------- turns


def test_pages_there_is_no_time_for_are_read_with_the_next_look(
    app: App, site: Site, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "PATIENCE", -1.0)
    site.put("/tin", LISTING, ETag='"1"')
    for n in range(6):
        site.put(
            f"/bai/{n}.html",
            f"<html><body><article><h1>Chuyến thả phao số {n}</h1><p>{LONG}</p></article></body></html>",
        )
    add(app, SourceKind.LISTING, "http://vien.example/tin")
    counts = []
    for _ in range(6):
        look(app, clock)
        with app.db.read() as conn:
            counts.append(sum(bool(article.text) for article in articles.listed(conn)))
    assert counts == [1, 2, 3, 4, 5, 5]  # five of the six are offered, one page a look
    look(app, clock)
    assert site.asked[-1][1]["If-None-Match"] == '"1"'


def test_sources_of_one_host_are_read_one_after_another(app: App, site: Site, clock: FixedClock) -> None:
    for n in range(4):
        site.put(f"/feed{n}", feed(n))
        add(app, url=f"http://vien.example/feed{n}", slug=f"tin{n}")
    add(app, url="http://[broken/feed", slug="tin")
    assert collect.run(app, clock.now()) == 4
    assert site.paths() == [f"/feed{n}" for n in range(4)]


def test_sources_there_is_no_time_for_stay_due_and_it_is_told(
    app: App, site: Site, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "PATIENCE", -1.0)
    said: list[str] = []
    told = replace(app, watch=lambda stage, what, *more: said.append(what))
    for n in range(3):
        site.put(f"/feed{n}", feed(n))
        add(app, url=f"http://vien.example/feed{n}", slug=f"tin{n}")
    assert [collect.run(told, clock.now()) for _ in range(4)] == [1, 1, 1, 0]
    assert [line for line in said if "next run" in line] == [
        "2 source(s) are read with the next run",
        "1 source(s) are read with the next run",
    ]
