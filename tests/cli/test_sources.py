"""Sources by verbs: what stands at a place is found out by looking."""

from datetime import UTC, datetime

import pytest

from newsletter.collect.discover import slug_of
from newsletter.store import Database, sources
from tests.cli.conftest import ARTICLE, Home, Pages

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Tin Viện Đo đạc</title>
<item><guid>1</guid><title>Một</title><link>http://tin.example/1</link></item>
<item><guid>2</guid><title>Hai</title><link>http://tin.example/2</link></item></channel></rss>"""
PAGE = (
    "<html><head><title>Một</title></head><body><article><h1>Một</h1>"
    + "<p>"
    + ARTICLE
    + "</p></article></body></html>"
)


def test_a_folder_is_added_to_a_newsletter(site: Home) -> None:
    site.write("them/b.md", "# Hai\n\nMột câu đủ dài để đọc và hiểu.\n")
    said = site("source", "add", site.folder / "them", "--name", "Phòng Mới", "--newsletter", "ban-tin")
    assert said.out == "added folder phong-moi: Phòng Mới (1 article(s))\n"
    assert 'sources = ["tin", "phong-moi"]' in site("dump").out


def test_feed_and_page_are_told_apart_by_what_they_answer(home: Home, pages: Pages) -> None:
    pages.at["/a"] = ("text/xml", FEED.encode())
    pages.at["/b"] = ("text/html", PAGE.encode())
    home.settings(pages.resolve)
    assert home("source", "add", "http://tin.example/a").out.startswith(
        "added feed tin-vien-do-dac: Tin Viện Đo đạc (2 "
    )
    assert home("source", "add", "http://tin.example/b", "--slug", "b").out.startswith("added page b: tin.example (1 ")
    assert [source["kind"] for source in home("source", "list", "--json").json] == ["page", "feed"]


def test_looking_only_adds_nothing(site: Home) -> None:
    assert site("source", "add", site.folder / "tin", "--slug", "x", "--dry-run").out.startswith("would add folder x")
    assert [source["slug"] for source in site("source", "list", "--json").json] == ["tin"]


def test_a_name_that_is_taken_is_refused(site: Home) -> None:
    assert "already" in site("source", "add", site.folder / "tin").error


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("nowhere", "nowhere: there is no such file or folder"),
        ("http://127.0.0.1:8080/feed", "127.0.0.1: "),
        ("http://tin.example/none", "http://tin.example/none: answered 404"),
    ],
)
def test_a_place_that_cannot_be_read_is_one_line(home: Home, pages: Pages, place: str, expected: str) -> None:
    home.settings(pages.resolve)
    said = home("source", "add", place)
    assert said.code == 1
    assert said.error.startswith(expected)
    assert home("source", "list", "--json").json == []


def test_an_unknown_newsletter_is_refused_before_anything_is_written(site: Home) -> None:
    said = site("source", "add", site.folder / "tin", "--slug", "x", "--newsletter", "none")
    assert said.error == "none: there is no such newsletter (there are: ban-tin)"
    assert len(site("source", "list", "--json").json) == 1


def test_checking_shows_the_articles_and_writes_nothing(site: Home) -> None:
    before = site("source", "list", "--json").json
    found = site("source", "check", "tin", "--json").json
    assert [(entry["title"], entry["published"]) for entry in found["articles"]] == [
        ("Trạm đo mới ở cửa sông", "2026-11-20")
    ]
    assert "Trạm đo mới" in site("source", "check", "tin").out
    assert site("source", "list", "--json").json == before
    assert "no such source" in site("source", "check", "none").error


def test_a_paused_source_is_not_read_until_it_is_resumed(site: Home) -> None:
    assert site("source", "pause", "tin").code == 0
    assert "collect         0" in site("collect").out
    assert site("source", "resume", "tin").code == 0
    assert "collect         1" in site("collect").out


