"""For any candidates, settings and words of staff: one decision each, limits that hold, an order that chance has no part in."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.compose.select import choose
from newsletter.compose.tellings import Stories
from newsletter.model import (
    Article,
    ArticleId,
    ArticleState,
    Decision,
    ItemField,
    Newsletter,
    Override,
    Pin,
    Presence,
    SectionRule,
    SourceId,
    StoryId,
    StoryRule,
    Telling,
)

TOPICS = ("biển", "lúa", "khác")
SECTIONS = (
    SectionRule(title="Biển", topics=("biển",), limit=2),
    SectionRule(title="Nguồn một", source_ids=(SourceId("source1"),), limit=1),
    SectionRule(title="Lúa", words=("lúa",)),
    SectionRule(title="Còn lại", limit=3),
)

ARTICLES = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.integers(0, 3),
            "topic": st.sampled_from(TOPICS),
            "days": st.integers(-2, 30),
            "named": st.booleans(),
            "weight": st.integers(-3, 3),
            "state": st.sampled_from([ArticleState.READY] * 5 + [ArticleState.HELD]),
            "story": st.integers(0, 6),
            "used": st.sampled_from([False] * 6 + [True]),
            "said": st.one_of(
                st.none(),
                st.none(),
                st.fixed_dictionaries(
                    {
                        "place": st.one_of(st.none(), st.integers(1, 20)),
                        "pin": st.sampled_from([None, Pin.LEAD, Pin.FIRST]),
                        "presence": st.sampled_from([None, Presence.IN, Presence.OUT]),
                        "section": st.sampled_from([None, "", "Lúa", "Chuyên đề"]),
                        "title": st.sampled_from([None, "Tên khác"]),
                    }
                ),
            ),
        }
    ),
    max_size=25,
)
SETTINGS = st.fixed_dictionaries(
    {
        "max_items": st.integers(1, 12),
        "max_per_source": st.one_of(st.none(), st.integers(1, 4)),
        "sections": st.sampled_from([(), SECTIONS, SECTIONS[:2]]),
    }
)


class Case:
    """What is drawn, as `choose` takes it."""

    def __init__(self, made: ModuleType, drawn: list[dict[str, Any]], setting: dict[str, Any]) -> None:
        self.made = made
        ids = tuple(SourceId(f"source{n}") for n in range(4))
        self.newsletter: Newsletter = replace(made.made_newsletter(), source_ids=ids, **setting)
        self.articles: list[Article] = [self._article(n, one) for n, one in enumerate(drawn)]
        self.used = {a.id: "46" for a, one in zip(self.articles, drawn, strict=True) if one["used"]}
        self.overrides: dict[ArticleId, Override] = {
            article.id: Override(by="Lan", presence_by="Lan", at=made.NOW, placed_at=made.NOW, **one["said"])
            for article, one in zip(self.articles, drawn, strict=True)
            if one["said"] and any(value is not None for value in one["said"].values())
        }
        told: dict[StoryId, list[Telling]] = {}
        for article, one in zip(self.articles, drawn, strict=True):
            told.setdefault(StoryId(str(one["story"] or article.id)), []).append(self._telling(article))
        self.stories = Stories(told=told)

    def _article(self, number: int, one: dict[str, Any]) -> Article:
        article: Article = self.made.made_article(
            number,
            source_id=SourceId(f"source{one['source']}"),
            source_name=f"Báo {one['source']}",
            published=self.made.NOW - timedelta(days=one["days"]),
            named=one["named"],
            weight=one["weight"],
            state=one["state"],
            topics=(one["topic"],),
            text=f"Tin về {one['topic']}.",
        )
        return article

    def _telling(self, article: Article) -> Telling:
        return Telling(
            article_id=article.id, story_id=StoryId("s"), source_id=article.source_id, source_name=article.source_name,
            title=article.title, url=article.url, state=article.state, rule=StoryRule.SIMILAR, reason="", like=None,
        )  # fmt: skip

    def choose(self, articles: list[Article] | None = None) -> list[Decision]:
        return choose(
            articles if articles is not None else self.articles,
            self.newsletter,
            now=self.made.NOW,
            used=self.used,
            stories=self.stories,
            overrides=self.overrides,
        )

    def kept(self, article_id: ArticleId) -> bool:
        said = self.overrides.get(article_id)
        return said is not None and not said.left_out

    def asked(self, article_id: ArticleId) -> bool:
        said = self.overrides.get(article_id)
        return said is not None and said.presence is Presence.IN

    def sent(self, article_id: ArticleId) -> bool:
        """Its story was, in another issue."""
        told = next(told for told in self.stories.told.values() if any(one.article_id == article_id for one in told))
        return any(one.article_id in self.used for one in told)


def drawn_case(test: Any) -> Any:
    quiet = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    return quiet(given(drawn=ARTICLES, setting=SETTINGS)(test))


@drawn_case
def test_each_candidate_has_exactly_one_decision_with_a_reason(made: ModuleType, drawn: Any, setting: Any) -> None:
    case = Case(made, drawn, setting)
    decisions = case.choose()
    assert Counter(d.article_id for d in decisions) == Counter(a.id for a in case.articles)
    assert all(d.reason and d.basis is not None for d in decisions)
    assert all(d.included == (d.item is not None) == d.reason.startswith("in") for d in decisions)
    positions = [d.item.position for d in decisions if d.item]
    assert positions == list(range(1, len(positions) + 1))


@drawn_case
def test_nothing_used_held_left_out_or_told_twice_is_in(made: ModuleType, drawn: Any, setting: Any) -> None:
    case = Case(made, drawn, setting)
    taken = [d.article_id for d in case.choose() if d.included]
    states = {a.id: a.state for a in case.articles}
    assert not set(taken) & set(case.used)
    assert all(states[one] is ArticleState.READY for one in taken)
    assert not any(said.left_out for one in taken if (said := case.overrides.get(one)))
    for told in case.stories.told.values():
        tellers = [one.article_id for one in told if one.article_id in taken and not case.kept(one.article_id)]
        assert len(tellers) <= 1
        again = [one.article_id for one in told if one.article_id in taken and not case.asked(one.article_id)]
        assert not again or not any(one.article_id in case.used for one in told)


@drawn_case
def test_limits_hold_for_all_that_staff_did_not_deal_with(made: ModuleType, drawn: Any, setting: Any) -> None:
    case = Case(made, drawn, setting)
    decisions, letter = case.choose(), case.newsletter
    mail = [d for d in decisions if d.item and not d.item.only_web]
    by_id = {a.id: a for a in case.articles}
    free = [d for d in mail if not case.kept(d.article_id)]
    kept = len(mail) - len(free)
    assert len(free) <= max(letter.max_items - kept, 0)
    if letter.max_per_source is not None:
        sources = Counter(by_id[d.article_id].source_id for d in free)
        assert all(count <= letter.max_per_source for count in sources.values())
    for section in letter.sections:
        if section.limit is not None:
            title = None if section.takes_the_rest else section.title
            assert sum(d.item.section == title for d in free if d.item) <= section.limit
    assert all(not d.item.only_web for d in decisions if d.item and case.kept(d.article_id))


@drawn_case
def test_the_order_of_the_candidates_plays_no_part(made: ModuleType, drawn: Any, setting: Any) -> None:
    case = Case(made, drawn, setting)
    shuffled = list(case.articles)
    random.Random(7).shuffle(shuffled)
    assert case.choose() == case.choose(shuffled)


@drawn_case
def test_what_staff_dealt_with_is_in_unless_it_cannot_be(made: ModuleType, drawn: Any, setting: Any) -> None:
    case = Case(made, drawn, setting)
    able = {a.id for a in case.articles if a.state is ArticleState.READY and a.id not in case.used}
    taken = {d.article_id for d in case.choose() if d.included}
    wanted = {one for one in case.overrides if case.asked(one) or (case.kept(one) and not case.sent(one))}
    assert wanted & able <= taken


def test_staff_s_words_stand_in_place_of_the_article_s(made: ModuleType) -> None:
    article = made.made_article(1, image="https://vien.example/a.jpg")
    said = Override(by="Lan", at=made.NOW, title="Tên khác", summary="Lời khác.", image="", section="Chuyên đề")
    (decision,) = choose([article], made.made_newsletter(), now=made.NOW, used=set(), overrides={article.id: said})
    assert decision.item is not None
    item = decision.item
    assert (item.title, item.summary, item.image, item.section) == ("Tên khác", "Lời khác.", None, "Chuyên đề")
    assert item.edited == (ItemField.TITLE, ItemField.SUMMARY, ItemField.IMAGE, ItemField.SECTION)


@pytest.mark.parametrize(
    ("presence", "reason"), [(Presence.IN, "in: taken in by Lan"), (Presence.OUT, "left out by Lan")]
)
def test_the_decision_names_who_took_in_or_left_out(made: ModuleType, presence: Presence, reason: str) -> None:
    article = made.made_article(1, published=made.NOW - timedelta(days=90))
    said = {article.id: Override(by="Minh", presence_by="Lan", at=made.NOW, presence=presence)}
    (decision,) = choose([article], made.made_newsletter(), now=made.NOW, used=set(), overrides=said)
    assert decision.reason == reason


def test_of_one_story_the_article_that_staff_took_in_stands_for_it(made: ModuleType) -> None:
    long, wanted = made.made_article(1, text="Một câu dài. " * 20), made.made_article(2, source_name="Báo 2")
    case = Case(made, [], {"max_items": 5})
    stories = Stories(told={StoryId("s"): [case._telling(long), case._telling(wanted)]})
    said = {wanted.id: Override(by="Minh", presence_by="Lan", at=made.NOW, presence=Presence.IN)}
    letter = made.made_newsletter()
    found = choose([long, wanted], letter, now=made.NOW, used=set(), stories=stories, overrides=said)
    assert [(d.article_id, d.reason) for d in found] == [
        (wanted.id, "in: taken in by Lan"),
        (long.id, "same story as “Tin số 2” (Báo 2)"),
    ]
