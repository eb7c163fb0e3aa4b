"""Runs a reader of hostile files in a child process with bounds on time and memory; both sides of the pipe are here.

The child is this file run by its path, so that it imports nothing of the program: a reader is a file with
`read(body: bytes) -> dict[str, str]`. Its own errors come back as `{"error": …, "hint": …}`. Must never let a child
outlive its call, write a file, or take more than MEMORY.
"""

import json
import runpy
import subprocess
import sys
from pathlib import Path

CPU = 10  # seconds of processor time
PATIENCE = 30  # seconds on the clock: a loaded machine gives a child its ten only slowly
MEMORY = 512 << 20  # bytes of address space, the interpreter's own 60 MB included


class TooMuch(Exception):
    """The child needed more than it may have, or broke; its one argument says which, for a person."""


def run_bounded(reader: Path, body: bytes, *, cpu: int = CPU, memory: int = MEMORY) -> dict[str, str]:
    """What the reader's `read(body)` returned. Raises TooMuch."""
    command = [sys.executable, "-P", __file__, str(reader), str(cpu), str(memory)]
    try:
        done = subprocess.run(command, input=body, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise TooMuch(f"reading it takes longer than {PATIENCE} seconds") from error
    if done.returncode < 0:  # by the kernel: SIGXCPU, or no memory
        raise TooMuch(f"reading it takes more than {cpu} seconds or {memory >> 20} MB")
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no answer"]
        raise TooMuch(f"its reader broke: {last[0][:200]}") from error
    return {name: value for name, value in answer.items() if isinstance(value, str)}


# ---------------------------------------------------------------- the child


def _bind(cpu: int, memory: int) -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _child(reader: str, cpu: int, memory: int) -> dict[str, str]:
    _bind(cpu, memory)
    try:
        found: dict[str, str] = runpy.run_path(reader)["read"](sys.stdin.buffer.read())
        return found
    except MemoryError:
        return {"error": f"reading it takes more than {memory >> 20} MB"}
    except RecursionError:
        return {"error": "it is nested too deeply"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_child(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
