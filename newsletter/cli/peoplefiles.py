"""subscribers import, subscribers export: people from and to files. What is printed names nobody: addresses are masked."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any

import typer

import subscribers
from newsletter.cli.opening import opened, working
from newsletter.cli.output import emit, note, say
from newsletter.errors import BadInput
from newsletter.store import newsletters
from subscribers import FileKind, Findings, ImportReport, Reading

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and who should not be mailed.")]
ListSlug = Annotated[str, typer.Option("--list", metavar="SLUG", help="See `newsletter subscribers lists`.")]


def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV, a ZIP of CSVs or an XLSX, with a column of addresses.")],
    *,
    list_slug: ListSlug,
    consent: Annotated[str, typer.Option(help="Where these people's consent can be found; kept as evidence.")],
    rejected: Annotated[
        Path | None,
        typer.Option(help="Where unusable rows go, with line, column and reason; else FILE.rejected.csv."),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="The program that wrote the file, or `plain`; else its header tells.")
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(metavar="MEANING=COLUMN", help="Like email=Contact, attributes.phone=3 (number from 1); repeat."),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Not to be read, whatever it is called; repeat.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Like utf-8 or windows-1258; else looking tells.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="comma, semicolon, tab or pipe; else looking tells.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Subscribe the people of a file. Doing it twice changes nothing; whoever left is not brought back.

    Exports of Mailchimp (also the ZIP), listmonk, Ghost, Substack, Buttondown, beehiiv, Keila, Mailtrain and phpList
    are known by their header, with the states they use. Try --dry-run first.
    """
    if not file.is_file():
        raise BadInput("there is no such file", where=str(file))
    size = file.stat().st_size
    if rejected is None and not dry_run:
        rejected = file.with_name(file.name + ".rejected.csv")
    reading = Reading(
        encoding=encoding, delimiter=delimiter, format=format, columns=_mapping(map or []), skipped=skip or ()
    )
    with working(ctx) as app:

        def watch(rows: int, octets: int) -> None:
            app.watch("import", f"{rows:,} rows", min(octets, size), size)
            if app.stopping.is_set():  # between two batches: each is a transaction of its own
                raise KeyboardInterrupt

        with app.db.read() as conn:
            language = newsletters.language_of_list(conn, list_slug) or app.settings.language
        report = subscribers.import_people(
            app.db,
            file,
            list_slug=list_slug,
            key=app.suppression_key,
            now=app.clock.now(),
            consent=consent,
            reading=replace(reading, language=language),
            on_progress=watch,
            dry_run=dry_run,
            rejected_path=rejected,
        )
    if as_json:
        emit(_as_data(report) | {"dry_run": dry_run})
    else:
        _tell(report, dry_run=dry_run)


def _mapping(given: list[str]) -> Mapping[str, str]:
    """`["email=Contact"]` → `{"email": "Contact"}`. Raises BadInput."""
    pairs = [text.partition("=") for text in given]
    for meaning, equals, column in pairs:
        if not (meaning.strip() and equals and column.strip()):
            raise BadInput("a mapping is MEANING=COLUMN", where="--map", hint="like --map email=Contact")
    return {meaning.strip(): column.strip() for meaning, _, column in pairs}


_NUMBERS = ("rows", "added", "already", "updated", "rejected", "refused", "ended")
_MOST_REASONS = 10  # shown; the file of rejected rows has them all


def _as_data(report: ImportReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in _NUMBERS} | {
        "resumed": report.resumed,
        "refused_by_reason": report.refused_by_reason,
        "rejected_by_reason": report.rejected_by_reason,
        "rejected_file": report.file,
        "rejected_files": report.files,
        "tables": report.tables,
        "left_out": report.left_out,
        "findings": report.findings,
    }


def _tell(report: ImportReport, *, dry_run: bool) -> None:
    for name in _NUMBERS:
        say(f"{name:<9}{getattr(report, name):>9,}")
    for reason, number in report.refused_by_reason.items():
        say(f"  refused, {reason}: {number:,}")
    for reason, number in islice(report.rejected_by_reason.items(), _MOST_REASONS):
        say(f"  rejected, {reason}: {number:,}")
    for path in report.files:
        say(f"rejected rows, to be mended and imported: {path}")
    _tell_tables(report)
    if report.findings is not None:
        _tell_findings(report.findings)
    if report.resumed:
        say(
            f"went on where a run that was stopped had come to: {report.resumed:,} rows were taken by it, and are counted here"
        )
    if dry_run:
        say("dry run: nothing was written")


def _tell_tables(report: ImportReport) -> None:
    for table in report.tables:
        dress = ", ".join(filter(None, (table.format, table.encoding, table.delimiter)))
        note(f"{table.name or 'read'}: {table.rows:,} rows; {dress} ({table.evidence})")
        note("  read as: " + ", ".join(f"{column} = {meaning}" for column, meaning in table.read))
        if not table.header:
            note("  the first row is a person, so the file has no header; only addresses were read, or what --map says")
        if table.ignored:
            note("  columns nothing was read from: " + ", ".join(table.ignored))
        for column, number in table.losses.items():
            note(f"  {column} not understood and left blank: {number:,}")
    if report.left_out:
        note("left out, because no column holds addresses: " + ", ".join(report.left_out))


def _tell_findings(found: Findings) -> None:
    say(f"would be mailed: {found.mailed:,}, of these worth a second look: {found.questionable:,}")
    for one in (*found.concerns, *found.held_back):
        say(f"  {one.reason}: {one.count:,}" + ("" if one in found.concerns else " (not mailed)"))
        for sample in one.samples:
            place = f"{sample.table}, line {sample.line}" if sample.table else f"line {sample.line}"
            say(f"    {place}: {sample.address}" + (f" ({sample.hint}?)" if sample.hint else ""))


# ---------------------------------------------------------------- export


def export(
    ctx: typer.Context,
    list_slug: ListSlug,
    out: Annotated[
        Path | None, typer.Option(help="A .csv, .zip or .xlsx file, readable by you alone; else standard output.")
    ] = None,
    safe: Annotated[
        bool,
        typer.Option(
            "--safe",
            help="For looking at a CSV in a spreadsheet: an apostrophe before texts that begin like a formula. Such a "
            "file does not import as the same list.",
        ),
    ] = False,
) -> None:
    """Write the people of a list, with their addresses; `import` takes the file back."""
    kind = _kind(out)
    with opened(ctx) as app, app.db.read() as conn:
        rows = subscribers.export_list(conn, list_slug)
        first = next(rows, None)  # an unknown list is refused before a file is made
        with _private(out) as file:
            number = subscribers.write_rows(_chained(first, rows), file, kind, safe=safe)
    note(f"{number:,} people")


def _kind(out: Path | None) -> FileKind:
    """By the file's name; everything else is CSV."""
    suffix = out.suffix.lower().removeprefix(".") if out is not None else ""
    return FileKind(suffix) if suffix in tuple(FileKind) else FileKind.CSV


def _chained(first: dict[str, str] | None, rest: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    if first is not None:
        yield first
        yield from rest


@contextmanager
def _private(path: Path | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file
