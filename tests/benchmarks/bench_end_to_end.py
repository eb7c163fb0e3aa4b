"""A whole mailing, per CPU second of the sender: claim, build, (sign,) send, record, beside nodemailer and a plain Python sender.

    python tests/benchmarks/bench_end_to_end.py [--rounds 5] [--ours 10000] [--theirs 600] [--only plain|signed]

Ours is `deliver.run` on a copy of one frozen site: SQLite at synchronous=FULL, every intent durable before its message's
final dot, every result recorded; its CPU counts all threads and children, from the first claim to the closed sum. The peers
(peers.py) keep no ledger and make nothing durable. All send the same decoded parts (looked at first, in a sample that the
sink keeps) to one smtp-sink, in turn; the sink must have counted every message. The sender is held to one core, the sink to
the other. CPU figures are medians, ratios medians of the rounds' own. Needs Postfix's smtp-sink, node and npm.
"""

import argparse
import email
import email.policy
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from newsletter import deliver  # noqa: E402
from newsletter import main as root  # noqa: E402
from newsletter.store import receipts  # noqa: E402
from tests.benchmarks import digest, peers  # noqa: E402
from tests.benchmarks.bench_smtp import cpu_of  # noqa: E402
from tests.benchmarks.tools import need  # noqa: E402

HERE = Path(__file__).resolve()
SAMPLE = 40
CORES = sorted(os.sched_getaffinity(0))


class Took(NamedTuple):
    wall: float
    cpu: float
    sink: float  # CPU seconds of the sink meanwhile
    count: int


def on(core: int) -> None:
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[core]})


class Sink:
    """Postfix's smtp-sink on a free port; `messages` is its own count."""

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._said = folder / f"sink-{self.port}.txt"
        self.kept = folder / f"kept-{self.port}"
        self.kept.mkdir(mode=0o777)
        self.kept.chmod(0o777)
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        more = ["-d", f"{self.kept}/m."] if keep else []
        self.process = subprocess.Popen(
            ["smtp-sink", "-c", *user, *more, f"127.0.0.1:{self.port}", "256"],
            stdout=self._said.open("wb"),
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: on(-1),
        )
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)

    @property
    def messages(self) -> int:
        found = re.findall(rb"mesg=(\d+)", self._said.read_bytes())
        return int(found[-1]) if found else 0

    @property
    def cpu(self) -> float:
        return cpu_of(self.process.pid)


@contextmanager
def sink(folder: Path, *, keep: bool = False) -> Iterator[Sink]:
    made = Sink(folder, keep=keep)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


# ---------------------------------------------------------------- ours, in a process of its own


def send_ours(folder: Path, port: int, signed: bool, connections: int) -> None:
    site = digest.opened(digest.settings(folder, port=port, signed=signed, connections=connections))
    app = site.app
    before, start = _spent(), time.perf_counter()
    deliver.run(app, app.clock.now())
    wall, cpu = time.perf_counter() - start, _spent() - before
    with app.db.read() as conn:
        counts = receipts.count(conn, site.mailing.id)
    assert counts.sent == counts.frozen, counts
    root.close(app)
    print(json.dumps({"wall": wall, "cpu": cpu}))


def _spent() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# ---------------------------------------------------------------- in turn


class Bench:
    """`sites`: people → a folder with a site frozen for so many."""

    def __init__(self, folder: Path, sizes: tuple[int, ...], connections: int) -> None:
        self.folder, self.connections = folder, connections
        self.sites: dict[int, Path] = {}
        self.given: dict[int, Path] = {}
        for size in sizes:
            self.sites[size] = folder / f"site-{size}"
            site = digest.frozen(digest.settings(self.sites[size]), size)
            digest.key_file(self.sites[size])
            self.given[size] = folder / f"given-{size}.json"
            digest.for_peers(site, self.given[size], size)
            root.close(site.app)
        self._node = peers.nodemailer()

    @property
    def ways(self) -> list[str]:
        return ["ours", *(["nodemailer"] if self._node else []), "python"]

    def run(self, way: str, to: Sink, count: int, signed: bool) -> Took:
        flag = "1" if signed else "0"
        given, extra = self.given[count if count in self.given else max(self.given)], peers.WARM
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            if way == "ours":
                extra, copy = 0, Path(name) / "site"
                shutil.copytree(self.sites[count], copy)
                command = [sys.executable, str(HERE), "--send", str(copy), str(to.port), flag, str(self.connections)]
            elif way == "nodemailer":
                command = ["node", str(self._node), str(given), str(to.port), str(count), flag]
            else:
                command = [sys.executable, str(peers.__file__), str(given), str(to.port), str(count), flag]
            messages, spent = to.messages, to.cpu
            found = subprocess.run(command, check=True, stdout=subprocess.PIPE, preexec_fn=lambda: on(0), cwd=ROOT)
        answer = json.loads(found.stdout.splitlines()[-1])
        took = Took(answer["wall"], answer["cpu"], to.cpu - spent, count)
        time.sleep(0.05)
        assert to.messages - messages == count + extra, f"{way}: the sink counted {to.messages - messages}"
        return took


def filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda gap: values[gap[1]], text)


def look_at(bench: Bench, signed: bool) -> None:
    """Every way's messages, as the sink kept them, have the parts that the data say."""
    given = json.loads(bench.given[SAMPLE].read_text(encoding="utf-8"))
    readers = {one["email"]: one for one in given["readers"]}
    for way in bench.ways:
        with sink(bench.folder, keep=True) as to:
            bench.run(way, to, SAMPLE, signed)
            kept = list(to.kept.iterdir())
        seen = set()
        for path in kept:
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            reader = readers[message["To"].addresses[0].addr_spec]
            seen.add(reader["email"])
            assert ("DKIM-Signature" in message) is signed, way
            for kind in ("plain", "html"):
                wanted = filled(given["text" if kind == "plain" else "html"], reader)
                part = message.get_body((kind,))
                assert part is not None
                found = part.get_payload(decode=True).decode().replace("\r\n", "\n")
                assert found.strip() == wanted.strip(), f"{way}: {kind} of {path} differs"
        assert seen == set(readers), f"{way}: {len(seen)} of {len(readers)} readers"


def compare(bench: Bench, signed: bool, *, rounds: int, ours: int, theirs: int) -> None:
    look_at(bench, signed)
    found: dict[str, list[Took]] = {way: [] for way in bench.ways}
    with sink(bench.folder) as to:
        for _ in range(rounds):
            for way in bench.ways:
                found[way].append(bench.run(way, to, ours if way == "ours" else theirs, signed))
    name = "rsa-2048" if signed else "none"
    for way, took in found.items():
        rate = median(one.count / one.cpu for one in took)
        ratios = [(us.count / us.cpu) / (one.count / one.cpu) for us, one in zip(found["ours"], took, strict=True)]
        spread = f" ({min(ratios):.1f}-{max(ratios):.1f})" if way != "ours" else ""
        busy = median(one.sink / one.wall for one in took)
        bound = " sink-bound" if busy > 0.9 else ""
        wall = median(one.count / one.wall for one in took)
        ours = f"{median(ratios):.1f} ×{spread}"
        print(
            f"| {way} | {name} | {rate:,.0f} | {1e6 / rate:,.0f} | {ours} | {wall:,.0f} | {busy:.2f}{bound} |",
            flush=True,
        )
    print(f"  (load {os.getloadavg()[0]:.1f})", file=sys.stderr)


def main() -> None:
    if sys.argv[1:2] == ["--send"]:
        folder, port, signed, connections = sys.argv[2:]
        send_ours(Path(folder), int(port), signed == "1", int(connections))
        return
    reader = argparse.ArgumentParser()
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--ours", type=int, default=10_000)
    reader.add_argument("--theirs", type=int, default=600)
    reader.add_argument("--connections", type=int, default=50)
    reader.add_argument("--only", choices=("plain", "signed"))
    options = reader.parse_args()
    need("smtp-sink", "postfix")
    need("npm", "npm")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        bench = Bench(folder, (SAMPLE, options.theirs, options.ours), options.connections)
        print(
            "| sender | DKIM | messages per CPU s | µs | ours to it | messages/s | sink, cores |\n|---|---|---|---|---|---|---|"
        )
        for signed in (False, True):
            if options.only != ("plain" if signed else "signed"):
                compare(bench, signed, rounds=options.rounds, ours=options.ours, theirs=options.theirs)


if __name__ == "__main__":
    main()
