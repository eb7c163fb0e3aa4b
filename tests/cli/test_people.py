"""Lists, people and staff by verbs. No address is shown but in the export."""

import csv
import json
import sqlite3
import stat

import pytest

from tests.cli.conftest import SITE, Home


def test_a_person_on_a_list_with_confirmation_waits_for_the_answer(site: Home) -> None:
    said = site("subscribers", "add", "binh@vien.example", "--list", "ban-doc", "--consent", "asked by phone")
    assert said.out.startswith("pending: a confirmation letter")
    assert site("subscribers", "counts", "--list", "ban-doc", "--json").json == {
        "pending": 1,
        "active": 1,
        "paused": 0,
        "unsubscribed": 0,
        "mailable": 1,
    }
    assert site("run", "--once").code == 0
    assert len(site.outbox) == 1, "the letter"


def test_the_numbers_say_to_how_many_of_the_active_a_mailing_would_go(site: Home) -> None:
    domain = "vien.example"
    assert site("suppression", "add", f"@{domain}").code == 0
    said = site("subscribers", "counts", "--list", "ban-doc").out.splitlines()
    assert [line.split() for line in said if line.startswith(("active", "mailable"))] == [
        ["active", "1"],
        ["mailable", "0"],
    ]
    (listed,) = site("subscribers", "lists", "--json").json
    assert (listed["active"], listed["mailable"]) == (1, 0)


def test_an_import_done_twice_changes_nothing_and_names_the_unusable_rows(site: Home) -> None:
    file = site.write("p.csv", "email,name\nbinh@vien.example,Bình\nnot an address,X\nAN@vien.example,An\n")
    words = ("subscribers", "import", file, "--list", "ban-doc", "--consent", "form", "--json")
    first = site(*words, "--rejected", site.folder / "why.csv").json
    assert (first["rows"], first["added"], first["rejected"]) == (3, 1, 1)
    assert site(*words).json["added"] == 0
    with (site.folder / "why.csv").open(encoding="utf-8", newline="") as reasons:
        assert [row["line"] for row in csv.DictReader(reasons)] == ["3"]


def test_a_rehearsed_import_writes_nobody(site: Home) -> None:
    file = site.write("p.csv", "email\nbinh@vien.example\n")
    said = site("subscribers", "import", file, "--list", "ban-doc", "--consent", "form", "--dry-run")
    assert "added            1" in said.out
    assert site("subscribers", "counts", "--list", "ban-doc", "--json").json["active"] == 1


def test_a_look_before_the_import_says_who_should_perhaps_not_be_mailed(site: Home) -> None:
    file = site.write("p.csv", "Email;Trạng thái\ninfo@vien.example;active\nbo@gmial.com;\ngi@vien.example;left\n@;\n")
    words = ("subscribers", "import", file, "--list", "ban-doc", "--consent", "form", "--dry-run")
    said = site(*words)
    assert said.code == 0
    for line in (
        "would be mailed: 2, of these worth a second look: 2",
        "  role address: 1",
        "    line 2: i… at v….example",
        "  probable typing slip in the domain: 1",
        "    line 3: b… at g….com (gmail.com?)",
        "  left: 1 (not mailed)",
        "  rejected, email: There must be something before the at sign.: 1",
    ):
        assert line in said.out.splitlines(), said.out
    assert "UTF-8, semicolon (all 1 lines beyond ASCII are UTF-8)" in said.err
    assert "  read as: Email = email, Trạng thái = state" in said.err.splitlines()
    assert not list(site.folder.glob("*.rejected.csv"))
    data = site(*words, "--json").json
    assert (data["dry_run"], data["findings"]["mailed"], data["refused_by_reason"]) == (True, 2, {"left": 1})
    assert data["findings"]["concerns"][0]["samples"] == [
        {"table": "", "line": 2, "address": "i… at v….example", "hint": ""}
    ]
    assert data["tables"][0] | {"evidence": ""} == {
        "name": "",
        "format": "",
        "encoding": "UTF-8",
        "delimiter": "semicolon",
        "evidence": "",
        "header": True,
        "rows": 4,
        "read": [["Email", "email"], ["Trạng thái", "state"]],
        "ignored": [],
        "losses": {},
    }
    assert "@vien" not in said.out + said.err


def test_another_programs_export_is_imported_with_columns_of_ones_own_choice(site: Home) -> None:
    file = site.write("ghost.csv", "email,subscribed_to_emails,note,Zone\nbo@vien.example,true,,Asia/Tokyo\n")
    words = ("subscribers", "import", file, "--list", "ban-doc", "--consent", "form", "--json")
    said = site(*words, "--format", "ghost", "--map", "time_zone=zone", "--encoding", "utf-8", "--delimiter", "comma")
    assert (said.json["added"], said.json["tables"][0]["format"]) == (1, "Ghost")
    assert "Asia/Tokyo" in site("subscribers", "show", "bo@vien.example").out
    assert "MEANING=COLUMN" in site(*words, "--map", "email").error
    assert "no such column" in site(*words, "--map", "email=nowhere").error
    assert "no export of Keila" in site(*words, "--format", "keila").error


