"""A source that renames everything at once, one that is read again after months, and what then is honest news."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from newsletter.collect.identity.choose import New, choose
from newsletter.collect.identity.match import LASTMOD, entries
from newsletter.model import ArticleState, RawItem, SourceKind
from tests.fakes.reader import NOW, Reader, article


def full(count: int = 15, *, kind: SourceKind = SourceKind.FEED, **more: Any) -> Reader:
    reader = Reader(kind=kind)
    reader.read([article(n, **more) for n in range(count)])
    return reader


def renamed(n: int, **more: Any) -> RawItem:
    """Nothing of it is known: new id, address and title."""
    title = f"{n} tên mới {'abcdef'[n % 6] * (n // 6 + 1)} viết lại hết"
    return article(n, **{"guid": f"new-{n}", "url": f"https://vien.example/new/{n}", "title": title, **more})


def test_more_than_half_of_the_entries_under_new_names_and_old_dates_are_held() -> None:
    reader = full()
    told = reader.outcomes(*map(renamed, range(12)), *map(article, range(12, 15)))
    assert told.count("held") == 12
    assert set(reader.reasons[15:]) == {
        "12 of 15 entries turned new at once: their names may have changed, not their news"
    }
    assert "held" not in reader.outcomes(*map(renamed, range(12)), *map(article, range(12, 15)))


def test_half_of_the_entries_is_no_mass_change_nor_are_few_articles_before() -> None:
    reader = full(14)
    others = [renamed(n, hours=n + 1.1) for n in range(9)]
    assert reader.outcomes(*others[:7], *map(article, range(7, 14))).count("held") == 0
    reader = full(9)
    assert reader.outcomes(*others) == ["new"] * 9


def test_undated_entries_that_all_turn_new_are_held() -> None:
    reader = full(published=None)
    assert reader.outcomes(*(renamed(n, published=None) for n in range(15))) == ["held"] * 15


def test_a_list_that_turned_over_in_an_outage_is_news() -> None:
    reader = full()
    reader.at += timedelta(days=9)
    news = [article(100 + n, published=NOW + timedelta(hours=12 * n + 9)) for n in range(15)]
    assert reader.outcomes(*news) == ["new"] * 15


def test_a_list_built_anew_with_the_date_of_its_building_is_held() -> None:
    reader = full()
    built = NOW + timedelta(hours=7, minutes=3)
    assert reader.outcomes(*(renamed(n, published=built + timedelta(seconds=n)) for n in range(15))) == ["held"] * 15


def test_known_titles_under_new_names_and_new_dates_are_held() -> None:
    reader = full()
    moved = [
        article(n, guid=f"new-{n}", url=f"https://vien.example/new/{n}", published=NOW + timedelta(minutes=20 * n + 90))
        for n in range(15)
    ]
    assert reader.outcomes(*moved) == ["held"] * 15


def test_a_last_change_is_no_publication() -> None:
    changed = {"provenance": {"published": LASTMOD}, "guid": None, "title": ""}
    reader = full(kind=SourceKind.SITEMAP, **changed)
    moved = [replace(article(n, **changed), url=f"https://vien.example/moved/{n}") for n in range(15)]
    moved = [replace(one, published=NOW + timedelta(hours=n % 7, minutes=n)) for n, one in enumerate(moved)]
    assert reader.outcomes(*moved) == ["held"] * 15


# ---------------------------------------------------------------- backlog


def test_a_source_taken_up_again_after_months_shows_a_backlog_not_a_flood() -> None:
    reader = full(3)
    reader.at += timedelta(days=97)
    later = [article(200 + n, published=reader.at - timedelta(days=1, hours=n)) for n in range(60)]
    told = reader.outcomes(*later)
    assert (told.count("new"), told.count("skipped")) == (50, 10)
    assert reader.reasons[-1] == "backlog after 97 days without a reading"


def test_what_appeared_during_a_long_outage_is_all_offered() -> None:
    reader = full(3)
    source = replace(reader.source(), failures=40, last_ok_at=NOW)
    at = NOW + timedelta(days=30)
    found = entries([article(200 + n, published=at - timedelta(days=1, hours=n)) for n in range(60)], "s")
    decisions = choose(source, found, {}, now=at, before=3)
    assert [d.state for d in decisions if isinstance(d, New)] == [ArticleState.NEW] * 60


def test_where_most_entries_moved_one_that_nobody_recognises_is_held_too() -> None:
    reader = full()
    moved = [article(n, guid=f"new-{n}", url=f"https://vien.example/new/{n}") for n in range(14)]
    told = reader.outcomes(*moved, renamed(14, published=None))
    assert told == [*range(14), "held"]
    assert reader.reasons[-1].startswith("15 of 15 entries turned new at once")


def test_a_straggler_of_a_mass_change_is_held_as_well_and_news_is_not() -> None:
    reader = full()
    assert reader.outcomes(*(renamed(n, published=None) for n in range(12))) == ["held"] * 12
    news = article(50, published=reader.at - timedelta(hours=1))
    told = reader.outcomes(news, renamed(13, published=None), *(renamed(n, published=None) for n in range(12)))
    assert told[-2:] == ["new", "held"]
    assert reader.reasons[-1].startswith("most entries were renamed on 2025-03-10: ")
    reader.read([], hours=24 * 8)
    assert reader.outcomes(renamed(14, published=None), *map(article, range(12, 15))) == [12, 13, 14, "new"]


def test_among_many_renamed_a_bare_day_is_news_only_after_the_day_of_the_last_reading() -> None:
    """Twelve of fifteen are recognised under new addresses; the thirteenth got a new title, too."""
    days = [{"published": (NOW - timedelta(days=n // 5)).date(), "guid": None} for n in range(15)]
    reader = Reader(kind=SourceKind.LISTING)
    reader.read([article(n, **days[n]) for n in range(15)])
    moved = [replace(article(n, **days[n]), url=f"https://vien.example/moved/{n}") for n in range(1, 15)]
    old = renamed(0, guid=None, published=NOW.date())
    news = renamed(20, guid=None, published=NOW.date() + timedelta(days=1))
    reader.at += timedelta(hours=20)
    told = dict(reader.read([news, old, *moved]))
    assert (told[old.title], told[news.title]) == ("held", "new")


def test_a_bare_day_is_news_on_the_day_of_the_last_reading_while_nothing_is_renamed() -> None:
    days = [{"published": (NOW - timedelta(days=n // 5)).date(), "guid": None} for n in range(15)]
    reader = Reader(kind=SourceKind.LISTING)
    reader.read([article(n, **days[n]) for n in range(15)])
    news = [renamed(n, guid=None, published=NOW.date()) for n in range(9)]
    told = reader.outcomes(*news, *(article(n, **days[n]) for n in range(6)))
    assert told.count("new") == 9


def test_where_most_are_news_after_an_outage_the_known_ones_tell_that_the_names_changed() -> None:
    days = [{"published": (NOW - timedelta(days=n // 5)).date(), "guid": None} for n in range(15)]
    reader = Reader(kind=SourceKind.LISTING)
    reader.read([article(n, **days[n]) for n in range(15)])
    reader.at += timedelta(days=2)
    news = [renamed(20 + n, guid=None, published=NOW.date() + timedelta(days=1 + n // 5)) for n in range(10)]
    old = renamed(0, guid=None, published=NOW.date())
    moved = [replace(article(n, **days[n]), url=f"https://vien.example/moved/{n}") for n in range(1, 5)]
    told = dict(reader.read([*news, old, *moved]))
    assert told[old.title] == "held"
    assert list(told.values()).count("new") == 10
    assert reader.reasons[-1].startswith("4 of 4 entries turned new at once")
