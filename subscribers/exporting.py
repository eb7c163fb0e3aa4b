"""A list as rows that import again as the same list. These rows hold addresses in the clear: for files people ask for.

`write_rows` puts them into a CSV, a ZIP of one, or a workbook, as a stream.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import IO, Any

from sqlalchemy import Connection, func, select

from subscribers.address import Address, reveal
from subscribers.errors import InvalidValue
from subscribers.lists import get_list
from subscribers.states import NotMailableReason, PersonState, SubscriptionState, SuppressionReason
from subscribers.suppression import DOMAIN, EVERYWHERE, domain_rules
from subscribers.tables import as_text, people, subscriptions, suppressions

EXPORT_COLUMNS = (
    *(
        "email",
        "name",
        "language",
        "time_zone",
        "attributes",
        "tags",
        "state",
        "since",
        "confirmed",
        "left",
        "paused_until",
    ),
    "topics",
)

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MAX_SHEET = 1_048_576  # rows of an Excel sheet
_MAX_CELL = 32_767  # characters of an Excel cell


class FileKind(StrEnum):
    CSV = "csv"
    ZIP = "zip"  # of one CSV
    XLSX = "xlsx"


def export_list(conn: Connection, list_slug: str) -> Iterator[dict[str, str]]:
    """One row per person by id, with the keys of EXPORT_COLUMNS. Streams: the caller reads within its transaction.

    Not there: the erased, and who has not confirmed (nobody may turn a pending wish into consent by moving a file).
    A bounced or complained person has that as state, and one nobody may write to, or to whose domain, `suppressed`. Raises
    UnknownList.
    """
    keys = [people.c.address_hash, *([DOMAIN + people.c.address_domain] if domain_rules(conn) else [])]
    barred = (
        select(func.min(suppressions.c.reason))
        .where(suppressions.c.key.in_(keys), suppressions.c.list_slug.in_((EVERYWHERE, list_slug)))
        .scalar_subquery()
    )
    mine = subscriptions.c
    query = (
        select(
            people,
            mine.state.label("subscription"),
            *(mine.since, mine.confirmed_at, mine.left_at, mine.paused_until, mine.topics),
            barred.label("barred"),
        )
        .join_from(subscriptions, people, people.c.id == mine.person_id)
        .where(
            mine.list_id == get_list(conn, list_slug).id,
            mine.state != SubscriptionState.PENDING,
            people.c.state != PersonState.ERASED,
        )
        .order_by(mine.person_id)
    )
    for row in conn.execute(query, execution_options={"yield_per": 1_000}):
        yield {
            "email": reveal(Address(row.address_local, row.address_domain)),
            "name": row.name,
            "language": row.language or "",
            "time_zone": row.time_zone or "",
            "attributes": json.dumps(row.attributes, ensure_ascii=False, sort_keys=True) if row.attributes else "",
            "tags": _joined(row.tags or ()),
            "state": _state(row),
            "since": as_text(row.since) if row.since else "",
            "confirmed": as_text(row.confirmed_at) if row.confirmed_at else "",
            "left": as_text(row.left_at) if row.left_at else "",
            "paused_until": as_text(row.paused_until) if row.paused_until else "",
            "topics": _joined(row.topics or ()),
        }


def _joined(words: Sequence[str]) -> str:
    """`a; b`, or a JSON list where a sign that parts words is part of one."""
    if any(set(word) & set(';,"[') for word in words):
        return json.dumps(words, ensure_ascii=False)
    return "; ".join(words)


def _state(row: Any) -> str:
    """The strongest reason not to write to them, in the words that an import takes back."""
    if row.state != PersonState.ACTIVE:
        return str(row.state)
    if row.subscription == SubscriptionState.UNSUBSCRIBED or row.barred is None:
        return str(row.subscription)
    told = row.barred in (SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED)
    return str(row.barred) if told else NotMailableReason.SUPPRESSED.value


def write_rows(rows: Iterable[Mapping[str, str]], file: IO[bytes], kind: FileKind, *, safe: bool = False) -> int:
    """Write rows of `export_list` to a binary file; returns how many. Flat memory, but for the index of a workbook.

    A CSV has every text as it is, so that it imports as the same list. A spreadsheet that opens it may run a name like
    `=HYPERLINK(…)`: `safe` puts an apostrophe before such texts, and such a file is for looking at only. In a workbook
    every cell is marked as text, which nothing runs. Raises InvalidValue for a text no workbook holds.
    """
    match kind:
        case FileKind.XLSX:
            return _write_workbook(rows, file)
        case FileKind.ZIP:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("people.csv", "w") as member:
                return _write_csv(rows, member, safe=safe)
        case FileKind.CSV:
            return _write_csv(rows, file, safe=safe)


def _write_csv(rows: Iterable[Mapping[str, str]], file: IO[bytes], *, safe: bool) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(EXPORT_COLUMNS)
    number = 0
    for row in rows:
        cells = [row[column] for column in EXPORT_COLUMNS]
        writer.writerow([disarmed(cell) for cell in cells] if safe else cells)
        number += 1
    text.flush()
    text.detach()
    return number


def disarmed(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _write_workbook(rows: Iterable[Mapping[str, str]], file: IO[bytes]) -> int:
    from openpyxl import Workbook  # 0.2 s: only who wants a workbook pays for it
    from openpyxl.cell import WriteOnlyCell

    def cell(column: str, text: str) -> Any:
        if len(text) > _MAX_CELL:
            raise InvalidValue("a text is too long for a workbook", where=column, hint="export CSV or ZIP instead")
        made = WriteOnlyCell(sheet, text or None)
        if text:
            made.data_type = "s"  # text, also where it begins like a formula
        return made

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    number = 0
    try:
        sheet.append(EXPORT_COLUMNS)
        for row in rows:
            if number and number % (_MAX_SHEET - 1) == 0:
                sheet = book.create_sheet()
                sheet.append(EXPORT_COLUMNS)
            sheet.append([cell(column, row[column]) for column in EXPORT_COLUMNS])
            number += 1
    except BaseException:
        for begun in book.worksheets:
            begun.close()  # ends its XML; else the collector of garbage complains about half a sheet
        raise
    book.save(file)
    return number
