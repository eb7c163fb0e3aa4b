"""The rows of "same story" on both databases: decided once, resumed after a death, asked again after a correction."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.collect.stories import compare as comparing
from newsletter.collect.stories.words import read, term_id
from newsletter.errors import BadInput
from newsletter.model import Article, RawItem, Source, SourceKind, StoryRule, Telling
from newsletter.store import articles, sources, stories
from newsletter.store import stories as rows
from newsletter.store.schema.collecting import story_articles, story_languages, story_terms
from tests.collect import story_texts as texts


def source(app: App, slug: str) -> Source:
    with app.db.begin() as conn:
        known = sources.by_slug(conn, slug)
        if known is None:
            sources.add(conn, sources.new(slug, SourceKind.FEED, f"https://{slug}.example/feed"), now=app.clock.now())
            known = sources.by_slug(conn, slug)
    assert known is not None
    return known


def take(app: App, slug: str, article: tuple[str, str], **fields: str) -> Article:
    """One article of a source, collected at the clock's time."""
    now = app.clock.now()
    item = RawItem(title=article[0], text=article[1], url=fields.get("url", f"https://{slug}.example/1"), published=now)
    collect.take(app, source(app, slug), [item], now)
    return article_of(app, slug)


def article_of(app: App, slug: str) -> Article:
    with app.db.read() as conn:
        return next(one for one in articles.listed(conn) if one.source_name == slug or slug in (one.url or ""))


def told(app: App, article: Article) -> tuple[Telling, list[Telling]]:
    with app.db.read() as conn:
        found = stories.of_article(conn, article.id)
    assert found is not None
    return found


def number(app: App, column: sa.Column[int]) -> int:
    with app.db.read() as conn:
        return conn.execute(sa.select(sa.func.count(column))).scalar() or 0


def documents(app: App) -> dict[str, int]:
    with app.db.read() as conn:
        return {
            row.language: row.documents
            for row in conn.execute(sa.select(story_languages.c.language, story_languages.c.documents))
        }


def test_the_same_event_in_two_sources_is_one_story_and_why_is_kept(app: App) -> None:
    first, second = take(app, "a", texts.STORM), take(app, "b", texts.STORM_PAPER)
    own, others = told(app, second)
    assert (own.rule, own.like, [other.article_id for other in others]) == (StoryRule.SIMILAR, first.id, [first.id])
    assert "likeness" in own.reason
    assert told(app, first)[0].rule is StoryRule.FIRST


def test_another_story_stays_alone(app: App) -> None:
    take(app, "a", texts.STORM)
    assert told(app, take(app, "b", texts.NEIGHBOURS[0]))[1] == []


def test_languages_are_not_mixed_and_counted_apart(app: App) -> None:
    take(app, "a", texts.STORM)
    english = take(app, "b", texts.STORM_EN)
    assert english.language == "en"
    assert told(app, english)[1] == []
    assert documents(app) == {"vi": 1, "en": 1}


def test_comparing_twice_changes_nothing(app: App) -> None:
    take(app, "a", texts.STORM)
    take(app, "b", texts.STORM_PAPER)
    before = number(app, story_terms.c.term), documents(app)
    assert comparing.compare_waiting(app, app.clock.now()) == 0
    assert (number(app, story_terms.c.term), documents(app)) == before


def test_what_a_killed_run_left_undecided_is_decided_by_the_next(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "BATCH", 1)
    decide, seen = rows.decided, []

    def dies_at_the_second(*args: object, **kwargs: object) -> None:
        seen.append(args)
        if len(seen) == 2:
            raise KeyboardInterrupt
        decide(*args, **kwargs)  # type: ignore[arg-type]

    items = [RawItem(title=t, text=text, url=f"https://a.example/{n}") for n, (t, text) in enumerate(texts.NEIGHBOURS)]
    monkeypatch.setattr(rows, "decided", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        collect.take(app, source(app, "a"), items, app.clock.now())
    assert documents(app) == {"vi": 1}  # the second one's terms went back with its transaction
    monkeypatch.setattr(rows, "decided", decide)
    assert collect.run(app, app.clock.now()) == 0
    assert documents(app) == {"vi": 4}
    assert number(app, story_articles.c.article_id) == 4


def test_a_corrected_article_is_compared_again_and_counted_once(app: App) -> None:
    first, second = take(app, "a", texts.STORM), take(app, "b", texts.NEIGHBOURS[0])
    assert told(app, second)[1] == []
    assert take(app, "b", texts.STORM_PAPER).id == second.id
    assert [other.article_id for other in told(app, second)[1]] == [first.id]
    take(app, "b", (texts.NEIGHBOURS[1][0], "\n\n".join(text for _, text in texts.NEIGHBOURS[1:])))
    assert told(app, second)[1] == []
    assert documents(app) == {"vi": 2}


def test_what_staff_told_apart_stays_apart_through_corrections_of_either(app: App) -> None:
    first, second = take(app, "a", texts.STORM), take(app, "b", texts.STORM_PAPER)
    with app.db.begin() as conn:
        assert [one.article_id for one in stories.tell_apart(conn, second.id, by="Lan", now=app.clock.now())] == [
            first.id
        ]
    take(app, "b", (texts.STORM_PAPER[0], texts.STORM_PAPER[1] + "\n\nMưa đã tạnh."))
    take(app, "a", (texts.STORM[0], texts.STORM[1] + "\n\nTrời đã quang."))
    assert told(app, first)[1] == told(app, second)[1] == []
    assert told(app, second)[0].rule is StoryRule.STAFF
    third = take(app, "c", texts.STORM_RADIO)
    assert len(told(app, third)[1]) == 1  # it may be like either, and joins one of them


def test_an_article_alone_in_its_story_cannot_be_told_apart(app: App) -> None:
    first = take(app, "a", texts.STORM)
    with pytest.raises(BadInput, match="no other article"), app.db.begin() as conn:
        stories.tell_apart(conn, first.id, by="Lan", now=app.clock.now())


def test_after_the_window_what_was_kept_for_comparing_is_forgotten(app: App, clock: FixedClock) -> None:
    take(app, "a", texts.STORM)
    assert number(app, story_articles.c.vector) == 1
    clock.at += timedelta(days=15)
    later = take(app, "b", texts.STORM)
    assert told(app, later)[1] == []
    assert number(app, story_articles.c.vector) == 1
    assert number(app, story_articles.c.article_id) == 2


def test_rare_old_terms_are_forgotten_and_common_ones_kept(app: App, clock: FixedClock) -> None:
    take(app, "a", texts.NEIGHBOURS[0])
    take(app, "b", texts.NEIGHBOURS[1])
    before = number(app, story_terms.c.term)
    clock.at += timedelta(days=31)
    take(app, "c", texts.menu(4))
    with app.db.read() as conn:
        kept = {row.term: row.documents for row in conn.execute(sa.select(story_terms.c.term, story_terms.c.documents))}
    fresh = read(*texts.menu(4)).terms
    assert kept[term_id("hải vân")] == 2
    assert term_id("trầm tích") not in kept  # it stood in one article, a month ago
    assert len(kept) < before + len(fresh)


def test_terms_are_bounded(app: App, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_TERMS", 50)
    take(app, "a", texts.NEIGHBOURS[0])
    clock.at += timedelta(days=2)
    take(app, "b", texts.NEIGHBOURS[1])
    assert number(app, story_terms.c.term) == 50
