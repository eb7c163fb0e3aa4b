"""The failure catalogue of feed readers, each case by name: two articles are never one, one article is never two.

Polls are read through `choose`; `test_replay.py` does the same with rows.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from newsletter.collect.identity.choose import Known, New, choose
from newsletter.collect.identity.keys import NO_GUIDS
from newsletter.collect.identity.match import LASTMOD, Candidate, entries
from newsletter.model import ArticleId, RawItem, Seen, SourceKind
from tests.fakes.reader import LONG, NOW, TITLES, Reader, article


def test_scheme_host_and_tracking_of_all_addresses_and_ids_may_change() -> None:
    """NetNewsWire 324, FreshRSS 5151: a site that moves to https shows nothing new."""
    reader = Reader()
    old = [article(n, guid=f"http://www.vien.example/?p={n}", url=f"http://www.vien.example/bai/{n}") for n in range(3)]
    new = [
        article(n, guid=f"https://vien.example/?p={n}", url=f"https://vien.example/bai/{n}?utm_source=rss")
        for n in range(3)
    ]
    assert reader.outcomes(*old) == ["new"] * 3
    assert reader.outcomes(*new) == [0, 1, 2]
    assert reader.outcomes(*old) == [0, 1, 2]


def test_ids_that_are_regenerated_at_every_build_name_nothing() -> None:
    """newrelic/docs-website 1271."""
    reader = Reader()
    for build in range(4):
        told = reader.outcomes(*(article(n, guid=f"{build}-{n}") for n in range(3)))
        assert told == (["new"] * 3 if build == 0 else [0, 1, 2])


def test_a_typo_mended_in_an_address_that_is_also_the_id_makes_no_second_article() -> None:
    """NetNewsWire 3286."""
    reader = Reader()
    wrong = article(0, guid="https://vien.example/tram-ngu-fong", url="https://vien.example/tram-ngu-fong")
    right = article(0, guid="https://vien.example/tram-ngu-phong", url="https://vien.example/tram-ngu-phong")
    assert reader.outcomes(wrong, article(1)) == ["new", "new"]
    assert reader.outcomes(right, article(1)) == [0, 1]
    assert reader.outcomes(right, article(1)) == [0, 1]


def test_the_same_without_dates_waits_for_a_person() -> None:
    reader = Reader()
    wrong = article(
        0, guid="https://vien.example/tram-ngu-fong", url="https://vien.example/tram-ngu-fong", published=None
    )
    right = article(
        0, guid="https://vien.example/tram-ngu-phong", url="https://vien.example/tram-ngu-phong", published=None
    )
    assert reader.outcomes(wrong, article(1, published=None)) == ["new", "new"]
    assert reader.outcomes(right, article(1, published=None)) == [1, "held"]
    assert reader.reasons[-1] == (
        f"maybe known already: it has the title of “{TITLES[0]}”, which is not shown any more, under a new address and id"
    )
    assert sorted(map(str, reader.outcomes(right, article(1, published=None)))) == ["1", "2"]


def test_an_id_reused_for_a_rewritten_article_is_a_new_article() -> None:
    """feedbin 604."""
    reader = Reader()
    first = article(0, guid="bulletin")
    second = article(1, guid="bulletin", hours=-6)
    assert reader.outcomes(first) == ["new"]
    assert reader.outcomes(second) == ["new"]
    assert reader.outcomes(second) == [1]
    assert reader.outcomes(first, article(2)) == [0, "new"]


def test_numbered_bulletins_under_one_id_are_different_articles() -> None:
    reader = Reader()
    for week in range(10, 14):
        one = article(
            0,
            guid="bulletin",
            title=f"Bản tin dự báo biển tuần {week}",
            url=f"https://vien.example/tuan-{week}",
            hours=-24 * 7 * (week - 10),
        )
        reader.at = NOW + timedelta(days=7 * (week - 10))
        assert reader.outcomes(one) == ["new"]


def test_a_path_restructure_of_all_addresses_with_edited_titles_is_no_news() -> None:
    """liferea 1195: ids stay, every address and every title changes."""
    reader = Reader()
    assert reader.outcomes(*map(article, range(5))) == ["new"] * 5
    moved = [
        article(n, url=f"https://vien.example/2025/03/{n}.html", title=f"{TITLES[n]} (cập nhật)") for n in range(5)
    ]
    assert reader.outcomes(*moved) == [0, 1, 2, 3, 4]


def test_a_headline_and_address_rewritten_under_the_same_id_and_date_are_one_article() -> None:
    reader = Reader()
    assert reader.outcomes(article(0)) == ["new"]
    rewritten = article(0, title="Mực nước cửa sông nay đo mười phút một lần", url="https://vien.example/muc-nuoc")
    assert reader.outcomes(rewritten) == [0]


def test_a_rewritten_headline_dated_only_by_its_last_change_waits_for_a_person() -> None:
    reader = Reader()
    touched = {"provenance": {"published": "feed:updated"}}
    assert reader.outcomes(article(0, **touched)) == ["new"]
    rewritten = article(0, title="Một tên khác hẳn", url="https://vien.example/moi", hours=-5, **touched)
    assert reader.outcomes(rewritten) == ["held"]


def test_one_id_for_several_entries_names_none_of_them() -> None:
    """brief 428, reader 335."""
    reader = Reader()
    same = {"guid": "https://vien.example/"}
    assert reader.outcomes(article(0, **same)) == ["new"]
    assert reader.outcomes(article(1, **same), article(0, **same)) == [0, "new"]
    assert reader.outcomes(article(1, **same)) == [1]
    assert reader.outcomes(article(2, hours=-20, **same)) == ["new"]
    assert NO_GUIDS in reader.known


def test_ids_that_are_positions_in_the_list_name_nothing() -> None:
    reader = Reader()
    shown = [2, 1, 0]
    reader.read([article(n, guid=str(at), hours=30 - 10 * n) for at, n in enumerate(shown)])
    shown = [3, 2, 1]
    told = dict(reader.read([article(n, guid=str(at), hours=30 - 10 * n) for at, n in enumerate(shown)]))
    assert (told[TITLES[3]], told[TITLES[2]], told[TITLES[1]]) == ("new", 0, 1)


def test_all_entries_share_one_link() -> None:
    """skx/rss2email 111; also when the list shrinks to one entry in between."""
    reader = Reader()
    one_link = {"url": "https://vien.example/"}
    assert reader.outcomes(*(article(n, **one_link) for n in (2, 1, 0))) == ["new"] * 3
    assert reader.outcomes(article(2, **one_link)) == [0]
    assert reader.outcomes(article(3, hours=-9, **one_link)) == ["new"]
    assert reader.outcomes(article(4, hours=-18, **one_link), article(3, hours=-9, **one_link)) == [3, "new"]


def test_all_entries_share_one_link_and_have_no_id() -> None:
    reader = Reader()
    bare = {"url": "https://vien.example/", "guid": None}
    assert reader.outcomes(*(article(n, **bare) for n in (2, 1, 0))) == ["new"] * 3
    assert reader.outcomes(article(2, **bare)) == [0]
    assert reader.outcomes(article(3, hours=-9, **bare), article(2, **bare)) == [0, "new"]
    assert reader.outcomes(article(3, hours=-9, **bare)) == [3]


def test_an_address_used_for_one_article_after_another_waits_for_a_person_once() -> None:
    reader = Reader()
    latest = {"url": "https://vien.example/moi-nhat"}
    assert reader.outcomes(article(0, **latest)) == ["new"]
    assert reader.outcomes(article(1, hours=-9, **latest)) == ["held"]
    assert reader.outcomes(article(2, hours=-18, **latest)) == ["new"]  # the address is mistrusted now
    assert reader.outcomes(article(2, hours=-18, **latest)) == [2]


def test_entries_without_an_id_are_known_by_address_or_title() -> None:
    """feedbin 416, pico 184."""
    reader = Reader()
    assert reader.outcomes(article(0, guid=None), article(1, guid=None, url=None)) == ["new", "new"]
    moved = article(0, guid=None, url="https://vien.example/moi/0")
    assert reader.outcomes(moved, article(1, guid=None, url=None, text="Toàn văn đã sửa. " * 30)) == [0, 1]


def test_two_versions_of_a_feed_in_turn_show_nothing_new() -> None:
    """rsstail 24: a balancer between two servers of which each writes ids and addresses its own way."""
    reader = Reader()
    versions = (
        [article(n) for n in range(3)],
        [article(n, guid=f"node/{n}", url=f"https://m.vien.example/node?id={n}") for n in range(3)],
    )
    assert reader.outcomes(*versions[0]) == ["new"] * 3
    for poll in range(1, 6):
        assert reader.outcomes(*versions[poll % 2]) == [0, 1, 2]


def test_an_entry_twice_in_one_poll_is_one_article() -> None:
    """reader 340: also when it was known before, and when its two places have addresses of their own."""
    reader = Reader()
    twice = article(0, url="https://vien.example/khoa-hoc/bai-0")
    assert reader.outcomes(article(0), article(0)) == ["new"]
    assert reader.outcomes(article(0), twice, article(0)) == [0]
    assert reader.outcomes(twice) == [0]
    assert len(reader.rows) == 1


@pytest.mark.parametrize("order", [[2, 1, 0], [0, 2, 1], [1, 0, 2]])
def test_any_order_is_the_same_list(order: list[int]) -> None:
    reader = Reader()
    assert reader.outcomes(*map(article, range(3))) == ["new"] * 3
    assert reader.outcomes(*map(article, order)) == order


def test_entries_that_leave_and_come_back_are_known_for_ever() -> None:
    reader = Reader()
    assert reader.outcomes(*map(article, range(3))) == ["new"] * 3
    reader.read([])
    reader.read([article(4)], hours=24 * 300)
    assert reader.outcomes(*map(article, range(3))) == [0, 1, 2]


def test_a_corrected_title_or_text_makes_no_second_article() -> None:
    reader = Reader()
    assert reader.outcomes(article(0)) == ["new"]
    assert reader.outcomes(article(0, title="Tên hoàn toàn khác", text="Toàn văn khác. " * 40)) == [0]


def test_titles_that_come_again_are_new_articles_each_time() -> None:
    """Weekly programmes under one title, each at its own address."""
    reader = Reader()
    for week in range(4):
        title = "Lịch công tác tuần của Trung tâm"
        reader.at = NOW + timedelta(days=7 * week)
        told = reader.outcomes(
            *(article(n, title=title, hours=-24 * 7 * n, text=f"{LONG} {n}") for n in range(week, -1, -1))
        )
        assert told.count("new") == 1
    assert len(reader.rows) == 4


def test_the_same_title_twice_on_one_day_is_two_articles_while_both_are_shown() -> None:
    reader = Reader()
    morning = article(0, hours=1)
    evening = article(7, title=TITLES[0], hours=-5)
    evening = replace(evening, published=morning.published + timedelta(hours=6)) if morning.published else evening
    assert reader.outcomes(morning) == ["new"]
    assert sorted(map(str, reader.outcomes(evening, morning))) == ["0", "new"]
    assert sorted(map(str, reader.outcomes(evening, morning))) == ["0", "1"]


def test_the_same_title_at_another_hour_of_the_day_waits_for_a_person_when_the_first_is_gone() -> None:
    reader = Reader()
    morning = article(0, hours=3)
    later = replace(article(7, title=TITLES[0]), published=NOW - timedelta(hours=1))
    assert reader.outcomes(morning) == ["new"]
    assert reader.outcomes(later) == ["held"]
    assert "another time, address and id" in reader.reasons[-1]


def test_short_titles_on_one_day_are_different_articles() -> None:
    reader = Reader()
    found = [article(n, title="Tin buồn", hours=5, guid=None) for n in range(3)]
    assert reader.outcomes(*found) == ["new"] * 3
    assert reader.outcomes(*found) == [0, 1, 2]


def test_an_entry_with_nothing_but_a_text_is_taken_once() -> None:
    reader = Reader()
    bare = RawItem(title="", text="Một đoạn không tên, không ngày, không địa chỉ.")
    assert reader.outcomes(bare) == ["new"]
    assert reader.outcomes(bare) == [0]


def page_of(candidate: Candidate, *keys: str) -> Candidate:
    return replace(candidate, page_keys=keys)


def test_a_page_that_names_the_front_page_as_its_own_address_folds_nothing() -> None:
    """One `rel=canonical` for all pages is a common fault of templates: the titles must agree as well."""
    memory = Reader(kind=SourceKind.LISTING)
    first, second = entries([article(0, guid=None)], "s")[0], entries([article(1, guid=None, hours=-3)], "s")[0]
    source = memory.source()
    (one,) = choose(source, [page_of(first, "u:front")], {}, now=NOW)
    assert isinstance(one, New)
    assert "u:front" in one.aliases
    seen = Seen(
        id=ArticleId("0"), title=one.item.title, published=one.item.published, state=one.state, first_seen_at=NOW
    )
    (other,) = choose(source, [page_of(second, "u:front")], dict.fromkeys(one.aliases, seen), now=NOW)
    assert isinstance(other, New)
    renamed = entries([article(0, guid=None, url="https://vien.example/moi", published=None)], "s")[0]
    (same,) = choose(source, [page_of(renamed, "u:front")], dict.fromkeys(one.aliases, seen), now=NOW)
    assert isinstance(same, Known)
    assert "u:front" not in same.fresh_keys


def test_a_day_without_a_time_is_compared_as_a_day() -> None:
    reader = Reader(kind=SourceKind.LISTING)
    listed = [RawItem(title=TITLES[n], url=f"https://vien.example/{n}", published=date(2025, 3, 9)) for n in range(3)]
    assert reader.outcomes(*listed) == ["held"] * 3  # no text: its page was not read here
    assert reader.outcomes(*(replace(one, url=f"{one.url}.html") for one in listed)) == [0, 1, 2]


def rewritten(n: int, **more: Any) -> RawItem:
    """The n-th article at its own moment, under a title, an address and an id that nobody has seen."""
    return article(n, guid=f"new-{n}", url=f"https://vien.example/new/{n}", title="Bến cá có đèn mới đêm nay", **more)


def test_a_new_title_address_and_id_at_the_very_moment_of_an_article_that_is_gone_wait_for_a_person() -> None:
    reader = Reader()
    assert reader.outcomes(article(0), article(1), article(2)) == ["new"] * 3
    assert reader.outcomes(rewritten(1), article(0), article(2)) == [0, 2, "held"]
    assert reader.reasons[-1] == (
        f"maybe known already: it has the very moment of “{TITLES[1]}”, which is not shown any more, under a new title"
    )
    assert sorted(map(str, reader.outcomes(rewritten(1), article(0), article(2)))) == ["0", "2", "3"]


def test_two_articles_of_one_moment_are_two_while_both_are_shown() -> None:
    reader = Reader()
    assert reader.outcomes(article(0), article(1), article(2)) == ["new"] * 3
    assert reader.outcomes(rewritten(1), article(0), article(1), article(2)) == [0, 1, 2, "new"]
    assert reader.outcomes(rewritten(1), article(0), article(2)) == [3, 0, 2]


@pytest.mark.parametrize(
    "told",
    [
        {"published": date(2025, 3, 10)},
        {"published": NOW.replace(hour=0)},  # what stands for a bare day
        {"provenance": {"published": LASTMOD}},
        {"provenance": {"published": "feed:updated"}},
    ],
)
def test_a_day_or_the_moment_of_a_change_is_no_moment_of_publication(told: dict[str, Any]) -> None:
    reader = Reader()
    assert reader.outcomes(article(0), article(1, **told), article(2)) == ["new"] * 3
    assert reader.outcomes(rewritten(1, **told), article(0), article(2)) == [0, 2, "new"]


def test_articles_of_one_minute_raise_no_doubt_about_one_another() -> None:
    """A list whose entries were all put in at once says nothing by their time."""
    reader = Reader()
    batch = [article(n, published=NOW - timedelta(minutes=50, seconds=n % 2)) for n in range(5)]
    assert reader.outcomes(*batch) == ["new"] * 5
    again = [rewritten(n, published=NOW - timedelta(minutes=50, seconds=n % 2)) for n in (0, 1)]
    again[1] = replace(again[1], title="Lớp bơi mùa hè mở cửa sớm")
    assert reader.outcomes(*again, *batch[2:]).count("new") == 2


def test_another_article_at_another_second_is_news() -> None:
    reader = Reader()
    assert reader.outcomes(article(0), article(1), article(2)) == ["new"] * 3
    later = rewritten(1, published=NOW - timedelta(hours=2) + timedelta(seconds=1))
    assert reader.outcomes(later, article(0), article(2)) == [0, 2, "new"]


def test_a_title_that_came_twice_on_one_day_names_neither_article_any_more() -> None:
    """The weekly plan and its correction: when the first has left the list and the second moves, it is not the first."""
    reader = Reader()
    plan: dict[str, Any] = {"title": "Lịch công tác tuần của Trạm", "published": date(2025, 3, 10), "guid": None}
    first, second = article(0, **plan), article(1, **plan)
    assert reader.outcomes(first, article(2)) == ["new", "new"]
    assert reader.outcomes(second, first, article(2)) == [0, 1, "new"]
    moved = replace(second, url="https://vien.example/moved/1")
    assert 0 not in reader.outcomes(moved, article(2))
