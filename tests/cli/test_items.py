"""What a person does to the articles of an issue at a command line, and why each of them is in it or not."""

import pytest

from tests.cli.conftest import SITE, Home

TITLES = (
    "Phao đo sóng ở vịnh",
    "Lúa chịu mặn vụ đầu",
    "Thư viện số mở cửa",
    "Ghép mai vàng chịu rét",
    "Đo gió trên đảo",
)
SECTIONS = """
max_items = 3
max_per_source = 3
[[newsletters.sections]]
title = "Biển"
words = ["sóng", "đảo"]
[[newsletters.sections]]
title = "Tin khác"
"""


BODIES = (
    "Sáu phao do nhóm kỹ sư trẻ lắp gửi độ cao của nước về bờ mười phút một lần. Mỗi phao nặng chín cân và chạy pin mặt trời.",
    "Ba hợp tác xã vùng cửa sông gieo giống mới trên 48 héc-ta. Chi phí phân bón giảm 11,4 % so với giống đang trồng.",
    "Báo cáo của hai mươi năm đã được quét và nhận dạng chữ. Bạn đọc tìm được theo tên người và địa danh ngay tại nhà.",
    "Vườn ươm phía bắc giữ được cây qua đợt lạnh 4 độ. Người trồng sẽ nhận mắt ghép miễn phí vào tháng chạp tới đây.",
    "Cột đo cao sáu mươi mét đứng vững sau hai trận áp thấp. Dữ liệu mở cho các trường đại học kể từ tuần này.",
)


def text(number: int) -> str:
    return f"{TITLES[number]}\n\nNgày {15 + number}/11/2026. {BODIES[number]}\n"


@pytest.fixture
def five(home: Home) -> Home:
    """Five articles, of which the newsletter takes three; its issue waits for approval."""
    home.write("site.toml", SITE + SECTIONS)
    for number in range(len(TITLES)):
        home.write(f"tin/{number}.txt", text(number))
    assert home("apply", home.folder / "site.toml").code == 0
    joined = home("subscribers", "add", "an@vien.example", "--list", "ban-doc", "--consent", "hỏi", "--confirmed")
    assert joined.code == 0
    assert home("issue", "new", "ban-tin").code == 0
    assert home("run", "--once").code == 0
    return home


def titles(home: Home, *words: str) -> list[str]:
    return [entry["title"] for entry in home("item", *(words or ("list", "latest")), "--json").json]


def article(home: Home, title: str) -> str:
    return next(str(one["id"]) for one in home("article", "list", "--json").json if one["title"] == title)


def state(home: Home) -> str:
    return str(home("issues", "--json").json[0]["state"])


def test_why_of_an_issue_names_every_article_with_its_place_section_and_score(five: Home) -> None:
    told = five("why", "latest", "--json").json
    assert len(told["articles"]) == 5
    assert [entry["included"] for entry in told["articles"]] == [True] * 3 + [False] * 2
    assert {entry["reason"] for entry in told["articles"][3:]} == {"over the limit of 3 of Phòng Tin"}
    first = told["articles"][0]
    assert (first["title"], first["section"], first["rule"]) == (TITLES[4], "Biển", "word đảo")
    assert first["score"] == pytest.approx(sum(first["parts"].values()), abs=0.01)
    said = five("why", told["id"]).out
    assert "in it, place 1; section Biển (word đảo); score " in said
    assert "not in it: over the limit of 3 of Phòng Tin" in said


def test_words_of_a_person_outlive_composing_and_are_signed(five: Home) -> None:
    one = article(five, TITLES[4])
    said = five("item", "edit", "latest", "1", "--title", "Gió trên đảo", "--section", "Chuyên đề", "--by", "Lan")
    assert said.code == 0
    assert state(five) == "pending_approval"
    assert "Gió trên đảo" in five("preview", "latest").out
    assert five("back-to-draft", "latest").code == 0
    assert five("run", "--once").code == 0
    assert "Gió trên đảo" in five("preview", "latest").out
    assert f"{one}: title “Gió trên đảo” by Lan" in five("item", "history", "latest").out
    assert "section “Chuyên đề” by Lan" in five("why", one).out
    assert five("item", "reset", "latest", one, "--only", "title").code == 0
    assert "Gió trên đảo" not in five("preview", "latest").out
    assert [e["section"] for e in five("item", "list", "latest", "--json").json if e["article"] == one] == ["Chuyên đề"]


