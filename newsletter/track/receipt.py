"""The receipt of an issue: what became of everybody it was frozen for, and the sum that closes. Ids, never addresses.

Written piece by piece, because an issue may have a million readers: nothing here holds more than a page of rows.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from newsletter.errors import NotAllowed
from newsletter.model import Counts, Issue, MailingId
from newsletter.store import Connection, events, mailings, newsletters, receipts

COLUMNS = (
    *("row", "person", "state", "people", "reason", "reply", "reply_kind", "provider_id", "tries", "language"),
    *("frozen_at", "changed_at"),
)
SUMS = ("frozen", "sent", "failed", "skipped", "unknown", "open")
_ISSUE = ("id", "number", "occurrence", "state", "subject", "send_at", "content_hash", "approved_by", "approved_at")


def head(conn: Connection, issue: Issue) -> dict[str, Any]:
    """The issue, what was approved, when it left, the sum, and what came back. Raises NotAllowed: nobody is frozen yet."""
    mailing_id = _mailing(issue)
    mailing, counts = mailings.get(conn, mailing_id), receipts.count(conn, mailing_id)
    if not counts.frozen:
        raise NotAllowed(f"the issue is {issue.state}; nobody was frozen for it", where=issue.id)
    return {
        "newsletter": newsletters.get(conn, issue.newsletter_id).slug,
        **{name: getattr(issue, name) for name in _ISSUE},
        "mailing": mailing_id,
        "started_at": mailings.started_at(conn, mailing_id),
        "mailing_state": mailing.state,
        "sum": sums(counts),
        "closes": counts.balanced and not counts.open,
        "came_back": dict(events.count(conn, mailing_id)),
        "counts": asdict(counts),
    }


def sums(counts: Counts) -> dict[str, int]:
    """frozen = sent + failed + skipped + unknown + open."""
    return {name: getattr(counts, name) for name in SUMS}


def as_json(conn: Connection, issue: Issue) -> Iterator[str]:
    """One JSON document: `head` and `deliveries`, one a line."""
    opening = json.dumps(head(conn, issue), ensure_ascii=False, default=_plain)
    yield opening[:-1] + ', "deliveries": ['
    comma = "\n"
    for row in receipts.rows(conn, _mailing(issue)):
        yield comma + json.dumps(_person(row), ensure_ascii=False, default=_plain)
        comma = ",\n"
    yield "\n]}\n"


def as_csv(conn: Connection, issue: Issue) -> Iterator[str]:
    """A row for everybody (`row` is delivery), then the sum (`row` is sum), so that it can be checked by adding up `people`."""
    told = head(conn, issue)
    yield _line(COLUMNS)
    for row in receipts.rows(conn, _mailing(issue)):
        entry = {"row": "delivery", "people": 1, **_person(row)}
        yield _line([_cell(entry[name]) for name in COLUMNS])
    for state, people in told["sum"].items():
        yield _line([{"row": "sum", "state": state, "people": str(people)}.get(name, "") for name in COLUMNS])


def _mailing(issue: Issue) -> MailingId:
    if issue.mailing_id is None:
        raise NotAllowed(f"the issue is {issue.state}; nobody was frozen for it", where=issue.id)
    return issue.mailing_id


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"person": row["person_id"], **{name: row[name] for name in COLUMNS if name in row}}


def _line(cells: object) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)  # type: ignore[arg-type]
    return text.getvalue()


def _cell(value: object) -> str:
    """A foreign server's words must not be a formula to a spreadsheet (OWASP, CSV injection)."""
    text = "" if value is None else str(_plain(value))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value if isinstance(value, int) else str(value)
