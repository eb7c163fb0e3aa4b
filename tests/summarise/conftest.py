"""Texts of our own invention: articles about institutes that do not exist."""

from collections.abc import Callable
from pathlib import Path

import pytest

TEXTS = Path(__file__).parent / "texts"


@pytest.fixture
def article() -> Callable[[str], tuple[str, str]]:
    """(title, text) of a file in texts/: its first line and all after it."""

    def read(name: str) -> tuple[str, str]:
        title, text = (TEXTS / f"{name}.txt").read_text(encoding="utf-8").split("\n", 1)
        return title, text.strip()

    return read
