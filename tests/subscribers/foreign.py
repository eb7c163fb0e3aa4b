"""Exports of nine other programs (folder `exports`), and what exactly must come of each."""

import json
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

from newsletter.store import Database
from subscribers import ImportReport, export_list

EXPORTS = Path(__file__).parent / "exports"


def listed(db: Database) -> dict[str, dict[str, Any]]:
    """The list as its export shows it, by address, without blanks."""
    with db.read() as conn:
        rows = [{name: cell for name, cell in row.items() if cell} for row in export_list(conn, "news")]
    for row in rows:
        row["attributes"] = json.loads(row.get("attributes", "{}"))
    return {row["email"]: row for row in rows}


def states(db: Database) -> dict[str, str]:
    return {email: row["state"] for email, row in listed(db).items()}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def mailchimp(path: Path, *, reverse: bool = False) -> Path:
    files = sorted((EXPORTS / "mailchimp").iterdir(), reverse=reverse)
    litter = {"__MACOSX/._cleaned.csv": b"\0\5", "readme.html": b"<p>Your export</p>"}
    return zipped(path, {file.name: file.read_bytes() for file in files} | litter)


def windows_1258(text: str) -> bytes:
    """Vietnamese as Windows wrote it: tone marks follow their vowel."""
    written = b""
    for sign in text:
        parts = unicodedata.normalize("NFD", sign)
        tones = "".join(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
        rest = unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in tones))
        written += (rest + tones).encode("cp1258")
    return written


# format: (refused by reason, states of who is kept, rejected rows)
EXPECTED: dict[str, tuple[dict[str, int], dict[str, str], int]] = {
    "listmonk": (
        {"suppressed": 1},
        {
            "mai.trinh@vien.example": "active",
            "quang.vu@vien.example": "active",
            "bad.actor@example.org": "suppressed",
            "asleep@example.org": "paused",
        },
        0,
    ),
    "Ghost": (
        {"left": 2},
        {
            "mai.trinh@vien.example": "active",
            "bich.ngo@vien.example": "unsubscribed",
            "left.ghost@example.org": "unsubscribed",
            "erin.hale@example.org": "active",
        },
        0,
    ),
    "Substack": (
        {"left": 1},
        {
            "mai.trinh@vien.example": "active",
            "bich.ngo@vien.example": "unsubscribed",
            "erin.hale@example.org": "active",
        },
        0,
    ),
    "Buttondown": (
        {"bounced": 1, "complained": 1, "left": 2, "pending": 1, "suppressed": 1},
        {
            "mai.trinh@vien.example": "active",
            "erin.hale@example.org": "active",
            "bich.ngo@vien.example": "unsubscribed",
            "hong.ly@vien.example": "bounced",
            "spam.sayer@example.org": "complained",
            "taken.off@example.org": "unsubscribed",
            "bad.actor@example.org": "suppressed",
        },
        1,
    ),
    "beehiiv": (
        {"bounced": 1, "left": 2, "pending": 1},
        {
            "mai.trinh@vien.example": "active",
            "bich.ngo@vien.example": "unsubscribed",
            "left.later@example.org": "unsubscribed",
            "hong.ly@vien.example": "bounced",
        },
        0,
    ),
    "Keila": (
        {"bounced": 1, "left": 1},
        {
            "mai.trinh@vien.example": "active",
            "bich.ngo@vien.example": "unsubscribed",
            "hong.ly@vien.example": "bounced",
        },
        1,
    ),
    "Mailtrain": (
        {"bounced": 1, "complained": 1, "left": 1},
        {
            "mai.trinh@vien.example": "active",
            "bich.ngo@vien.example": "unsubscribed",
            "hong.ly@vien.example": "bounced",
            "spam.sayer@example.org": "complained",
            "erin.hale@example.org": "active",
        },
        0,
    ),
    "phpList": (
        {"not subscribed": 1, "pending": 1, "suppressed": 1},
        {
            "mai.trinh@vien.example": "active",
            "bad.actor@example.org": "suppressed",
            "erin.hale@example.org": "active",
        },
        0,
    ),
}

MAI = {
    "listmonk": {
        "attributes": {"city": "Huế", "visits": 3, "tags": ["bạn đọc"]},
        "since": "2023-05-06T07:08:09.123456Z",
    },
    "Ghost": {
        "tags": "Báo chí; Đối tác",
        "attributes": {"note": "độc giả lâu năm"},
        "since": "2022-02-03T04:05:06.000000Z",
    },
    "Substack": {"attributes": {"prefer_digests": "true"}, "since": "2022-08-09T10:11:12.131000Z"},
    "Buttondown": {
        "tags": "bạn đọc; Báo chí",
        "attributes": {"first_name": "Mai", "city": "Huế"},
        "since": "2023-01-02T00:00:00.000000Z",
    },
    "beehiiv": {
        "name": "Mai Trịnh",
        "attributes": {"nghe_nghiep": "giáo viên"},
        "since": "2023-03-24T10:23:10.000000Z",
    },
    "Keila": {
        "name": "Mai Trịnh",
        "attributes": {"city": "Huế", "tags": ["a"], "external_id": "kh-1"},
        "since": "2026-11-22T08:00:00.000000Z",  # the file has none: the day of the import
    },
    "Mailtrain": {
        "name": "Trịnh Mai",
        "language": "vi",
        "attributes": {"city": "Huế"},
        "since": "2026-11-22T08:00:00.000000Z",
    },
    "phpList": {"name": "Trịnh Thị Mai", "attributes": {"city": "Huế"}, "since": "2018-05-06T07:08:09.000000Z"},
}


def check(report: ImportReport, db: Database, name: str) -> None:
    refused, kept, rejected = EXPECTED[name]
    assert [table.format for table in report.tables] == [name]
    assert (report.refused_by_reason, report.rejected) == (refused, rejected)
    assert states(db) == kept
    active = sum(state in ("active", "paused") for state in kept.values())
    assert (report.added, report.rows) == (active, active + rejected + sum(refused.values()))
