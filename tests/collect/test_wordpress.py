"""The posts of WordPress sites: what the API gives, what plugins make of it, and what a closed one says."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.collect.wordpress import PER_PAGE, endpoint, named, page_of, read_posts
from newsletter.errors import Unreadable
from newsletter.model import Article, ArticleState, SourceKind, SourceState
from newsletter.store import articles, sources

Site = Any  # tests/collect/conftest.py

HOME = "http://vien.example"
API = f"{HOME}/wp-json/wp/v2/posts"
ASKED = "/wp-json/wp/v2/posts?per_page=20&_embed=author%2Cwp%3Afeaturedmedia"
TEXT = "Đoàn khảo sát đặt mười hai trạm đo mực nước quanh đầm và thu số liệu mỗi giờ một lần. " * 6
HANOI = timezone(timedelta(hours=7))


def post(number: int, day: datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "date": day.astimezone(HANOI).strftime("%Y-%m-%dT%H:%M:%S"),
        "date_gmt": day.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "guid": {"rendered": f"{HOME}/?p={number}&#038;x"},
        "link": f"{HOME}/tin/{number}/",
        "title": {"rendered": f"Trạm đo thứ {number} &#8211; đầm Thủy Triều"},
        "content": {"rendered": f"<p>{TEXT}</p>", "protected": False},
        "excerpt": {"rendered": f"<p>{TEXT[:60]} [&hellip;]</p>"},
        "_embedded": {
            "author": [{"id": 1, "name": "Lê Thị Triều"}],
            "wp:featuredmedia": [{"source_url": "/uploads/a.jpg", "mime_type": "image/jpeg"}],
        },
    } | more


def read(*posts: Any) -> Any:
    return read_posts(json.dumps(posts).encode(), url=API).items


NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


def test_a_post_gives_everything_an_article_needs() -> None:
    (item,) = read(post(7, NOW))
    assert (item.title, item.url, item.guid) == (
        "Trạm đo thứ 7 – đầm Thủy Triều",
        f"{HOME}/tin/7/",
        f"{HOME}/?p=7&x",
    )
    assert item.published == datetime(2026, 11, 20, 8, 30, tzinfo=HANOI)
    assert item.published.utcoffset() == timedelta(hours=7)
    assert (item.text, item.standfirst) == (TEXT.strip(), None)  # the excerpt is only the beginning
    assert (item.authors, item.image) == (("Lê Thị Triều",), f"{HOME}/uploads/a.jpg")
    assert item.provenance == {
        "title": "wordpress",
        "text": "wordpress:content",
        "published": "wordpress:date",
        "image": "wordpress:featured",
        "authors": "wordpress",
    }


def test_an_excerpt_written_by_a_person_is_the_standfirst() -> None:
    (item,) = read(post(1, NOW, excerpt={"rendered": "<p>Mười hai trạm, một đầm.</p>"}))
    assert (item.standfirst, item.provenance["standfirst"]) == ("Mười hai trạm, một đầm.", "wordpress:excerpt")


def test_the_text_is_without_captions_buttons_related_posts_and_builders_marks() -> None:
    markup = (
        '[vc_row css=".x{a:b}"]<figure><img src="/b.png"><figcaption>Ảnh: đầm</figcaption></figure>'
        f"<p>{TEXT}</p><p>Số liệu [1] được công bố.</p>[/vc_row]<div class='sharedaddy sd-block'>Chia sẻ</div>"
        "<h3>Tin liên quan</h3><ul><li><a href='/x'>Bài cũ của đoàn khảo sát</a></li></ul>"
    )
    (item,) = read(post(1, NOW, content={"rendered": markup}, _embedded={}))
    assert item.text == f"{TEXT.strip()}\n\nSố liệu [1] được công bố."
    assert (item.image, item.provenance["image"]) == (f"{HOME}/b.png", "wordpress:content")


@pytest.mark.parametrize(
    ("local", "gmt", "expected"),
    [
        ("2026-11-20T08:30:00", "2026-11-20T01:30:00", datetime(2026, 11, 20, 8, 30, tzinfo=HANOI)),
        ("2026-11-20T08:30:00", "0000-00-00T00:00:00", date(2026, 11, 20)),
        ("2026-11-20T08:30:00", None, date(2026, 11, 20)),
        (None, "2026-11-20T01:30:00", NOW),
        ("2026-11-20T08:37:00", "2026-11-20T01:30:00", NOW),
        ("2031-11-20T08:30:00", "2026-11-20T01:30:00", NOW),
        (17, [], None),
    ],
)
def test_the_offset_is_the_difference_of_the_two_dates(local: Any, gmt: Any, expected: Any) -> None:
    (item,) = read(post(1, NOW, date=local, date_gmt=gmt))
    assert item.published == expected


def test_wrong_types_cost_a_field_and_never_the_post() -> None:
    odd = {
        "title": ["x"],
        "content": None,
        "excerpt": 3,
        "guid": {},
        "link": "javascript:x()",
        "_embedded": [1],
        "lang": {},
    }
    (first, second) = read(post(1, NOW, **odd), post(2, NOW, _embedded={"author": {"code": "rest_user_invalid_id"}}))
    assert (first.title, first.text, first.url, first.authors, first.image) == ("", "", None, (), None)
    assert (second.authors, second.image) == ((), None)


def test_a_sites_administrator_is_nobodys_name_and_a_picture_is_not_taken_in_its_original_size() -> None:
    media = {
        "source_url": "/u/full.jpg",
        "media_details": {"sizes": {"thumbnail": {"source_url": "/u/t.jpg"}, "large": {"source_url": "/u/l.jpg"}}},
    }
    embedded = {"author": [{"name": "Admin"}, {"name": "a@vien.example"}], "wp:featuredmedia": [media]}
    (item,) = read(post(1, NOW, _embedded=embedded))
    assert (item.authors, item.image) == ((), f"{HOME}/u/l.jpg")


def test_posts_behind_a_password_are_told_and_left_out() -> None:
    body = json.dumps([post(1, NOW, content={"rendered": "", "protected": True}), post(2, NOW)]).encode()
    found = read_posts(body, url=API)
    assert [item.guid for item in found.items] == [f"{HOME}/?p=2&x"]
    assert [str(problem) for problem in found.problems] == [f"{HOME}/tin/1/: a post behind a password is left out"]


def test_a_warning_printed_before_the_json_is_passed_over() -> None:
    body = (
        b"\xef\xbb\xbf<br />\n<b>Warning</b>: Undefined array key in x.php<br />\n"
        + json.dumps([post(1, NOW)]).encode()
    )
    assert len(read_posts(body, url=API).items) == 1
    assert read_posts(b" []", url=API).items == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the answer is empty"),
        (b'<!doctype html><html><script>[{"id":1}]</script></html>', "an HTML page, not WordPress posts"),
        (b'{"code":"rest_disabled","message":"API b\\u1ecb t\\u1eaft"}', "the REST API refused: API bị tắt"),
        (b'{"namespaces":["wp/v2"]}', "no list of WordPress posts"),
        (b'[{"id":1},{"id":2}]', "no list of WordPress posts"),
        (b"[1,2]", "no list of WordPress posts"),
        (b'"x"', "no list of WordPress posts"),
        (b'[{"id":1,"title":', "the JSON cannot be read"),
        (b"[" * 100_000, "the JSON cannot be read: RecursionError"),
    ],
    ids=range(9),
)
def test_what_is_no_list_of_posts_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason) as caught:
        read_posts(body, url=API)
    assert caught.value.where == API


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{HOME}/wp-json/", API),
        (f"{HOME}/wp-json", API),
        (f"{HOME}/wp-json/wp/v2", API),
        (f"{API}?categories=5&per_page=100&_embed&page=3", f"{API}?categories=5"),
        (f"{HOME}/vi/wp-json/wp/v2/tin-tuc/", f"{HOME}/vi/wp-json/wp/v2/tin-tuc"),
        (f"{HOME}/?rest_route=/", f"{HOME}/?rest_route=/wp/v2/posts"),
        (f"{HOME}/index.php?rest_route=/wp/v2/posts&tags=2", f"{HOME}/index.php?rest_route=/wp/v2/posts&tags=2"),
        (f"{HOME}/wp-json/wp/v2/users", None),
        (f"{HOME}/wp-json/oembed/1.0/embed?url=x", None),
        (f"{HOME}/tin/wp-json-la-gi", None),
        (HOME, None),
    ],
)
def test_the_addresses_of_posts(url: str, expected: str | None) -> None:
    assert endpoint(url) == expected


def test_a_page_is_asked_for_with_filters_kept_and_a_bare_site_has_its_usual_place() -> None:
    assert (
        page_of(f"{API}?categories=5", 2) == f"{API}?categories=5&per_page=20&_embed=author%2Cwp%3Afeaturedmedia&page=2"
    )
    assert page_of(page_of(API, 3)) == page_of(API) == HOME + ASKED == page_of(HOME)
    assert page_of(f"{HOME}/?rest_route=/") == f"{HOME}/?rest_route=/wp/v2/posts&" + ASKED.partition("?")[2]


def test_a_section_counts_with_its_category_only() -> None:
    root = {"rel": "https://api.w.org/", "href": f"{HOME}/wp-json/"}
    category = {"rel": "alternate", "type": "application/json", "href": f"{HOME}/wp-json/wp/v2/categories/5"}
    article = category | {"href": f"{HOME}/wp-json/wp/v2/posts/9"}
    assert named([root], f"{HOME}/") == API
    assert named([root, category], f"{HOME}/chuyen-muc/tin/") == f"{API}?categories=5"
    assert named([root, article], f"{HOME}/tin/9/") is None
    assert named([category], f"{HOME}/") is None
    plain = [{"rel": "https://api.w.org/", "href": "/?rest_route=/"}, category | {"href": "/?rest_route=/wp/v2/tags/3"}]
    assert named(plain, f"{HOME}/?tag=x") == f"{HOME}/?rest_route=/wp/v2/posts&tags=3"


# ---------------------------------------------------------------- as a source


def add(app: App, url: str = API) -> None:
    with app.db.begin() as conn:
        sources.add(conn, sources.new("dam", SourceKind.WORDPRESS, url, newest=2), now=app.clock.now())


def stored(app: App) -> list[Article]:
    with app.db.read() as conn:
        return articles.listed(conn)


def reason(app: App) -> str | None:
    with app.db.read() as conn:
        found = sources.by_slug(conn, "dam")
    assert found is not None
    return found.reason if found.state is SourceState.FAILING else None


def test_a_first_run_offers_the_newest_and_reads_no_article_page(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    short = {"rendered": "<p>Trạm đã chạy.</p>"}
    site.put(ASKED, json.dumps([post(n, now - timedelta(days=n), content=short) for n in (1, 2, 3)]))
    add(app)
    assert collect.run(app, now) == 2
    assert site.paths() == [ASKED]
    assert sorted(article.state for article in stored(app)) == [
        ArticleState.NEW,
        ArticleState.NEW,
        ArticleState.SKIPPED,
    ]
    clock.at += timedelta(hours=2)
    site.put(ASKED, json.dumps([post(9, now), *(post(n, now - timedelta(days=n)) for n in (1, 2, 3))]))
    assert collect.run(app, clock.now()) == 1
    assert len(stored(app)) == 4


def test_pages_are_read_down_to_what_is_too_old_and_a_broken_one_is_told(
    app: App, site: Site, clock: FixedClock
) -> None:
    now = clock.now()
    hours = [post(n, now - timedelta(hours=n)) for n in range(PER_PAGE * 3)]
    site.put(ASKED, json.dumps(hours[:PER_PAGE]))
    site.put(ASKED + "&page=2", json.dumps(hours[PER_PAGE : PER_PAGE * 2]))
    site.put(ASKED + "&page=3", "<html>bận</html>")
    add(app)
    assert collect.run(app, now) == 2
    assert site.paths() == [ASKED, ASKED + "&page=2", ASKED + "&page=3"]
    assert len(stored(app)) == PER_PAGE * 2
    assert reason(app) is None
    clock.at += timedelta(hours=2)
    site.put(ASKED, json.dumps([post(100 + n, now - timedelta(days=n)) for n in range(PER_PAGE)]))
    collect.run(app, clock.now())
    assert site.paths()[3:] == [ASKED]  # its last post is older than the source's fourteen days


def test_a_last_page_that_was_full_to_the_brim_is_no_fault(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put(ASKED, json.dumps([post(n, now - timedelta(hours=n)) for n in range(PER_PAGE)]))
    site.put(ASKED + "&page=2", '{"code":"rest_post_invalid_page_number"}')
    site.pages[ASKED + "&page=2"].status = 400
    add(app)
    assert collect.run(app, now) == 2
    assert reason(app) is None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the site's REST API wants a login (answered 401)"),
        (403, "the site's REST API is closed to strangers (answered 403)"),
        (404, "the site has no REST API at this address (answered 404)"),
        (503, "answered 503 Service Unavailable"),
    ],
)
def test_a_closed_api_is_a_failing_source_with_a_reason(
    app: App, site: Site, clock: FixedClock, status: int, said: str
) -> None:
    site.put(ASKED, '{"code":"rest_forbidden"}')
    site.pages[ASKED].status = status
    add(app)
    assert collect.run(app, clock.now()) == 0
    assert said in (reason(app) or "")
    assert stored(app) == []
