"""The site file: all or nothing, the plan before the deed, and back again unchanged."""

import pytest

from tests.cli.conftest import SITE, Home


def test_a_site_is_made_then_unchanged(home: Home) -> None:
    file = home.write("site.toml", SITE)
    first = home("apply", file)
    assert [line.split()[0] for line in first.out.splitlines()[:3]] == ["created"] * 3
    again = home("apply", file)
    assert [line.split()[0] for line in again.out.splitlines()] == ["unchanged"] * 3


def test_what_is_dumped_applies_as_unchanged(site: Home) -> None:
    dumped = site("dump").out
    file = site.write("dumped/site.toml", dumped)
    assert [change["action"] for change in site("apply", file, "--json").json["plan"]] == ["unchanged"] * 3
    assert site("dump").out == dumped


def test_odd_texts_survive_the_way_there_and_back(home: Home) -> None:
    odd = 'Tin "nhanh" \\ và\\t[[x]] # \\u007f ☂'
    file = home.write("site.toml", SITE.replace("Phòng Tin", odd.replace('"', '\\"').replace("\\ v", "\\\\ v")))
    assert home("apply", file).code == 0
    dumped = home.write("dumped.toml", home("dump").out)
    assert [change["action"] for change in home("apply", dumped, "--json").json["plan"]] == ["unchanged"] * 3


def test_saving_a_schedule_shows_its_next_three_send_moments(home: Home) -> None:
    file = home.write("site.toml", SITE.replace("0 8 1 1 *", "30 7 * * 1"))
    said = home("apply", file, "--json")
    moments = said.json["next"]["ban-tin"]
    assert len(moments) == 3
    assert all(moment.endswith("07:30 +07") for moment in moments)


def test_a_dry_run_shows_the_plan_and_writes_nothing(home: Home) -> None:
    file = home.write("site.toml", SITE)
    said = home("apply", file, "--dry-run")
    assert "created   newsletter ban-tin" in said.out
    assert home("dump").out == ""


def test_a_change_is_shown_key_by_key(site: Home) -> None:
    file = site.write("site.toml", SITE.replace('name = "Phòng Tin"', 'name = "Phòng Báo"\nnewest = 9'))
    said = site("apply", file)
    assert 'changed   source tin: name "Phòng Tin" → "Phòng Báo", newest 5 → 9' in said.out


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('cron = "0 8 1 1 *"', 'crom = "0 8 1 1 *"', "newsletters[0].cron"),
        ('name = "Bản tin"', 'name = "Bản tin"\napprovl = "auto"', "unknown key newsletters[0].approvl"),
        ('kind = "folder"', 'kind = "fodder"', "sources[0].kind"),
        ('slug = "tin"', 'slug = "Tin tức"', "sources[0].slug"),
        ("0 8 1 1 *", "0 8 30 2 *", "newsletters[0].cron: this schedule never fires: 0 8 30 2 *"),
        ("0 8 1 1 *", "0 25 * * *", "newsletters[0].cron: cannot read the hour '25'"),
        ("0 8 1 1 *", "every day", "newsletters[0].cron: a schedule has five fields"),
        ("Asia/Ho_Chi_Minh", "Asia/Hanoi", "newsletters[0].timezone: there is no such time zone"),
        ('list = "ban-doc"', 'list = "ban-dok"', "newsletters[0].list: there is no list 'ban-dok'"),
        ('sources = ["tin"]', 'sources = ["tim"]', "newsletters[0].sources: there is no source 'tim'"),
        ('list = "ban-doc"', 'list = "ban-doc"\ndesign = "fancy"', "newsletters[0].design: there is no design 'fancy'"),
        (
            'list = "ban-doc"',
            'list = "ban-doc"\noptions = {hue = 1}',
            "newsletters[0].options: there is no option 'hue'",
        ),
        ('url = "tin"', 'url = ""', "sources[0]: url must be the path"),
        ("[[lists]]", "[[list]]", "unknown key list"),
        ("[[lists]]", "[lists]", "lists"),
        ("[[sources]]", '[[lists]]\nslug = "ban-doc"\nname = "x"\n[[sources]]', "the slug ban-doc is there twice"),
        ("[[sources]]", "[[sources]", "not valid TOML"),
    ],
)
def test_a_wrong_site_file_is_refused_whole(home: Home, old: str, new: str, expected: str) -> None:
    assert old in SITE
    file = home.write("site.toml", SITE.replace(old, new))
    said = home("apply", file)
    assert said.code == 1
    assert said.error.startswith(f"{file}: ")
    assert expected in said.error
    assert home("dump").out == ""


def test_a_missing_site_file_is_one_line(home: Home) -> None:
    assert "No such file" in home("apply", home.folder / "none.toml").error


def test_nothing_is_removed_without_prune(site: Home) -> None:
    file = site.write("empty.toml", "")
    assert site("apply", file).out == ""
    assert "ban-tin" in site("dump").out


def test_prune_stops_what_the_file_does_not_name_and_naming_it_brings_it_back(site: Home) -> None:
    empty = site.write("empty.toml", "")
    said = site("apply", empty, "--prune")
    assert said.out.splitlines() == ["removed   source tin", "removed   newsletter ban-tin"]
    dumped = site("dump").out
    assert "active = false" in dumped
    assert "[[sources]]" not in dumped
    assert "[[lists]]" in dumped, "people are in it"
    assert site("source", "list", "--json").json[0]["state"] == "paused"
    assert site("apply", empty, "--prune").out == ""
    assert site("apply", site.folder / "site.toml").code == 0
    assert site("source", "list", "--json").json[0]["state"] == "active"
    assert "active = true" in site("dump").out


