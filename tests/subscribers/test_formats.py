"""Exports of other programs, written after their column names with invented people: states and counts are exact."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.store import Database
from subscribers import ImportReport
from tests.subscribers.foreign import EXPECTED, EXPORTS, MAI, check, listed, mailchimp, states

Load = Callable[..., ImportReport]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_export_of_each_program_gives_exact_states_and_counts(load: Load, people_db: Database, name: str) -> None:
    file = EXPORTS / f"{name.lower()}.csv"
    rehearsed = load(file, dry_run=True)
    report = load(file)
    assert rehearsed == report
    check(report, people_db, name)
    mai = listed(people_db)["mai.trinh@vien.example"]
    assert {key: mai[key] for key in MAI[name]} == MAI[name]
    again = load(file)
    assert (again.added, again.already, again.rejected) == (0, report.added, report.rejected)
    assert again.refused_by_reason == report.refused_by_reason


@pytest.mark.parametrize("reverse", [False, True], ids=["as sorted", "reversed"])
def test_a_zip_of_mailchimp_is_read_whole_and_who_left_comes_first(
    load: Load, people_db: Database, tmp_path: Path, reverse: bool
) -> None:
    report = load(mailchimp(tmp_path / "audience.zip", reverse=reverse))
    assert {table.format for table in report.tables} == {"Mailchimp"}
    assert len(report.tables) == 4
    assert report.left_out == ("readme.html",)
    assert (report.rows, report.added, report.rejected) == (9, 3, 0)
    who_left_is_known = reverse  # the file of those who left was read before the one of those who never joined
    assert report.refused_by_reason == {
        "bounced": 2,
        "complained": 1,
        "left": 1 + who_left_is_known,
        "not subscribed": 2 - who_left_is_known,
    }
    people = listed(people_db)
    assert {email: row["state"] for email, row in people.items()} == {
        "mai.trinh@vien.example": "active",
        "QUANG.Vu@vien.example": "active",
        "erin.hale@example.org": "active",
        "bich.ngo@vien.example": "unsubscribed",
        "spam.sayer@example.org": "complained",
        "hong.ly@vien.example": "bounced",
        "gone.box@example.net": "bounced",
    }
    mai = people["mai.trinh@vien.example"]
    assert (mai["name"], mai["time_zone"]) == ("Mai Trịnh Thị", "Asia/Ho_Chi_Minh")
    assert (mai["since"], mai["confirmed"]) == ("2021-03-02T07:15:00.000000Z", "2021-03-02T07:16:10.000000Z")
    assert mai["attributes"] == {
        "phone": "0912 000 111",
        "phong_ban": "Phòng sóng biển",
        "note": "gặp ở hội thảo",
    }
    assert mai["tags"] == "Editors; Báo chí"
    assert people["bich.ngo@vien.example"]["left"] == "2022-06-07T08:09:10.000000Z"
    assert "time_zone" not in people["QUANG.Vu@vien.example"]
    losses = [dict(table.losses) for table in report.tables if table.name.startswith("subscribed")]
    assert losses == [{"time_zone": 1}]


def test_one_file_of_mailchimp_alone_is_known_by_its_name_and_columns(load: Load, people_db: Database) -> None:
    for kind, reason in (("nonsubscribed", "not subscribed"), ("cleaned", "bounced"), ("subscribed", "")):
        report = load(EXPORTS / "mailchimp" / f"{kind}_members_export_7f3a.csv")
        assert set(report.refused_by_reason) == ({reason} if reason else set())
    assert states(people_db)["hong.ly@vien.example"] == "bounced"
    assert "buyer.only@example.org" not in states(people_db)


def test_what_another_programs_export_does_not_know_is_left_blank_and_counted(load: Load) -> None:
    (mailtrain,) = load(EXPORTS / "mailtrain.csv").tables
    (phplist,) = load(EXPORTS / "phplist.csv").tables
    assert (dict(mailtrain.losses), dict(phplist.losses)) == ({"language": 1}, {"since": 1})
