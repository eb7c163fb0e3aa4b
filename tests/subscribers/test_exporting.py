import csv
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from newsletter.store import Database
from subscribers import (
    EXPORT_COLUMNS,
    ImportReport,
    PersonId,
    SuppressionKey,
    SuppressionReason,
    create_list,
    export_list,
    import_people,
    metadata,
    suppress,
    unsubscribe,
)

Join = Callable[[str], PersonId]
Load = Callable[..., ImportReport]


def exported(db: Database, list_slug: str = "news") -> list[dict[str, str]]:
    with db.read() as conn:
        return sorted(export_list(conn, list_slug), key=lambda row: row["email"])


def as_file(rows: Iterable[dict[str, str]], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, EXPORT_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_an_export_imports_again_as_the_same_list(
    load: Load, people_db: Database, join: Join, key: SuppressionKey, now: datetime, tmp_path: Path
) -> None:
    load(
        "email,name,language,time_zone,attributes\n"
        'an@thư.example.net,"Trần ""An"", Hà Nội",vi,Asia/Ho_Chi_Minh,"{""a"": ""ă""}"\n'
    )
    left, bounced = join("left@example.org"), join("Bounced@example.org")
    with people_db.begin() as conn:
        unsubscribe(conn, "news", left, now=now, reason="page")
        suppress(conn, bounced, reason=SuppressionReason.BOUNCED, now=now, key=key)
    first = exported(people_db)
    assert Counter(row["state"] for row in first) == {"active": 1, "unsubscribed": 1, "bounced": 1}
    fresh = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    with fresh.begin() as conn:
        metadata.create_all(conn)
        create_list(conn, "news", name="Bản tin", now=now)
    report = import_people(
        fresh, as_file(first, tmp_path / "export.csv"), list_slug="news", key=key, now=now, consent="moved"
    )
    assert (report.added, report.refused_by_reason) == (1, {"bounced": 1, "left": 1})
    assert exported(fresh) == first
    again = import_people(fresh, tmp_path / "export.csv", list_slug="news", key=key, now=now, consent="moved")
    assert (again.already, again.refused_by_reason) == (1, {"bounced": 1, "left": 1})
    assert exported(fresh) == first
    fresh.close()


def test_the_example_file_imports_whole(load: Load) -> None:
    report = load(Path(__file__).parents[2] / "subscribers" / "example.csv")
    assert (report.rows, report.added, report.rejected) == (12, 12, 0)
