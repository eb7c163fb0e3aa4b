"""Files as people and programs really write them: hostile dress, wishes of the caller, ZIP and Excel. Reading only."""

import csv
import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from newsletter.store import Database
from subscribers import ImportProblem, ImportReport, Reading, declare_attribute
from subscribers.files.tables import Sense
from subscribers.files.workbook import open_workbook
from tests.subscribers.foreign import EXPECTED, EXPORTS, MAI, check, listed, states, windows_1258, zipped

Load = Callable[..., ImportReport]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Reading is the same for every database: one is enough here."""
    return sqlite_url


# ---------------------------------------------------------------- the same exports in hostile dress


def rows_of(name: str) -> list[list[str]]:
    delimiter = "\t" if name == "phpList" else ","
    with (EXPORTS / f"{name.lower()}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def written(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def worn(rows: list[list[str]]) -> list[list[str]]:
    """Header in capitals, no-break and zero-width signs around everything."""
    header = [f"\u00a0{cell.upper()}\u200b" for cell in rows[0]]
    return [header, *([f"\ufeff{cell}\u00a0" if "@" in cell else cell for cell in row] for row in rows[1:])]


DRESSES: dict[str, Callable[[list[list[str]]], bytes]] = {
    "byte order mark": lambda rows: b"\xef\xbb\xbf" + written(rows).encode(),
    "semicolon": lambda rows: written(rows, ";").encode(),
    "tab": lambda rows: written(rows, "\t").encode(),
    "pipe": lambda rows: written(rows, "|").encode(),
    "utf-16 little endian": lambda rows: written(rows, "\t").encode("utf-16-le"),
    "utf-16 big endian": lambda rows: written(rows).encode("utf-16-be"),
    "utf-16 with its mark": lambda rows: written(rows, "\t").encode("utf-16"),
    "no-break blanks and capitals": lambda rows: written(worn(rows)).encode(),
    "carriage returns": lambda rows: written(rows, end="\r").encode(),
    "quoted all": lambda rows: "".join(
        '"' + '","'.join(c.replace('"', '""') for c in r) + '"\n' for r in rows
    ).encode(),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", ["Buttondown", "phpList"])
def test_hostile_dress_changes_no_state_and_no_count(load: Load, people_db: Database, name: str, dress: str) -> None:
    check(load(DRESSES[dress](rows_of(name))), people_db, name)
    mai = listed(people_db)["mai.trinh@vien.example"]
    assert {key: mai[key] for key in MAI[name]} | {"attributes": 0} == MAI[name] | {"attributes": 0}


def test_everybody_twice_in_other_case_is_everybody_once(load: Load, people_db: Database) -> None:
    rows = rows_of("Mailtrain")
    report = load(written([*rows, *([cell.upper() if "@" in cell else cell for cell in row] for row in rows[1:])]))
    assert (report.added, report.already, report.refused) == (2, 2, 6)
    assert states(people_db) == EXPECTED["Mailtrain"][1]


# ---------------------------------------------------------------- what the caller knows better


def test_columns_with_names_nobody_knows_are_mapped_by_the_caller(load: Load, people_db: Database) -> None:
    text = "Liên hệ;Ai;Máy;Còn nhận?\nmai@example.org;Mai;0912;có\nan@example.org;An;;unsubscribed\n"
    with pytest.raises(ImportProblem, match="no column holds addresses"):
        load(text)
    columns = {"email": "liên hệ", "name": "2", "attributes.phone": "MÁY", "state": "Còn nhận?"}
    report = load(text.replace(";có", ";active"), reading=Reading(columns=columns))
    assert (report.added, report.refused_by_reason, report.ignored) == (1, {"left": 1}, ())
    assert listed(people_db)["mai@example.org"]["attributes"] == {"phone": "0912"}


def test_a_column_that_only_looks_like_a_state_can_be_skipped(load: Load, people_db: Database) -> None:
    text = "email,status\nan@example.org,married\n"
    assert load(text).rejected == 1
    report = load(text, reading=Reading(skipped=["Status"]))
    assert (report.added, report.ignored) == (1, ("status",))


def test_rejected_rows_never_overwrite_the_file_they_come_from(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match="overwrite the file itself"):
        load("email\n@\n", rejected_path=tmp_path / "people.csv")
    assert (tmp_path / "people.csv").read_text(encoding="utf-8") == "email\n@\n"
    (tmp_path / "folder").mkdir()
    with pytest.raises(ImportProblem, match="cannot be written"):
        load("email\n@\n", rejected_path=tmp_path / "folder")


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(columns={"email": "nowhere"}), "no such column"),
        (Reading(columns={"shoes": "email"}), "no such meaning"),
        (Reading(columns={"email": "9"}), "no such column"),
        (Reading(skipped=["nowhere"]), "no such column"),
        (Reading(format="nothing"), "no format of that name"),
        (Reading(format="ghost"), "no export of Ghost"),
        (Reading(encoding="klingon"), "no such encoding"),
        (Reading(encoding="base64"), "no such encoding"),
        (Reading(delimiter="slash"), "no delimiter"),
    ],
)
def test_a_wish_that_does_not_fit_is_one_clear_line(load: Load, reading: Reading, words: str) -> None:
    with pytest.raises(ImportProblem, match=words) as caught:
        load("email,name\nan@example.org,An\n", reading=reading)
    assert caught.value.hint
    assert "an@" not in str(caught.value)


def test_a_file_read_as_plain_loses_its_programs_words(load: Load, people_db: Database) -> None:
    report = load(EXPORTS / "ghost.csv", reading=Reading(format="plain"))
    assert report.tables[0].format == ""
    assert "subscribed_to_emails" in report.ignored
    assert set(states(people_db).values()) == {"active"}


def test_an_encoding_the_caller_names_goes_before_looking(load: Load, people_db: Database) -> None:
    content = "email,name\nan@example.org,Đặng".encode("utf-8-sig") + b"\n"
    assert load(content, reading=Reading(encoding="UTF8")).tables[0].evidence == "as asked for"
    assert listed(people_db)["an@example.org"]["name"] == "Đặng"
    load("email,name\nbo@example.org,Jos\xe9".encode("latin-1"), reading=Reading(encoding="latin-1"))
    assert listed(people_db)["bo@example.org"]["name"] == "José"


def test_a_file_without_a_header_is_read_from_its_first_row(load: Load, people_db: Database) -> None:
    report = load("Trần An;an@example.org;x\nLê Bình;binh@example.org;y\n")
    assert (report.rows, report.added, report.ignored) == (2, 2, ("column 1", "column 3"))
    assert not report.tables[0].header
    assert "name" not in listed(people_db)["an@example.org"]
    named = load("Trần An;an@example.org;x\nnobody;;z\n", reading=Reading(columns={"name": "1"}))
    assert (named.updated, named.rejected) == (1, 1)
    assert named.file is not None
    assert named.file.read_text(encoding="utf-8").splitlines() == [
        "line,column,reason,column 1,email,column 3",
        "2,email,there is no address,nobody,,z",
    ]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Subscribed", "active"),
        ("Đang nhận", "active"),
        ("tạm dừng", "paused"),
        ("INACTIVE", "unsubscribed"),
        ("Đã huỷ", "unsubscribed"),
        ("Đã hủy", "unsubscribed"),
        ("hard-bounced", "bounced"),
        ("Spam complaint", "complained"),
        ("blacklisted", "suppressed"),
    ],
)
def test_states_are_known_in_the_words_of_people_and_programs(
    load: Load, people_db: Database, word: str, state: str
) -> None:
    load(f"Email,Trạng thái\nan@example.org,{word}\n")
    assert states(people_db) == {"an@example.org": state}


def test_a_state_nobody_knows_subscribes_nobody(load: Load, people_db: Database) -> None:
    report = load("email,status\nan@example.org,sleepy\nbo@example.org,?\n")
    assert (report.added, report.rejected) == (0, 2)
    assert states(people_db) == {}


# ---------------------------------------------------------------- rows nobody wants


def test_ragged_rows_quoted_lines_zeros_and_a_cell_of_a_megabyte_cost_themselves_at_most(
    load: Load, people_db: Database
) -> None:
    lines = [
        "a@example.org,A",
        "b@example.org,B,one,two,three",
        "c@example.org",
        'd@example.org,"D\nof two lines"',
        "e@example.org,E\0E",
        'f@example.org,"' + "x" * 1_000_000 + '"',
        "g\0@example.org,G",
        "h@example.org,H",
    ]
    report = load("email,name\n" + "\n".join(lines) + "\n")
    assert sorted(email[0] for email in states(people_db)) == ["a", "b", "c", "d", "e", "h"]
    assert (report.rows, report.added, report.rejected) == (8, 6, 2)
    assert listed(people_db)["d@example.org"]["name"] == "D of two lines"
    assert report.file is not None
    assert report.file.stat().st_size < 5_000


VIETNAMESE = "email;Họ tên\nhanh@example.org;Nguyễn Thị Hồng Hạnh\nduc@example.org;Đặng Đức Lương\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (VIETNAMESE.encode(), "UTF-8"),
        (windows_1258(VIETNAMESE), "windows-1258"),
        ("email;name\na@example.org;Nicolò Però\nb@example.org;João Così\n".encode("cp1252"), "windows-1252"),
        ("email;name\na@example.org;Þór Ólafsson\nb@example.org;Zoë – Ärger\n".encode("cp1252"), "windows-1252"),
        ("email;name\na@example.org;Zo\xeb\x81\n".encode("latin-1"), "latin-1"),
        (VIETNAMESE.encode("utf-16-be"), "UTF-16 BE"),
    ],
)
def test_the_encoding_is_told_with_its_evidence(load: Load, content: bytes, encoding: str) -> None:
    (table,) = load(content).tables
    assert table.encoding == encoding
    assert len(table.evidence) > 10


def test_windows_1258_becomes_composed_letters_everywhere(load: Load, people_db: Database) -> None:
    text = 'email;Họ tên;nhãn;attributes\nhanh@example.org;Hạnh Mỹ;Bạn đọc;{"thành phố": "Huế"}\n'
    load(windows_1258(text.replace('"', '""').replace("{", '"{').replace("}", '}"')))
    hanh = listed(people_db)["hanh@example.org"]
    assert (hanh["attributes"], hanh["tags"]) == ({"thành phố": "Huế"}, "Bạn đọc")


def test_tags_are_added_to_those_somebody_has_and_what_is_no_tag_is_counted(load: Load, people_db: Database) -> None:
    load("email,tags\nan@example.org,Báo chí\nbo@example.org,\n")
    long = "x" * 81
    report = load(f'email,nhãn\nan@example.org,"báo chí; Đối tác;{long}"\nbo@example.org,"[""a, b"", ""c;d""]"\n')
    assert (report.updated, dict(report.tables[0].losses)) == (2, {"tags": 2})
    assert [row["tags"] for row in listed(people_db).values()] == ["Báo chí; Đối tác", '["a, b"]']
    again = load("email,tags\nan@example.org,BÁO CHÍ\n")
    assert (again.already, again.updated) == (1, 0)


def test_declared_attributes_are_read_by_their_names_and_as_their_types(
    load: Load, people_db: Database, now: datetime
) -> None:
    with people_db.begin() as conn:
        for slug, kind, label in (
            ("visits", "number", "Số lần đến"),
            ("member", "yes-no", "Hội viên"),
            ("born", "date", ""),
        ):
            declare_attribute(conn, slug, type=kind, now=now, label_vi=label)
    report = load(
        "email,số lần đến,HỘI VIÊN,Born\na@example.org,12,có,2/1/1990\nb@example.org,many,,\nc@example.org,,,\n"
    )
    assert (report.added, report.ignored) == (2, ())
    assert report.rejected_by_reason == {"visits: no number, like 12 or 11.4": 1}
    people = listed(people_db)
    assert people["a@example.org"]["attributes"] == {"visits": 12, "member": True, "born": "1990-01-02"}
    assert people["c@example.org"]["attributes"] == {}
    keila = load(
        'Email,Data,Status,External ID,Visits\nd@example.org,"{""born"": 1990}",active,,3\ne@example.org,,active,,often\n'
    )
    assert (keila.added, dict(keila.tables[0].losses)) == (2, {"born": 1, "visits": 1})
    assert listed(people_db)["d@example.org"]["attributes"] == {"visits": 3}
    assert listed(people_db)["e@example.org"]["attributes"] == {}


# ---------------------------------------------------------------- archives


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"../people.csv": b"email\n"}, "leads out of it"),
        ({"/etc/people.csv": b"email\n"}, "leads out of it"),
        ({"C:people.csv": b"email\n"}, "leads out of it"),
        ({"a\\..\\people.csv": b"email\n"}, "leads out of it"),
        ({"people.csv": b"email\n" + b"0" * 20_000_000}, "packed like a bomb"),
        ({f"{n}.csv": b"email\n" for n in range(201)}, "more than 200 files"),
        ({"people.json": b"{}"}, "holds no CSV"),
        ({"people.csv": b"name\nAn\n"}, "no column holds addresses"),
        ({"mimetype": b"application/vnd.oasis", "content.xml": b"<x/>"}, "OpenDocument"),
    ],
)
def test_a_suspicious_or_empty_zip_is_one_clear_line(
    load: Load, tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    with pytest.raises(ImportProblem, match=words) as caught:
        load(zipped(tmp_path / "people.zip", files))
    assert caught.value.hint


def test_a_zip_that_lies_about_its_size_or_is_cut_is_one_clear_line(load: Load, tmp_path: Path) -> None:
    content = zipped(tmp_path / "p.zip", {"people.csv": b"email\n" + b"an@example.org\n" * 5_000}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[:200])
    with pytest.raises(ImportProblem, match="broken"):
        load(tmp_path / "cut.zip")
    (tmp_path / "damaged.zip").write_bytes(content[:60] + bytes(20) + content[80:])
    with pytest.raises(ImportProblem, match="broken here"):
        load(tmp_path / "damaged.zip")
    crc = zipfile.ZipFile(io.BytesIO(content)).infolist()[0].CRC.to_bytes(4, "little")
    (tmp_path / "lying.zip").write_bytes(content.replace(crc, b"\0\0\0\0"))
    with pytest.raises(ImportProblem, match="broken here"):
        load(tmp_path / "lying.zip")


def test_tables_of_a_zip_without_addresses_are_named_and_left_out(load: Load, tmp_path: Path) -> None:
    files = {"people.csv": b"email\nan@example.org\n@\n", "posts.csv": b"title\nHi\n", "empty.csv": b""}
    files["more/people.csv"] = b"email\nx@@example.org\n"
    report = load(zipped(tmp_path / "all.zip", files))
    assert (report.rows, report.added, report.rejected) == (3, 1, 2)
    assert sorted(report.left_out) == ["empty.csv", "posts.csv"]
    assert [path.name for path in report.files] == ["rejected.people.csv", "rejected.people-2.csv"]


# ---------------------------------------------------------------- workbooks


def workbook(path: Path, rows: list[list[Any]], formats: dict[str, str] | None = None) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    book.save(path)
    return path


def test_a_workbook_is_read_as_its_maker_saw_it(load: Load, people_db: Database, tmp_path: Path) -> None:
    header = ["Email", "Họ và tên", "Máy", "Mã", "Điểm", "Tỉ lệ", "Ngày đăng ký", "Sinh", "Đã họp", "Lâu"]
    row = [
        "an@example.org",
        "Trần An",
        84912345678,
        42,
        7.5,
        0.125,
        datetime.fromisoformat("2024-02-01T08:30"),
        date(1990, 1, 2),
    ]
    rows = [header, [*row, True, timedelta(hours=30)], [None] * 3, ["=1+1", "x"], ["binh@example.org", None, 3.0]]
    formats = {"D2": "000000", "E2": "0.00", "F2": "0.0%", "G2": "dd/mm/yyyy hh:mm", "H2": "dd/mm/yyyy"}
    names = ("máy", "mã", "điểm", "tỉ lệ", "sinh", "đã họp")
    columns = {f"attributes.{name}": name for name in names}
    report = load(workbook(tmp_path / "p.xlsx", rows, formats), reading=Reading(columns=columns))
    assert (report.rows, report.added, report.rejected, report.ignored) == (3, 2, 1, ("Lâu",))
    an = listed(people_db)["an@example.org"]
    assert (an["name"], an["since"]) == ("Trần An", "2024-02-01T08:30:00.000000Z")
    said = ("84912345678", "000042", "7.50", "12.5%", "1990-01-02", "TRUE")
    assert an["attributes"] == dict(zip(names, said, strict=True))
    assert listed(people_db)["binh@example.org"]["attributes"] == {"máy": "3"}
    assert report.file is not None
    with report.file.open(encoding="utf-8", newline="") as file:
        assert [(row["line"], row["reason"]) for row in csv.DictReader(file)] == [("4", "there is no address")]


def test_every_visible_sheet_with_addresses_is_read_and_a_first_row_may_be_a_person(
    load: Load, people_db: Database, tmp_path: Path
) -> None:
    book = Workbook()
    first, second, third, hidden = (book.create_sheet(name) for name in ("Một", "Hai", "Ba", "Ẩn"))
    book.remove(book.worksheets[0])
    first.append(["email"]), first.append(["an@example.org"])
    second.append([]), second.append(["An", "binh@example.org"]), second.append(["Bo", "bo@example.org"])
    third.append(["Ghi chú"]), third.append(["x"])
    hidden.append(["email"]), hidden.append(["secret@example.org"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "p.xlsx")
    report = load(tmp_path / "p.xlsx")
    assert set(states(people_db)) == {"an@example.org", "binh@example.org", "bo@example.org"}
    assert [(table.name, table.rows, table.header) for table in report.tables] == [("Một", 1, True), ("Hai", 2, False)]
    assert report.left_out == ("Ba",)


def test_a_workbook_that_is_broken_old_or_a_bomb_is_one_clear_line(load: Load, tmp_path: Path) -> None:
    good = workbook(tmp_path / "p.xlsx", [["email"], *([f"p{n}@example.org"] for n in range(50))])
    parts = {entry: zipfile.ZipFile(good).read(entry) for entry in zipfile.ZipFile(good).namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    cases = {
        "broken": parts | {sheet: parts[sheet][:300]},
        "is broken": parts | {"xl/workbook.xml": b"<nonsense"},
        "packed like a bomb": parts | {sheet: b"<worksheet>" + b" " * 30_000_000},
    }
    for number, (words, files) in enumerate(cases.items()):
        with pytest.raises(ImportProblem, match=words) as caught:
            load(zipped(tmp_path / f"{number}.xlsx", files))
        assert "CSV" in caught.value.hint
    for magic, words in ((b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or protected"), (b"\x1f\x8b\x08", "gzip")):
        with pytest.raises(ImportProblem, match=words):
            load(magic + bytes(600))


def with_rows(path: Path, good: Path, rows: str, sheets: int = 1) -> Path:
    """A workbook whose first sheet ends in these rows as well."""
    parts = {entry: zipfile.ZipFile(good).read(entry) for entry in zipfile.ZipFile(good).namelist()}
    for number in range(1, sheets + 1):
        sheet = f"xl/worksheets/sheet{number}.xml"
        parts[sheet] = parts[sheet].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
    return zipped(path, parts)


def text_row(number: int, text: str, column: str = "A") -> str:
    return f'<row r="{number}"><c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def test_a_row_below_excels_last_is_refused_in_one_line(load: Load, tmp_path: Path) -> None:
    good = workbook(tmp_path / "p.xlsx", [["email"], ["an@example.org"]])
    for number in (1_048_577, 2_000_000_000):
        odd = with_rows(tmp_path / f"{number}.xlsx", good, text_row(number, "binh@example.org"))
        with pytest.raises(ImportProblem, match="a number above 1,048,576") as caught:
            load(odd, dry_run=True)
        assert "CSV" in caught.value.hint


def test_a_gap_between_rows_is_passed_over_and_lines_are_numbered_as_in_the_sheet(load: Load, tmp_path: Path) -> None:
    good = workbook(tmp_path / "p.xlsx", [["email"], ["an@example.org"]])
    rows = text_row(900_000, "nobody") + text_row(1_048_576, "far out", "XFD")
    report = load(with_rows(tmp_path / "gap.xlsx", good, rows))
    assert (report.rows, report.added, report.rejected) == (2, 1, 1)
    assert report.file is not None
    with report.file.open(encoding="utf-8", newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["900000"]


def test_a_gap_costs_nothing_for_each_of_its_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = workbook(tmp_path / "p.xlsx", [["email"], ["an@example.org"]])
    gap = with_rows(tmp_path / "gap.xlsx", good, text_row(20_000, "binh@example.org"))
    looks = 0

    def value(cell: Any) -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr("openpyxl.cell.read_only.EmptyCell.value", property(value))
    with (
        gap.open("rb") as raw,
        open_workbook(raw, lambda cells, name: Sense.HEADER, where="gap.xlsx", size=1) as sheets,
    ):
        assert [record.line for sheet in sheets for record in sheet] == [2, 20_000]
    assert looks < 2_000, "two rows and one blank row have 256 cells each"


def test_a_workbook_of_many_sheets_with_nothing_but_a_far_row_is_refused(load: Load, tmp_path: Path) -> None:
    book = Workbook()
    for _ in range(5):
        book.create_sheet()
    book.save(tmp_path / "p.xlsx")
    odd = with_rows(tmp_path / "odd.xlsx", tmp_path / "p.xlsx", text_row(1_048_576, "x", "XFD"), sheets=6)
    with pytest.raises(ImportProblem, match="more than 5,000,000 empty rows"):
        load(odd, dry_run=True)


def test_damaged_files_of_every_kind_end_in_a_report_or_one_clear_line(load: Load, tmp_path: Path) -> None:
    rows = [["email", "name"], *([f"p{n}@example.org", "Trần"] for n in range(10))]
    whole = [
        (EXPORTS / "buttondown.csv").read_bytes(),
        VIETNAMESE.encode("utf-16"),
        workbook(tmp_path / "w.xlsx", rows).read_bytes(),
        zipped(tmp_path / "z.zip", {"a.csv": VIETNAMESE.encode(), "b.csv": b"email\na@example.org\n"}).read_bytes(),
    ]
    chance = random.Random(20261122)
    outcomes: set[bool | str] = set()
    for _ in range(120):
        content = bytearray(chance.choice(whole))
        for _ in range(chance.choice((1, 4))):
            at, sign = chance.randrange(len(content)), chance.choice((b'"', b"\n", b"\0", b"\xff", b"@", b";" * 40))
            content[at : at + chance.randrange(8)] = sign
        try:
            outcomes.add(load(bytes(content), dry_run=True).rows > 0)
        except ImportProblem as problem:
            outcomes.add(problem.hint)
    assert True in outcomes, "some damage costs a few rows only"
    assert "" not in outcomes, "and what cannot be read says what to do"
    assert len(outcomes) > 2
