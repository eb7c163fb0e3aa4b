"""Which articles enter an issue, and what the inbox shows of it."""

import dataclasses
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import ModuleType

import pytest

from newsletter.compose.select import (
    LONGEST_SUBJECT,
    PREHEADER_LENGTH,
    SUBJECT_LENGTH,
    article_page_url,
    choose,
    headline,
    preheader,
    subject,
)
from newsletter.model import ArticleId, ArticleState, SourceId


def test_newest_articles_come_first_and_the_limit_is_told(made: ModuleType) -> None:
    articles = [made.made_article(n, published=date(2026, 11, 10 + n)) for n in range(6)]
    decisions = choose(articles, made.made_newsletter(max_items=4), now=made.NOW, used=set())
    assert [d.article_id[-1] for d in decisions if d.included] == ["5", "4", "3", "2"]
    assert [d.item.position for d in decisions if d.item] == [1, 2, 3, 4]
    assert {d.reason for d in decisions if not d.included} == {"over the limit of 4"}


def test_every_candidate_gets_exactly_one_decision_with_a_reason(made: ModuleType) -> None:
    articles = [
        made.made_article(0, published=date(2026, 11, 20)),
        made.made_article(1, published=date(2026, 9, 1)),
        made.made_article(2, published=date(2026, 9, 1), named=True),
        made.made_article(3, state=ArticleState.HELD, reason="title only"),
        made.made_article(4, summary=None),
        made.made_article(5),
    ]
    used = {ArticleId("article000000005"): "46"}
    decisions = choose(articles, made.made_newsletter(), now=made.NOW, used=used)
    reasons = {d.article_id[-1]: d.reason for d in decisions}
    assert reasons == {
        "0": "in",
        "1": "too old: more than 14 days",
        "2": "in",
        "3": "held: title only",
        "4": "has no summary",
        "5": "already in issue 46",
    }


def test_a_source_may_set_how_old_is_too_old(made: ModuleType) -> None:
    article = made.made_article(1, published=made.NOW - timedelta(days=20))
    ages = {SourceId("source0000000001"): timedelta(days=30)}
    newsletter = made.made_newsletter()
    assert choose([article], newsletter, now=made.NOW, used=set(), max_age=ages)[0].included
    assert not choose([article], newsletter, now=made.NOW, used=set())[0].included


def test_days_and_moments_sort_together_and_ties_do_not_depend_on_chance(made: ModuleType) -> None:
    articles = [
        made.made_article(1, published=date(2026, 11, 20)),
        made.made_article(2, published=datetime(2026, 11, 20, 15, tzinfo=UTC)),
        made.made_article(3, published=datetime(2026, 11, 20, 1, tzinfo=UTC)),
        made.made_article(4),
        made.made_article(5, published=date(2026, 11, 20)),
    ]
    newsletter = made.made_newsletter()
    expected = ["4", "2", "5", "1", "3"]
    for order in (articles, articles[::-1]):
        decisions = choose(order, newsletter, now=made.NOW, used=set())
        assert [d.article_id[-1] for d in decisions] == expected


def test_an_article_without_a_usable_address_links_to_its_own_page(made: ModuleType) -> None:
    articles = [made.made_article(1, url=None), made.made_article(2, url="javascript:x")]
    decisions = choose(articles, made.made_newsletter(), now=made.NOW, used=set(), base_url="https://vien.example/")
    assert {d.item.url for d in decisions if d.item} == {
        article_page_url("https://vien.example", ArticleId(f"article00000000{n}")) for n in (1, 2)
    }


@pytest.mark.parametrize(
    ("title", "limit", "expected"),
    [
        ("Ngắn gọn", 50, "Ngắn gọn"),
        (
            "Giám sát mực nước theo thời gian thực: cảnh báo sớm hơn 12 phút",
            50,
            "Giám sát mực nước theo thời gian thực",
        ),
        (
            "Hội nghị tổng kết công tác nghiên cứu khoa học và chuyển giao công nghệ năm 2026",
            50,
            "Hội nghị tổng kết công tác nghiên cứu khoa học…",
        ),
        (
            "Ký kết: viện và trường cùng đào tạo sáu nghiên cứu sinh ngành biển",
            40,
            "Ký kết: viện và trường cùng đào tạo sáu…",
        ),
        ("x" * 60, 50, ""),
    ],
)
def test_a_long_title_is_cut_at_a_clause_or_word_and_never_on_a_preposition(
    title: str, limit: int, expected: str
) -> None:
    assert headline(title, limit) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (
            "Viện tổ chức Hội nghị cán bộ chủ chốt tại trụ sở mới",
            "Viện tổ chức Hội nghị cán bộ chủ chốt tại trụ sở mới",
        ),
        (
            "Viện tổ chức Hội nghị cán bộ chủ chốt: 14 đề tài hoàn thành trong năm",
            "Viện tổ chức Hội nghị cán bộ chủ chốt",
        ),
        (
            "Viện tổ chức Hội nghị cán bộ chủ chốt tại trụ sở mới trên phố Ví Dụ với sự tham gia của các đơn vị",
            "Viện tổ chức Hội nghị cán bộ chủ chốt tại trụ sở mới trên phố Ví Dụ…",
        ),
    ],
)
def test_a_title_is_cut_only_where_it_reads_on(made: ModuleType, title: str, expected: str) -> None:
    [item] = made.made_items(1)
    line = subject(made.made_newsletter("vi"), [dataclasses.replace(item, title=title)], "vi")
    assert line == expected
    assert len(line) <= LONGEST_SUBJECT


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("count", [1, 2, 4, 9, 14])
def test_subject_and_preheader_keep_to_what_inboxes_show(made: ModuleType, language: str, count: int) -> None:
    newsletter, items = made.made_newsletter(language), made.made_items(count, language=language)
    line, after = subject(newsletter, items, language), preheader(newsletter, items, language)
    assert 0 < len(line) <= SUBJECT_LENGTH
    assert PREHEADER_LENGTH[0] <= len(after) <= PREHEADER_LENGTH[1]
    assert not after.startswith(line)


def test_a_short_lead_title_leaves_room_for_how_much_else_there_is(made: ModuleType) -> None:
    items = made.made_items(3)
    items[0] = replace(items[0], title="Phao đo sóng mới")
    assert subject(made.made_newsletter(), items, "vi") == "Phao đo sóng mới và 2 tin khác"
    assert subject(made.made_newsletter(), items, "en") == "Phao đo sóng mới"  # no sentence in two languages


def test_a_title_without_a_word_end_gives_way_to_a_count(made: ModuleType) -> None:
    items = made.made_items(3)
    items[0] = replace(items[0], title="x" * 200)
    assert subject(made.made_newsletter(), items, "vi") == "Tin chính và 2 tin khác"


def test_an_item_says_what_its_own_articles_summary_says(made: ModuleType) -> None:
    articles = [made.made_article(n, topics=(f"chủ đề {n}",)) for n in range(3)]
    decisions = choose(articles, made.made_newsletter(), now=made.NOW, used=set())
    of = {article.id: article for article in articles}
    for decision in decisions:
        assert decision.item is not None
        assert decision.item.summary == of[decision.article_id].summary.text
        assert decision.item.topics == of[decision.article_id].topics