def test_a_list_is_exported_as_workbook_and_archive_for_its_owner_alone(site: Home) -> None:
    for name in ("list.xlsx", "list.zip"):
        out = site.folder / name
        assert site("subscribers", "export", "--list", "ban-doc", "--out", out).err == "1 people\n"
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        said = site("subscribers", "import", out, "--list", "ban-doc", "--consent", "export", "--json").json
        assert (said["rows"], said["already"]) == (1, 1)
    assert "--safe" in site("subscribers", "export", "--help").out


def test_whoever_left_is_not_brought_back(site: Home) -> None:
    assert site("subscribers", "unsubscribe", "an@vien.example", "--list", "ban-doc").out == "unsubscribed\n"
    assert site("subscribers", "unsubscribe", "an@vien.example", "--list", "ban-doc").out == "was not subscribed\n"
    file = site.write("p.csv", "email\nan@vien.example\n")
    said = site("subscribers", "import", file, "--list", "ban-doc", "--consent", "form", "--json").json
    assert (said["added"], said["refused_by_reason"]) == (0, {"left": 1})
    again = site("subscribers", "add", "an@vien.example", "--list", "ban-doc", "--consent", "x", "--confirmed")
    assert (again.code, again.out) == (1, "not added: they left, and only they can come back\n")


def test_a_list_is_exported_and_imports_again(site: Home) -> None:
    out = site.folder / "list.csv"
    assert site("subscribers", "export", "--list", "ban-doc", "--out", out).code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert site("subscribers", "export", "--list", "ban-doc").out.replace("\r\n", "\n") == out.read_text(
        encoding="utf-8"
    )
    said = site("subscribers", "import", out, "--list", "ban-doc", "--consent", "export", "--json").json
    assert (said["rows"], said["already"]) == (1, 1)


def test_an_unknown_list_is_one_line_and_makes_no_file(site: Home) -> None:
    said = site("subscribers", "export", "--list", "none", "--out", site.folder / "list.csv")
    assert said.code == 1
    assert "there is no list 'none'" in said.error
    assert not (site.folder / "list.csv").exists()


def test_a_missing_file_is_one_line(site: Home) -> None:
    said = site("subscribers", "import", site.folder / "none.csv", "--list", "ban-doc", "--consent", "x")
    assert (said.code, said.error) == (1, f"{site.folder / 'none.csv'}: there is no such file")


def test_a_csv_without_addresses_is_one_line(site: Home) -> None:
    file = site.write("p.csv", "name,town\nAn,Huế\n")
    said = site("subscribers", "import", file, "--list", "ban-doc", "--consent", "x")
    assert (said.code, "no column holds addresses" in said.error) == (1, True)


def test_a_person_is_shown_with_the_address_masked(site: Home) -> None:
    said = site("subscribers", "show", "an@vien.example")
    assert "ban-doc: active" in said.out
    assert "asked by phone" in said.out
    assert "an@vien" not in said.out + site("subscribers", "show", "an@vien.example", "--json").out


def test_an_address_that_is_none_is_not_repeated(site: Home) -> None:
    said = site("subscribers", "show", "secret@@vien.example")
    assert said.code == 1
    assert "secret" not in said.error


def test_erasing_needs_a_yes_and_forgets_for_good(site: Home) -> None:
    assert "--yes" in site("subscribers", "erase", "an@vien.example").error
    person = site("subscribers", "show", "an@vien.example", "--json").json["id"]
    assert site("subscribers", "erase", person, "--yes").code == 0
    assert site("subscribers", "erase", person, "--yes").out == "was erased before\n"
    assert site("subscribers", "show", "an@vien.example").error == "nobody here has this address"
    assert site("subscribers", "show", person, "--json").json["address"] is None


def test_lists_are_made_once(home: Home) -> None:
    assert home("list", "create", "ban-doc", "--name", "Bạn đọc", "--single-opt-in").code == 0
    assert "already a list" in home("list", "create", "ban-doc", "--name", "x").error
    assert home("subscribers", "lists", "--json").json[0]["double_opt_in"] is False
    assert "Bạn đọc" in home("subscribers", "lists").out


def test_staff_get_a_link_that_is_not_kept(home: Home) -> None:
    said = home("staff", "add", "chi@vien.example", "--name", "Chi")
    assert said.out.startswith("https://news.vien.example/staff/link/")
    secret = said.out.strip().rpartition("/")[2]
    assert secret.encode() not in (home.folder / "data" / "newsletter.db").read_bytes()
    assert home("staff", "add", "chi@vien.example").out != said.out, "a fresh link; the name stays"
    team = home("staff", "list", "--json")
    assert [(member["name"], member["has_password"]) for member in team.json] == [("Chi", False)]
    assert "chi@vien" not in team.out + home("staff", "list").out


