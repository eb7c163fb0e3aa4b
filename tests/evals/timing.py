"""Runs one call of the product and keeps what it gave, what it cost, and what it raised."""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Outcome(NamedTuple):
    """`seconds`: CPU of this process. `failure`: the error in one line, "" when there was none."""

    seconds: float
    failure: str


def timed(work: Callable[[], T], fallback: T) -> tuple[T, Outcome]:
    """What `work` gave, or `fallback` where it raised: a refusal is a result here, and so is a fault."""
    started = time.process_time()
    try:
        return work(), Outcome(time.process_time() - started, "")
    except Exception as error:
        return fallback, Outcome(time.process_time() - started, f"{type(error).__name__}: {error}")
