"""Which articles tell the same story, and which only look like it. All texts are invented (story_texts)."""

import itertools
import random
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.collect.stories.series import apart, numbers_of
from newsletter.collect.stories.story import Told, Window, compare, pack, why
from newsletter.collect.stories.words import Frequencies, containment, cosine, read, term_id, weighed
from newsletter.model import ArticleId, SourceId, StoryId, StoryRule
from tests.collect import story_texts as texts
from tests.conftest import NOW

NOTHING_SEEN = Frequencies(documents=1, of={})


def told(
    article: tuple[str, str], source: str = "bao", *, days: float = 0, named: bool = False, language: str = "vi"
) -> Told:
    """As an installation that has seen nothing yet would keep it."""
    title, text = article
    words = read(title, text)
    vector, runs, figures = pack(words, weighed(words.terms, NOTHING_SEEN, language))
    moment = NOW + timedelta(days=days)
    return Told(
        article_id=ArticleId(f"{title[:30]}{source}{days}"),
        story_id=StoryId(f"story of {title[:30]}{source}{days}"),
        source_id=SourceId(source),
        named=named,
        moment=moment,
        day=moment.date().isoformat(),
        title=title,
        vector=vector,
        runs=runs,
        figures=figures,
    )


def rule(one: Told, other: Told) -> StoryRule | None:
    found = compare(one, other)
    assert (found is None) == (compare(other, one) is None)
    return found.rule if found else None


# ---------------------------------------------------------------- the same


