"""The body of one request as a file of ours (see newsletter/web/uploads.py), which must never grow beyond MOST."""

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from newsletter.web.api.problems import Problem
from newsletter.web.uploads import MOST, folder, remove

__all__ = ["MOST", "folder", "remove", "store"]

_PIECE = 1 << 20


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
