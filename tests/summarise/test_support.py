"""The source sentence beside each summary sentence: exact where the words stand, the nearest for words of one's own."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.model import (
    Article,
    ArticleId,
    ArticleState,
    SourceId,
    Summary,
    SummaryOrigin,
    SummarySentence,
    Verdict,
)
from newsletter.summarise.prompt import sentences_of
from newsletter.summarise.support import Match, supports

BODY = (
    "Trạm đo gió trên đồi Ngựa chạy thử sáng 3/3 sau hai năm xây dựng.\n\n"
    "Trạm có 4 cột đo và được nối với 12 bản quanh đồi. Số liệu được gửi mỗi giờ, kể cả khi mất điện."
)
LEAD = "Đồi Ngựa có trạm đo gió. Các bản được báo gió mỗi giờ."


def an_article(summary: Summary | None, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "id": ArticleId("a" * 16), "source_id": SourceId("s" * 16), "source_name": "Tin Gió", "section": None, "url": None,
        "title": "Trạm đo gió chạy thử", "standfirst": LEAD, "text": BODY, "authors": (), "language": "vi", "image": None,
        "published": None, "published_raw": None, "provenance": {}, "state": ArticleState.READY, "reason": None,
        "first_seen_at": datetime(2026, 11, 22, tzinfo=UTC), "named": True, "summary": summary,
    }  # fmt: skip
    return Article(**(values | changes))


@pytest.fixture
def told() -> Callable[..., Any]:
    def make(text: str, origin: SummaryOrigin, *, now: str = BODY) -> Any:
        sentences = sentences_of(text, an_article(None), origin)
        summary = Summary(text=text, origin=origin, sentences=sentences, guard=Verdict(ok=True))
        return supports(an_article(summary, text=now))

    return make


def test_words_of_the_article_have_their_exact_place(told: Callable[..., Any]) -> None:
    (one,) = told("Số liệu được gửi mỗi giờ, kể cả khi mất điện.", SummaryOrigin.EXTRACT)
    assert (one.match, one.place, BODY[one.start : one.end]) == (Match.EXACT, "text", one.sentence)


def test_a_standfirst_stands_behind_itself(told: Callable[..., Any]) -> None:
    found = told(LEAD, SummaryOrigin.STANDFIRST)
    assert [(one.match, one.place) for one in found] == [(Match.EXACT, "standfirst")] * 2


def test_a_reworded_sentence_is_shown_beside_the_nearest_one_and_marked_as_such(told: Callable[..., Any]) -> None:
    found = told("Sáng 3/3, trạm đo gió đồi Ngựa chạy thử. 12 bản đã được nối với 4 cột đo.", SummaryOrigin.MODEL)
    assert [one.match for one in found] == [Match.NEAREST] * 2
    assert found[0].source.startswith("Trạm đo gió trên đồi Ngựa")
    assert found[1].source.startswith("Trạm có 4 cột đo")
    assert all(BODY[one.start : one.end] == one.source for one in found)


def test_words_that_stand_nowhere_have_nothing_beside_them(told: Callable[..., Any]) -> None:
    (one,) = told("Giá vé tàu hoả tăng thêm năm phần trăm từ tháng sau.", SummaryOrigin.HUMAN)
    assert (one.match, one.source) == (Match.NONE, "")


def test_after_a_correction_a_sentence_is_sought_where_it_stands_now(told: Callable[..., Any]) -> None:
    now = "Bản sửa. " + BODY
    (one,) = told("Số liệu được gửi mỗi giờ, kể cả khi mất điện.", SummaryOrigin.EXTRACT, now=now)
    assert (one.match, now[one.start : one.end]) == (Match.EXACT, one.sentence)
    (gone,) = told("Số liệu được gửi mỗi giờ, kể cả khi mất điện.", SummaryOrigin.EXTRACT, now="Bài đã gỡ.")
    assert gone.match is Match.NONE


def test_an_article_without_a_summary_has_nothing_to_show() -> None:
    assert supports(an_article(None)) == ()
    sentence = SummarySentence(text="Trạm đo gió chạy thử", origin="title")
    titled = Summary(text=sentence.text, origin=SummaryOrigin.HUMAN, sentences=(sentence,), guard=Verdict(ok=True))
    assert [one.place for one in supports(an_article(titled, standfirst=None, text="Bài."))] == ["title"]
