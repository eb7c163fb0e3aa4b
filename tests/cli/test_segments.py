"""Attributes, tags and segments by verbs and in the site file; a newsletter that goes by a segment."""

import sqlite3

import pytest

from tests.cli.conftest import SITE, Home

PEOPLE = """
[[attributes]]
slug = "city"
type = "text"
label_vi = "Thành phố"

[[segments]]
slug = "hue"
name = "Ở Huế"
query = '''city = "huế" or tag = "bạn"'''
"""
WITH_SEGMENT = SITE.replace('list = "ban-doc"', 'list = "ban-doc"\nsegment = "hue"') + PEOPLE


@pytest.fixture
def known(site: Home) -> Home:
    """The site with three readers, one of them in Huế."""
    for name in ("binh", "chi"):
        address = f"{name}@vien.example"
        assert site("subscribers", "add", address, "--list", "ban-doc", "--consent", "x", "--confirmed").code == 0
    assert site("attribute", "add", "city", "--type", "text", "--vi", "Thành phố").out == "declared city\n"
    assert site("subscribers", "set", "binh@vien.example", "city=Huế", "--timezone", "Asia/Ho_Chi_Minh").code == 0
    return site


def test_what_is_known_of_a_person_is_set_shown_and_taken_away(known: Home) -> None:
    assert known("subscribers", "tag", "chi@vien.example", "VIP", "giảng viên").out == "VIP, giảng viên\n"
    assert known("subscribers", "tag", "chi@vien.example", "vip", "--remove").out == "giảng viên\n"
    shown = known("subscribers", "show", "chi@vien.example").out
    assert "tags        giảng viên" in shown
    shown = known("subscribers", "show", "binh@vien.example").out
    assert "attribute   city = Huế" in shown
    assert "time_zone   Asia/Ho_Chi_Minh" in shown
    assert "@" not in shown
    assert "town: no such attribute is declared" in known("subscribers", "set", "binh@vien.example", "town=x").error
    assert "no name=value" in known("subscribers", "set", "binh@vien.example", "city").error
    assert known("subscribers", "set", "binh@vien.example", "city=").out == ""
    listed = known("attribute", "list", "--json").json
    assert listed["attributes"] == [{"slug": "city", "type": "text", "label_vi": "Thành phố", "label_en": "Thành phố"}]
    assert listed["tags"] == [{"tag": "giảng viên", "people": 1}]
    assert "giảng viên" in known("attribute", "list").out
    assert known("attribute", "remove", "city").code == 0


def test_a_query_is_checked_counted_and_saved(known: Home) -> None:
    said = known("segment", "check", 'city = "HUẾ"')
    assert said.out.splitlines() == ["ban-doc: 1 people", "  b… at v….example"]
    assert known("segment", "list", "--json").json == [], "checking saves nothing"
    assert known("segment", "check", "city = Huế").error == "at character 8: expected a text in quotes, found Huế"
    file = known.write("hue.txt", 'city = "Huế"\nor tag = "VIP"\n')
    assert known("segment", "add", "hue", "--file", file, "--name", "Ở Huế").out.endswith("saved hue\n")
    assert "already a segment hue" in known("segment", "add", "hue", "never opened").error
    assert known("segment", "add", "hue", "never opened", "--replace").code == 0
    shown = known("segment", "show", "hue", "--json").json
    assert (shown["query"], shown["lists"][0]["people"]) == ("never opened", 3)
    assert "@" not in known("segment", "show", "hue").out
    assert "never opened" in known("segment", "list").out
    assert "give the query, or --file" in known("segment", "check").error
    assert known("segment", "remove", "hue").code == 0
    assert "no segment 'hue'" in known("segment", "show", "hue").error


def test_a_newsletter_is_sent_to_its_segment_alone(known: Home) -> None:
    file = known.write("site.toml", WITH_SEGMENT.replace('cron = "0 8 1 1 *"', 'cron = "0 8 1 1 *"\napproval = "auto"'))
    assert "created   segment hue" in known("apply", file).out
    assert "newsletters go by this segment: ban-tin" in known("segment", "remove", "hue").error
    assert known("issue", "new", "ban-tin").code == 0
    assert known("run", "--once").code == 0
    assert len(known.outbox) == 1
    assert "; the segment hue does not name them now" in known("why", "chi@vien.example").out
    assert "names them" not in known("why", "binh@vien.example").out, "they got it"
    assert "binh@vien.example" in known.outbox[0].read_text(encoding="utf-8", errors="replace")


