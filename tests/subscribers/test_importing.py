import codecs
import csv
import io
import stat
import threading
import unicodedata
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.store import Database
from subscribers import (
    ImportProblem,
    ImportReport,
    PersonId,
    Reading,
    SubscriptionState,
    SuppressionKey,
    SuppressionReason,
    UnknownList,
    counts,
    create_list,
    erase,
    evidence,
    export_list,
    find,
    import_people,
    metadata,
    parse_address,
    person,
    suppress,
    unsubscribe,
    verify_chain,
)
from tests.subscribers.foreign import windows_1258

Join = Callable[[str], PersonId]
Load = Callable[..., ImportReport]

BAD = (
    "no address here",
    "an@",
    "@example.org",
    "an@@example.org",
    "-x@example.org",
    "an b@example.org",
    "",
    "a@localhost",
)
EVERYTHING = ("people", "lists", "subscriptions", "consents", "consent_forms", "suppressions")


def everything(db: Database) -> dict[str, list[Any]]:
    """All rows of all tables of people, to see that nothing changed."""
    with db.read() as conn:
        return {name: sorted(map(repr, conn.execute(metadata.tables[name].select()))) for name in EVERYTHING}


def write_list(path: Path, *, rows: int) -> None:
    """`rows` rows, every 20th of them bad in one of the ways of BAD."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "language"])
        for n in range(rows):
            bad = BAD[n // 20 % len(BAD)] if n % 20 == 19 else None
            domain = ("gmail.com", "example.org", "yahoo.com.vn", "vien.example", "outlook.com")[n % 5]
            writer.writerow([f"user.{n}@{domain}" if bad is None else bad, f"Người đọc {n}", "vi" if n % 3 else "en"])


def check_counts(load: Load, db: Database, path: Path, *, rows: int) -> None:
    write_list(path, rows=rows)
    bad = rows // 20
    first = load(path)
    assert (first.rows, first.added, first.rejected, first.already, first.updated) == (rows, rows - bad, bad, 0, 0)
    assert first.refused_by_reason == {}
    assert first.file is not None
    with first.file.open(encoding="utf-8", newline="") as file:
        rejected = list(csv.DictReader(file))
    assert [int(row["line"]) for row in rejected] == [n + 2 for n in range(rows) if n % 20 == 19]
    assert {row["column"] for row in rejected} == {"email"}
    assert all(len(row["reason"]) > 10 for row in rejected)
    before = everything(db) if rows <= 2_000 else {}
    second = load(path)
    assert (second.rows, second.added, second.rejected, second.already, second.updated) == (rows, 0, bad, rows - bad, 0)
    assert not before or everything(db) == before
    with db.read() as conn:
        assert counts(conn, "news")[SubscriptionState.ACTIVE] == rows - bad


def test_two_thousand_rows_with_five_in_a_hundred_bad_are_counted_exactly_and_twice_is_once(
    load: Load, people_db: Database, tmp_path: Path
) -> None:
    check_counts(load, people_db, tmp_path / "list.csv", rows=2_000)


@pytest.mark.proof
def test_a_hundred_thousand_rows_with_five_in_a_hundred_bad_are_counted_exactly(
    load: Load, people_db: Database, tmp_path: Path
) -> None:
    check_counts(load, people_db, tmp_path / "list.csv", rows=100_000)


def test_the_rejected_file_names_line_column_and_reason_and_is_for_its_owner_alone(load: Load, tmp_path: Path) -> None:
    report = load(
        "email,name,language,attributes,time_zone\n"
        "an@example.org,An,vi,,\n"
        "bình at example.org,Bình,vi,,\n"
        'chi@example.org,Chi,vi,"{""a"": 1",\n'
        "dung@example.org,Dũng,Vietnamese!,,\n"
        "em@example.org,Em,vi,[1],\n"
        "gi@example.org,Gi,vi,,Hanoi\n"
        ",,,,\n"
    )
    assert (report.rows, report.added, report.rejected) == (7, 1, 6)
    assert report.file is not None
    rejected = list(csv.reader(io.StringIO(report.file.read_text(encoding="utf-8"))))
    assert [row[:2] for row in rejected] == [
        ["line", "column"],
        ["3", "email"],
        ["4", "attributes"],
        ["5", "language"],
        ["6", "attributes"],
        ["7", "time_zone"],
        ["8", "email"],
    ]
    assert [row[3:] for row in rejected[:2]] == [
        ["email", "name", "language", "attributes", "time_zone"],
        ["bình at example.org", "Bình", "vi", "", ""],
    ]
    assert not any("@" in reason or "bình" in reason for _, _, reason, *_ in rejected)
    assert sum(report.rejected_by_reason.values()) == 6
    assert stat.S_IMODE(report.file.stat().st_mode) == 0o600


def test_rejected_rows_that_were_mended_import_as_they_are(load: Load, tmp_path: Path) -> None:
    first = load(
        'email,name,language\nan@example.org,An,vi\nbinh@@example.org,"Lê, Bình",vi\ncuc@example.org,"Cúc,vi\n'
    )
    assert (first.added, first.rejected) == (1, 2)
    assert first.file is not None
    mended = first.file.read_text(encoding="utf-8").replace("@@", "@").replace('"""Cúc"', "Cúc")
    again = load(mended, rejected_path=tmp_path / "again.csv")
    assert (again.rows, again.added, again.rejected, again.ignored) == (2, 2, 0, ())


