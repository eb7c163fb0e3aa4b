"""When two addresses are one page, and when two items are one article."""

from datetime import date, datetime, timedelta, timezone

import pytest

from newsletter.collect.identity.keys import alike, canonical_url, identities, title_key
from newsletter.model import RawItem

SAME = [
    ("http://vien.example/a", "https://vien.example/a"),
    ("https://www.vien.example/a", "https://vien.example/a"),
    ("https://vien.example/a/", "https://vien.example/a"),
    ("https://vien.example/a?utm_source=x&utm_medium=y", "https://vien.example/a"),
    ("https://vien.example/a?fbclid=1", "https://vien.example/a"),
    ("https://vien.example/a#top", "https://vien.example/a"),
    ("https://VIEN.example/a", "https://vien.example/a"),
    ("https://vien.example:443/a", "https://vien.example/a"),
    ("https://vien.example/a?b=1&a=2", "https://vien.example/a?a=2&b=1"),
    ("https://vien.example/tin-t%E1%BB%A9c", "https://vien.example/tin-tức"),
    ("https://vien.example/%7Eu/", "https://vien.example/~u/"),
    ("https://vien.example/a/../b", "https://vien.example/b"),
    ("https://vien.example/a?gclid=1&id=5", "https://vien.example/a?id=5"),
    ("https://vien.example/a?mc_cid=1&mc_eid=2", "https://vien.example/a"),
    ("https://vien.example/tin-tu\u031b\u0301c", "https://vien.example/tin-tức"),
    ("https://vien.example", "https://vien.example/"),
    ("https://vien.example/a?", "https://vien.example/a"),
    ("https://vien.example/a?zarsrc=30", "https://vien.example/a"),
    ("https://vien.example/a?gidzl=abc", "https://vien.example/a"),
    ("https://vien.example/a/index.html", "https://vien.example/a/"),
    ("https://viện.example/a", "https://xn--vin-8v5a.example/a"),
]
DIFFERENT = [
    ("https://vien.example/?p=1", "https://vien.example/?p=2"),
    ("https://vien.example/a?id=1", "https://vien.example/a?id=2"),
    ("https://vien.example/Default.aspx?tabid=9&ndid=1", "https://vien.example/Default.aspx?tabid=9&ndid=2"),
    ("https://vien.example/A", "https://vien.example/a"),
    ("https://vien.example/#!/bai/1", "https://vien.example/#!/bai/2"),
    ("https://vien.example/a?page=2", "https://vien.example/a"),
    ("https://vien.example/a?ref=123", "https://vien.example/a?ref=124"),
    ("https://a.vien.example/x", "https://b.vien.example/x"),
    ("https://vien.example/a?lang=vi", "https://vien.example/a?lang=en"),
    ("https://vien.example/a%2Fb", "https://vien.example/a/b"),
    ("https://vien.example/a?s=1", "https://vien.example/a?source=1"),
    ("https://vien.example:8080/a", "https://vien.example/a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_page_fold(one: str, other: str) -> None:
    if "xn--" in other:
        other = "https://" + "viện.example".encode("idna").decode() + "/a"
    assert canonical_url(one) == canonical_url(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_pages_stay_apart(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize("odd", ["", "tag:vien.example,2025:1", "http://[::1", "https://vien.example:99999/a", "bài 1"])
def test_what_is_no_web_address_is_kept_as_it_is(odd: str) -> None:
    assert canonical_url(odd) == odd


def test_a_title_key_ignores_case_and_punctuation_but_no_letter() -> None:
    assert title_key("Hội nghị “Tổng kết” năm 2025!") == title_key("HỘI NGHỊ – Tổng kết năm 2025")
    assert title_key("Hội nghị") != title_key("Hội nghỉ")


ITEM = RawItem(
    title="Khai giảng lớp đo sâu biển",
    guid="http://vien.example/?p=7",
    url="https://vien.example/lop",
    published=date(2025, 3, 4),
)


def test_an_item_is_known_by_guid_scheme_folded_guid_url_and_title_with_day() -> None:
    keys = identities(ITEM, "s1")
    assert [key[:2] for key in keys] == ["g:", "s:", "u:", "t:"]
    assert all(len(key) == 66 and len(key) <= 80 for key in keys)


def test_a_guid_counts_only_within_its_source_and_a_url_everywhere() -> None:
    here, there = identities(ITEM, "s1"), identities(ITEM, "s2")
    assert here[2] == there[2]
    assert set(here) & set(there) == {here[2]}


def test_http_and_https_spellings_of_a_guid_share_a_key() -> None:
    other = RawItem(title="x", guid="https://vien.example/?p=7")
    assert identities(ITEM, "s1")[1] == identities(other, "s1")[1]


def test_the_day_of_the_title_key_is_the_sources_own_day() -> None:
    late = datetime(2025, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=7)))
    moment = RawItem(title=ITEM.title, published=late, guid="other")
    assert identities(moment, "s1")[-1] == identities(ITEM, "s1")[-1]


def test_short_or_undated_titles_name_nothing_when_better_names_exist() -> None:
    assert [k[:2] for k in identities(RawItem(title="Tin buồn", guid="1", published=date(2025, 3, 4)), "s")] == ["g:"]
    assert [k[:2] for k in identities(RawItem(title="Tin buồn"), "s")] == ["t:"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Khai giảng lớp đo sâu biển", "Khai giảng lớp đo sâu biển khoá 3", True),
        ("Khai giảng lớp đo sâu biển", "KHAI GIẢNG: lớp đo sâu đáy biển", True),
        ("Bản tin dự báo tuần 12", "Bản tin dự báo tuần 13", False),
        ("Thông báo tuyển sinh", "Thông báo nghỉ lễ", False),
        ("Khai giảng lớp đo…", "Khai giảng lớp đo sâu biển tại trạm Ngữ Phong", True),
        ("Tin buồn", "Họp báo", False),
        ("", "Họp báo", True),
    ],
)
def test_an_edited_title_is_alike_and_another_number_is_another_bulletin(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same
