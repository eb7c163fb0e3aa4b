"""Reading evaluation sets: JSON Lines beside the files they name. The folder is always the caller's."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any


def records(path: Path, limit: int | None) -> Iterator[dict[str, Any]]:
    """The first `limit` records of a `.jsonl` file, all when it is None. Raises ValueError with the line's number."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(islice((line for line in lines if line.strip()), limit), 1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}: record {number} is not JSON: {error.msg}") from error
            if not isinstance(record, dict):
                raise ValueError(f"{path}: record {number} is not an object")
            yield record


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked when it is `.gz`."""
    body = path.read_bytes()
    return gzip.decompress(body) if path.suffix == ".gz" else body
