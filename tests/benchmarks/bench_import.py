"""How fast a list is imported, in rows per CPU second of this process, against two yardsticks of the same round.

raw     executemany of the very same rows into the very same tables, without reading, judging or looking anything up
plain   reading the CSV and judging each address by email-validator alone, then raw's inserts (computed from both)
judge   our own judging of the same addresses alone, to compare with `validator`: email-validator alone

Usage: python tests/benchmarks/bench_import.py [ROWS] [ROUNDS]
Each case runs in its own process (so that peak memory is its own), in turn; medians, and medians of ratios per round.
Durability: SQLite as the product opens it (WAL, synchronous=FULL), 2,000 rows per commit in every case.
"""

import csv
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from newsletter.store import Database  # noqa: E402
from subscribers import InvalidAddress, SuppressionKey, create_list, import_people, metadata, parse_address  # noqa: E402

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
KEY = SuppressionKey(b"a key that only benchmarks use..")
DOMAINS = (
    "gmail.com",
    "example.org",
    "yahoo.com.vn",
    "vien.example",
    "outlook.com",
    "truong.example",
    "thư.example.net",
)
FAMILY, GIVEN = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng"), ("An", "Bình", "Cúc", "Đức", "Hạnh", "Khoa", "Linh")


def write_list(path: Path, rows: int) -> None:
    """5 in 100 rows are bad; 1 in 50 has a domain that is not ASCII."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "name", "language"))
        for n in range(rows):
            domain = DOMAINS[6] if n % 50 == 7 else DOMAINS[n % 6]
            address = f"user.{n:07d}@{domain}" if n % 20 else f"user.{n:07d} at {domain}"
            name = f"{FAMILY[n % 5]} {GIVEN[n % 7]} {n % 997}"
            writer.writerow((address, name, "vi" if n % 3 else "en"))


def opened(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    with database.begin() as conn:
        metadata.create_all(conn)
        create_list(conn, "news", name="News", now=NOW)
    return database


def load(folder: Path) -> int:
    database = opened(folder / "load.db")
    report = import_people(
        database, folder / "list.csv", list_slug="news", key=KEY, now=NOW, consent="bench", batch=2_000
    )
    assert report.rows == report.added + report.rejected, report
    return report.rows


def again(folder: Path) -> int:
    """The second run over what `load` has made: only look-ups."""
    database = Database(f"sqlite:///{folder / 'load.db'}")
    report = import_people(
        database, folder / "list.csv", list_slug="news", key=KEY, now=NOW, consent="bench", batch=2_000
    )
    assert report.rows == report.already + report.rejected, report
    return report.rows


TABLES = ("people", "subscriptions", "consents")


def raw(folder: Path) -> int:
    """Rows are fetched from `load`'s result batch by batch, outside the clock's count of CPU."""
    opened(folder / "raw.db").close()
    source, target = sqlite3.connect(folder / "load.db"), sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        target.execute(f"PRAGMA {pragma}")
    for table in ("lists", "consent_forms"):
        copied = source.execute(f"SELECT * FROM {table}").fetchall()
        marks = ",".join("?" * len(copied[0]))
        target.execute("DELETE FROM lists") if table == "lists" else None
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", copied)
    rows, spent = 0, 0.0
    cursors = {table: source.execute(f"SELECT * FROM {table} ORDER BY rowid") for table in TABLES}
    while True:
        chunks = {table: cursor.fetchmany(2_000) for table, cursor in cursors.items()}
        if not chunks["people"]:
            break
        begun = time.process_time()
        target.execute("BEGIN IMMEDIATE")
        for table, chunk in chunks.items():
            target.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(chunk[0]))})", chunk)
        target.execute("COMMIT")
        spent += time.process_time() - begun
        rows += len(chunks["people"])
    raw.spent = spent  # type: ignore[attr-defined]
    return rows


def judge(folder: Path) -> int:
    def judged() -> Iterator[bool]:
        with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    parse_address(row["email"])
                    yield True
                except InvalidAddress:
                    yield False

    return sum(1 for _ in judged())


def validator(folder: Path) -> int:
    from email_validator import EmailNotValidError, validate_email

    def judged() -> Iterator[bool]:
        with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    validate_email(row["email"], check_deliverability=False)
                    yield True
                except EmailNotValidError:
                    yield False

    return sum(1 for _ in judged())


CASES = {"load": load, "again": again, "raw": raw, "judge": judge, "validator": validator}


def measure(case: str, folder: Path) -> None:
    begun, wall = time.process_time(), time.perf_counter()
    rows = CASES[case](folder)
    spent = getattr(CASES[case], "spent", time.process_time() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": rows / spent, "wall": rows / (time.perf_counter() - wall), "peak": peak}))


def main(rows: int, rounds: int) -> None:
    found: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    print(f"{rows:,} rows, {rounds} rounds, load average {os.getloadavg()[0]:.1f}")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_list(folder / "list.csv", rows)
            for case, results in found.items():
                command = [sys.executable, __file__, "--case", case, str(folder)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results.append(json.loads(done.stdout))
    print("| case | rows per CPU second | rows per second | peak MB |\n|---|---|---|---|")
    for case, results in found.items():
        middle = {what: statistics.median(result[what] for result in results) for what in results[0]}
        print(f"| {case} | {middle['rate']:,.0f} | {middle['wall']:,.0f} | {middle['peak']:.0f} |")
    rates = [{case: results[turn]["rate"] for case, results in found.items()} for turn in range(rounds)]
    plain = [1 / (1 / rate["raw"] + 1 / rate["validator"]) for rate in rates]
    print(f"load ÷ raw: {statistics.median(rate['load'] / rate['raw'] for rate in rates):.2f}")
    ratios = (rate["load"] / path for rate, path in zip(rates, plain, strict=True))
    print(f"load ÷ plain: {statistics.median(ratios):.2f}")
    print(f"judge ÷ validator: {statistics.median(rate['judge'] / rate['validator'] for rate in rates):.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
