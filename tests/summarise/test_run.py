"""The stage on rows, on both databases: every article that waits leaves it ready, or held with a reason."""

from dataclasses import replace
from datetime import timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest

from newsletter import summarise
from newsletter.app import App, nobody
from newsletter.clock import FixedClock
from newsletter.model import (
    ArticleId,
    ArticleState,
    RawItem,
    SourceKind,
    Summary,
    SummaryOrigin,
    Verdict,
)
from newsletter.settings import Settings
from newsletter.store import Database, articles, sources
from newsletter.summarise import edit

BODY = (
    "Trạm đo gió trên đồi Ngựa chạy thử sáng 3/3 sau hai năm xây dựng.\n\n"
    "Trạm có 4 cột đo và được nối với 12 bản quanh đồi. Số liệu được gửi mỗi giờ, kể cả khi mất điện."
)
LEAD = "Trạm đo gió trên đồi Ngựa chạy thử từ hôm nay và sẽ gửi số liệu mỗi giờ cho các bản."


@pytest.fixture
def app(db: Database) -> App:
    # all of the App that this stage touches without a model
    return cast(App, SimpleNamespace(db=db, watch=nobody, settings=Settings(), stopping=Event()))


def collected(db: Database, clock: FixedClock, *, topics: tuple[str, ...] = (), **fields: Any) -> ArticleId:
    item = RawItem(**{"title": "Trạm đo gió chạy thử", "text": BODY, **fields})
    with db.begin() as conn:
        source = sources.by_slug(conn, "gio") or sources.new("gio", SourceKind.MANUAL, "", name="Tin Gió")
        source = replace(source, topics=topics)
        sources.add(conn, source, now=clock.now())
        return articles.add(conn, source, item, keys=[item.title], now=clock.now(), language="vi")


def test_articles_leave_ready_with_spans_and_verdict_or_held_with_a_reason(
    app: App, db: Database, clock: FixedClock
) -> None:
    plain = collected(db, clock, title="Trạm đo gió chạy thử")
    led = collected(db, clock, title="Trạm gió và các bản", standfirst=LEAD)
    empty = collected(db, clock, title="Ảnh trạm gió", text="")
    captions = collected(db, clock, title="Chùm ảnh trạm gió", text="Toàn cảnh trạm\n\nẢnh: Thu Trà")
    short = collected(db, clock, title="Tin ngắn", text="Trạm chạy thử từ sáng nay.")

    assert summarise.run(app, clock.now()) == 5
    with db.read() as conn:
        kept = {key: articles.get(conn, key) for key in (plain, led, empty, captions, short)}
    assert all(article is not None for article in kept.values())
    made = cast(Any, kept)
    assert made[plain].state is ArticleState.READY
    assert made[plain].summary.origin is SummaryOrigin.EXTRACT
    assert made[plain].summary.guard == Verdict(ok=True)
    assert all(BODY[s.start : s.end] == s.text for s in made[plain].summary.sentences)
    assert (made[led].state, made[led].summary.text) == (ArticleState.READY, LEAD)
    assert [(made[key].state, made[key].reason) for key in (empty, captions, short)] == [
        (ArticleState.HELD, "it has no text"),
        (ArticleState.HELD, "the guard refused its summary: title: no sentence of the text can stand alone"),
        (ArticleState.HELD, "the guard refused its summary: length: 26"),
    ]


def test_a_second_run_changes_nothing(app: App, db: Database, clock: FixedClock) -> None:
    collected(db, clock)
    assert [summarise.run(app, clock.now()) for _ in range(2)] == [1, 0]


def test_a_fault_in_one_article_holds_that_one_and_the_others_go_on(
    app: App, db: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = collected(db, clock, title="Hỏng"), collected(db, clock, title="Trạm đo gió chạy thử")
    true_choice = summarise.summarise

    def choice(**given: Any) -> Summary | None:
        if given["title"] == "Hỏng":
            raise RecursionError("too deep")
        return true_choice(**given)

    monkeypatch.setattr(summarise, "summarise", choice)
    assert summarise.run(app, clock.now()) == 2
    with db.read() as conn:
        held, ready = articles.get(conn, broken), articles.get(conn, good)
    assert held is not None
    assert ready is not None
    assert (held.state, ready.state) == (ArticleState.HELD, ArticleState.READY)
    assert held.reason == "could not be summarised (RecursionError: too deep)"


def test_an_edit_by_staff_outlives_every_correction_and_shows_what_it_no_longer_agrees_with(
    app: App, db: Database, clock: FixedClock
) -> None:
    words = "Đồi Ngựa đã có trạm đo gió với 4 cột đo, nối với 12 bản quanh đồi"
    key = collected(db, clock)
    summarise.run(app, clock.now())
    with db.begin() as conn:
        edit.edit(conn, key, words, by="lan", now=clock.now())
    for minutes, text, found in (
        (1, f"{BODY} Trạm mở cả ngày.", ()),
        (2, BODY.replace("12", "11"), ("figure: 12",)),
    ):
        with db.begin() as conn:
            item = RawItem(title="Trạm đo gió chạy thử", text=text)
            later = clock.now() + timedelta(minutes=minutes)
            assert articles.corrected(conn, key, item, now=later, language="vi")
        summarise.run(app, later)
        with db.read() as conn:
            article = articles.get(conn, key)
        assert article is not None
        assert article.summary is not None
        assert (article.state, article.summary.text, article.summary.by) == (ArticleState.READY, words, "lan")
        assert article.summary.guard == Verdict(ok=not found, reasons=found)
        assert article.changed_after_edit


def test_topics_are_kept_with_the_article_the_sources_own_first(app: App, db: Database, clock: FixedClock) -> None:
    body = f"{BODY} Cả bốn cột trên đồi Ngựa cao 30 m. Người dân đồi Ngựa xem số liệu trên điện thoại."
    key = collected(db, clock, topics=("Khí tượng",), title="Đồi Ngựa có trạm đo gió", text=body)
    summarise.run(app, clock.now())
    with db.read() as conn:
        article = articles.get(conn, key)
    assert article is not None
    assert article.topics[0] == "Khí tượng"


def test_a_stopped_service_leaves_the_rest_for_the_next_run(app: App, db: Database, clock: FixedClock) -> None:
    collected(db, clock)
    app.stopping.set()
    assert summarise.run(app, clock.now()) == 0
    app.stopping.clear()
    assert summarise.run(app, clock.now()) == 1
