"""Feed bodies that break readers, each read and its entries told apart in a process of its own: its CPU, memory and result."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from newsletter.collect.feeds.feed import read_feed
from newsletter.collect.identity.match import entries
from newsletter.errors import SourceError
from tests.evals.tables import Table
from tests.fakes.hostile_feeds import BODIES, rss

MOST_SECONDS, MOST_MB = 1.0, 200
_KILLED_AFTER = 60


def measure() -> Iterator[Table]:
    found = {name: _apart(name) for name in BODIES}
    within = [f["seconds"] <= MOST_SECONDS and f["mb"] <= MOST_MB for f in found.values() if "error" not in f]
    slowest = sorted(found, key=lambda name: -float(found[name].get("seconds", _KILLED_AFTER)))[:6]
    rows = [
        [name, f"{found[name].get('seconds', '-')}", f"{found[name].get('mb', '-')}", str(found[name]["result"])]
        for name in slowest
    ]
    yield Table(
        title="Hostile feed bodies",
        columns=("the slowest", "CPU s", "MB above the empty reader", "came to"),
        rows=rows,
        below=[
            f"{sum(within)} of {len(BODIES)} within {MOST_SECONDS} s CPU and {MOST_MB} MB",
            f"died or hung: {', '.join(name for name, f in found.items() if 'error' in f) or 'none'}",
        ],
    )


def _apart(name: str) -> dict[str, object]:
    command = [sys.executable, "-m", "tests.evals.hostile"]
    try:  # the body comes from outside: building it here would raise the mark that memory is measured from
        done = subprocess.run(command, input=BODIES[name](), capture_output=True, timeout=_KILLED_AFTER, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        return {"error": True, "result": f"{type(error).__name__}"}
    result: dict[str, object] = json.loads(done.stdout)
    return result


def _read(body: bytes) -> dict[str, object]:
    """In the child. What the body itself takes is not counted: it lies in memory before the clock starts."""
    read_feed(rss(""), url="http://vien.example/feed")
    before, start = _peak(), time.process_time()
    try:
        feed = read_feed(body, url="http://vien.example/feed")
        entries(feed.entries, "s")
        result = f"{len(feed.entries)} entries" + (", more were there" if feed.truncated else "")
    except SourceError as error:
        result = f"refused: {error.what}"
    spent = time.process_time() - start
    return {"seconds": round(spent, 2), "mb": round((_peak() - before) / 1024), "result": result}


def _peak() -> int:
    """kB this process ever held (Linux; getrusage would tell the parent's peak, which outlives the exec)."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


if __name__ == "__main__":
    print(json.dumps(_read(sys.stdin.buffer.read())))
