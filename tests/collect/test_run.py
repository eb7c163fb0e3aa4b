"""The collect stage on a real site and both databases: what it writes, what it asks for, and what it never does."""

import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.collect import poll
from newsletter.model import Article, ArticleState, RawItem, Source, SourceKind, SourceState
from newsletter.store import articles, sources

Site = Any  # tests/collect/conftest.py

FEED = "http://vien.example/feed"
LONG = "Lớp học kéo dài năm ngày, gồm hai ngày lý thuyết và ba ngày thực hành trên tàu khảo sát của Trung tâm. " * 5


def feed(*entries: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Tin</title>{"".join(entries)}</channel></rss>'


def entry(number: int, day: datetime, *, text: str = LONG, title: str | None = None, guid: str | None = None) -> str:
    return (
        f"<item><title>{title or f'Bài viết số {number} của Trung tâm'}</title><link>http://vien.example/bai/{number}</link>"
        f"<guid isPermaLink='false'>{guid or number}</guid><pubDate>{day:%a, %d %b %Y %H:%M:%S} +0000</pubDate>"
        f"<description>{text}</description></item>"
    )


def page(title: str) -> str:
    return f"<html lang='vi'><body><article><h1>{title}</h1><p>{LONG}</p></article></body></html>"


def add(app: App, kind: SourceKind, url: str, slug: str = "hai-van") -> Source:
    with app.db.begin() as conn:
        sources.add(conn, sources.new(slug, kind, url, newest=2), now=app.clock.now())
    return state(app, slug)


def state(app: App, slug: str = "hai-van") -> Source:
    with app.db.read() as conn:
        found = sources.by_slug(conn, slug)
    assert found is not None
    return found


def stored(app: App) -> dict[str, Article]:
    with app.db.read() as conn:
        return {article.title: article for article in articles.listed(conn)}


def later(clock: FixedClock, **span: float) -> datetime:
    clock.at += timedelta(**span)
    return clock.at


def test_a_first_run_offers_the_newest_and_the_second_run_nothing(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(*(entry(n, now - timedelta(days=n)) for n in range(1, 6))), ETag='"1"')
    add(app, SourceKind.FEED, FEED)
    assert collect.run(app, now) == 2
    states = {title: article.state for title, article in stored(app).items()}
    assert list(states.values()).count(ArticleState.SKIPPED) == 3
    assert states["Bài viết số 1 của Trung tâm"] is ArticleState.NEW
    assert collect.run(app, now) == 0  # not due
    assert collect.run(app, later(clock, hours=2)) == 0
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    assert len(stored(app)) == 5
    assert state(app).state is SourceState.ACTIVE


def test_a_new_entry_is_offered_and_an_old_one_under_new_names_is_not(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(entry(1, now)))
    add(app, SourceKind.FEED, FEED)
    collect.run(app, now)
    renamed = entry(1, now, guid="http://vien.example/?p=1")
    site.put("/feed", feed(entry(2, now), renamed))
    assert collect.run(app, later(clock, hours=1)) == 1
    moved = renamed.replace("/bai/1<", "/2025/bai-1<").replace("http://vien.example/?p=1", "https://vien.example/?p=1")
    site.put("/feed", feed(entry(2, now), moved))
    assert collect.run(app, later(clock, hours=1)) == 0
    assert sorted(stored(app)) == ["Bài viết số 1 của Trung tâm", "Bài viết số 2 của Trung tâm"]


def test_an_excerpt_is_completed_from_its_page_and_only_for_candidates(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(*(entry(n, now - timedelta(days=n), text="Trích đoạn ngắn.") for n in (1, 2, 3))))
    site.put("/bai/1", page("Bài viết số 1 của Trung tâm"))
    add(app, SourceKind.FEED, FEED)
    assert collect.run(app, now) == 2
    assert sorted(site.paths()) == ["/bai/1", "/bai/2", "/feed", "/robots.txt"]
    found = stored(app)
    whole, excerpt = found["Bài viết số 1 của Trung tâm"], found["Bài viết số 2 của Trung tâm"]
    assert whole.text.startswith("Lớp học kéo dài năm ngày")
    assert (whole.standfirst, whole.provenance["text"]) == ("Trích đoạn ngắn.", "page: trafilatura")
    assert excerpt.text == "Trích đoạn ngắn."
    assert excerpt.provenance["page"] == "not read: answered 404 Not Found"
    site.put("/feed", feed(*(entry(n, now - timedelta(days=n), text="Trích đoạn ngắn.") for n in (1, 2))))
    collect.run(app, later(clock, hours=1))
    assert stored(app)["Bài viết số 1 của Trung tâm"].text == whole.text


def test_a_correction_is_taken_over_and_makes_no_second_article(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(entry(1, now)))
    add(app, SourceKind.FEED, FEED)
    collect.run(app, now)
    site.put("/feed", feed(entry(1, now, text=LONG.replace("năm ngày", "sáu ngày"), title="Tên đã sửa")))
    assert collect.run(app, later(clock, hours=1)) == 0
    (article,) = stored(app).values()
    assert (article.title, "sáu ngày" in article.text) == ("Tên đã sửa", True)


def test_one_bad_source_is_recorded_and_the_others_go_on(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(entry(1, now)))
    site.put("/html", "<!doctype html><html><body>Không có ở đây</body></html>")
    add(app, SourceKind.FEED, FEED)
    for slug, url in {
        "html": "http://vien.example/html",
        "gone": "http://vien.example/none",
        "private": "http://127.0.0.1/feed",
        "odd": "ftp://vien.example/feed",
    }.items():
        add(app, SourceKind.FEED, url, slug)
    add(app, SourceKind.FOLDER, "/no/such/folder", "folder")
    assert collect.run(app, now) == 1
    reasons = {slug: state(app, slug).reason for slug in ("html", "gone", "private", "odd", "folder")}
    assert all(state(app, slug).state is SourceState.FAILING for slug in reasons)
    assert reasons == {
        "html": "http://vien.example/html: the answer is an HTML page, not a feed (give the feed's own address)",
        "gone": "http://vien.example/none: answered 404 Not Found",
        "private": "127.0.0.1: the name leads to an address that is not public (if that is meant, map it in [fetch] resolve)",
        "odd": "ftp://vien.example/feed: only http and https are fetched, not ftp",
        "folder": "/no/such/folder: the folder cannot be read: No such file or directory",
    }


def test_a_paused_source_is_left_alone(app: App, site: Site, clock: FixedClock) -> None:
    source = add(app, SourceKind.FEED, FEED)
    with app.db.begin() as conn:
        sources.set_state(conn, source.id, SourceState.PAUSED, now=clock.now())
    assert collect.run(app, clock.now()) == 0
    assert site.asked == []


def test_a_page_by_url_is_one_article_whatever_its_date(app: App, site: Site, clock: FixedClock) -> None:
    site.put(
        "/bai", page("Trung tâm khai giảng lớp đo sâu đáy biển").replace("Lớp học", "Chiều ngày 04/03/2019, lớp học", 1)
    )
    add(app, SourceKind.PAGE, "http://vien.example/bai")
    assert collect.run(app, clock.now()) == 1
    (article,) = stored(app).values()
    assert (article.published, article.provenance["published"]) == (date(2019, 3, 4), "lead")
    assert (article.named, article.state, article.language) == (True, ArticleState.NEW, "vi")
    assert collect.run(app, later(clock, hours=1)) == 0


def test_a_feed_given_as_a_page_says_so(app: App, site: Site, clock: FixedClock) -> None:
    site.put("/feed", feed(entry(1, clock.now())))
    add(app, SourceKind.PAGE, FEED)
    assert collect.run(app, clock.now()) == 0
    assert "this is a feed, not an article page" in (state(app).reason or "")


def test_a_folder_gives_its_files_once_and_follows_their_edits(app: App, clock: FixedClock, tmp_path: Path) -> None:
    folder = tmp_path / "bai"
    folder.mkdir()
    (folder / "mot.txt").write_text("Lớp đo sâu khai giảng\n\nChiều ngày 04/03/2019, lớp học khai giảng.")
    (folder / "hong.txt").write_text("")
    add(app, SourceKind.FOLDER, str(folder))
    assert collect.run(app, clock.now()) == 1
    assert state(app).state is SourceState.ACTIVE
    (article,) = stored(app).values()
    assert (article.title, article.url, article.named) == ("Lớp đo sâu khai giảng", None, True)
    (folder / "mot.txt").write_text("Lớp đo sâu bế giảng\n\nChiều ngày 08/03/2019, lớp học bế giảng.")
    (folder / "hai.txt").write_text("Tàu mới\n\nTàu mới về bến.")
    assert collect.run(app, later(clock, hours=1)) == 1
    assert sorted(stored(app)) == ["Lớp đo sâu bế giảng", "Tàu mới"]
    (folder / "mot.txt").unlink()
    (folder / "hai.txt").unlink()
    collect.run(app, later(clock, hours=1))
    assert "none of 1 files can be read: the file is empty" in (state(app).reason or "")


def test_one_file_can_be_the_source(app: App, clock: FixedClock, tmp_path: Path) -> None:
    path = tmp_path / "bai.md"
    path.write_text("# Lớp đo sâu\n\nLớp học khai giảng.")
    add(app, SourceKind.FOLDER, str(path))
    assert collect.run(app, clock.now()) == 1


def test_pasted_articles_are_taken_once(app: App, clock: FixedClock) -> None:
    source = add(app, SourceKind.MANUAL, "")
    item = RawItem(title="Lớp đo sâu khai giảng", guid="pasted:1", text="Lớp học khai giảng.")
    assert collect.take(app, source, [item], clock.now()) == 1
    assert collect.take(app, source, [item], clock.now()) == 0
    assert state(app).next_check_at is None


def test_two_runs_at_once_write_every_article_once(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(*(entry(n, now) for n in range(5))))
    both = threading.Barrier(2, timeout=5)
    site.pages["/feed"].before = both.wait
    add(app, SourceKind.FEED, FEED)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(collect.run(app, now))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 2]
    assert len(stored(app)) == 5


