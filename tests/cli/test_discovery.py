"""`source add URL` finds out what stands there, and shows it before anything is written."""

import json
import signal
from collections.abc import Sequence
from typing import Any

import pytest

from newsletter.collect import discover
from tests.cli.conftest import ARTICLE, Home, Pages

SITE = "http://tin.example"
DAYS = range(22, 12, -1)


def title(day: int) -> str:
    return f"Đoàn khảo sát ngày thứ {day} trên đầm Thủy Triều"


def article(day: int, extra: str = "") -> bytes:
    return (
        f"<html lang='vi'><head>{extra}<title>{title(day)}</title></head><body><h1>{title(day)}</h1><i>{day}/11/2026</i>"
        f"<p>{ARTICLE * 3}</p><h3>Tin khác</h3>{links(DAYS)}</body></html>"
    ).encode()


def links(days: Sequence[int]) -> str:
    rows = (f"<li><h3><a href='{SITE}/bai/{day}.html'>{title(day)}</a></h3><i>{day}/11/2026</i></li>" for day in days)
    return f"<ul class='ds'>{''.join(rows)}</ul>"


def listing(extra: str = "", days: Sequence[int] = DAYS) -> bytes:
    return f"<html lang='vi'><head><title>Tin Đầm</title>{extra}</head><body>{links(days)}</body></html>".encode()


def feed(name: str) -> bytes:
    entries = "".join(
        f"<item><title>{title(day)}</title><link>{SITE}/bai/{day}.html</link>"
        f"<pubDate>{day} Nov 2026 08:00:00 +0700</pubDate></item>"
        for day in DAYS
    )
    return f"<rss version='2.0'><channel><title>{name}</title>{entries}</channel></rss>".encode()


def sitemap() -> bytes:
    each = "".join(f"<url><loc>{SITE}/bai/{day}.html</loc><lastmod>2026-11-{day}</lastmod></url>" for day in DAYS)
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{each}</urlset>".encode()


@pytest.fixture
def web(home: Home, pages: Pages) -> dict[str, tuple[str, bytes]]:
    home.settings(pages.resolve)
    for day in DAYS:
        pages.at[f"/bai/{day}.html"] = ("text/html", article(day))
    return pages.at


def added(home: Home, path: str, *options: str) -> tuple[str, str]:
    """(kind, url) of the source that was written."""
    said = home("source", "add", SITE + path, "--slug", "x", *options)
    assert said.code == 0, said.err
    (source,) = home("source", "list", "--json").json
    return source["kind"], source["url"].removeprefix(SITE)


