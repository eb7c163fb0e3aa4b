"""A sender lives as long as it holds its lock; the kernel lets go of it at any death."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from newsletter.deliver import worker


def start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    code = (
        "import sys,time\nfrom pathlib import Path\nfrom newsletter.deliver.worker import Worker\n"
        "with Worker(Path(sys.argv[1])) as me:\n    print(me.name, flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_living_sender_is_not_dead_and_a_killed_one_is(tmp_path):
    process, name = start(tmp_path)
    try:
        assert worker.gone(tmp_path, [name]) == ([], [])
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert worker.gone(tmp_path, [name]) == ([name], [])
        assert worker.gone(tmp_path, [name]) == ([name], [])  # until the ledger knows
        worker.forget(tmp_path, [name])
        assert not list(tmp_path.glob("*.lock"))
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_sender_that_ended_by_itself_is_gone_and_did_not_die(tmp_path):
    with worker.Worker(tmp_path) as me:
        assert worker.gone(tmp_path, [me.name]) == ([], [])
    assert worker.gone(tmp_path, [me.name]) == ([], [me.name])
    assert list(tmp_path.glob("*.lock")) == []


def test_senders_of_another_folder_are_judged_by_their_lease_alone(tmp_path):
    with worker.Worker(tmp_path / "there") as other:
        pass
    assert worker.gone(tmp_path / "here", [other.name]) == ([], [])
