"""The lines under the heading: from rows only, in one language, short enough."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import ModuleType

import pytest

from newsletter.compose.context import IssueContext
from newsletter.compose.design import Design
from newsletter.compose.intro import intro
from newsletter.compose.render import fit_issue, render_issue
from newsletter.errors import ConfigError
from newsletter.locale import labels

MONDAY = date(2026, 11, 23)
HANOI = "Asia/Ho_Chi_Minh"


def test_it_says_of_when_how_much_from_whom_and_what_stands_out(made: ModuleType) -> None:
    assert intro(made.made_items(9), "vi", HANOI, today=MONDAY) == (
        "Tuần qua (16–20/11/2026), 9\u00a0bài mới từ 8\u00a0nguồn; nổi bật: "
        f"{made.made_items(9)[0].title}; {made.made_items(9)[1].title}."
    )
    assert intro(made.made_items(3, language="en"), "en", HANOI, today=MONDAY, stories=0) == (
        "This past week (19–20 November 2026), 3 new stories from 3 sources."
    )


def test_one_item_needs_no_intro(made: ModuleType) -> None:
    assert intro(made.made_items(1), "vi", HANOI, today=MONDAY) == ""
    assert intro([], "vi", HANOI, today=MONDAY) == ""


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((date(2026, 11, 15), date(2026, 11, 21)), "Tuần qua (15–21/11/2026), "),
        ((date(2026, 11, 14), date(2026, 11, 21)), "Các ngày 14–21/11/2026, "),  # eight days are no week
        ((date(2026, 11, 1), date(2026, 11, 7)), "Các ngày 01–07/11/2026, "),  # a week, but not the past one
        ((date(2026, 11, 20), date(2026, 11, 24)), "Các ngày 20–24/11/2026, "),  # one is dated after the issue
        ((date(2026, 11, 20), date(2026, 11, 20)), "Thứ Sáu, 20/11/2026, "),
        ((datetime(2026, 11, 18, 18, tzinfo=UTC), date(2026, 11, 20)), "Tuần qua (19–20/11/2026), "),  # Hanoi's day
        ((None, date(2026, 11, 20)), "Thứ Sáu, 20/11/2026, "),
        ((None, None), "2\u00a0bài mới"),
    ],
)
def test_the_period_is_what_the_items_own_days_say(
    made: ModuleType, days: tuple[date | None, date | None], said: str
) -> None:
    items = [replace(item, published=day) for item, day in zip(made.made_items(2), days, strict=True)]
    assert intro(items, "vi", HANOI, today=MONDAY, stories=0).startswith(said)


def test_no_sentence_is_in_two_languages(made: ModuleType) -> None:
    first, second, third = made.made_items(3)
    items = [first, replace(second, language="en", title="Wave models are free"), third]
    assert intro(items, "en", HANOI, today=MONDAY).endswith("; top stories: Wave models are free.")
    assert "Wave" not in intro(items, "vi", HANOI, today=MONDAY)


def test_topics_are_told_when_two_items_share_them(made: ModuleType) -> None:
    first, second, third = made.made_items(3)
    items = [
        replace(first, topics=("Biển", "phao đo sóng")),
        replace(second, topics=("Biển",)),
        replace(third, topics=("phao đo sóng", "Biển", "thư viện")),
    ]
    assert intro(items, "vi", HANOI, today=MONDAY, stories=0).endswith("nguồn. Chủ đề: Biển, phao đo sóng.")
    assert "Topics" not in intro(items, "en", HANOI, today=MONDAY)


def test_a_long_title_is_cut_at_a_word_and_one_with_braces_stands_as_it_is(made: ModuleType) -> None:
    first, second = made.made_items(2)
    items = [replace(first, title="Sóng " * 60), replace(second, title="Bảng {n} và {stories}")]
    told = intro(items, "vi", HANOI, today=MONDAY)
    assert "{n} và {stories}." in told
    assert len(told) < 250


@pytest.mark.parametrize(
    ("language", "first", "last", "said"),
    [
        ("vi", date(2026, 11, 15), date(2026, 11, 21), "15–21/11/2026"),
        ("vi", date(2026, 11, 28), date(2026, 12, 4), "28/11–04/12/2026"),
        ("vi", date(2026, 12, 28), date(2027, 1, 3), "28/12/2026–03/01/2027"),
        ("en", date(2026, 11, 15), date(2026, 11, 21), "15–21 November 2026"),
        ("en", date(2026, 11, 28), date(2026, 12, 4), "28 November – 4 December 2026"),
        ("en", date(2026, 12, 28), date(2027, 1, 3), "28 December 2026 – 3 January 2027"),
        ("de", date(2026, 11, 15), date(2026, 11, 21), "15.–21. Nov. 2026"),
        ("en", date(2026, 11, 15), date(2026, 11, 15), "15 November 2026"),
    ],
)
def test_a_span_of_days_is_written_as_the_language_writes_it(language: str, first: date, last: date, said: str) -> None:
    assert labels(language).format_days(first, last) == said


def test_it_stands_under_the_heading_of_html_and_text_unless_the_design_is_told_not_to(
    made: ModuleType, bulletin: Design
) -> None:
    def rendered(**options: object) -> tuple[str, str]:
        context: IssueContext = made.made_context(9, options=options)
        rendering = render_issue(bulletin, context, nonce=made.NONCE, language="vi")
        return " ".join(rendering.html.replace("&nbsp;", " ").split()), " ".join(rendering.text.split())

    for part in rendered():
        assert "Tuần qua (16–20/11/2026), 9 bài mới từ 8 nguồn; nổi bật: " in part
        assert part.index("Tuần qua") < part.rindex(made.made_items(9)[0].title)
    assert not any("Tuần qua" in part for part in rendered(show_intro=False))
    with pytest.raises(ConfigError, match="intro_stories"):
        rendered(intro_stories="two")


def test_the_longest_intro_stays_within_the_byte_budget(made: ModuleType, bulletin: Design) -> None:
    context = made.made_context(14)
    context = replace(context, issue=replace(context.issue, intro="Sóng biển " * 60))
    fitted = fit_issue(bulletin, context, nonce=made.NONCE, language="vi")
    assert len(fitted.rendering.html.encode()) < 100_000
