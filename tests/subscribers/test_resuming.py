"""An import that was stopped goes on where it was: nothing twice, nothing left out, one whole report."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from newsletter.store import Database
from subscribers import ImportProblem, ImportReport, SuppressionKey, create_list, import_people, metadata

Load = Callable[..., ImportReport]

CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from newsletter.store import Database
from subscribers import SuppressionKey, import_people

url, path, rejected, key = sys.argv[1:5]
import_people(
    Database(url), Path(path), list_slug="news", key=SuppressionKey(bytes.fromhex(key)), rejected_path=Path(rejected),
    now=datetime(2026, 11, 22, 8, 0, tzinfo=UTC), consent="Paper forms, spring seminar", batch=int(sys.argv[5]),
    on_progress=lambda rows, octets: print(rows, flush=True),
)
print("through", flush=True)
"""


def write(path: Path, rows: int) -> None:
    """Every tenth row is unusable, every tenth is a twin of the one before, in another case."""
    lines = []
    for n in range(rows):
        if n % 10 == 9:
            lines.append(f"nobody {n},X")
        elif n % 10 == 5:
            lines.append(f"P{n - 1}@Example.org,Người đọc {n - 1}")
        else:
            lines.append(f"p{n}@example.org,")
    path.write_text("\n".join(["email,name", *lines]) + "\n", encoding="utf-8")


def rows_of(db: Database) -> dict[str, int]:
    with db.read() as conn:
        names = ("people", "subscriptions", "consents", "import_marks")
        return {
            name: conn.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one() for name in names
        }


def check_whole(db: Database, report: ImportReport, rows: int) -> None:
    tenth = rows // 10
    assert (report.rows, report.added, report.updated, report.already) == (rows, 8 * tenth, tenth, 0)
    assert report.rejected == tenth
    assert report.file is not None
    assert len(report.file.read_text(encoding="utf-8").splitlines()) == 1 + tenth
    people = 8 * tenth
    assert rows_of(db) == {"people": people, "subscriptions": people, "consents": people, "import_marks": 0}


class Stopped(Exception):
    pass


def stop_after(batches: int) -> Callable[[int, int], None]:
    left = [batches]

    def watch(_rows: int, _octets: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise Stopped

    return watch


@pytest.mark.parametrize("batch", [20, 33, 500])
def test_a_stopped_import_goes_on_where_it_was_whatever_the_batch(
    load: Load, people_db: Database, tmp_path: Path, batch: int
) -> None:
    write(tmp_path / "list.csv", 200)
    with pytest.raises(Stopped):
        load(tmp_path / "list.csv", batch=20, on_progress=stop_after(3))
    told: list[int] = []
    report = load(tmp_path / "list.csv", batch=batch, on_progress=lambda rows, _: told.append(rows))
    assert report.resumed == 54
    assert told[-1] == 200
    check_whole(people_db, report, 200)
    again = load(tmp_path / "list.csv", batch=batch)
    assert (again.resumed, again.added, again.updated, again.already) == (0, 0, 0, 180)


def test_it_goes_on_only_with_the_same_file_list_and_wishes(
    load: Load, people_db: Database, tmp_path: Path, now: datetime
) -> None:
    with people_db.begin() as conn:
        create_list(conn, "other", name="Khác", now=now)
    path = tmp_path / "list.csv"
    write(path, 100)
    with pytest.raises(Stopped):
        load(path, batch=20, on_progress=stop_after(2))
    assert load(path, dry_run=True).resumed == 0
    assert load(path, list_slug="other").resumed == 0
    path.write_text(path.read_text(encoding="utf-8") + "more@example.org,\n", encoding="utf-8")
    assert load(path).resumed == 0
    assert rows_of(people_db)["import_marks"] == 1  # still that of the file as it was


def test_a_mark_is_forgotten_after_a_week(
    people_db: Database, load: Load, tmp_path: Path, key: SuppressionKey, now: datetime
) -> None:
    write(tmp_path / "list.csv", 100)
    with pytest.raises(Stopped):
        load(tmp_path / "list.csv", batch=20, on_progress=stop_after(2))
    wishes: dict[str, Any] = {"list_slug": "news", "key": key, "consent": "Paper forms, spring seminar"}
    report = import_people(people_db, tmp_path / "list.csv", now=now + timedelta(days=8), **wishes)
    assert (report.resumed, report.already + report.updated) == (0, 36 + 6)
    assert rows_of(people_db)["import_marks"] == 0


def test_the_later_of_two_runs_of_one_import_goes_on_and_the_earlier_is_told(
    load: Load, people_db: Database, tmp_path: Path
) -> None:
    write(tmp_path / "list.csv", 200)
    later: list[ImportReport] = []

    def begin_again(rows: int, _octets: int) -> None:
        if rows == 40:
            later.append(load(tmp_path / "list.csv", batch=20, rejected_path=tmp_path / "later.csv"))

    with pytest.raises(ImportProblem, match="started again"):
        load(tmp_path / "list.csv", batch=20, on_progress=begin_again)
    assert later[0].resumed == 36
    check_whole(people_db, later[0], 200)


def kill_and_go_on(
    load: Load, database_url: str, tmp_path: Path, key: SuppressionKey, *, rows: int, kills: int, rng: random.Random
) -> ImportReport:
    write(tmp_path / "list.csv", rows)
    arguments = [database_url, str(tmp_path / "list.csv"), str(tmp_path / "rejected.csv"), key.hex(), "100"]
    reached = 0
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child.stdout:
            goal = reached + 100 * rng.randrange(1, 4)
            while reached < goal:  # it tells also the rows that it passes over
                said = child.stdout.readline()
                assert said.strip().isdigit(), said
                reached = int(said)
            time.sleep(rng.random() * 0.01)  # anywhere in the next batch
            child.send_signal(signal.SIGKILL)
            child.wait()
    return load(tmp_path / "list.csv", batch=100)


def test_an_import_killed_by_the_system_goes_on(
    load: Load, people_db: Database, database_url: str, tmp_path: Path, key: SuppressionKey
) -> None:
    report = kill_and_go_on(load, database_url, tmp_path, key, rows=6_000, kills=1, rng=random.Random(5))
    assert report.resumed >= 90
    check_whole(people_db, report, 6_000)


@pytest.mark.proof
def test_an_import_killed_ten_times_goes_on_each_time(
    load: Load, people_db: Database, database_url: str, tmp_path: Path, key: SuppressionKey
) -> None:
    report = kill_and_go_on(load, database_url, tmp_path, key, rows=100_000, kills=10, rng=random.Random(6))
    assert report.resumed >= 900  # each killed run came at least one batch further
    check_whole(people_db, report, 100_000)
