"""`newsletter diff`: between two issues, and between two versions of one."""

import pytest

from tests.cli.conftest import ARTICLE, SITE, Home

OTHER = "Thư viện mở cửa thứ Bảy\n\nTừ ngày 28/11/2026 thư viện mở cửa cả thứ Bảy cho bạn đọc của hai huyện ven biển.\n"


@pytest.fixture
def one(home: Home) -> Home:
    """An issue of one item that waits for approval; another article is ready."""
    home.write("tin/a.txt", ARTICLE)
    home.write("tin/b.txt", OTHER)
    limited(home, 1)
    assert home("issue", "new", "ban-tin").code == 0
    assert home("run", "--once").code == 0
    return home


def limited(home: Home, items: int) -> None:
    home.write("site.toml", SITE + f"max_items = {items}\n")
    assert home("apply", home.folder / "site.toml").code == 0


@pytest.fixture
def recomposed(one: Home) -> Home:
    """The same issue, composed again with both articles and other words."""
    limited(one, 2)
    assert one("back-to-draft", one.issue).code == 0
    assert one("issue", "intro", one.issue, "Chào bạn đọc.").code == 0
    assert one("run", "--once").code == 0
    return one


def test_one_issue_is_compared_with_its_version_before(recomposed: Home) -> None:
    said = recomposed("diff", recomposed.issue)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == f"{recomposed.issue}@1 → {recomposed.issue}@2"
    [taken_in] = [line for line in lines if line.startswith("in ")]
    assert taken_in.endswith(("Thư viện mở cửa thứ Bảy", "Trạm đo mới ở cửa sông"))
    assert not [line for line in lines if line.startswith("out")]
    at = lines.index("intro of issue (vi)")
    assert lines[at + 2] == "  + Chào bạn đọc."


def test_as_json_it_is_data(recomposed: Home) -> None:
    found = recomposed("diff", f"{recomposed.issue}@2", f"{recomposed.issue}@1", "--json").json
    assert (found["before"]["version"], found["after"]["version"]) == (2, 1)
    assert len(found["left_out"]) == 1
    assert (found["taken_in"], found["moved"]) == ([], [])
    assert {"issue", "version", "composed_at", "content_hash"} == set(found["after"])
    assert {("issue", "intro", "vi"), ("issue", "intro_made", "vi")} <= {
        (entry["what"], entry["field"], entry["language"]) for entry in found["changed"]
    }


def test_two_issues_are_compared(one: Home) -> None:
    first = one.issue
    second = one("issue", "new", "ban-tin").out.strip()
    assert one("run", "--once").code == 0
    found = one("diff", first, second, "--json").json
    titles = {"Trạm đo mới ở cửa sông", "Thư viện mở cửa thứ Bảy"}
    assert {entry["title"] for entry in found["taken_in"] + found["left_out"]} == titles
    assert len(found["taken_in"]) == 1
    subjects = {entry["language"]: entry["after"] for entry in found["changed"] if entry["field"] == "subject"}
    assert set(subjects) == {"vi", "en"}


def test_composing_the_same_again_makes_no_version(waiting: Home) -> None:
    issue = waiting.issue
    before = waiting("issues", "--json").json[0]["content_hash"]
    assert waiting("back-to-draft", issue).code == 0
    assert waiting("run", "--once").code == 0
    assert waiting("issues", "--json").json[0]["content_hash"] == before, "the same manifest, the same bytes"
    said = waiting("diff", issue)
    assert said.code == 1
    assert "no version before" in said.error


def test_what_is_not_there_is_told(waiting: Home) -> None:
    issue = waiting.issue
    assert "there are: 1" in waiting("diff", f"{issue}@7", issue).error
    assert "no such issue" in waiting("diff", "nothing", issue).error
    fresh = waiting("issue", "new", "ban-tin").out.strip()
    assert "has no content" in waiting("diff", issue, fresh).error
