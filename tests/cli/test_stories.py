"""One story in two files: the issue takes one and names why; staff tell them apart by a verb."""

from tests.cli.conftest import Home
from tests.collect import story_texts as texts

SITE = """
[[lists]]
slug = "ban-doc"
name = "Bạn đọc"

[[sources]]
slug = "bao"
kind = "folder"
url = "bao"
name = "Báo Biển"

[[sources]]
slug = "dai"
kind = "folder"
url = "dai"
name = "Đài Sóng"

[[newsletters]]
slug = "ban-tin"
name = "Bản tin"
languages = ["vi", "en"]
list = "ban-doc"
sources = ["bao", "dai"]
cron = "0 8 1 1 *"
timezone = "Asia/Ho_Chi_Minh"
compose_lead_hours = 0
"""


def composed(home: Home) -> tuple[str, str]:
    """(issue, the article that stayed out), with both tellings collected, the newspaper's first."""
    for place, (title, text) in (("bao/a.txt", texts.STORM), ("dai/b.txt", texts.STORM_RADIO)):
        home.write(place, f"{title}\n\n{text}\n")
    home.write("site.toml", SITE)
    assert home("apply", home.folder / "site.toml").code == 0
    assert home("source", "pause", "dai").code == 0
    assert home("collect").code == 0
    assert home("source", "resume", "dai").code == 0
    issue = home("issue", "new", "ban-tin").out.strip()
    assert home("run", "--once").code == 0
    taken = home("preview", "latest").out
    assert "Cũng đưa tin:\nĐài Sóng\nhttps://news.vien.example/articles/" in taken
    other = taken.partition("Đài Sóng\nhttps://news.vien.example/articles/")[2].split()[0]
    return issue, other


def test_why_names_the_story_and_the_verb_apart_undoes_it(home: Home) -> None:
    issue, other = composed(home)
    told = home("why", other, "--json").json
    assert told["story"]["rule"] == "similar"
    assert [one["source"] for one in told["story"]["others"]] == ["Báo Biển"]
    assert told["issues"][0]["reason"] == f"same story as “{texts.STORM[0]}” (Báo Biển)"
    assert "likeness" in home("why", other).out
    assert f"“{texts.STORM[0]}” (Báo Biển)" in home("apart", other).out
    assert home("back-to-draft", issue).code == 0
    assert home("run", "--once").code == 0
    again = home("why", other, "--json").json
    assert again["issues"][0]["included"]
    assert again["story"] == {"rule": "staff", "reason": "told apart by staff", "like": None, "others": []}
    assert "Cũng đưa tin" not in home("preview", "latest").out


def test_telling_apart_what_is_alone_or_unknown_is_one_line(home: Home) -> None:
    _, other = composed(home)
    assert home("apart", other).code == 0
    assert "no other article" in home("apart", other).error
    assert "no such article" in home("apart", "nothing").error
