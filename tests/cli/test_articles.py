"""Articles given by hand on the command line."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.cli.conftest import ARTICLE, Home, Pages

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


def _feed(*entries: tuple[str, str, datetime]) -> tuple[str, bytes]:
    items = "".join(
        f"<item><title>{title}</title><link>http://tin.example/{name}</link><guid>{name}</guid>"
        f"<pubDate>{format_datetime(at)}</pubDate><description>{'Đoàn đo hết các điểm của đầm. ' * 20}</description></item>"
        for title, name, at in entries
    )
    return "application/rss+xml", f"<rss version='2.0'><channel><title>Tin</title>{items}</channel></rss>".encode()


@pytest.fixture
def doubtful(home: Home, pages: Pages) -> Home:
    """A feed whose two articles got new titles, addresses and ids, but kept the moments of their publication."""
    at = [
        datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(hours=hours, minutes=7) for hours in (3, 5, 8)
    ]
    home.settings(pages.resolve)
    pages.at["/feed"] = _feed(
        ("Tàu mới về bến cá", "a", at[0]), ("Lớp đo sâu khai giảng", "b", at[1]), ("Kho lạnh có máy mới", "c", at[2])
    )
    source = '[[sources]]\nslug = "tin"\nkind = "feed"\nurl = "http://tin.example/feed"\nname = "Tin"\n'
    assert home("apply", home.write("site.toml", source)).code == 0
    assert home("collect").code == 0
    pages.at["/feed"] = _feed(
        ("Con tàu thứ hai cập cảng", "x", at[0]),
        ("Học viên đầu tiên đã tới", "y", at[1]),
        ("Kho lạnh có máy mới", "c", at[2]),
    )
    assert home("source", "resume", "tin").code == 0
    assert home("collect").code == 0
    return home


def test_what_is_held_in_doubt_is_listed_and_released_or_dropped_with_a_name_and_a_reason(doubtful: Home) -> None:
    held = {one["title"]: one for one in doubtful("article", "list", "--state", "held", "--json").json}
    assert set(held) == {"Con tàu thứ hai cập cảng", "Học viên đầu tiên đã tới"}
    one, other = held["Con tàu thứ hai cập cảng"], held["Học viên đầu tiên đã tới"]
    assert (one["doubt"], one["decided"]) == (True, None)
    assert one["reason"].startswith("maybe known already: it has the very moment of “Tàu mới về bến cá”")
    assert "Con tàu" in doubtful("article", "list", "--limit", "2").out
    assert (
        doubtful("article", "release", one["id"], "--why", "tàu khác").out
        == "1 released; the next run summarises them\n"
    )
    assert doubtful("article", "drop", other["id"]).out == "1 dropped\n"
    told = {row["id"]: row for row in doubtful("article", "list", "--json").json}
    released, dropped = told[one["id"]], told[other["id"]]
    assert (released["state"], released["reason"], released["doubt"]) == ("new", None, False)
    assert released["decided"].startswith("released by ")
    assert ": tàu khác (" in released["decided"]
    assert dropped["state"] == "skipped"
    assert dropped["reason"].startswith("dropped by ")
    assert f"decided    {released['decided']}" in doubtful("why", one["id"]).out


def test_a_decision_is_refused_whole_when_one_of_the_articles_is_not_held(doubtful: Home) -> None:
    rows = doubtful("article", "list", "--json").json
    held = next(row["id"] for row in rows if row["state"] == "held")
    free = next(row["id"] for row in rows if row["state"] == "new")
    assert "only an article held in doubt can be released" in doubtful("article", "release", held, free).error
    assert "only a held article can be dropped" in doubtful("article", "drop", held, free).error
    assert "no such article" in doubtful("article", "drop", "0000000000000000").error
    assert {row["id"]: row["state"] for row in doubtful("article", "list", "--json").json}[held] == "held"


def test_why_names_the_issue_that_was_sent_before_a_correction(waiting: Home) -> None:
    (article,) = waiting("article", "list", "--json").json
    assert waiting("approve", waiting.issue, "--yes").code == 0
    assert waiting("send").code == 0
    assert len(waiting.outbox) == 1
    waiting.write("tin/a.txt", ARTICLE.replace("40 người", "45 người"))
    assert waiting("source", "resume", "tin").code == 0
    assert waiting("collect").code == 0
    (line,) = (line for line in waiting("why", article["id"]).out.splitlines() if line.startswith("corrected"))
    assert line.endswith(", after issue 1 was sent")
    assert waiting("why", article["id"], "--json").json["corrected_after_issues"] == ["1"]