def test_two_runs_at_once_that_read_the_same_pages_write_every_article_once(
    app: App, site: Site, clock: FixedClock
) -> None:
    """Both have decided that the articles are new before either writes; the second then finds them known."""
    now = clock.now()
    site.put("/feed", feed(entry(1, now, text="Trích đoạn ngắn."), entry(2, now, text="Trích đoạn ngắn.")))
    add(app, SourceKind.FEED, FEED)
    both = threading.Barrier(2, timeout=5)
    for n in (1, 2):
        site.put(f"/bai/{n}", page(f"Bài viết số {n} của Trung tâm"))
        site.pages[f"/bai/{n}"].before = both.wait
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(collect.run(app, now))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 2]
    assert site.paths().count("/bai/1") == site.paths().count("/bai/2") == 2
    assert {title: len(article.text) > 400 for title, article in stored(app).items()} == {
        "Bài viết số 1 của Trung tâm": True,
        "Bài viết số 2 của Trung tâm": True,
    }
    assert not any(article.changed_at for article in stored(app).values())


def test_a_stop_leaves_what_was_not_finished_for_the_next_run(app: App, site: Site, clock: FixedClock) -> None:
    now = clock.now()
    site.put("/feed", feed(entry(1, now, text="Trích đoạn ngắn."), entry(2, now, text="Trích đoạn ngắn.")))
    site.put("/bai/1", page("Bài viết số 1 của Trung tâm"))
    site.put("/bai/2", page("Bài viết số 2 của Trung tâm"))
    site.pages["/bai/1"].before = app.stopping.set
    add(app, SourceKind.FEED, FEED)
    assert collect.run(app, now) == 0
    assert stored(app) == {}
    app.stopping.clear()
    site.pages["/bai/1"].before = lambda: None
    assert collect.run(app, now) == 2
    assert all(len(article.text) > 400 for article in stored(app).values())


def test_a_fault_in_one_reader_does_not_cost_the_others_their_turn(
    app: App,
    site: Site,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = clock.now()
    site.put("/feed", feed(entry(1, now)))
    site.put("/bad", feed(entry(2, now)))
    real = poll.read_feed

    def faulty(body: bytes, **options: Any) -> Any:
        if b"/bai/2" in body:
            raise ZeroDivisionError
        return real(body, **options)

    monkeypatch.setattr(poll, "read_feed", faulty)
    add(app, SourceKind.FEED, FEED)
    add(app, SourceKind.FEED, "http://vien.example/bad", "bad")
    assert collect.run(app, now) == 1
    assert state(app, "bad").reason == "could not be read: ZeroDivisionError"
