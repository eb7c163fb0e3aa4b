"""The sample site of `newsletter demo`: an invented institute's feed, English feed, pages and pictures, dated from today.

The files lie under site/ as a web server would have them. `%%rss:3:09.30%%` in a text stands for half past nine three days
ago, so that the demo never grows too old. Everything in it is invented; nothing here may reach for a real site.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

from newsletter.model import Source, SourceKind
from newsletter.store import sources

HOST = "tin.vien.example"
BASE = f"https://{HOST}"
ZONE = "Asia/Ho_Chi_Minh"

_TYPES = {
    ".xml": "application/rss+xml",
    ".json": "application/feed+json",
    ".html": "text/html; charset=utf-8",
    ".aspx": "text/html; charset=utf-8",
    ".png": "image/png",
}
_DATE = re.compile(r"%%(rss|iso|ngay|day):(\d{1,3})(?::(\d\d)\.(\d\d))?%%")

Page = tuple[str, bytes]  # content type, body


def sample_sources() -> list[Source]:
    """What the demo's newsletter is made from: two feeds and one page of a site without a feed."""
    return [
        sources.new(
            "tin-vien",
            SourceKind.FEED,
            f"{BASE}/rss.xml",
            name="Viện Sông Biển Vĩnh Sa",
            section="Tin từ Viện",
            newest=6,
        ),
        sources.new("delta-notes", SourceKind.FEED, f"{BASE}/en/feed.json", name="Delta Notes", section="In English"),
        sources.new(
            "thong-bao", SourceKind.PAGE, f"{BASE}/thong-bao/hoi-nghi-so-ket.aspx", name="Phòng Tổ chức - Hành chính"
        ),
    ]


def site(now: datetime) -> Mapping[str, Page]:
    """Path -> page, as the site stands at `now` (aware)."""
    here = now.astimezone(ZoneInfo(ZONE))
    return {path: _page(path, entry.read_bytes(), here) for path, entry in _walk(files(__name__) / "site", "")}


def _walk(folder: Traversable, at: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        path = f"{at}/{entry.name}"
        found += _walk(entry, path) if entry.is_dir() else [(path, entry)]
    return found


def _page(path: str, content: bytes, here: datetime) -> Page:
    kind = _TYPES[path[path.rindex(".") :]]
    return kind, content if kind.startswith("image/") else dated(content.decode(), here).encode()


def dated(text: str, here: datetime) -> str:
    """`text` with its dates filled in, counted back from `here`."""

    def written(found: re.Match[str]) -> str:
        day = here - timedelta(days=int(found[2]))
        return _written(found[1], day.replace(hour=int(found[3] or 9), minute=int(found[4] or 0), second=0))

    return _DATE.sub(written, text)


def _written(form: str, at: datetime) -> str:
    """`rss` and `iso` for machines, `ngay` as Vietnam writes a day (02/01/2024), `day` as English does."""
    if form == "rss":
        return format_datetime(at)
    if form == "iso":
        return at.isoformat(timespec="seconds")
    if form == "ngay":
        return at.strftime("%d/%m/%Y")
    return f"{at.day} {at:%B %Y}"
