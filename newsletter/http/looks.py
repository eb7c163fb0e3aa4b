"""Many looks at once: is something behind each of these addresses? Bounded in number and time, remembered for a while.

Nothing is followed but redirects, nothing is kept but the verdict and the size. Safe to share between threads.
"""

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.http import Fetcher

AT_ONCE = 8
MOST = 120  # addresses of one issue that are looked at
ONE = 8.0  # seconds for one address
KEPT_GOOD, KEPT_BAD = timedelta(hours=6), timedelta(minutes=5)
REMEMBERED = 2_000
PICTURES = "image/*, */*;q=0.5"


class Verdict(StrEnum):
    THERE = "there"
    GONE = "gone"  # 404, 410
    REFUSED = "refused"  # it asks for a login, or turns programs away
    FAILING = "failing"  # another answer that is no success
    FORBIDDEN = "forbidden"  # our own guard will not go there
    UNREACHABLE = "unreachable"  # no answer
    NOT_ASKED = "not asked"  # the time was up, or there were too many


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found. `url`: where it ended. `size`: octets, of a picture only; `media_type`: "" without an answer."""

    verdict: Verdict
    url: str
    status: int | None = None
    why: str = ""
    media_type: str = ""
    size: int = 0


class Looks:
    """A memory of looks. Good ones are kept for hours, bad ones for minutes: who mends a page wants to see it mended."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, Look]] = {}
        self._lock = threading.Lock()

    def at(
        self, fetcher: Fetcher, urls: Iterable[str], *, now: datetime, seconds: float, picture_bytes: int = 0
    ) -> Mapping[str, Look]:
        """One look for each address. `seconds` for all of them; `picture_bytes`: they are pictures, read up to so much."""
        asked = list(dict.fromkeys(urls))
        found = {url: look for url in asked if (look := self._remembered(url, now)) is not None}
        missing = [url for url in asked if url not in found]
        found |= self._fresh(fetcher, missing[:MOST], now=now, seconds=seconds, picture_bytes=picture_bytes)
        return {url: found.get(url) or Look(verdict=Verdict.NOT_ASKED, url=url) for url in asked}

    def _fresh(
        self, fetcher: Fetcher, urls: list[str], *, now: datetime, seconds: float, picture_bytes: int
    ) -> dict[str, Look]:
        if not urls:
            return {}
        pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(urls)), thread_name_prefix="look")
        try:
            asked: dict[Future[Look], str] = {pool.submit(look_at, fetcher, url, picture_bytes): url for url in urls}
            done, _late = wait(asked, timeout=seconds)
            fresh = {asked[one]: one.result() for one in done}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # what is on its way ends by its own bound
        with self._lock:
            self._known |= {url: (now, look) for url, look in fresh.items()}
            for url in list(self._known)[: max(0, len(self._known) - REMEMBERED)]:
                del self._known[url]
        return fresh

    def _remembered(self, url: str, now: datetime) -> Look | None:
        with self._lock:
            known = self._known.get(url)
        if known is None:
            return None
        when, look = known
        kept = KEPT_GOOD if look.verdict is Verdict.THERE else KEPT_BAD
        return look if now - when < kept else None


def look_at(fetcher: Fetcher, url: str, picture_bytes: int = 0) -> Look:
    """One look. Never raises for what is found there."""
    try:
        got = fetcher.look(url, max_body=picture_bytes or 1, within=ONE, accept=PICTURES if picture_bytes else "*/*")
    except FetchRefused as error:
        return Look(verdict=Verdict.FORBIDDEN, url=url, why=error.what)
    except Unreadable as error:  # an answer all the same
        return Look(verdict=Verdict.FAILING, url=url, status=error.status, why=error.what)
    except SourceError as error:
        return Look(verdict=_verdict(error.status), url=url, status=error.status, why=error.what)
    return Look(
        verdict=Verdict.THERE,
        url=got.url,
        status=got.status,
        media_type=got.content_type,
        size=len(got.body) if picture_bytes else 0,
    )


def _verdict(status: int | None) -> Verdict:
    if status is None:
        return Verdict.UNREACHABLE
    if status in (404, 410):
        return Verdict.GONE
    return Verdict.REFUSED if status in (401, 402, 403, 405, 406, 429, 451) else Verdict.FAILING