def test_a_segment_that_cannot_be_read_any_more_sends_to_nobody_and_says_so(known: Home) -> None:
    file = known.write("site.toml", WITH_SEGMENT.replace('cron = "0 8 1 1 *"', 'cron = "0 8 1 1 *"\napproval = "auto"'))
    assert known("apply", file).code == 0
    with sqlite3.connect(known.folder / "data" / "newsletter.db") as db:
        db.execute("DELETE FROM attributes")
    db.close()
    assert known("issue", "new", "ban-tin").code == 0
    known("run", "--once")
    (issue,) = known("issues", "--json").json
    assert issue["state"] == "scheduled"
    assert "nobody can be chosen: at character 1: there is no field city" in issue["reason"]
    assert known.outbox == []


def test_the_site_file_brings_attributes_and_segments_there_and_back(home: Home) -> None:
    file = home.write("site.toml", WITH_SEGMENT)
    first = home("apply", file, "--json").json["plan"]
    assert [(one["kind"], one["slug"]) for one in first][:3] == [
        ("list", "ban-doc"), ("attribute", "city"), ("segment", "hue")
    ]  # fmt: skip
    dumped = home("dump").out
    assert 'segment = "hue"' in dumped
    again = home("apply", home.write("again.toml", dumped), "--json").json["plan"]
    assert {change["action"] for change in again} == {"unchanged"}
    assert home("dump").out == dumped
    changed = WITH_SEGMENT.replace('or tag = "bạn"', "").replace('label_vi = "Thành phố"', 'label_vi = "Nơi ở"')
    assert home("apply", home.write("site.toml", changed)).code == 0
    assert home("segment", "list", "--json").json[0]["query"] == 'city = "huế"'
    assert home("attribute", "list", "--json").json["attributes"][0]["label_vi"] == "Nơi ở"


def test_pruning_removes_segments_and_keeps_what_is_declared(home: Home) -> None:
    assert home("apply", home.write("site.toml", WITH_SEGMENT)).code == 0
    assert "removed   segment hue" in home("apply", home.write("bare.toml", SITE), "--prune").out
    assert home("segment", "list", "--json").json == []
    assert len(home("attribute", "list", "--json").json["attributes"]) == 1


def test_pruning_keeps_the_segment_of_a_newsletter_that_it_stops(home: Home) -> None:
    assert home("apply", home.write("site.toml", WITH_SEGMENT)).code == 0
    lists = SITE.partition("[[sources]]")[0]
    assert "segment hue" not in home("apply", home.write("lists.toml", lists), "--prune").out
    dumped = home("dump").out
    assert 'segment = "hue"' in dumped
    assert home("apply", home.write("again.toml", dumped), "--dry-run").code == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('segment = "hue"', 'segment = "vinh"', "newsletters[0].segment: there is no segment 'vinh'"),
        ('city = "huế"', 'town = "huế"', "segments[0].query: at character 1: there is no field town"),
        ('type = "text"', 'type = "word"', "attributes[0].type"),
        ('slug = "city"', 'slug = "tag"', "attributes[0].slug: tag means something else in segments"),
        ('slug = "city"', 'slug = "Thành phố"', "attributes[0].slug: 'Thành phố' is no name of an attribute"),
        ('slug = "hue"\nname', 'slug = "Huế"\nname', "segments[0].slug"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_a_wrong_attribute_or_segment_refuses_the_whole_file(
    home: Home, old: str, new: str, expected: str, dry: bool
) -> None:
    assert old in WITH_SEGMENT
    file = home.write("site.toml", WITH_SEGMENT.replace(old, new))
    assert expected in home("apply", file, *(["--dry-run"] if dry else [])).error
    assert home("dump").out == ""


def test_a_declared_type_is_not_changed_by_a_file(known: Home) -> None:
    file = known.write("site.toml", WITH_SEGMENT.replace('type = "text"', 'type = "number"'))
    assert "attributes[0].type: city is declared as text" in known("apply", file).error
