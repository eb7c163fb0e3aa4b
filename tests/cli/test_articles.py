"""Articles given by hand on the command line."""

import pytest

from tests.cli.conftest import ARTICLE, Home

TITLE = "Trạm đo mới ở cửa sông"


def test_a_pasted_text_becomes_an_article_of_the_only_newsletter(site: Home) -> None:
    said = site("article", "add", stdin=ARTICLE.replace("\n", "\r\n"))
    assert said.code == 0, said.err
    assert said.out.startswith(f"added: {TITLE} (2026-11-20, ")
    (article,) = site("article", "list", "--json").json
    assert (article["title"], article["source_name"], article["state"]) == (TITLE, "Viện Ví Dụ", "new")
    assert 'sources = ["tin", "pasted"]' in site("dump").out
    assert site("summarise").code == 0
    assert site("article", "list", "--state", "ready", "--json").json[0]["id"] == article["id"]


def test_what_a_person_says_stands_before_what_the_text_says(site: Home) -> None:
    said = site(
        "article", "add", "-", "--title", "Tên khác", "--date", "19/11/2026", "--url", "https://tin.example/a",
        "--author", "Lê Sông, Trần Biển", "--json", stdin=ARTICLE,
    )  # fmt: skip
    assert (said.json["done"], said.json["title"], said.json["published"]) == ("added", "Tên khác", "2026-11-19")
    assert said.json["text"].startswith(TITLE)
    why = site("why", said.json["id"], "--json").json
    assert (why["url"], why["published"]) == ("https://tin.example/a", "2026-11-19")


def test_the_same_text_is_added_once_and_the_same_title_over_another_text_is_another_article(site: Home) -> None:
    plan = "Lịch công tác tuần của Trạm\n\nThứ {} họp giao ban và kiểm tra toàn bộ máy đo ở cửa sông."
    first = site("article", "add", "--json", stdin=plan.format("Hai")).json
    again = site("article", "add", "--json", stdin=plan.format("Hai") + "\n").json
    other = site("article", "add", "--json", stdin=plan.format("Ba")).json
    assert (first["done"], again["done"], other["done"]) == ("added", "known already, compared", "added")
    assert first["id"] == again["id"] != other["id"]


def test_a_file_can_be_given_and_only_looked_at(site: Home) -> None:
    file = site.write("bai.md", "# Hai\n\nMột câu đủ dài để đọc và hiểu.\n")
    said = site("article", "add", file, "--dry-run")
    assert said.out == "would add: Hai (no date, 30 characters)\n"
    assert site("article", "list", "--json").json == []
    assert site("article", "add", file, "--title", "Ba").out.startswith("added: Ba (no date")


def test_the_source_is_asked_for_only_where_there_are_several(site: Home) -> None:
    more = "".join(f'[[sources]]\nslug = "{slug}"\nkind = "manual"\n' for slug in ("a", "b"))
    assert site("apply", site.write("more.toml", more)).code == 0
    assert "several manual sources (there are: a, b)" in site("article", "add", stdin=ARTICLE).error
    assert "no manual source of this name" in site("article", "add", "--source", "tin", stdin=ARTICLE).error
    said = site("article", "add", "--source", "b", stdin=ARTICLE)
    assert "no newsletter uses the source b" in said.err
    assert said.code == 0


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ([], " \n ", "text: there is no text"),
        (["--url", "javascript:x"], ARTICLE, "url: this is not a web address"),
        (["--date", "hôm nào"], ARTICLE, "date: this date cannot be read"),
        ([], "chữ " * 60_000, "text: the text has more than 200 kB"),
        (["none.txt"], "", "none.txt: the file cannot be read: No such file"),
    ],
)
def test_what_cannot_be_an_article_is_one_line(site: Home, options: list[str], text: str, expected: str) -> None:
    assert site("article", "add", *options, stdin=text).error.startswith(expected)
    assert site("article", "list", "--json").json == []