def test_prune_refuses_a_newsletter_whose_source_would_go(site: Home) -> None:
    file = site.write("half.toml", SITE.replace(SITE[SITE.index("[[sources]]") : SITE.index("[[newsletters]]")], ""))
    assert site("apply", file).code == 0
    assert "there is no source 'tin'" in site("apply", file, "--prune").error


def test_a_list_can_be_renamed(site: Home) -> None:
    file = site.write("site.toml", SITE.replace('name = "Bạn đọc"', 'name = "Độc giả"\ndouble_opt_in = false'))
    assert 'changed   list ban-doc: name "Bạn đọc" → "Độc giả", double_opt_in true → false' in site("apply", file).out
    assert [change["action"] for change in site("apply", file, "--json").json["plan"]] == ["unchanged"] * 3


def test_an_automatic_newsletter_opens_at_its_send_moment_and_a_manual_one_a_day_before(home: Home) -> None:
    text = SITE.replace("compose_lead_hours = 0\n", "")
    manual = home.write("manual.toml", text)
    assert home("apply", manual).code == 0
    assert "compose_lead_hours = 24" in home("dump").out
    auto = home.write("auto.toml", text + 'approval = "auto"\n')
    assert home("apply", auto).code == 0
    assert "compose_lead_hours = 0" in home("dump").out


SECTIONS = """
max_per_source = 3
[[newsletters.sections]]
title = "Biển"
titles = {en = "The sea"}
sources = ["tin"]
topics = ["hải dương"]
words = ["cơn bão"]
limit = 4
[[newsletters.sections]]
title = "Tin khác"
"""


def test_sections_are_kept_in_their_order_and_dumped_as_they_were(home: Home) -> None:
    file = home.write("site.toml", SITE + SECTIONS)
    assert home("apply", file).code == 0
    dumped = home("dump").out
    assert SECTIONS.partition("\n[[")[2] in dumped.replace("\n\n[[", "\n[[")
    again = home.write("dumped.toml", dumped)
    assert [change["action"] for change in home("apply", again, "--json").json["plan"]] == ["unchanged"] * 3
    assert home("dump").out == dumped


def test_the_plan_shows_what_of_the_sections_changes(home: Home) -> None:
    home("apply", home.write("site.toml", SITE + SECTIONS))
    said = home("apply", home.write("site.toml", SITE + SECTIONS.replace("limit = 4", "limit = 2")), "--dry-run").out
    assert "changed   newsletter ban-tin: sections [" in said
    assert "limit = 4" in said.partition("→")[0]
    assert "limit = 2" in said.partition("→")[2]


def test_a_section_without_its_removed_sources_does_not_take_everything(home: Home) -> None:
    more = '[[sources]]\nslug = "khac"\nkind = "manual"\n\n[[newsletters]]'
    site = SITE.replace("[[newsletters]]", more).replace('sources = ["tin"]', 'sources = ["tin", "khac"]')
    only = SECTIONS.replace('sources = ["tin"]\ntopics = ["hải dương"]\nwords = ["cơn bão"]', 'sources = ["khac"]')
    assert home("apply", home.write("site.toml", site + only)).code == 0
    rest = home.write("less.toml", SITE.partition("[[newsletters]]")[0])
    assert home("apply", rest, "--prune").code == 0
    dumped = home("dump").out
    assert 'title = "Biển"' not in dumped
    assert 'title = "Tin khác"' in dumped
    assert home("apply", home.write("dumped.toml", dumped)).code == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('sources = ["tin"]\ntopics', 'sources = ["tim"]\ntopics', "sections[0].sources: 'tim' is no source of this"),
        ("limit = 4", "limit = 0", "newsletters[0].sections[0].limit"),
        ("limit = 4", "limits = 4", "unknown key newsletters[0].sections[0].limits"),
        ('sources = ["tin"]\ntopics = ["hải dương"]\nwords = ["cơn bão"]', "", "only the last may take the rest"),
        ('title = "Tin khác"', 'title = "biển"', "a title is there twice"),
        ('words = ["cơn bão"]', 'words = ["…"]', "is no word or phrase"),
        ("max_per_source = 3", "max_per_source = 0", "newsletters[0].max_per_source"),
    ],
)
def test_a_section_that_cannot_be_is_refused(home: Home, old: str, new: str, expected: str) -> None:
    assert old in SECTIONS
    said = home("apply", home.write("site.toml", SITE + SECTIONS.replace(old, new)))
    assert said.code == 1
    assert expected in said.error


def test_the_weight_of_a_source_goes_through_file_edit_and_plan(site: Home) -> None:
    assert "weight 0 → 2" in site("source", "edit", "tin", "--weight", "2").out
    assert "weight = 2" in site("dump").out
    assert "weight" in site("source", "edit", "tin", "--weight", "4").error


@pytest.mark.parametrize("mode", ["hosted", "embedded", "linked"])
def test_where_the_pictures_come_from_is_a_key_of_the_newsletter(home: Home, mode: str) -> None:
    assert home("apply", home.write("pictures.toml", SITE + f'images = "{mode}"\n')).code == 0
    assert f'images = "{mode}"' in home("dump").out
    wrong = home.write("wrong.toml", SITE + 'images = "borrowed"\n')
    assert "newsletters[0].images" in home("apply", wrong).error
