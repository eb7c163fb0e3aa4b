"""A file that is sent to us, as long as it is looked at: in a folder of its own that only we can read, removed afterwards.

It holds addresses, and it must never grow beyond MOST. Its sender's name for it is shown, never used as a path.
"""

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

MOST = 64 << 20  # octets: about a million rows
PREFIX = "upload-"
LONGEST_FIELDS = 64 << 10  # octets of everything in a form but its file
_MOST_FIELDS = 20
_LONGEST_NAME = 120
_HEARD_OUT = 8  # times MOST: a browser reads our answer only when it could send all it had
_LEFT_BEHIND = 24 * 60 * 60  # seconds after which a folder is of a process that died


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A posted form with a file. `path` None: no file, an empty one, or (`too_large`) one beyond MOST."""

    fields: dict[str, str]
    path: Path | None = None
    name: str = ""
    size: int = 0
    too_large: bool = False


def folder(data_dir: Path) -> Path:
    """A fresh one; what a process that died left behind goes."""
    for old in data_dir.glob(f"{PREFIX}*"):
        if time.time() - old.stat().st_mtime > _LEFT_BEHIND:
            remove(old)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=data_dir))  # mode 0700


def remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


class _TooLarge(Exception):
    pass


async def read_form(request: Request, where: Path) -> Uploaded:
    """A multipart form whose file goes into `where` piece by piece."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        while True:
            message = await request.receive()
            size += len(message.get("body", b""))
            if size <= MOST + LONGEST_FIELDS:
                return message
            if not message.get("more_body") or size > MOST * _HEARD_OUT:
                raise _TooLarge

    try:
        form = await Request(request.scope, counted).form(max_files=1, max_fields=_MOST_FIELDS)
    except _TooLarge:
        return Uploaded(fields={}, too_large=True)
    except (HTTPException, MultiPartException):  # no form: then it has no fields
        return Uploaded(fields={})
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    sent = next((value for value in form.values() if isinstance(value, UploadFile)), None)
    try:
        if sent is None or not sent.size:
            return Uploaded(fields=fields)
        path = where / "file"
        await run_in_threadpool(_copy, sent, path)
        return Uploaded(fields=fields, path=path, name=_shown(sent.filename or ""), size=sent.size)
    finally:
        await form.close()


def _copy(sent: UploadFile, path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(sent.file, file, 1 << 20)


def _shown(name: str) -> str:
    """The last part of what a browser calls the file, to be read by people."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[-_LONGEST_NAME:]
