"""Of several articles of one story an issue takes one, names the others, and never sends the story again."""

from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType

from newsletter.compose.context import item_view
from newsletter.compose.design import Design
from newsletter.compose.render import render_issue
from newsletter.compose.select import choose
from newsletter.compose.tellings import MOST_NAMED, Stories, fullest
from newsletter.locale import labels
from newsletter.model import Article, ArticleId, ArticleState, Decision, Report, SourceId, StoryId, StoryRule, Telling
from newsletter.web.reasons import reason_in

ZONE = "Asia/Ho_Chi_Minh"


def article(made: ModuleType, number: int, *, hour: int = 8, words: int = 50, **changes: object) -> Article:
    values = {
        "source_id": SourceId(f"source{number}"),
        "source_name": f"Báo {number}",
        "published": datetime(2026, 11, 20, hour, tzinfo=UTC),
        "text": "phao " * words,
    }
    one: Article = made.made_article(number, **(values | changes))
    return one


def telling(of: Article, *, story: str = "story", **changes: object) -> Telling:
    values = {
        "article_id": of.id,
        "story_id": StoryId(story),
        "source_id": of.source_id,
        "source_name": of.source_name,
        "title": of.title,
        "url": of.url,
        "state": of.state,
        "rule": StoryRule.SIMILAR,
        "reason": "",
        "like": None,
    }
    return Telling(**(values | changes))  # type: ignore[arg-type]


def stories(*articles: Article) -> Stories:
    return Stories(told={StoryId("story"): [telling(one) for one in articles]})


def decide(made: ModuleType, candidates: list[Article], told: Stories, **more: object) -> dict[str, Decision]:
    sources = tuple(one.source_id for one in candidates)
    newsletter = replace(made.made_newsletter(), source_ids=sources)
    options = {"now": made.NOW, "used": {}, "base_url": "https://news.vien.example"} | more
    return {decision.article_id[-1]: decision for decision in choose(candidates, newsletter, stories=told, **options)}


def test_the_fullest_article_of_a_story_is_taken_and_the_others_say_so(made: ModuleType) -> None:
    short, full, other = article(made, 1, words=40), article(made, 2, words=90), article(made, 3)
    decisions = decide(made, [short, full, other], stories(short, full))
    assert {n for n, decision in decisions.items() if decision.included} == {"2", "3"}
    assert decisions["1"].reason == "same story as “Tin số 2” (Báo 2)"


def test_of_articles_about_as_long_the_first_is_taken(made: ModuleType) -> None:
    late, early, brief = (article(made, n, hour=hour, words=w) for n, hour, w in ((1, 9, 100), (2, 6, 85), (3, 1, 70)))
    assert fullest([late, early, brief], ZONE) is early


def test_the_item_names_who_else_reported_it_each_source_once(made: ModuleType) -> None:
    first = article(made, 1, words=90)
    other, again = article(made, 2), article(made, 3, source_id=SourceId("source2"), source_name="Báo 2")
    pasted = article(made, 4, url=None)
    skipped, own = article(made, 5, state=ArticleState.SKIPPED), article(made, 6, source_id=SourceId("source1"))
    told = stories(first, other, again, pasted, skipped, own)
    item = decide(made, [first, other, again, pasted, own], told)["1"].item
    assert item is not None
    assert item.also == (
        Report(source="Báo 2", url="https://vien.example/tin/2"),
        Report(source="Báo 4", url="https://news.vien.example/articles/article000000004"),
    )


def test_sources_of_other_newsletters_are_not_named(made: ModuleType) -> None:
    first, foreign = article(made, 1), article(made, 2)
    item = decide(made, [first], stories(first, foreign))["1"].item
    assert item is not None
    assert item.also == ()


def test_no_more_than_a_line_or_two_of_names(made: ModuleType) -> None:
    every = [article(made, n) for n in range(9)]
    taken = [decision for decision in decide(made, every, stories(*every)).values() if decision.item]
    assert len(taken) == 1
    assert taken[0].item is not None
    assert len(taken[0].item.also) == MOST_NAMED


def test_a_story_that_was_sent_is_not_sent_again(made: ModuleType) -> None:
    sent, late = article(made, 1, words=40), article(made, 2, words=90)
    decisions = decide(made, [sent, late], stories(sent, late), used={sent.id: "46"})
    assert decisions["1"].reason == "already in issue 46"
    assert decisions["2"].reason == "same story as “Tin số 1” (Báo 1) in issue 46"
    without_names = decide(made, [late], stories(sent, late), used={ArticleId(sent.id)})
    assert without_names["2"].reason == "same story as “Tin số 1” (Báo 1) in another issue"


def test_an_article_that_cannot_be_taken_does_not_hold_up_its_story(made: ModuleType) -> None:
    unsummarised, ready = article(made, 1, words=200, summary=None), article(made, 2)
    decisions = decide(made, [unsummarised, ready], stories(unsummarised, ready))
    assert decisions["2"].included
    assert decisions["1"].reason == "has no summary"


def test_html_and_text_name_the_others_in_the_readers_language(bulletin: Design, made: ModuleType) -> None:
    also = (
        Report(source="Báo <Biển>", url="https://bien.example/1"),
        Report(source="Đài Sóng", url="https://song.example/2"),
    )
    for language, label in (("vi", "Cũng đưa tin:"), ("en", "Also reported by:")):
        context = made.made_context(4, language=language)
        items = tuple(replace(item, also=also) for item in context.items)
        made_ = render_issue(bulletin, replace(context, items=items), nonce=made.NONCE, language=language)
        assert made_.html.count(label) == made_.text.count(label) == 4
        assert "Báo &lt;Biển&gt;</a>" in made_.html
        assert made_.html.count('href="https://song.example/2"') == made_.text.count("https://song.example/2\n") == 4


def test_without_others_nothing_is_said(bulletin: Design, made: ModuleType) -> None:
    rendering = render_issue(bulletin, made.made_context(4), nonce=made.NONCE, language="vi")
    assert "Cũng đưa tin" not in rendering.html + rendering.text


def test_only_links_that_mail_may_hold_are_shown(made: ModuleType) -> None:
    item = replace(
        made.made_items(1)[0],
        also=(Report(source="Xấu", url="javascript:alert(1)"), Report(source=" ", url="https://x.example")),
    )
    assert item_view(item, ZONE).also == ()


def test_the_reason_is_told_in_vietnamese() -> None:
    words = labels("vi")
    assert (
        reason_in(words, "same story as “Tin (mới)” (Báo 1) in issue 46")
        == "cùng một tin với “Tin (mới)” (Báo 1) trong số 46"
    )
    assert reason_in(words, "same story as “Tin” (Báo 1)") == "cùng một tin với “Tin” (Báo 1)"