@pytest.mark.parametrize(
    ("one", "other"),
    list(itertools.combinations((texts.STORM, texts.STORM_PAPER, texts.STORM_RADIO), 2)),
)
def test_one_event_told_by_two_papers_in_their_own_words_is_one_story(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert rule(told(one, "a"), told(other, "b")) is StoryRule.SIMILAR


def test_english_papers_are_joined_too() -> None:
    one = told(texts.STORM_EN, "a", language="en")
    assert rule(one, told(texts.STORM_EN_PAPER, "b", language="en")) is StoryRule.SIMILAR


def test_a_press_release_printed_cut_or_framed_is_a_copy() -> None:
    title, text = texts.STORM
    paragraphs = text.split("\n\n")
    cut = (title, "\n\n".join(paragraphs[:3]))
    framed = (
        "Sóng báo bão",
        f"(Theo Trung tâm Hải Vân)\n\n{text}\n\nBản quyền thuộc về báo. Xin ghi rõ nguồn khi đăng lại.",
    )
    release = told(texts.STORM, "a")
    assert rule(release, told(cut, "b")) is StoryRule.COPY
    assert rule(release, told(framed, "b", days=9)) is StoryRule.COPY
    assert rule(told(cut, "b"), told(framed, "c")) is StoryRule.COPY


def test_slips_of_the_typesetter_do_not_hide_a_copy() -> None:
    chance = random.Random(4)
    title, text = texts.STORM
    spoilt = " ".join(word[::-1] if chance.random() < 0.02 else word for word in text.split())
    assert rule(told(texts.STORM, "a"), told((title, spoilt), "b")) is StoryRule.COPY


def test_one_source_printing_its_text_twice_is_a_copy() -> None:
    assert rule(told(texts.STORM, "a"), told(("Phao đo sóng", texts.STORM[1]), "a", days=2)) is StoryRule.COPY


def test_an_equal_title_on_one_day_is_enough_for_two_short_notes() -> None:
    one = ("Bế mạc triển lãm ảnh ruộng muối Cửa Tùng", "Triển lãm ảnh ruộng muối khép lại hôm nay sau mười ngày.")
    other = (one[0].upper(), "Hơn chín trăm lượt khách đã xem triển lãm ảnh ruộng muối, theo ban tổ chức.")
    assert rule(told(one, "a"), told(other, "b")) is StoryRule.TITLE
    assert rule(told(one, "a"), told(other, "b", days=2)) is not StoryRule.TITLE


# ---------------------------------------------------------------- not the same


def test_different_news_of_neighbouring_institutes_stay_apart() -> None:
    every = [told(article, f"source {n}") for n, article in enumerate((texts.STORM, *texts.NEIGHBOURS))]
    assert [rule(one, other) for one, other in itertools.combinations(every, 2)] == [None] * 10


@pytest.mark.parametrize(("third", "fourth"), [("3", "4"), ("ba", "tư"), ("III", "IV")])
def test_two_workshops_of_a_series_are_two_stories(third: str, fourth: str) -> None:
    one = told(texts.workshop(third, "ông Hồ Văn Sóng", "phù sa cửa sông", 80), "a")
    other = told(texts.workshop(fourth, "bà Mai Thị Triều", "rạn san hô", 95), "b")
    assert rule(one, other) is None


def test_two_papers_on_the_same_workshop_are_one_story() -> None:
    article = texts.workshop("3", "ông Hồ Văn Sóng", "phù sa cửa sông", 80)
    own_words = (
        "Bàn chuyện phù sa ở Hội thảo Quan trắc biển lần thứ ba",
        "Ông Hồ Văn Sóng nói về phù sa cửa sông trước 80 đại biểu của Hội thảo Quan trắc biển lần thứ ba. "
        "Trung tâm Quan trắc Hải Vân đưa khách đi thăm trạm đo ở vịnh Ổ Lợn.",
    )
    assert rule(told(article, "a"), told(own_words, "b")) is StoryRule.SIMILAR


@pytest.mark.parametrize("source", ["a", "b"])
@pytest.mark.parametrize("days", [0, 2, 7])
def test_the_timetable_of_another_week_is_another_article(source: str, days: int) -> None:
    one, other = texts.timetable(12, 16, 20), texts.timetable(13, 23, 27)
    assert rule(told(one, "a"), told(other, source, days=days)) is None


@pytest.mark.parametrize("source", ["a", "b"])
@pytest.mark.parametrize("named", [False, True])
def test_a_form_with_an_unchanging_title_is_told_apart_by_its_figures(source: str, named: bool) -> None:
    one, other = told(texts.menu(4), "a", named=named), told(texts.menu(11), source, days=2, named=named)
    assert rule(one, other) is None


def test_one_source_knows_what_is_news_to_it() -> None:
    assert rule(told(texts.STORM, "a"), told(texts.STORM_PAPER, "a")) is None


def test_a_folder_or_desk_holds_many_voices() -> None:
    assert rule(told(texts.STORM, "a", named=True), told(texts.STORM_PAPER, "a", named=True)) is StoryRule.SIMILAR


def test_after_three_days_it_is_another_story_and_after_fourteen_no_copy_any_more() -> None:
    assert rule(told(texts.STORM, "a"), told(texts.STORM_PAPER, "b", days=3.1)) is None
    assert rule(told(texts.STORM, "a"), told(texts.STORM, "b", days=13.9)) is StoryRule.COPY
    assert rule(told(texts.STORM, "a"), told(texts.STORM, "b", days=14.1)) is None


def test_two_short_notes_are_no_copies_by_chance() -> None:
    assert rule(
        told(("Thông báo", "Mời họp lúc 8 giờ sáng."), "a"), told(("Giấy mời", "Mời họp lúc 8 giờ sáng."), "b")
    ) != (StoryRule.COPY)


@pytest.mark.parametrize("article", [("", ""), ("Tin", ""), ("…", "\n\n!!!"), ("", "12 34 56")])
def test_articles_of_almost_no_words_are_compared_without_harm(article: tuple[str, str]) -> None:
    assert rule(told(article, "a"), told(texts.STORM, "b")) is None


# ---------------------------------------------------------------- joining


def joined(window: Window, new: Told, told_apart: Iterable[str] = ()) -> Told:
    found = window.match(new, frozenset(ArticleId(other) for other in told_apart))
    kept = replace(new, story_id=found.other.story_id) if found else new
    window.add(kept)
    return kept


def test_a_story_gathers_its_articles_whatever_the_order() -> None:
    for order in itertools.permutations((texts.STORM, texts.STORM_PAPER, texts.STORM_RADIO)):
        window = Window()
        every = [joined(window, told(article, f"source {n}")) for n, article in enumerate(order)]
        assert len({one.story_id for one in every}) == 1


def test_the_surest_rule_names_the_other_article() -> None:
    window = Window()
    joined(window, told(texts.STORM_PAPER, "a"))
    copy = joined(window, told(texts.STORM, "b"))
    found = window.match(told(texts.STORM, "c"))
    assert found is not None
    assert (found.rule, found.other) == (StoryRule.COPY, copy)


def test_what_staff_told_apart_is_not_joined_through_a_third() -> None:
    window = Window()
    first = joined(window, told(texts.STORM, "a"))
    assert joined(window, told(texts.STORM_PAPER, "b")).story_id == first.story_id
    new = told(texts.STORM_RADIO, "c")
    assert window.match(new, frozenset({first.article_id})) is None


def test_the_same_words_are_found_among_many_other_articles() -> None:
    chance = random.Random(7)
    vocabulary = [f"{a}{b}" for a in ("nh", "tr", "kh", "ph", "gi") for b in ("an", "en", "inh", "ong", "uy", "ach")]
    window = Window()
    for n in range(300):
        window.add(told((f"Tin {n}", " ".join(chance.choices(vocabulary, k=80))), f"other {n}"))
    first = joined(window, told(texts.STORM, "a"))
    assert joined(window, told(texts.STORM_PAPER, "b")).story_id == first.story_id
    assert joined(window, told(texts.NEIGHBOURS[0], "c")).story_id != first.story_id


def test_why_tells_the_words_that_joined_two_articles() -> None:
    words = read(*texts.STORM_PAPER)
    found = compare(told(texts.STORM_PAPER, "a"), told(texts.STORM, "b"))
    assert found is not None
    assert "phao" in why(found, words.spelt)
    copied = compare(told(texts.STORM, "a"), told(texts.STORM, "b"))
    assert copied is not None
    assert why(copied, {}) == "100% of the shorter text's 4-word runs stand in both"


# ---------------------------------------------------------------- numbers of a series


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sáng 23/10: chợ cá đông", "Sáng 22/10: chợ cá vắng"),
        ("Bản tin số 5", "Bản tin số 6"),
        ("Bulletin No. 5", "Bulletin no 6"),
        ("The third workshop on tides", "The 4th workshop on tides"),
        ("Menu for March", "Menu for April"),
        ("Lớp học khóa XII khai giảng", "Lớp học khóa XIII khai giảng"),
        ("Giá muối ngày 5.3.2026", "Giá muối ngày 12.3.2026"),
        ("Kế hoạch quý 1", "Kế hoạch quý II"),
    ],
)
def test_another_number_of_a_series_is_seen(one: str, other: str) -> None:
    assert apart(numbers_of(one), numbers_of(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bão số 9 làm 3 người mất tích", "Bão số 9 làm 5 người mất tích"),
        ("Hội thảo lần thứ 3", "Hội thảo lần thứ ba"),
        ("Lịch ngày 05/03", "Lịch ngày 5/3/2026"),
        ("Thắng 2-1, đội tàu về nhất", "Thắng 3-1, đội tàu về nhất"),
        ("Thu 3.5 triệu đồng mỗi vụ muối", "Thu 4.5 triệu đồng mỗi vụ muối"),
        ("Hành vi số đông", "Hành vi số ít"),
        ("Không có con số nào", "Tuần 12"),
    ],
)
def test_counts_scores_and_spellings_are_no_series(one: str, other: str) -> None:
    assert not apart(numbers_of(one), numbers_of(other))