def test_a_source_that_was_given_up_says_why_and_is_resumed(home: Home, pages: Pages) -> None:
    home.settings(pages.resolve)
    pages.at["/a"] = ("text/xml", FEED.encode())
    assert home("source", "add", "http://tin.example/a", "--slug", "a").code == 0
    db = Database(f"sqlite:///{home.folder / 'data' / 'newsletter.db'}")
    with db.begin() as conn:
        for _ in range(2):
            source = sources.by_slug(conn, "a")
            assert source is not None
            sources.failed(conn, source, "answered 410 Gone", now=datetime.now(UTC), status=410)
    db.close()
    (shown,) = home("source", "list", "--json").json
    reason = "paused, because it said twice that it is gone for good: answered 410 Gone"
    assert (shown["state"], shown["reason"]) == ("paused", reason)
    assert home("source", "resume", "a").code == 0
    assert home("collect").code == 0
    (shown,) = home("source", "list", "--json").json
    assert (shown["state"], shown["reason"], shown["failures"]) == ("active", None, 0)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Tin tức Viện Đo đạc", "tin-tuc-vien-do-dac"),
        ("https://vien.example/tin/", "vien-example-tin"),
        ("☂", "source"),
        ("A" * 100, "a" * 60),
    ],
)
def test_a_slug_is_made_from_any_title(text: str, slug: str) -> None:
    assert slug_of(text) == slug


def test_what_a_source_should_give_is_said_when_it_is_added_and_kept_in_the_site_file(site: Home) -> None:
    said = site(
        "source", "add", site.folder / "tin", "--slug", "chon", "--include", "trạm  đo", "--exclude", "tuyển dụng",
        "--exclude", "đấu thầu", "--topic", "biển", "--newest", 9, "--max-age", 30, "--teaser", "--section", "Khoa học",
    )  # fmt: skip
    assert said.code == 0, said.err
    dumped = site("dump").out
    for line in (
        'include = ["trạm đo"]',
        'exclude = ["tuyển dụng", "đấu thầu"]',
        'topics = ["biển"]',
        "newest = 9",
        "max_age_days = 30",
        "full_text = false",
        'section = "Khoa học"',
    ):
        assert line in dumped
    again = site("apply", site.write("again.toml", dumped), "--json").json["plan"]
    assert {change["action"] for change in again} == {"unchanged"}


def test_a_source_is_edited_field_by_field_and_cleared(site: Home) -> None:
    said = site("source", "edit", "tin", "--exclude", "tuyển dụng", "--name", "Phòng Báo", "--dry-run")
    assert said.out.splitlines() == [
        'changed   source tin: name "Phòng Tin" → "Phòng Báo", exclude [] → ["tuyển dụng"]',
        "dry run: nothing was written",
    ]
    assert 'name = "Phòng Tin"' in site("dump").out
    assert site("source", "edit", "tin", "--exclude", "tuyển dụng", "--language", "vi").code == 0
    assert 'exclude = ["tuyển dụng"]' in site("dump").out
    cleared = site("source", "edit", "tin", "--clear", "exclude", "--clear", "language", "--json").json
    assert cleared["fields"] == ['language "vi" → none', 'exclude ["tuyển dụng"] → []']
    assert site("source", "edit", "tin").out == "unchanged source tin\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--exclude", " ! "], "tin: exclude[0]: ' ! ' is no word or phrase"),
        (["--language", "tiếng Việt"], "tin: language: is no language tag"),
        (["--url", "https://tin.example/"], "tin: url must be the path of a folder or file"),
        (["--newest", -1], "tin: newest: "),
        (["--exclude", "x", "--clear", "exclude"], "tin: exclude is given and cleared at once"),
    ],
)
def test_a_wrong_edit_is_one_line_and_changes_nothing(site: Home, options: list[object], expected: str) -> None:
    before = site("dump").out
    assert site("source", "edit", "tin", *options).error.startswith(expected)
    assert site("dump").out == before


def test_articles_with_an_excluded_word_are_skipped_and_why_names_the_word(site: Home) -> None:
    site.write("tin/b.txt", "Thông báo Tuyển dụng\n\nTrạm tuyển ba kỹ sư đo đạc cho mùa khảo sát tới ở cửa sông.\n")
    assert site("source", "edit", "tin", "--exclude", "tuyển dụng").code == 0
    assert "collect         1" in site("collect").out
    (skipped,) = site("article", "list", "--state", "skipped", "--json").json
    assert (skipped["title"], skipped["reason"]) == ("Thông báo Tuyển dụng", "has the excluded word 'tuyển dụng'")
    assert "has the excluded word 'tuyển dụng'" in site("why", skipped["id"]).out
    assert "has the excluded word 'tuyển dụng'" in site("article", "list").out
