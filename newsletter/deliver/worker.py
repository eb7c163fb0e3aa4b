"""Who a sender is, and whether it still lives. A lock on a file says so: the kernel lets go of it at any death, SIGKILL too.

A sender's name begins with the name of the folder its lock lies in, so that nobody judges senders of another installation
that share the database: those are judged by their lease alone.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

from newsletter.model import new_id


class Worker:
    """One sender process. While it lives it holds a lock on `folder/NAME.lock`; used as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"{_place(folder)}:{new_id()}"
        self._file: IO[str] | None = None

    def __enter__(self) -> "Worker":
        self._file = _path(self.folder, self.name).open("w", encoding="ascii")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            _path(self.folder, self.name).unlink(missing_ok=True)
            self._file.close()


class Gone(NamedTuple):
    """Senders of this folder that work no more: killed, or ended by themselves, if only by an error."""

    dead: list[str]
    ended: list[str]


def gone(folder: Path, names: Iterable[str]) -> Gone:
    """Those of `names` that are this folder's and hold no lock any more. To be forgotten once the ledger knows."""
    found, here = Gone([], []), _place(folder)
    for name in names:
        if not name.startswith(f"{here}:"):
            continue
        try:
            with _path(folder, name).open("r+", encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.dead.append(name)
        except FileNotFoundError:
            found.ended.append(name)
        except BlockingIOError:
            continue
    return found


def forget(folder: Path, dead: Iterable[str]) -> None:
    """What they held has been taken back."""
    for name in dead:
        _path(folder, name).unlink(missing_ok=True)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name.rsplit(':', 1)[1]}.lock"


def _place(folder: Path) -> str:
    """The folder's own name, given at first use; whoever is first gives it."""
    path = folder / "place"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        mine = folder / f"place.{new_id()}"
        mine.write_text(new_id(), encoding="ascii")
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    return path.read_text(encoding="ascii")