def test_a_clean_file_leaves_no_rejected_file(load: Load, tmp_path: Path) -> None:
    report = load("email\nan@example.org\n")
    assert report.file is None
    assert not (tmp_path / "rejected.csv").exists()


def test_nobody_who_left_bounced_complained_was_erased_or_is_suppressed_comes_back(
    load: Load, people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    left, bounced, complained, erased, barred = (join(f"{name}@example.org") for name in ("l", "b", "c", "e", "s"))
    with people_db.begin() as conn:
        unsubscribe(conn, "news", left, now=now, reason="page")
        suppress(conn, bounced, reason=SuppressionReason.BOUNCED, now=now, key=key)
        suppress(conn, complained, reason=SuppressionReason.COMPLAINED, now=now, key=key)
        erase(conn, erased, now=now, key=key)
        suppress(conn, barred, reason=SuppressionReason.STAFF, now=now, key=key)
    before = everything(people_db)
    report = load(
        "Email Address,state\nL@example.org,active\nb@example.org,\nc@example.org,\ne@example.org,\ns@example.org,\n"
    )
    assert report.refused_by_reason == {"bounced": 1, "complained": 1, "erased": 1, "left": 1, "suppressed": 1}
    assert (report.rows, report.refused, report.added) == (5, 5, 0)
    after = everything(people_db)
    assert {name for name in EVERYTHING if after[name] != before[name]} == {"consent_forms"}  # the wording only
    with people_db.read() as conn:
        assert find(conn, parse_address("e@example.org")) is None


@pytest.mark.parametrize("batch", [1, 2, 2_000])
def test_twins_in_one_file_are_one_person_whatever_the_batch(load: Load, people_db: Database, batch: int) -> None:
    text = "email,name\nan@example.org,\nAN@EXAMPLE.org,Trần An\n\u00a0an@example.org\u00a0,Somebody Else\nbinh@example.org,B\n"
    rehearsed = load(text, batch=batch, dry_run=True)
    report = load(text, batch=batch)
    assert (report.rows, report.added, report.updated, report.already) == (4, 2, 1, 1)
    assert rehearsed == report
    with people_db.read() as conn:
        who = find(conn, parse_address("an@example.org"))
        assert who is not None
        assert person(conn, who).name == "Trần An"


def test_a_dry_run_says_what_a_run_would_do_and_does_nothing(
    load: Load, people_db: Database, join: Join, tmp_path: Path
) -> None:
    join("user.0@gmail.com")
    write_list(tmp_path / "list.csv", rows=200)
    before = everything(people_db)
    rehearsed = load(tmp_path / "list.csv", dry_run=True, batch=30)
    assert everything(people_db) == before
    assert rehearsed == load(tmp_path / "list.csv", batch=30)
    assert rehearsed.added == 189


def test_an_imported_consent_says_where_it_came_from(
    load: Load, people_db: Database, join: Join, now: datetime
) -> None:
    who = join("an@example.org")
    with people_db.begin() as conn:
        create_list(conn, "other", name="Khác", now=now)
    assert load("email\nan@example.org\n", list_slug="other").added == 1
    with people_db.read() as conn:
        rows = evidence(conn, who)
        assert [row.action for row in rows] == ["subscribe", "confirm", "import"]
        assert rows[-1].wording == "Paper forms, spring seminar"
        assert verify_chain(conn, who)


NAMES = ("Nguyễn Thị Hồng Hạnh", "Trần Đức Lương", "Lê Mỹ Duyên", "Phạm Quốc Bảo")


def tables(delimiter: str = ",") -> str:
    lines = [f"Email{delimiter}Họ và tên"] if delimiter != "ascii" else []
    return "\r\n".join(lines + [f"p{n}@example.org{delimiter}{name}" for n, name in enumerate(NAMES)]) + "\r\n"


FORMS: dict[str, Callable[[], bytes]] = {
    "utf-8": lambda: tables().encode(),
    "byte order mark": lambda: codecs.BOM_UTF8 + tables().encode(),
    "semicolon": lambda: tables(";").encode(),
    "tab": lambda: tables("\t").encode(),
    "utf-16": lambda: tables("\t").encode("utf-16"),
    "utf-16 without its mark": lambda: tables(";").encode("utf-16-le"),
    "windows-1258": lambda: windows_1258(tables(";").replace("Họ và tên", "name")),
    "decomposed": lambda: unicodedata.normalize("NFD", tables()).encode(),
    "excel's hint": lambda: b"sep=;\r\n" + tables(";").encode(),
    "old mac line ends": lambda: tables().replace("\r\n", "\r").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_spreadsheet_reads_the_same(load: Load, people_db: Database, form: str) -> None:
    report = load(FORMS[form]())
    assert (report.rows, report.added, report.rejected) == (4, 4, 0)
    with people_db.read() as conn:
        found = [find(conn, parse_address(f"p{n}@example.org")) for n in range(4)]
        assert [person(conn, who).name for who in found if who] == list(NAMES)


def test_windows_1252_names_keep_their_accents(load: Load, people_db: Database) -> None:
    load("email,name\nelodie@example.org,Élodie Façade\njose@example.org,José Muñoz\n".encode("cp1252"))
    with people_db.read() as conn:
        who = find(conn, parse_address("jose@example.org"))
        assert who is not None
        assert person(conn, who).name == "José Muñoz"


@pytest.mark.parametrize(
    ("header", "row", "language", "name"),
    [
        ("Họ,Tên", "Đinh,Là Thăng Ỷ", None, "Đinh Là Thăng Ỷ"),
        ("Họ và tên đệm,Tên", "Đinh Là,Ỷ", "en", "Đinh Là Ỷ"),
        ("Họ đệm,Tên", "Đinh Là,Ỷ", None, "Đinh Là Ỷ"),
        ("Last Name,First Name,Language", "Ngô,Bảo,vi-VN", "en", "Ngô Bảo"),
        ("Last Name,First Name,Language", "Muñoz,José,es", "vi", "José Muñoz"),
        ("Last Name,First Name,Language", "Ngô,Bảo,", "vi", "Ngô Bảo"),
        ("Last Name,First Name", "Ngô,Bảo", "vi", "Ngô Bảo"),
        ("Last Name,First Name", "Muñoz,José", "en", "José Muñoz"),
        ("Last Name,First Name", "Muñoz,José", None, "José Muñoz"),
    ],
)
def test_a_name_in_two_columns_is_put_together_as_it_is_said(
    load: Load, people_db: Database, header: str, row: str, language: str | None, name: str
) -> None:
    load(f"Email,{header}\nbao@example.org,{row}\n", reading=Reading(language=language))
    with people_db.read() as conn:
        who = find(conn, parse_address("bao@example.org"))
        assert who is not None
        assert person(conn, who).name == name


def test_first_and_last_name_and_attributes_are_read(load: Load, people_db: Database) -> None:
    report = load('E-Mail,First Name,Last Name,Attributes,Shoe size\nan@example.org,An,Trần,"{""k"": [1, ""ă""]}",38\n')
    assert report.ignored == ("Shoe size",)
    with people_db.read() as conn:
        who = find(conn, parse_address("an@example.org"))
        assert who is not None
        assert (person(conn, who).name, person(conn, who).attributes) == ("An Trần", {"k": [1, "ă"]})


@pytest.mark.parametrize(
    ("lines", "good", "bad"),
    [
        (['a@example.org,"open', "b@example.org,B", "c@example.org,C"], "bc", [2]),
        (['a@example.org,"open', "b@example.org,B", 'c@example.org,"open'], "b", [2, 4]),
        (['a@example.org,"two\nlines"', "b@example.org,B"], "ab", []),
        (['a@example.org,5" disk', "b@example.org,B"], "ab", []),
        (['a"x@example.org,"B', "b@example.org,B", "c@example.org,C"], "bc", [2]),
        (["a@example.org,A", "x" * 250_000, "b@example.org,B"], "ab", [3]),
        (["a@example.org,A", 'b@example.org,"' + "x" * 140_000 + '"', "c@example.org,C"], "ac", [3]),
        (["a@example.org,A,too,many,cells", "b@example.org", "", "c@example.org,C"], "abc", []),
        (["a@example.org,A\x00B", "b\x00@example.org,B", "c@example.org,C"], "ac", [3]),
    ],
)
def test_one_bad_line_costs_one_line(
    load: Load, people_db: Database, lines: list[str], good: str, bad: list[int]
) -> None:
    report = load("email,name\n" + "\n".join(lines) + "\n")
    with people_db.read() as conn:
        found = [name for name in "abc" if find(conn, parse_address(f"{name}@example.org"))]
    assert "".join(found) == good
    assert (report.added, report.rejected) == (len(good), len(bad))
    if bad:
        assert report.file is not None
        with report.file.open(encoding="utf-8", newline="") as file:
            assert [int(row["line"]) for row in csv.DictReader(file)] == bad


def test_broken_bytes_in_a_utf8_file_cost_their_line(load: Load) -> None:
    text = "email,name\na@example.org,Ánh\nb@example.org,Bảo\nc@example.org,?\n".encode().replace(b"?", b"\xe9\xff")
    report = load(text)
    assert (report.added, report.rejected, report.encoding) == (2, 1, "UTF-8")


@pytest.mark.parametrize("json", ['{"a": "\\u0000"}', '{"a": "\\ud800"}', '{"a": NaN}', "[" * 5_000, "null"])
def test_attributes_a_database_would_choke_on_are_rejected_alone(load: Load, json: str) -> None:
    quoted = json.replace('"', '""')
    report = load(f'email,attributes\na@example.org,"{quoted}"\nb@example.org,\n')
    assert (report.added, report.rejected) == (1, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,phone\nAn,123\n", "no column holds addresses"),
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
    ],
)
def test_a_file_that_is_no_list_is_one_clear_error(load: Load, content: str, words: str) -> None:
    with pytest.raises(ImportProblem, match=words) as caught:
        load(content)
    assert caught.value.hint
    assert "people.csv" in caught.value.where
    assert "an@" not in str(caught.value)


def test_a_missing_file_list_or_consent_is_one_clear_error(
    load: Load, people_db: Database, tmp_path: Path, key: SuppressionKey, now: datetime
) -> None:
    with pytest.raises(ImportProblem, match="cannot be read"):
        load(tmp_path / "nowhere.csv")
    with pytest.raises(UnknownList):
        load("email\nan@example.org\n", list_slug="nope")
    with pytest.raises(ImportProblem, match="consent"):
        import_people(people_db, tmp_path / "people.csv", list_slug="news", key=key, now=now, consent=" ")


def test_progress_is_told_after_each_batch(load: Load, tmp_path: Path) -> None:
    write_list(tmp_path / "list.csv", rows=95)
    told: list[tuple[int, int]] = []
    load(tmp_path / "list.csv", batch=40, on_progress=lambda rows, size: told.append((rows, size)))
    assert [rows for rows, _ in told] == [40, 80, 95]
    assert told[-1][1] == (tmp_path / "list.csv").stat().st_size


def test_two_imports_of_the_same_people_at_once_make_each_person_once(
    load: Load, people_db: Database, tmp_path: Path
) -> None:
    rows = [f"p{n}@example.org" for n in range(600)]
    start, reports, faults = threading.Barrier(3), [], []

    def run(name: str, order: list[str]) -> None:
        (tmp_path / name).write_text("\n".join(["email", *order]), encoding="utf-8")
        start.wait()
        try:
            reports.append(load(tmp_path / name, batch=100, rejected_path=None))
        except Exception as fault:
            faults.append(fault)

    orders = {"up.csv": rows, "down.csv": rows[::-1], "middle.csv": rows[300:] + rows[:300]}
    threads = [threading.Thread(target=run, args=pair) for pair in orders.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(report.added for report in reports) == 600
    assert sum(report.already for report in reports) == 1_200
    with people_db.read() as conn:
        assert counts(conn, "news")[SubscriptionState.ACTIVE] == 600


NO = ("unsubscribed", "bounced", "complained", "suppressed")


@pytest.mark.parametrize("batch", [1, 2_000])
@pytest.mark.parametrize("first", ["active", ""])
@pytest.mark.parametrize("no", NO)
def test_of_two_rows_about_one_person_the_one_that_says_no_counts(
    load: Load, people_db: Database, no: str, first: str, batch: int
) -> None:
    first, second = (first, no) if first else (no, "active")
    text = f"email,state\nan@example.org,{first}\nAN@example.org,{second}\nan@example.org,active\n"
    rehearsed = load(text, batch=batch, dry_run=True)
    report = load(text, batch=batch)
    assert rehearsed == report
    with people_db.read() as conn:
        (row,) = export_list(conn, "news")
    assert row["state"] == no
    assert report.ended == (first == "active" and batch == 1)
    reason = "left" if no == "unsubscribed" else no
    assert (report.added, report.refused_by_reason) == (report.ended, {reason: 3 - report.ended})


def test_a_file_ends_what_an_import_began_but_not_what_somebody_chose(
    load: Load, people_db: Database, join: Join, now: datetime
) -> None:
    own = join("own@example.org")
    load("email\nimported@example.org\nown@example.org\n")
    text = "email,state,left\n" + "".join(
        f"{name}@example.org,unsubscribed,2025-01-02T00:00:00Z\n" for name in ("own", "imported")
    )
    rehearsed = load(text, dry_run=True)
    report = load(text)
    assert rehearsed == report
    assert (report.ended, report.already, report.refused_by_reason) == (1, 1, {"left": 1})
    with people_db.read() as conn:
        gone = find(conn, parse_address("imported@example.org"))
        assert gone is not None
        assert [(row.action, row.source) for row in evidence(conn, gone)][-1] == ("unsubscribe", "import")
        assert verify_chain(conn, gone)
        assert [row["left"] for row in export_list(conn, "news") if row["state"] == "unsubscribed"] == [
            "2025-01-02T00:00:00.000000Z"
        ]
        assert counts(conn, "news")[SubscriptionState.ACTIVE] == 1
        assert verify_chain(conn, own)
    assert load(text).refused_by_reason == {"left": 1}
