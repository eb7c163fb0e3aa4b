"""A file that is sent to us, as long as it is looked at: in a folder of its own that only we can read, removed afterwards.

It holds addresses, and it must never grow beyond MOST.
"""

import shutil
import tempfile
import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from newsletter.web.api.problems import Problem

MOST = 64 << 20  # octets: about a million rows
_PREFIX = "upload-"
_LEFT_BEHIND = 24 * 60 * 60  # seconds after which a folder is of a process that died
_PIECE = 1 << 20


def folder(data_dir: Path) -> Path:
    """A fresh one; what a process that died left behind goes."""
    for old in data_dir.glob(f"{_PREFIX}*"):
        if time.time() - old.stat().st_mtime > _LEFT_BEHIND:
            remove(old)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=data_dir))  # mode 0700


def remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


async def store(request: Request, where: Path) -> Path:
    """The whole body as a file. Raises Problem when it is too large or empty."""
    path, size, waiting = where / "file", 0, bytearray()
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MOST:
                raise Problem(413, f"a file has at most {MOST >> 20} MB", headers={"Connection": "close"})
            waiting += chunk
            if len(waiting) >= _PIECE:
                await run_in_threadpool(file.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(file.write, bytes(waiting))
    if size == 0:
        raise Problem(422, "the body is the file; there was none")
    return path
