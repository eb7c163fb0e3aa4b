"""A file of people, sent as the body of one request: read, judged and written batch by batch, answered with the report.

Running it twice changes nothing, so a request that broke off is simply sent again; it brings back nobody who left, bounced,
complained or was erased. The file lies in the data folder, for us alone, while it is read. No answer holds a row of it.
"""

import csv
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

import subscribers
from newsletter.model import Scope
from newsletter.web import imports
from newsletter.web.api.door import Asked, By, Room, Upload
from newsletter.web.api.problems import Problem, unprocessable
from newsletter.web.api.shapes import Shape
from subscribers import ImportReport, Reading

room = Room("import")

MOST_SHOWN = 1_000  # rejected rows in one answer; their number is always told


class RejectedShape(Shape):
    line: int
    column: str
    reason: str


class TableShape(Shape):
    name: str = Field(description="of a ZIP or workbook; else empty")
    format: str = Field(description="the program that wrote it, if it is known")
    encoding: str
    rows: int
    ignored: tuple[str, ...] = Field(description="columns nothing was read from")


class ConcernShape(Shape):
    reason: str
    count: int
    lines: tuple[int, ...] = Field(description="the first few")


class FindingsShape(Shape):
    mailed: int
    questionable: int
    concerns: tuple[ConcernShape, ...] = Field(description="of people who would be mailed and perhaps should not")
    held_back: tuple[ConcernShape, ...]


class ReportShape(Shape):
    """rows = added + already + updated + rejected + refused."""

    dry_run: bool
    rows: int
    added: int
    already: int
    updated: int
    rejected: int = Field(description="unusable")
    refused: int = Field(description="left, bounced, complained, erased, suppressed …")
    ended: int = Field(description="subscriptions that rest on imports alone and that this file says are over")
    refused_by_reason: dict[str, int]
    rejected_by_reason: dict[str, int]
    rejected_rows: tuple[RejectedShape, ...] = Field(
        description=f"the first {MOST_SHOWN:,}, without what stood in them"
    )
    tables: tuple[TableShape, ...]
    findings: FindingsShape | None = Field(description="of a dry run")


@room.does(
    "POST",
    "/import/subscribers",
    Scope.IMPORT,
    summary="Import a CSV, ZIP or XLSX of people into a list",
    kept=False,
    upload=True,
    problems=(404, 409, 503),
)
def import_subscribers(
    by: By,
    file: Upload,
    list: Annotated[str, Query(max_length=60, description="the list they join (slug)")],
    consent: Annotated[
        str,
        Query(min_length=1, max_length=500, description="where these people's consent can be found; kept as evidence"),
    ],
    dry_run: Annotated[bool, Query(description="say what would happen, change nothing")] = False,
    format: Annotated[
        str | None, Query(max_length=40, description="the program that wrote it; else it is looked at")
    ] = None,
    encoding: Annotated[str | None, Query(max_length=40, description="else it is looked at")] = None,
    delimiter: Annotated[
        str | None, Query(max_length=10, description="comma, semicolon, tab or pipe; else looked at")
    ] = None,
) -> ReportShape:
    """The body is the file itself, at most 64 MB; larger ones are imported by `newsletter subscribers import`.

    Exports of Mailchimp, listmonk, Ghost, Substack, Buttondown, beehiiv, Keila, Mailtrain and phpList are known by their
    header. One import at a time: another one meanwhile is 409.
    """
    if not by.site.importing.acquire(blocking=False):
        raise Problem(409, "another import is under way", headers={"Retry-After": "30"})
    reading = Reading(format=format, encoding=encoding, delimiter=delimiter)
    try:
        report = imports.run_file(
            by.app,
            file,
            list_slug=list,
            consent=consent,
            reading=reading,
            dry_run=dry_run,
            watch=_stop_between(by),
        )
    except subscribers.ImportProblem as error:  # its place is a path of ours
        raise unprocessable([{"field": "file", "reason": error.what}]) from None
    finally:
        by.site.importing.release()
    return _shape(report, dry_run=dry_run)


def _stop_between(by: Asked) -> Any:
    def watch(_rows: int, _octets: int) -> None:
        if by.app.stopping.is_set():
            raise Problem(503, "the server is stopping; send the file again: nothing is done twice")

    return watch


def _shape(report: ImportReport, *, dry_run: bool) -> ReportShape:
    found = report.findings
    return ReportShape(
        dry_run=dry_run,
        rows=report.rows,
        added=report.added,
        already=report.already,
        updated=report.updated,
        rejected=report.rejected,
        refused=report.refused,
        ended=report.ended,
        refused_by_reason=dict(report.refused_by_reason),
        rejected_by_reason=dict(report.rejected_by_reason),
        rejected_rows=tuple(_rejected(report.files)),
        tables=tuple(
            TableShape(
                name=one.name, format=one.format, encoding=one.encoding, rows=one.rows, ignored=tuple(one.ignored)
            )
            for one in report.tables
        ),
        findings=FindingsShape(
            mailed=found.mailed,
            questionable=found.questionable,
            concerns=tuple(_concern(one) for one in found.concerns),
            held_back=tuple(_concern(one) for one in found.held_back),
        )
        if found is not None
        else None,
    )


def _concern(found: Any) -> ConcernShape:
    return ConcernShape(reason=found.reason, count=found.count, lines=tuple(one.line for one in found.samples))


def _rejected(files: tuple[Path, ...]) -> list[RejectedShape]:
    """Line, column and reason of each; the row itself, which follows in the file, is left there."""
    found: list[RejectedShape] = []
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            next(rows, None)
            for row in rows:
                if len(found) >= MOST_SHOWN:
                    return found
                found.append(RejectedShape(line=int(row[0]), column=row[1], reason=row[2]))
    return found
