"""F20: a big mailing, its sender killed every five seconds: memory stays bounded and invariant I holds to the last reader.

PROOF_PEOPLE sets how many (1,000,000 take an hour on two cores); in `make test` a thousand, killed twice.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliver.conftest import smtp
from tests.proof import sender
from tests.proof.invariant import hold_invariant

MANY = int(os.environ.get("PROOF_PEOPLE", "200000"))
MOST_MEMORY = 400  # MB of one sender, whatever the number of people


class Sink:
    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._file = process, folder / "taken.json"
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def counts(self) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self._file}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()
        found: dict[str, int] = json.loads(self._file.read_text(encoding="utf-8"))
        return found


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    path = Path(__file__).parent / "fastsink.py"
    with subprocess.Popen(
        [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Sink(process, tmp_path)
        assert process.stdin is not None
        process.stdin.close()


def memory(process) -> int:
    """The most it ever had, in MB."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.proof)], indirect=True)
@pytest.mark.parametrize(
    ("people", "pause", "most_kills"),
    [(1_500, 0.5, 2), pytest.param(MANY, 5.0, 10_000, id="many", marks=pytest.mark.proof)],
)
def test_a_big_mailing_killed_again_and_again(make_app, frozen_for, sink, told, people, pause, most_kills):
    app = make_app(dkim={}, transport=smtp(sink.port, connections=5))
    mailing_id = frozen_for(app, people)
    kills, most = 0, 0
    began = time.monotonic()
    while True:
        process = sender.start(app)
        deadline = time.monotonic() + pause
        while process.is_alive() and (time.monotonic() < deadline or kills == most_kills):
            process.join(0.1)
            most = max(most, memory(process))
        if not process.is_alive():
            break
        process.kill()
        process.join()
        kills += 1
    assert process.exitcode == 0
    seconds = time.monotonic() - began
    books = hold_invariant(app, mailing_id, sink.counts(), unknown=kills * 5 * 8)
    assert most < MOST_MEMORY
    told("F20", f"{kills} kills in {seconds:.0f} s, {most} MB at most, {books}")