def test_a_listing_is_found_and_shown_and_then_collected(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/tin-tuc"] = ("text/html", listing())
    looked = home("source", "add", SITE + "/tin-tuc", "--dry-run")
    assert looked.out == "would add listing tin-dam: Tin Đầm (10 article(s))\n"
    shown = [line for line in looked.err.splitlines() if line.startswith("  2026-")]
    assert shown == [f"  2026-11-{day}  {title(day)}  {SITE}/bai/{day}.html" for day in (22, 21, 20, 19, 18)]
    assert home("source", "list", "--json").json == []
    assert added(home, "/tin-tuc") == ("listing", "/tin-tuc")
    assert len(home("source", "check", "x", "--json").json["articles"]) == 10


@pytest.mark.parametrize(
    "tag",
    [
        "<link rel='alternate' type='application/rss+xml' title='Tin' href='/kenh?x=1&amp;y=2'>",
        '<LINK HREF="kenh?x=1&y=2" TYPE=application/rss+xml REL="alternate home">',
        "<link rel=alternate type=application/rss+xml href=/comments/feed/>"
        "<link rel=alternate type=application/atom+xml href=/mat>"
        "<link rel=alternate type=application/rss+xml href=//tin.example/kenh?x=1&y=2>",
    ],
)
def test_a_feed_the_page_names_comes_first(home: Home, web: dict[str, tuple[str, bytes]], tag: str) -> None:
    web["/"] = ("text/html", listing(tag))
    web["/comments/feed/"] = ("text/xml", feed("Bình luận"))
    web["/kenh?x=1&y=2"] = ("text/xml", feed("Tin"))
    assert added(home, "/") == ("feed", "/kenh?x=1&y=2")


def test_a_feed_at_a_well_known_path_is_found(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/tin-tuc"] = ("text/html", listing())
    web["/tin-tuc/rss.xml"] = ("text/xml", feed("Tin"))
    web["/tin-tuc/feed"] = ("text/html", b"<html><body>404, answered with 200</body></html>")
    assert added(home, "/tin-tuc") == ("feed", "/tin-tuc/rss.xml")


def test_the_sitemap_of_a_front_page_is_found_through_robots(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/"] = ("text/html", listing())
    web["/robots.txt"] = ("text/plain", f"User-agent: *\nDisallow:\nSitemap: {SITE}/ban-do.xml\n".encode())
    web["/ban-do.xml"] = ("text/xml", sitemap())
    said = home("source", "add", SITE + "/", "--dry-run")
    assert f"  2026-11-22  {title(22)}  {SITE}/bai/22.html" in said.err.splitlines()
    assert added(home, "/") == ("sitemap", "/ban-do.xml")


def test_a_sitemap_at_its_usual_place_is_found_and_a_section_keeps_its_list(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    web["/"] = ("text/html", b"<html><body><div id='app'></div></body></html>")
    web["/tin-tuc"] = ("text/html", listing())
    web["/sitemap.xml"] = ("text/xml", sitemap())
    assert "would add listing" in home("source", "add", SITE + "/tin-tuc", "--dry-run").out
    assert added(home, "/") == ("sitemap", "/sitemap.xml")


def test_a_list_that_programs_are_not_to_read_is_no_source(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/tin-tuc"] = ("text/html", listing())
    web["/robots.txt"] = ("text/plain", b"User-agent: *\nDisallow: /tin-tuc\n")
    said = home("source", "add", SITE + "/tin-tuc")
    assert said.code == 1
    assert "the site's robots.txt asks programs not to read this page" in said.error
    web["/sitemap.xml"] = ("text/xml", sitemap())
    assert added(home, "/tin-tuc") == ("sitemap", "/sitemap.xml")


def test_a_sitemap_without_dates_is_not_chosen_before_a_list(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/"] = ("text/html", listing())
    web["/sitemap.xml"] = ("text/xml", sitemap().replace(b"<lastmod>", b"<x>").replace(b"</lastmod>", b"</x>"))
    assert added(home, "/") == ("listing", "/")


def test_a_sitemap_given_by_its_address_is_one(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/s.xml"] = ("application/xml", sitemap())
    assert added(home, "/s.xml") == ("sitemap", "/s.xml")


def test_an_article_stays_an_article_though_its_page_names_a_feed_and_lists_others(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    tag = "<link rel='alternate' type='application/rss+xml' href='/kenh'>"
    web["/kenh"] = ("text/xml", feed("Tin"))
    web["/bai/22.html"] = ("text/html", article(22, tag))
    assert added(home, "/bai/22.html") == ("page", "/bai/22.html")


def test_what_a_person_says_it_is_decides(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    tag = "<link rel='alternate' type='application/rss+xml' href='/kenh'>"
    web["/"] = ("text/html", listing(tag))
    web["/kenh"] = ("text/xml", feed("Tin"))
    assert "this is a feed, not a listing page" in home("source", "add", SITE + "/kenh", "--kind", "listing").error
    assert "cannot be a source of kind manual" in home("source", "add", SITE, "--kind", "manual").error
    assert "cannot be a source of kind folder" in home("source", "add", SITE, "--kind", "folder").error
    assert "cannot be a source of kind feed" in home("source", "add", ".", "--kind", "feed").error
    assert added(home, "/", "--kind", "listing") == ("listing", "/")


def test_a_place_where_nothing_is_says_what_to_do(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/"] = ("text/html", b"<html><body><div id='app'></div></body></html>")
    said = home("source", "add", SITE + "/")
    assert said.code == 1
    assert "neither a feed, a sitemap, a list of articles nor an article" in said.error


def test_checking_a_redesigned_listing_shows_the_alarm_and_what_is_there_now(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    web["/tin-tuc"] = ("text/html", listing())
    assert added(home, "/tin-tuc") == ("listing", "/tin-tuc")
    assert home("collect").code == 0
    web["/tin-tuc"] = ("text/html", listing().replace(b"<h3>", b"<b>").replace(b"</h3>", b"</b>"))
    said = home("source", "check", "x", "--json")
    assert said.code == 1
    assert (
        "the page's layout changed: 10 links to articles before, none in the same place now; elsewhere 10"
        in said.json["problems"][0]
    )
    assert len(said.json["articles"]) == 10
    assert "layout changed" in home("source", "check", "x").error
    assert home("source", "resume", "x").code == 0
    assert home("source", "check", "x").code == 0


def test_inspecting_a_listing_needs_its_address_and_answers_in_order(home: Home) -> None:
    file = home.folder / "l.html"
    file.write_bytes(listing(days=(22, 21, 20)))
    lines = [{"id": 1, "file": str(file), "url": SITE + "/tin"}, {"id": 2, "file": str(file)}]
    said = home("inspect", "listing", "--jsonl", stdin="\n".join(map(json.dumps, lines)))
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["links"][0] == {"url": f"{SITE}/bai/22.html", "title": title(22), "published": "2026-11-22"}
    assert [link["url"][-7:-5] for link in first["links"]] == ["22", "21", "20"]
    assert second == {"id": 2, "error": "url is missing: links are told apart by it (say --url)"}
    told = home("inspect", "listing", file, "--url", SITE + "/tin")
    assert told.out.startswith("3 links to articles\n  2026-11-22")


def posts() -> bytes:
    each = [
        {"id": day, "title": {"rendered": title(day)}, "link": f"{SITE}/bai/{day}.html",
         "date": f"2026-11-{day}T08:00:00", "date_gmt": f"2026-11-{day}T01:00:00", "content": {"rendered": ARTICLE * 3}}
        for day in DAYS
    ]  # fmt: skip
    return json.dumps(each).encode()


BLOG = "<link rel='https://api.w.org/' href='http://tin.example/wp-json/'>"
ASKED = "per_page=20&_embed=author%2Cwp%3Afeaturedmedia"


def test_a_wordpress_api_comes_before_its_feed_and_a_closed_one_does_not(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    tag = BLOG + "<link rel='alternate' type='application/rss+xml' href='/feed/'>"
    web["/"] = ("text/html", listing(tag))
    web["/feed/"] = ("text/xml", feed("Tin"))
    assert "would add feed" in home("source", "add", SITE + "/", "--dry-run").out
    web[f"/wp-json/wp/v2/posts?{ASKED}"] = ("application/json", posts())
    said = home("source", "add", SITE + "/", "--dry-run")
    assert said.out == "would add wordpress tin-dam: Tin Đầm (10 article(s))\n"
    assert f"  2026-11-22  {title(22)}  {SITE}/bai/22.html" in said.err.splitlines()
    assert added(home, "/") == ("wordpress", "/wp-json/wp/v2/posts")
    assert len(home("source", "check", "x", "--json").json["articles"]) == 10


def test_a_section_of_a_wordpress_site_is_its_category_and_else_its_own_list(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    term = "<link rel='alternate' type='application/json' href='http://tin.example/wp-json/wp/v2/categories/5'>"
    web[f"/wp-json/wp/v2/posts?{ASKED}"] = ("application/json", posts())
    web["/tin-tuc"] = ("text/html", listing(BLOG))
    assert "would add listing" in home("source", "add", SITE + "/tin-tuc", "--dry-run").out
    web["/tin-tuc"] = ("text/html", listing(BLOG + term))
    web[f"/wp-json/wp/v2/posts?categories=5&{ASKED}"] = ("application/json", posts())
    assert added(home, "/tin-tuc") == ("wordpress", "/wp-json/wp/v2/posts?categories=5")


def test_a_wordpress_site_without_pretty_links_is_found_and_can_be_named(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    web["/"] = ("text/html", listing(BLOG.replace("wp-json/", "?rest_route=/")))
    web[f"/?rest_route=/wp/v2/posts&{ASKED}"] = ("application/json", posts())
    assert "would add wordpress" in home("source", "add", SITE + "/", "--dry-run").out
    assert "would add wordpress" in home("source", "add", SITE + "/?rest_route=/", "--dry-run").out
    assert added(home, "/", "--kind", "wordpress") == ("wordpress", "/?rest_route=/wp/v2/posts")


def test_a_site_said_to_be_wordpress_that_is_none_is_refused(home: Home, web: dict[str, tuple[str, bytes]]) -> None:
    web["/"] = ("text/html", listing())
    assert "no REST API at this address" in home("source", "add", SITE + "/", "--kind", "wordpress").error


def test_checking_shows_the_newest_five_and_reads_the_pages_of_mere_links(
    home: Home, web: dict[str, tuple[str, bytes]]
) -> None:
    web["/s.xml"] = ("application/xml", sitemap())
    assert added(home, "/s.xml") == ("sitemap", "/s.xml")
    said = home("source", "check", "x")
    assert [title(day) in said.out for day in (22, 18, 17)] == [True, True, False]
    assert "the newest 5 of 10; --all shows all" in said.err
    assert len(home("source", "check", "x", "--all").out.splitlines()) == 11


def test_a_signal_breaks_off_the_looking_and_nothing_is_added(
    home: Home, web: dict[str, tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    web["/tin-tuc"] = ("text/html", listing())
    real = discover._tried

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(discover, "_tried", interrupted)
    assert home("source", "add", SITE + "/tin-tuc").code == 130
    assert home("source", "list", "--json").json == []