def test_staff_are_taken_off_the_staff_before_they_are_erased(home: Home) -> None:
    assert home("staff", "add", "tam@vien.example", "--name", "Tâm").code == 0
    refused = home("subscribers", "erase", "tam@vien.example", "--yes")
    assert refused.code == 1
    assert "newsletter staff remove" in refused.error
    [tam] = home("staff", "list", "--json").json
    assert tam["address"], "nothing was erased"
    assert "--yes" in home("staff", "remove", tam["person"]).error
    assert home("staff", "remove", tam["person"], "--yes").out == "removed Tâm\n"
    assert home("staff", "list", "--json").json == []
    assert "not staff" in home("staff", "remove", "tam@vien.example", "--yes").error
    assert home("subscribers", "erase", "tam@vien.example", "--yes").code == 0


def test_a_person_gets_only_the_topics_chosen_for_them_until_it_is_everything_again(site: Home) -> None:
    assert (
        site("subscribers", "add", "an@vien.example", "--list", "ban-doc", "--consent", "asked", "--confirmed").code
        == 0
    )
    said = site("subscribers", "topics", "an@vien.example", "--list", "ban-doc", "--topic", "Biển", "--topic", "Lúa")
    assert (said.code, said.out) == (0, "only Biển, Lúa\n")
    assert "ban-doc: active, only Biển, Lúa" in site("subscribers", "show", "an@vien.example").out
    assert site("subscribers", "topics", "an@vien.example", "--list", "ban-doc").out == "everything\n"
    assert "only" not in site("subscribers", "show", "an@vien.example").out
    assert site("subscribers", "unsubscribe", "an@vien.example", "--list", "ban-doc").code == 0
    assert "not on the list" in site("subscribers", "topics", "an@vien.example", "--list", "ban-doc").error


def test_an_address_and_a_whole_domain_are_suppressed_and_taken_back(site: Home) -> None:
    assert "suppressed" in site("suppression", "add", "an@khac.example").out
    assert "before" in site("suppression", "add", "AN@khac.example").out
    assert site("suppression", "add", "@khac.example", "--list", "ban-doc").code == 0
    assert site("suppression", "domains", "--json").json[0]["domain"] == "khac.example"
    added = site("subscribers", "add", "binh@khac.example", "--list", "ban-doc", "--consent", "asked", "--confirmed")
    assert (added.code, "must not be written to" in added.out) == (1, True)
    assert site("suppression", "remove", "@khac.example", "--list", "ban-doc").code == 0
    assert site("suppression", "remove", "@khac.example", "--list", "ban-doc").code == 1
    assert site("suppression", "remove", "an@khac.example").code == 0
    assert site("suppression", "add", "@không phải").code == 1
    assert site("suppression", "add", "a@b.example", "--list", "khong-co").code == 1


def test_everything_held_about_a_person_and_the_evidence_of_their_consent(site: Home) -> None:
    who = ("subscribers", "add", "hoa@vien.example", "--list", "ban-doc")
    assert site(*who, "--consent", "Ký trên giấy ngày 2/9", "--confirmed").code == 0
    out = site.folder / "hoa.json"
    assert site("subscribers", "data", "hoa@vien.example", "--out", str(out)).code == 0
    assert out.stat().st_mode & 0o077 == 0
    held = json.loads(out.read_text(encoding="utf-8"))
    assert (held["address"], held["consents"][0]["wording"]) == ("hoa@vien.example", "Ký trên giấy ngày 2/9")
    shown = site("subscribers", "evidence", "hoa@vien.example")
    assert "Ký trên giấy ngày 2/9" in shown.out
    assert "the chain is whole" in shown.out
    assert site("subscribers", "evidence", "hoa@vien.example", "--json").json["intact"] is True
    with sqlite3.connect(site.folder / "data" / "newsletter.db") as conn:
        conn.execute("UPDATE consents SET source = 'form'")
    assert site("subscribers", "evidence", "hoa@vien.example").code == 1


@pytest.mark.parametrize(("languages", "name"), [('["vi", "en"]', "Ngô Bảo"), ('["en", "vi"]', "Bảo Ngô")])
def test_an_imported_name_is_put_together_in_the_language_of_the_lists_newsletter(
    site: Home, languages: str, name: str
) -> None:
    site.write("site.toml", SITE.replace('["vi", "en"]', languages))
    assert site("apply", site.folder / "site.toml").code == 0
    file = site.write("people.csv", "Email,First Name,Last Name\nbao@example.org,Bảo,Ngô\n")
    assert site("subscribers", "import", file, "--list", "ban-doc", "--consent", "paper").code == 0
    assert f"name        {name}\n" in site("subscribers", "show", "bao@example.org").out