def test_a_summary_goes_through_the_guard_and_orders_are_refused(five: Home) -> None:
    said = five("item", "edit", "latest", "1", "--summary", "Gió trên đảo mạnh tới 777 m/s.")
    assert "warning: the article does not bear it out: figure" in said.err
    assert "mạnh tới 777\N{NO-BREAK SPACE}m/s" in five("preview", "latest").out
    findings = five("preflight", "latest", "--json").json
    assert any("does not bear it out: figure" in one["message"] and one["level"] == "warning" for one in findings)
    refused = five("item", "edit", "latest", "1", "--summary", "<b>Gió</b> mạnh.")
    assert "markup" in refused.error


def test_leaving_out_makes_room_and_taking_in_goes_over_the_limit(five: Home) -> None:
    first = titles(five)
    left = titles(five, "leave-out", "latest", "1", "--by", "Lan")
    assert len(left) == 3
    assert first[0] not in left
    told = {entry["title"]: entry["reason"] for entry in five("why", "latest", "--json").json["articles"]}
    assert told[first[0]] == "left out by Lan"
    over = article(five, TITLES[0])
    taken = titles(five, "take-in", "latest", over, "--by", "Lan")
    assert TITLES[0] in taken
    assert "taken in by Lan" in five("why", over).out


def test_pins_places_and_steps(five: Home) -> None:
    first = titles(five)
    assert titles(five, "pin", "latest", "3", "--lead") == [first[2], first[0], first[1]]
    assert titles(five, "reset", "latest", "1") == first
    assert titles(five, "move", "latest", "1", "3") == [first[1], first[2], first[0]]
    assert "it is so already" in five("item", "move", "latest", "3", "3").err
    assert "the issue has no such place" in five("item", "up", "latest", "9").error
    assert "a picture's address begins with https://" in five("item", "edit", "latest", "1", "--image", "ftp://x").error


def test_a_step_changes_places_within_a_section(five: Home) -> None:
    before = five("item", "list", "latest", "--json").json
    rest = [entry for entry in before[1:] if entry["section"] is None]
    assert len(rest) == 2
    after = titles(five, "up", "latest", str(rest[1]["place"]))
    assert after.index(rest[1]["title"]) < after.index(rest[0]["title"])
    again = titles(five, "down", "latest", str(rest[0]["place"]))
    assert again.index(rest[0]["title"]) < again.index(rest[1]["title"])


def test_an_approved_issue_needs_another_approval_after_an_edit(five: Home) -> None:
    assert five("approve", "latest", "--yes", "--despite-errors").code == 0
    assert state(five) == "scheduled"
    said = five("item", "leave-out", "latest", "1")
    assert "another approval" in said.err
    assert state(five) == "pending_approval"


def test_an_article_of_another_issue_is_never_taken_in_and_a_sent_one_never_changed(five: Home) -> None:
    sent = titles(five)
    assert five("approve", "latest", "--yes", "--despite-errors").code == 0
    assert five("run", "--once").code == 0
    assert state(five) == "sent"
    assert "an issue that is sent cannot become draft" in five("item", "leave-out", "latest", "1").error
    second = five("issue", "new", "ban-tin").out.strip()
    assert five("run", "--once").code == 0
    assert not set(titles(five, "list", second)) & set(sent)
    refused = five("item", "take-in", second, article(five, sent[0]))
    assert "already in issue 1" in refused.error
    assert five("item", "edit", second, article(five, sent[0]), "--title", "Lại").code == 0
    assert not set(titles(five, "list", second)) & {*sent, "Lại"}


def test_a_weight_puts_an_article_ahead(five: Home) -> None:
    assert five("article", "weigh", article(five, TITLES[0]), "3").code == 0
    assert five("back-to-draft", "latest").code == 0
    assert five("run", "--once").code == 0
    assert titles(five)[0] == TITLES[0]
    assert "no such article" in five("article", "weigh", "nothing", "1").error


def test_when_all_are_left_out_the_draft_waits_and_says_why(five: Home) -> None:
    for title in TITLES:
        assert five("item", "leave-out", "latest", article(five, title)).code == 0
    told = five("why", "latest", "--json").json
    assert told["state"] in ("draft", "skipped")
    assert all(entry["reason"].startswith("left out by") for entry in told["articles"])
