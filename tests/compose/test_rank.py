"""What puts one article ahead of another."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType

import pytest

from newsletter.compose.rank import HALF_LIFE, MOST_FOR_STORY, PER_DOUBLING, PER_WEIGHT, basis, best_first
from newsletter.compose.tellings import Stories
from newsletter.model import ArticleState, SourceId, StoryId, StoryRule, Telling


def told_by(article: object, number: int, *, state: ArticleState = ArticleState.READY) -> Stories:
    """The article's story, told by so many sources, its own first."""
    tellings = [
        Telling(
            article_id=article.id if n == 0 else f"other{n}",
            story_id=StoryId("s"),
            source_id=article.source_id if n == 0 else SourceId(f"source{n}"),
            source_name=f"Báo {n}",
            title="",
            url=None,
            state=ArticleState.READY if n == 0 else state,
            rule=StoryRule.SIMILAR,
            reason="",
            like=None,
        )
        for n in range(number)
    ]
    return Stories(told={StoryId("s"): tellings})


@pytest.mark.parametrize(("lives", "fresh"), [(0, 1.0), (1, 0.5), (2, 0.25), (-3, 1.0)])
def test_freshness_halves_with_every_half_life_before_the_send_moment(
    made: ModuleType, lives: int, fresh: float
) -> None:
    article = made.made_article(1, published=made.NOW - lives * HALF_LIFE)
    found = basis(article, made.made_newsletter(), at=made.NOW, stories=Stories())
    assert found.score == found.fresh == pytest.approx(fresh)


@pytest.mark.parametrize(("sources", "story"), [(1, 0.0), (2, PER_DOUBLING), (4, MOST_FOR_STORY), (9, MOST_FOR_STORY)])
def test_each_doubling_of_the_sources_that_tell_it_counts_up_to_a_bound(
    made: ModuleType, sources: int, story: float
) -> None:
    article = made.made_article(1)
    newsletter = replace(made.made_newsletter(), source_ids=tuple(SourceId(f"source{n}") for n in range(1, 20)))
    assert basis(article, newsletter, at=made.NOW, stories=told_by(article, sources)).story == pytest.approx(story)


def test_sources_of_other_newsletters_and_skipped_tellings_do_not_count(made: ModuleType) -> None:
    article = made.made_article(1)
    assert basis(article, made.made_newsletter(), at=made.NOW, stories=told_by(article, 5)).story == 0
    newsletter = replace(made.made_newsletter(), source_ids=(SourceId("source1"),))
    skipped = told_by(article, 2, state=ArticleState.SKIPPED)
    assert basis(article, newsletter, at=made.NOW, stories=skipped).story == 0


def test_weights_of_staff_are_added_and_a_step_outweighs_three_days(made: ModuleType) -> None:
    old = made.made_article(1, published=made.NOW - timedelta(days=3), weight=1)
    new = made.made_article(2, published=made.NOW - timedelta(minutes=5))
    disliked = made.made_article(3, published=made.NOW, weight=1, source_weight=-3)
    newsletter = made.made_newsletter()
    ranked = [(one, basis(one, newsletter, at=made.NOW, stories=Stories())) for one in (disliked, new, old)]
    assert ranked[0][1].article == PER_WEIGHT
    assert ranked[0][1].source == -3 * PER_WEIGHT
    assert [one for one, _ in best_first(ranked, newsletter.timezone)] == [old, new, disliked]


def test_equals_are_ordered_by_moment_then_by_id(made: ModuleType) -> None:
    """Both appear after the send moment: as fresh as can be."""
    late, later = (made.made_article(n, published=made.NOW + timedelta(hours=n)) for n in (1, 2))
    twin = replace(later, id="article999999999")
    newsletter = made.made_newsletter()
    for order in ([late, later, twin], [twin, late, later]):
        ranked = [(one, basis(one, newsletter, at=made.NOW, stories=Stories())) for one in order]
        assert [one for one, _ in best_first(ranked, newsletter.timezone)] == [twin, later, late]


def test_the_moment_of_composing_does_not_reorder(made: ModuleType) -> None:
    heavy = made.made_article(1, published=made.NOW - timedelta(days=4), weight=1)
    light = made.made_article(2, published=made.NOW - timedelta(hours=1))
    send_at = datetime.fromisoformat("2026-11-24T08:00+07:00")
    newsletter = made.made_newsletter()
    scores = [basis(one, newsletter, at=send_at, stories=Stories()).score for one in (heavy, light)]
    assert scores == [basis(one, newsletter, at=send_at, stories=Stories()).score for one in (heavy, light)]
    assert scores[0] > scores[1]
