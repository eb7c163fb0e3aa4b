"""What is new, what is known, what is offered: pure decisions on invented items."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from newsletter.collect.identity.choose import SHORT, Known, New, choose, needs_page, with_page
from newsletter.collect.identity.keys import identities
from newsletter.collect.identity.match import Candidate
from newsletter.collect.text.clean import one_line
from newsletter.model import ArticleId, ArticleState, RawItem, Seen, Source, SourceId, SourceKind, SourceState

NOW = datetime.fromisoformat("2025-03-10T05:00:00+00:00")


def source(kind: SourceKind = SourceKind.FEED, *, first_run_done: bool = True, language: str | None = None) -> Source:
    return Source(
        id=SourceId("s"),
        slug="hai-van",
        kind=kind,
        url="https://vien.example/feed",
        name="Hải văn",
        language=language,
        section=None,
        state=SourceState.ACTIVE,
        newest=2,
        first_run_done=first_run_done,
    )


def candidate(number: int, *, days: float | None = 1, text: str = "Một đoạn văn. ", url: bool = True) -> Candidate:
    item = RawItem(
        title=f"Bài viết số {number} của Trung tâm",
        guid=f"g{number}",
        url=f"https://vien.example/{number}" if url else None,
        text=text,
        published=None if days is None else NOW - timedelta(days=days),
    )
    return Candidate(item=item, keys=identities(item, "s"))


def seen(name: str, item: RawItem, **more: Any) -> Seen:
    facts = {"published": item.published, "state": ArticleState.READY, "first_seen_at": NOW, "entry_hash": "before"}
    return Seen(id=ArticleId(name), title=item.title, **{**facts, **more})


def new(decisions: list[New | Known]) -> list[tuple[str, ArticleState, str | None]]:
    return [(d.item.guid or "", d.state, d.reason) for d in decisions if isinstance(d, New)]


def test_a_first_run_offers_the_newest_few_and_writes_down_the_rest_as_backlog() -> None:
    found = [
        candidate(1, days=9),
        candidate(2, days=1),
        candidate(3, days=3),
        candidate(4, days=40),
        candidate(5, days=None),
    ]
    assert new(choose(source(first_run_done=False), found, {}, now=NOW)) == [
        ("g1", ArticleState.SKIPPED, "backlog of the first run"),
        ("g2", ArticleState.NEW, None),
        ("g3", ArticleState.NEW, None),
        ("g4", ArticleState.SKIPPED, "older than 14 days when it was first seen"),
        ("g5", ArticleState.SKIPPED, "backlog of the first run"),
    ]


def test_a_feed_without_dates_offers_its_first_entries() -> None:
    found = [candidate(n, days=None) for n in range(4)]
    states = [state for _, state, _ in new(choose(source(first_run_done=False), found, {}, now=NOW))]
    assert states == [ArticleState.NEW, ArticleState.NEW, ArticleState.SKIPPED, ArticleState.SKIPPED]


def test_later_runs_offer_everything_that_is_young_enough() -> None:
    found = [candidate(1, days=0), candidate(2, days=13.9), candidate(3, days=15), candidate(4, days=None)]
    states = [state for _, state, _ in new(choose(source(), found, {}, now=NOW))]
    assert states == [ArticleState.NEW, ArticleState.NEW, ArticleState.SKIPPED, ArticleState.NEW]


@pytest.mark.parametrize("kind", [SourceKind.FOLDER, SourceKind.PAGE, SourceKind.MANUAL])
def test_what_is_given_by_name_is_a_candidate_whatever_its_date(kind: SourceKind) -> None:
    (decision,) = choose(source(kind, first_run_done=False), [candidate(1, days=900)], {}, now=NOW)
    assert isinstance(decision, New)
    assert (decision.state, decision.named) == (ArticleState.NEW, True)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_any_one_known_key_makes_an_item_known(at: int) -> None:
    one = candidate(1, text="x" * SHORT)
    (decision,) = choose(source(), [one], {one.keys[at]: seen("a1", one.item)}, now=NOW)
    assert isinstance(decision, Known)
    assert decision.article.id == "a1"
    assert set(decision.fresh_keys) == set(one.keys) - {one.keys[at]}
    assert decision.changed
    assert not decision.excerpt


def test_an_excerpt_is_marked_as_one_for_it_must_not_correct_the_text_read_from_the_page() -> None:
    one = candidate(1, text="Đoạn ngắn.")
    known = {one.keys[0]: seen("a1", one.item)}
    for kind, expected in ((SourceKind.FEED, True), (SourceKind.FOLDER, False)):
        (decision,) = choose(source(kind), [one], known, now=NOW)
        assert isinstance(decision, Known)
        assert decision.excerpt is expected


@pytest.mark.parametrize(
    ("facts", "changed", "reread"),
    [
        ({}, True, True),
        ({"entry_hash": "now"}, False, False),  # nothing new was said
        ({"entry_hash": None}, False, False),  # a row older than the hash
        ({"sent": True}, True, False),
        ({"state": ArticleState.SKIPPED}, False, False),
        ({"changed_at": NOW - timedelta(hours=5)}, True, False),  # read again today already
        ({"changed_at": NOW + timedelta(days=9)}, True, True),  # by a clock that ran ahead
        ({"changed_at": NOW - timedelta(hours=5), "entry_before": "now"}, False, False),  # two versions in turn
        ({"changed_at": NOW - timedelta(hours=30), "entry_before": "now"}, True, True),  # a correction taken back
        ({"entry_hash": "now", "state": ArticleState.HELD, "unread": True}, False, True),
    ],
)
def test_a_page_is_read_again_when_the_source_says_something_else_of_an_article_not_yet_sent(
    facts: dict[str, Any], changed: bool, reread: bool
) -> None:
    one = replace(candidate(1), words="now")
    (decision,) = choose(source(), [one], {one.keys[0]: seen("a1", one.item, **facts)}, now=NOW)
    assert isinstance(decision, Known)
    assert (decision.changed, decision.reread, needs_page(source(), decision)) == (changed, reread, reread)


def test_the_same_item_twice_in_one_poll_is_one_item() -> None:
    one = candidate(1)
    assert len(choose(source(), [one, one], {}, now=NOW)) == 1


def test_a_date_far_in_the_future_is_left_out() -> None:
    (decision,) = choose(source(), [candidate(1, days=-30)], {}, now=NOW)
    assert isinstance(decision, New)
    assert (decision.item.published, decision.state) == (None, ArticleState.NEW)
    assert decision.item.provenance["published"] == "first seen: 2025-04-09T05:00:00+00:00 lies in the future"


@pytest.mark.parametrize(
    "zero", ["1970-01-01T00:00:00+00:00", "1969-12-31T17:00:00-07:00", "1970-01-01T07:00:00+07:00"]
)
def test_the_zero_of_a_computers_clock_is_no_date(zero: str) -> None:
    one = candidate(1)
    one = replace(one, item=replace(one.item, published=datetime.fromisoformat(zero)))
    (decision,) = choose(source(), [one], {}, now=NOW)
    assert isinstance(decision, New)
    assert (decision.item.published, decision.state) == (None, ArticleState.NEW)
    assert decision.item.provenance["published"].startswith("first seen: ")


def test_a_bare_day_counts_to_its_end() -> None:
    item = RawItem(title="Bài viết của Trung tâm", guid="g", text="Một đoạn văn.", published=date(2025, 2, 24))
    (decision,) = choose(source(), [Candidate(item=item, keys=("g:1",))], {}, now=NOW)
    assert isinstance(decision, New)
    assert decision.state is ArticleState.NEW


def test_items_without_a_title_or_a_text_are_named_held_or_skipped_with_a_reason() -> None:
    untitled = Candidate(item=RawItem(title="", guid="1", text="Một câu mở đầu. " * 20), keys=("g:1",))
    textless = Candidate(item=RawItem(title="Chỉ có tên", guid="2"), keys=("g:2",))
    nothing = Candidate(item=RawItem(title="", guid="3"), keys=("g:3",))
    decisions = choose(source(), [untitled, textless, nothing], {}, now=NOW)
    assert new(decisions) == [
        ("1", ArticleState.NEW, None),
        ("2", ArticleState.HELD, "no text could be read"),
        ("3", ArticleState.SKIPPED, "it has neither a title nor a text"),
    ]
    assert decisions[0].item.title == one_line("Một câu mở đầu. " * 20, 80)


@pytest.mark.parametrize(
    ("configured", "declared", "text", "expected"),
    [
        ("en", "vi", "Trung tâm đã họp về những việc được giao trong năm nay.", "en"),
        (None, "en-US", "Trung tâm đã họp về những việc được giao trong năm nay.", "vi"),
        (None, "de-AT", "12,5 %", "de"),
        (None, None, "12,5 %", "en"),
    ],
)
def test_the_language_is_the_operators_then_the_texts_then_the_sources(
    configured: str | None, declared: str | None, text: str, expected: str
) -> None:
    item = RawItem(title="", guid="1", text=text, language=declared)
    (decision,) = choose(source(language=configured), [Candidate(item=item, keys=("g:1",))], {}, now=NOW)
    assert decision.language == expected


def test_only_offered_excerpts_of_feeds_need_their_page() -> None:
    found = [candidate(1), candidate(2, text="x" * SHORT), candidate(3, url=False), candidate(4, days=100)]
    decisions = choose(source(), found, {}, now=NOW)
    assert [needs_page(source(), d) for d in decisions] == [True, False, False, False]
    assert not needs_page(source(SourceKind.PAGE), decisions[0])


def test_a_page_completes_the_feeds_item_and_changes_nothing_the_feed_said() -> None:
    feed = candidate(1, text="Đoạn ngắn.")
    page = RawItem(
        title="Tên khác trên trang",
        text="Toàn văn bài viết trên trang.",
        authors=("Thu Hà",),
        published=date(2020, 1, 1),
        image="https://vien.example/a.jpg",
        provenance={"text": "trafilatura", "authors": "JSON-LD", "image": "og:image", "published": "meta"},
    )
    merged = with_page(feed, page, ["u:final"])
    assert merged.item.text == page.text
    assert (merged.item.title, merged.item.published) == (feed.item.title, feed.item.published)
    assert (merged.item.authors, merged.item.image) == (("Thu Hà",), "https://vien.example/a.jpg")
    assert (merged.keys, merged.page_keys) == (feed.keys, ("u:final",))
    assert merged.item.provenance == {
        "text": "page: trafilatura",
        "authors": "page: JSON-LD",
        "image": "page: og:image",
    }
    assert with_page(feed, RawItem(title="", text="x"), []).item.text == "Đoạn ngắn."
