"""What becomes of articles that change, of sources that rename everything, and of a machine that fails: on real rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.errors import BadInput, NotAllowed
from newsletter.model import Article, ArticleState, Source, SourceKind, SourceState
from newsletter.store import articles, letters, sources, staff
from newsletter.store.wording import words_hash
from subscribers import ensure_person, parse_address

Site = Any  # tests/collect/conftest.py

FEED = "http://vien.example/feed"
LONG = "Lớp học kéo dài năm ngày, gồm hai ngày lý thuyết và ba ngày thực hành trên tàu khảo sát của Trung tâm. " * 5


def entry(n: int, day: datetime | None, *, text: str = LONG, title: str = "", names: str = "bai") -> str:
    date = f"<pubDate>{day:%a, %d %b %Y %H:%M:%S} +0000</pubDate>" if day else ""
    return (
        f"<item><title>{title or f'Bài viết số {n} của Trung tâm'}</title><link>http://vien.example/{names}/{n}</link>"
        f"<guid isPermaLink='false'>{names}-{n}</guid>{date}<description>{text}</description></item>"
    )


def put(site: Site, *entries: str) -> None:
    site.put("/feed", f"<rss version='2.0'><channel><title>Tin</title>{''.join(entries)}</channel></rss>")


def page(n: int, text: str) -> str:
    title = f"Bài viết số {n} của Trung tâm"
    return f"<html lang='vi'><body><article><h1>{title}</h1><p>{text}</p></article></body></html>"


def add(app: App, slug: str = "tin", url: str = FEED) -> None:
    with app.db.begin() as conn:
        sources.add(conn, sources.new(slug, SourceKind.FEED, url, newest=50), now=app.clock.now())


def source_of(app: App, slug: str = "tin") -> Source:
    with app.db.read() as conn:
        found = sources.by_slug(conn, slug)
    assert found is not None
    return found


def rows(app: App) -> list[Article]:
    with app.db.read() as conn:
        return sorted(articles.listed(conn), key=lambda article: article.id)


def again(app: App, clock: FixedClock, **span: float) -> int:
    clock.at += timedelta(**(span or {"hours": 2}))
    return collect.run(app, clock.at)


# ---------------------------------------------------------------- corrections


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Một câu.\n\nLượt xem: 512", "Một câu.\n\nLượt xem: 1.204", True),
        ("Một câu. Số lượt đọc: 7", "Một câu. Số lượt đọc: 8", True),
        ("Views: 12\nOne sentence.", "Views: 1,213\nOne sentence.", True),
        ("Một câu.\n3 phút trước", "Một câu.\n2 giờ trước", True),
        ("Cập nhật: 3 phút trước\nMột câu.", "Cập nhật: 1 ngày trước\nMột câu.", True),
        ("Một câu.\n512 lượt xem", "Một câu.\n9 lượt xem", True),
        ("Bình luận (3)\nMột câu.", "Bình luận (14)\nMột câu.", True),
        ("Một  câu.\n", "Một câu.", True),
        ("Hoà bình ở đầm", "Hoa\u0300 bi\u0300nh ở đầm", True),
        ("Trạm đón 512 lượt khách trong 3 ngày.", "Trạm đón 612 lượt khách trong 3 ngày.", False),
        ("Trạm mở cửa 3 ngày trước, đón 40 người.", "Trạm mở cửa 4 ngày trước, đón 40 người.", False),
        ("Một câu.", "Một cậu.", False),
    ],
)
def test_counters_and_relative_times_are_no_correction_and_figures_in_sentences_are(
    one: str, other: str, same: bool
) -> None:
    assert (words_hash(one) == words_hash(other)) is same


def test_an_article_is_marked_once_a_day_however_often_it_is_corrected(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    put(site, entry(1, now))
    add(app)
    collect.run(app, now)
    marks = []
    for n in range(1, 16):
        put(site, entry(1, now, text=f"{LONG} Thêm câu thứ {n}."))
        again(app, clock, hours=3)
        (article,) = rows(app)
        assert f"Thêm câu thứ {n}." in article.text
        marks.append(article.changed_at)
    assert len(set(marks)) == 2


def test_a_view_counter_marks_nothing(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    put(site, entry(1, now))
    add(app)
    collect.run(app, now)
    put(site, entry(1, now, text=f"&lt;p&gt;{LONG}&lt;/p&gt;&lt;p&gt;Lượt xem: 99&lt;/p&gt;"))
    again(app, clock)
    put(site, entry(1, now, text=f"&lt;p&gt;{LONG}&lt;/p&gt;&lt;p&gt;Lượt xem: 1.240&lt;/p&gt;"))
    again(app, clock)
    assert [article.changed_at for article in rows(app)] == [None]


def test_two_versions_in_turn_are_taken_once(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    versions = (entry(1, now), entry(1, now, title="Bài viết số 1 của Trung tâm biển"))
    add(app)
    titles = []
    for poll in range(6):
        put(site, versions[poll % 2])
        again(app, clock)
        titles += [article.title for article in rows(app)]
    assert titles == ["Bài viết số 1 của Trung tâm", *["Bài viết số 1 của Trung tâm biển"] * 5]


def test_a_corrected_excerpt_has_its_page_read_again_once_and_keeps_the_full_text(
    app: App, site: Site, clock: FixedClock
) -> None:
    now = clock.now()
    put(site, entry(1, now, text="Trích đoạn ngắn."))
    site.put("/bai/1", page(1, LONG))
    add(app)
    assert collect.run(app, now) == 1
    site.put("/bai/1", page(1, LONG.replace("năm ngày", "sáu ngày")))
    put(site, entry(1, now, text="Trích đoạn đã sửa."))
    again(app, clock)
    (article,) = rows(app)
    assert ("sáu ngày" in article.text, article.changed_at) == (True, clock.at)
    site.pages["/bai/1"].status = 503
    put(site, entry(1, now, text="Trích đoạn sửa lần nữa.", title="Tên bài đã sửa cho đúng"))
    again(app, clock)
    again(app, clock)
    (article,) = rows(app)
    assert ("sáu ngày" in article.text, article.title) == (True, "Tên bài đã sửa cho đúng")
    assert site.paths().count("/bai/1") == 2


def test_a_page_that_could_not_be_read_is_tried_again_and_its_article_then_goes_on(
    app: App, site: Site, clock: FixedClock
) -> None:
    now = clock.now()
    put(site, entry(1, now, text=""))
    add(app)
    assert collect.run(app, now) == 0
    assert [(article.state, article.reason) for article in rows(app)] == [(ArticleState.HELD, "no text could be read")]
    site.put("/bai/1", page(1, LONG))
    put(site, entry(2, now), entry(1, now, text=""))
    again(app, clock)
    first, _ = rows(app)
    assert (first.state, first.reason, first.changed_at, len(first.text) > 400) == (ArticleState.NEW, None, None, True)


# ---------------------------------------------------------------- mass change


def turned(app: App, site: Site, clock: FixedClock) -> list[Article]:
    """Fifteen articles, then twelve of them under names nobody knows."""
    now = clock.now()
    with app.db.begin() as conn:
        person = ensure_person(conn, parse_address("bien-tap@vien.example"), now=now, key=b"k" * 32)
        staff.add(conn, person, name="Biên Tập", language="vi", now=now)
    old = [entry(n, now - timedelta(hours=n + 1), title=f"{'abcdefghijklmno'[n] * 5} tên bài cũ") for n in range(15)]
    put(site, *old)
    add(app)
    assert collect.run(app, now) == 15
    new = [entry(n, None, title=f"{'pqrstuvwxyzw'[n] * 4}{n} đặt lại khác", names="moi") for n in range(12)]
    put(site, *new, *old[12:])
    assert again(app, clock) == 0
    return [article for article in rows(app) if article.doubt]


def test_a_mass_change_is_held_told_once_and_never_released_by_itself(app: App, site: Site, clock: FixedClock) -> None:
    held = turned(app, site, clock)
    assert len(held) == 12
    assert {article.reason for article in held} == {
        "12 of 15 entries turned new at once: their names may have changed, not their news"
    }
    with app.db.read() as conn:
        (letter,) = letters.asked(conn)
    assert letter.variables["topic"] == "articles_doubtful"
    assert letter.variables["count"] == 12
    put(site, *(entry(n, None, title=f"Tên lại đổi {n} lần nữa", names="moi", text=f"{LONG} Sửa.") for n in range(12)))
    again(app, clock, days=2)
    assert [article.state for article in rows(app) if article.doubt] == [ArticleState.HELD] * 12
    with app.db.read() as conn:
        assert len(letters.asked(conn)) == 1


def test_a_person_releases_or_drops_and_the_row_says_who_and_why(app: App, site: Site, clock: FixedClock) -> None:
    one, other, *_ = turned(app, site, clock)
    with app.db.begin() as conn:
        articles.release(conn, one.id, by="Thu Hà", now=clock.at, why="tin mới")
        articles.drop(conn, other.id, by="Thu Hà", now=clock.at)
    found = {article.id: article for article in rows(app)}
    assert (found[one.id].state, found[one.id].reason) == (ArticleState.NEW, None)
    assert (found[one.id].decided or "").startswith(
        "released by Thu Hà: tin mới (2026-11-23 03:00 UTC; it was held: 12 of"
    )
    assert (found[other.id].state, found[other.id].reason) == (ArticleState.SKIPPED, "dropped by Thu Hà")
    for act in (articles.release, articles.drop):
        with pytest.raises(NotAllowed), app.db.begin() as conn:
            act(conn, other.id, by="Thu Hà", now=clock.at)
    with pytest.raises(BadInput), app.db.begin() as conn:
        articles.drop(conn, "0" * 16, by="Thu Hà", now=clock.at)
    assert again(app, clock) == 0


# ---------------------------------------------------------------- dates, clocks, disks


IMPOSSIBLE = (
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "31 Feb 2026 10:00:00 GMT",
    "",
    "0001-01-01T00:00:00Z",
    "Sat, 23 Nov 2030 00:00:00 GMT",
)


@pytest.mark.parametrize("written", IMPOSSIBLE)
def test_an_impossible_date_counts_as_first_seen(app: App, site: Site, clock: FixedClock, written: str) -> None:
    put(site, entry(1, None).replace("<description>", f"<pubDate>{written}</pubDate><description>"))
    add(app)
    assert collect.run(app, clock.now()) == 1
    (article,) = rows(app)
    assert (article.published, article.first_seen_at) == (None, clock.at)
    assert (article.published_raw or "") == written


def test_a_year_of_two_digits_is_this_century(app: App, site: Site, clock: FixedClock) -> None:
    put(site, entry(1, None).replace("<description>", "<pubDate>Fri, 20 Nov 26 10:00:00 GMT</pubDate><description>"))
    add(app)
    assert collect.run(app, clock.now()) == 1
    assert rows(app)[0].published == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_clock_set_back_loses_and_doubles_nothing(app: App, site: Site, clock: FixedClock) -> None:
    right = clock.now()
    put(site, entry(1, right))
    add(app)
    clock.at = right + timedelta(days=400)  # the machine woke up in another year
    collect.run(app, clock.at)
    clock.at = right + timedelta(hours=1)
    put(site, entry(2, right), entry(1, right))
    assert collect.run(app, clock.at) == 1  # not in 400 days
    clock.at = right + timedelta(hours=3) - timedelta(days=3)
    put(site, entry(3, right + timedelta(hours=2)), entry(2, right), entry(1, right))
    collect.run(app, clock.at)
    clock.at = right + timedelta(days=2)
    collect.run(app, clock.at)
    assert sorted(article.title for article in rows(app)) == [f"Bài viết số {n} của Trung tâm" for n in (1, 2, 3)]


class Killed(BaseException):
    """The process ends here."""


def test_killed_between_fetch_and_commit_nothing_is_lost_or_doubled(app: App, site: Site, clock: FixedClock) -> None:
    put(site, entry(1, clock.now()), entry(2, clock.now()))
    add(app)

    def die(conn: sa.Connection) -> None:
        if conn.get_execution_options().get("newsletter_write"):
            raise Killed

    sa.event.listen(app.db.engine, "commit", die)
    with pytest.raises(Killed):
        collect.run(app, clock.now())
    sa.event.remove(app.db.engine, "commit", die)
    assert rows(app) == []
    assert collect.run(app, clock.now()) == 2
    assert again(app, clock) == 0
    assert len(rows(app)) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a server's disk is not filled here
def test_a_full_disk_leaves_the_source_for_the_next_run_and_the_others_go_on(
    app: App, site: Site, clock: FixedClock
) -> None:
    huge = "Một đoạn rất dài. " * 60_000
    put(site, entry(1, clock.now(), text=huge))
    site.put("/nho", f"<rss version='2.0'><channel>{entry(2, clock.now())}</channel></rss>")
    add(app)
    add(app, "nho", "http://vien.example/nho")
    told: list[str] = []
    limit(app, pages=40)
    collect.run(watching(app, told), clock.now())
    assert [article.title for article in rows(app)] == ["Bài viết số 2 của Trung tâm"]
    assert any("database or disk is full" in line and line.startswith("tin: ") for line in told)
    assert (source_of(app).state, source_of(app, "nho").state) == (SourceState.ACTIVE, SourceState.ACTIVE)
    limit(app, pages=1_000_000)
    assert collect.run(app, clock.now()) == 1
    assert len(rows(app)) == 2


def limit(app: App, *, pages: int) -> None:
    """The database may grow by so many pages: SQLite's own "database or disk is full" beyond."""
    app.db.engine.dispose()

    def prepare(connection: Any, _record: object) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={used + pages}")

    sa.event.listen(app.db.engine, "connect", prepare)


def watching(app: App, told: list[str]) -> App:
    def watch(_stage: str, line: str, *_numbers: object) -> None:
        told.append(line)

    return replace(app, watch=watch)


# ---------------------------------------------------------------- taken up again


def test_a_source_resumed_after_months_offers_the_newest_and_records_the_rest(
    app: App, site: Site, clock: FixedClock
) -> None:
    now = clock.now()
    put(site, entry(1, now))
    with app.db.begin() as conn:
        sources.add(conn, sources.new("tin", SourceKind.FEED, FEED, newest=2), now=now)
    collect.run(app, now)
    with app.db.begin() as conn:
        sources.set_state(conn, source_of(app).id, SourceState.PAUSED, now=now)
    clock.at = now + timedelta(days=120)
    put(site, *(entry(n, clock.at - timedelta(days=n)) for n in range(2, 9)))
    with app.db.begin() as conn:
        sources.set_state(conn, source_of(app).id, SourceState.ACTIVE, now=clock.at)
    assert collect.run(app, clock.at) == 2
    left = [article.reason for article in rows(app) if article.state is ArticleState.SKIPPED]
    assert left == ["backlog after 120 days without a reading"] * 5
