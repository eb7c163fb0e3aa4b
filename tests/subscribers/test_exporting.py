"""A list leaves as a file and comes back as the same list, from either database into an empty one."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from newsletter.store import Database
from subscribers import (
    EXPORT_COLUMNS,
    FileKind,
    ImportReport,
    InvalidValue,
    PersonId,
    SuppressionKey,
    SuppressionReason,
    choose_topics,
    create_list,
    export_list,
    import_people,
    metadata,
    pause,
    suppress,
    unsubscribe,
    write_rows,
)
from tests.subscribers.foreign import EXPORTS, mailchimp

Join = Callable[[str], PersonId]
Load = Callable[..., ImportReport]


def exported(db: Database, list_slug: str = "news") -> list[dict[str, str]]:
    with db.read() as conn:
        return sorted(export_list(conn, list_slug), key=lambda row: row["email"])


def saved(rows: list[dict[str, str]], path: Path, *, safe: bool = False) -> Path:
    with path.open("wb") as file:
        assert write_rows(rows, file, FileKind(path.suffix[1:]), safe=safe) == len(rows)
    return path


@pytest.fixture
def fresh(tmp_path: Path, now: datetime) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    with database.begin() as conn:
        metadata.create_all(conn)
        create_list(conn, "news", name="Bản tin", now=now)
    yield database
    database.close()


@pytest.fixture
def everybody(load: Load, people_db: Database, join: Join, key: SuppressionKey, now: datetime) -> list[dict[str, str]]:
    """A list with somebody in every state that is exported, and all that can be known of a person."""
    load(
        "email,name,language,time_zone,attributes,tags,since,confirmed\n"
        'an@thư.example.net,"Trần ""An"", Hà Nội",vi,Asia/Ho_Chi_Minh,"{""a"": ""ă"", ""n"": [1, 2.5, null]}",'
        "báo chí; đối tác,2024-01-02T03:04:05.678901+07:00,2024-01-03T00:00:00Z\n"
        'formula@example.org,"=HYPERLINK(""http://x.example"")",,,,,,\n'
        "Ông.Già@example.org,-Già,en-GB,Europe/London,,@tag,,\n"
    )
    left, bounced, barred, here, paused, chooser, until = (
        join(f"{name}@example.org") for name in ("left", "Bounced", "barred", "here", "paused", "chooser", "until")
    )
    with people_db.begin() as conn:
        unsubscribe(conn, "news", left, now=now + timedelta(days=3), reason="page")
        suppress(conn, bounced, reason=SuppressionReason.BOUNCED, now=now, key=key)
        suppress(conn, barred, reason=SuppressionReason.STAFF, now=now, key=key)
        suppress(conn, here, reason=SuppressionReason.STAFF, now=now, key=key, list_slug="news")
        pause(conn, "news", paused, until=now + timedelta(days=9), now=now)
        choose_topics(conn, "news", chooser, ["Biển, đảo", "Lúa"])
        pause(conn, "news", until, until=now + timedelta(days=1), now=now)
        choose_topics(conn, "news", until, ["Biển; hồ"])
    return exported(people_db)


@pytest.mark.parametrize("kind", FileKind)
def test_an_export_imports_into_an_empty_list_as_equal_rows(
    everybody: list[dict[str, str]], fresh: Database, key: SuppressionKey, now: datetime, tmp_path: Path, kind: str
) -> None:
    assert Counter(row["state"] for row in everybody) == {
        "active": 4,
        "unsubscribed": 1,
        "bounced": 1,
        "suppressed": 2,
        "paused": 2,
    }
    assert all(any(row[column] for row in everybody) for column in EXPORT_COLUMNS), "every column is tried"
    file = saved(everybody, tmp_path / f"people.{kind}")
    later = now + timedelta(days=400)
    report = import_people(fresh, file, list_slug="news", key=key, now=later, consent="moved")
    assert (report.added, report.rejected, report.ignored) == (6, 0, ())
    assert report.refused_by_reason == {"bounced": 1, "left": 1, "suppressed": 2}
    assert exported(fresh) == everybody
    again = import_people(fresh, file, list_slug="news", key=key, now=later, consent="moved")
    assert (again.already, again.refused_by_reason) == (6, report.refused_by_reason)
    assert exported(fresh) == everybody


def test_what_came_from_other_programs_goes_round_as_well(
    load: Load, people_db: Database, fresh: Database, key: SuppressionKey, now: datetime, tmp_path: Path
) -> None:
    for file in (mailchimp(tmp_path / "mailchimp.zip"), *sorted(EXPORTS.glob("*.csv"))):
        load(file)
    first = exported(people_db)
    assert len(first) == 12
    import_people(fresh, saved(first, tmp_path / "p.csv"), list_slug="news", key=key, now=now, consent="moved")
    assert exported(fresh) == first


def test_a_spreadsheet_runs_nothing_of_a_workbook(everybody: list[dict[str, str]], tmp_path: Path) -> None:
    book = load_workbook(saved(everybody, tmp_path / "p.xlsx"))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)


def test_a_csv_has_every_text_as_it_is_unless_it_shall_be_safe_to_look_at(
    everybody: list[dict[str, str]], tmp_path: Path
) -> None:
    def begins(path: Path) -> set[str]:
        with path.open(encoding="utf-8", newline="") as file:
            return {cell[:1] for row in csv.reader(file) for cell in row}

    assert {"=", "-"} <= begins(saved(everybody, tmp_path / "as-it-is.csv"))
    assert not begins(saved(everybody, tmp_path / "safe.csv", safe=True)) & set("=+-@\t\r")


def test_an_empty_list_is_a_header_in_every_kind(tmp_path: Path) -> None:
    assert saved([], tmp_path / "p.csv").read_bytes() == ",".join(EXPORT_COLUMNS).encode() + b"\r\n"
    with zipfile.ZipFile(saved([], tmp_path / "p.zip")) as archive:
        assert archive.namelist() == ["people.csv"]
    (header,) = load_workbook(saved([], tmp_path / "p.xlsx")).worksheets[0].values
    assert header == EXPORT_COLUMNS


def test_a_text_that_no_workbook_holds_is_refused_by_name(everybody: list[dict[str, str]]) -> None:
    row = everybody[0] | {"attributes": "x" * 32_768}
    with pytest.raises(InvalidValue, match="too long") as caught:
        write_rows([row], io.BytesIO(), FileKind.XLSX)
    assert caught.value.where == "attributes"


def test_the_example_file_imports_whole(load: Load) -> None:
    report = load(Path(__file__).parents[2] / "subscribers" / "example.csv")
    assert (report.rows, report.added, report.rejected) == (12, 12, 0)
