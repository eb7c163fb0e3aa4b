"""Which error ends the program with which code, and its one line on standard error. Imports nothing heavy."""

import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from newsletter.errors import NewsletterError, TransportDown

WRONG, USAGE, TRANSPORT_DOWN, NOTHING_TO_DO = 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What stands before the verb."""

    config: Path | None = None


def exit_code_of(error: Exception) -> int | None:
    """Say the error in one line and give its exit code; None for a fault of ours, which deserves its traceback."""
    line = _line(error)
    if line is None:
        return None
    typer.echo("error: " + " ".join(line.split()), err=True)
    return TRANSPORT_DOWN if isinstance(error, TransportDown) else WRONG


def _line(error: Exception) -> str | None:
    if isinstance(error, NewsletterError) or _is_a(error, "subscribers", "SubscribersError"):
        return str(error)
    damaged = type(error).__name__ == "DatabaseError"  # exactly: its subclasses but the next are faults of ours
    if damaged or _is_a(error, "newsletter.store", "DatabaseUnavailable"):
        return f"the database cannot be used: {getattr(error, 'orig', error)}"
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return f"{error.filename}: {error.strerror or error}" if error.filename is not None else str(error)
    return None


def _is_a(error: Exception, module: str, name: str) -> bool:
    """Whether it is that error, without importing the module: unless it is loaded, nobody can have raised it."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(error, kind)
