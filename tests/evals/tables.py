"""Figures as Markdown tables: what a person reads, and what is pasted into a note. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: the first cell names the row. `below`: remarks, one line each."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    below: Sequence[str] = field(default=())


def markdown(table: Table) -> str:
    """The table with its title as a heading; columns padded, so that it also reads well on a terminal."""
    lines = [list(table.columns), *map(list, table.rows)]
    widths = [max(3, *(len(line[at]) for line in lines)) for at in range(len(table.columns))]
    head, *rest = (_line(line, widths) for line in lines)
    ruler = "|" + "|".join(("-" if at == 0 else "-:").rjust(width + 2, "-") for at, width in enumerate(widths)) + "|"
    remarks = ["", *(f"- {remark}" for remark in table.below)] if table.below else []
    return "\n".join([f"## {table.title}", "", head, ruler, *rest, *remarks])


def row(name: str, cells: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    """A line of a table from cells by column name; what is not known is a dash."""
    return [name, *(cells.get(column, "-") for column in columns[1:])]


def share(values: Iterable[float | bool | None]) -> str:
    """Mean of the known values and how many they are: "0.953 (463)"; a dash without any."""
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.3f} ({len(known)})" if known else "-"


def out_of(values: Iterable[bool | None]) -> str:
    """ "3 of 20" of the known values; a dash without any."""
    known = [value for value in values if value is not None]
    return f"{sum(known)} of {len(known)}" if known else "-"


def per_second(count: int, seconds: float) -> str:
    return f"{count / seconds:.1f}" if count and seconds > 0 else "-"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if at == 0 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"
