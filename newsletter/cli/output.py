"""How the verbs print: lines, tables, JSON, questions. Data go to standard output, everything else to standard error."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import typer

from newsletter.errors import BadInput


def say(text: str = "") -> None:
    typer.echo(printable(text))


def note(text: str) -> None:
    """For the person who looks on, not part of the data."""
    typer.echo(printable(text), err=True)


def printable(text: str) -> str:
    """Without control characters: a collected title must not be able to steer a terminal."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)


def emit(value: object) -> None:
    """One JSON document. Moments as ISO 8601, durations in seconds, addresses masked."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_jsonable))


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and not _masks_itself(value):
        return {entry.name: getattr(value, entry.name) for entry in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    return str(value)


def _masks_itself(value: Any) -> bool:
    return type(value).__name__ == "Address"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns under headings; on a terminal fitted to its width, elsewhere one row a line, never wrapped."""
    cells = [["" if cell is None else printable(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(headings, cells)
        return
    everything = [list(headings), *cells]
    widths = [max(len(row[at]) for row in everything) for at in range(len(headings))]
    for row in everything:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _rich_table(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in cells:
        made.add_row(*(Text(cell) for cell in row))
    Console().print(made)


def moment(at: datetime | None, timezone: str) -> str:
    """A moment as its wall clock in a zone: 2026-11-23 08:00 +07."""
    return at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M %Z") if at is not None else ""


def confirm(question: str, *, yes: bool) -> None:
    """Go on, or end with code 1. Without a terminal nobody can be asked: raises BadInput unless `yes`."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"this needs a confirmation: {question}", hint="add --yes")
    if not typer.confirm(question):
        note("nothing was changed")
        raise typer.Exit(1)
