"""Which articles of a source are wanted: words of its operator against words of the article."""

import unicodedata
from dataclasses import replace

import pytest

from newsletter.collect.identity.choose import Known, New, choose, needs_page
from newsletter.collect.identity.wanted import unwanted
from newsletter.model import ArticleState, RawItem, SourceKind
from tests.collect.identity.test_choose import NOW, candidate, source


def refused(text: str, *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> str | None:
    return unwanted(replace(source(), include=include, exclude=exclude), RawItem(title="Tin", text=text))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Viện thông báo TUYỂN DỤNG ba kỹ sư.", "tuyển dụng"),
        (unicodedata.normalize("NFD", "Thông báo tuyển dụng."), "Tuyển dụng"),
        ("Thông báo tuyển\ndụng".replace("\n", " \u00a0"), unicodedata.normalize("NFD", "tuyển dụng")),
        ("Khánh thành nhà máy thuỷ điện", "thủy điện"),
        ("Vì hoà bình", "hòa bình"),
        ("Straßenfest am Sonntag", "STRASSENFEST"),
        ("Về dịch COVID-19 trong tỉnh", "covid 19"),
        ("Sở Y tế TP.HCM họp", "TP.HCM"),
        ("新規採用情報のお知らせ", "採用"),
        ("Tuyển dụng", "tuyển dụng!"),
    ],
)
def test_a_word_is_found_whatever_its_case_form_and_spelling(text: str, word: str) -> None:
    assert refused(text, exclude=("không có", word)) == f"has the excluded word '{word}'"
    assert refused(text, include=(word,)) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Nhóm do đạc trên biển", "đo đạc"),  # marks make another word
        ("Trạm đo đạc", "đo đ"),
        ("Recruitment is over", "recruit"),
        ("Phòng tuyển. Dụng cụ đã mua.", "tuyển dụng"),  # two sentences
        ("Bình Thuỷ và quý nhân", "quy nhân"),
        ("Tin", "..."),
    ],
)
def test_parts_of_words_and_other_words_are_not_found(text: str, word: str) -> None:
    assert refused(text, exclude=(word,)) is None
    assert refused(text, include=("gì đó", word)) == f"has none of the wanted words 'gì đó', '{word}'"


def test_title_standfirst_and_text_all_count() -> None:
    wanting = replace(source(), include=("san hô",))
    for item in (
        RawItem(title="Rạn san hô mới", text="Tin."),
        RawItem(title="Tin", standfirst="Một rạn san hô.", text="Tin."),
        RawItem(title="Tin", text="Đoàn gặp san hô."),
    ):
        assert unwanted(wanting, item) is None


def test_an_unwanted_article_is_skipped_with_the_word_and_takes_no_place_in_the_first_run() -> None:
    choosy = replace(source(first_run_done=False), exclude=("bài viết số 1",))
    decisions = choose(choosy, [candidate(n, days=n) for n in (1, 2, 3, 4)], {}, now=NOW)
    told = [(d.state, d.reason) for d in decisions if isinstance(d, New)]
    assert told == [
        (ArticleState.SKIPPED, "has the excluded word 'bài viết số 1'"),
        (ArticleState.NEW, None),
        (ArticleState.NEW, None),
        (ArticleState.SKIPPED, "backlog of the first run"),
    ]


def test_a_mere_link_is_judged_by_its_page_and_an_excluded_title_costs_no_page() -> None:
    choosy = replace(source(SourceKind.LISTING), include=("san hô",), exclude=("số 2",))
    found = [candidate(1, text=""), candidate(2, text="")]
    first, second = choose(choosy, found, {}, now=NOW)
    assert (needs_page(choosy, first), needs_page(choosy, second)) == (True, False)
    for text, reason in (("Đoàn gặp san hô.", None), ("Đoàn gặp sứa.", "has none of the wanted words 'san hô'")):
        read = replace(found[0], item=replace(found[0].item, text=text))
        (decision,) = choose(choosy, [read], {}, now=NOW, offered=frozenset({read.keys[0]}))
        assert isinstance(decision, New)
        assert (decision.reason, decision.state is ArticleState.NEW) == (reason, reason is None)


def test_a_source_of_teasers_needs_no_page_unless_it_gives_only_a_link() -> None:
    teasing = replace(source(), full_text=False)
    decisions: list[New | Known] = choose(teasing, [candidate(1), candidate(2, text="")], {}, now=NOW)
    assert [needs_page(teasing, decision) for decision in decisions] == [False, True]
    assert needs_page(source(), decisions[0])


def test_a_short_post_of_wordpress_is_whole_and_an_empty_one_is_read_from_its_page() -> None:
    blog = source(SourceKind.WORDPRESS)
    decisions = choose(blog, [candidate(1), candidate(2, text="")], {}, now=NOW)
    assert [needs_page(blog, decision) for decision in decisions] == [False, True]
