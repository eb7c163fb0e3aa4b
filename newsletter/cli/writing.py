"""Writes files that must not be there yet: keys and settings are never overwritten."""

import os
from pathlib import Path

from newsletter.errors import ConfigError


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """`mode` counts from the first octet on: a key is at no moment readable by others. Raises ConfigError if it is there."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise ConfigError(
            "there is such a file already, and it is not overwritten", where=str(path), hint="move it away first"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)