# ---------------------------------------------------------------- words


def test_containment_of_long_texts_is_told_from_sketches() -> None:
    chance = random.Random(2)
    long = [f"từ{chance.randrange(5000)}" for _ in range(4000)]
    whole, half = read("", " ".join(long)).runs, read("", " ".join(long[:2000])).runs
    other = read("", " ".join(f"chữ{chance.randrange(5000)}" for _ in range(4000))).runs
    assert len(whole) == 512
    assert containment(whole, half) == 1.0
    assert containment(whole, other) == 0.0


def test_words_seen_everywhere_weigh_least() -> None:
    words = read("Phao đo sóng", "Trung tâm của chúng tôi có phao và phao có pin.")
    seen = Frequencies(documents=500, of={term_id("phao"): 480})
    fresh = weighed(words.terms, NOTHING_SEEN, "vi")
    used = weighed(words.terms, seen, "vi")
    assert fresh[term_id("phao")] > fresh[term_id("có")]  # "có" is common in any news
    assert used[term_id("phao")] < used[term_id("pin")]
    assert cosine(fresh, fresh) == pytest.approx(1)


def test_a_vector_comes_back_from_its_bytes_heaviest_first() -> None:
    words = read(*texts.STORM)
    vector = weighed(words.terms, NOTHING_SEEN, "vi")
    assert list(vector.values()) == sorted(vector.values(), reverse=True)
    one = told(texts.STORM)
    assert one.terms == pytest.approx(vector)
    assert [term for term, _ in one.heavy] == list(vector)[:32]
    assert {term_id("ổ lợn"), term_id("mỏ neo")} <= one.names
    assert term_id("can nhựa") not in one.names


def test_letters_in_either_normal_form_are_the_same_word() -> None:
    title, text = texts.STORM
    apart_ = unicodedata.normalize("NFD", text)
    assert read(title, apart_).terms == read(title, text).terms
