"""How many feeds one collecting cycle reads per CPU second of this process, beside feedparser over the same feeds.

read    `poll` over 500 sources of an installation, one after another: conditional requests, parsing, names looked up in
        the database; nothing written. The entries carry their whole text, so no article page is read
stage   `collect.run` over the same: the above in 20 threads, and rows written at full durability on SQLite
stories what of that run compares the new articles with those of the last days
peer    `feedparser.parse(url, etag=…)`, one feed after another, nothing written: what rss2email does

Usage: python tests/benchmarks/bench_collect.py [FEEDS] [ROUNDS]
Before each measured cycle one feed in ten has got a new entry in place of its oldest; the others answer 304. The server
is a process of its own on loopback, one host name per source; ours and theirs alternate. Medians, and the median of the
ratios of each round.
"""

import asyncio
import hashlib
import json
import logging
import multiprocessing
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import structlog  # noqa: E402

from newsletter import collect, main  # noqa: E402
from newsletter.clock import FixedClock  # noqa: E402
from newsletter.collect import poll  # noqa: E402
from newsletter.collect.gather import knows_of  # noqa: E402
from newsletter.model import SourceKind  # noqa: E402
from newsletter.settings import Settings  # noqa: E402
from newsletter.store import sources  # noqa: E402

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENTRIES, CHANGED = (
    46,
    10,
)  # entries of 2 kB, of random syllables, make a feed of about 96 kB; one feed in CHANGED differs from cycle to cycle
WORDS = """
đoàn khảo sát đo sâu điểm dọc bờ biển phía nam so sánh bản đồ in năm trước trạm quan trắc thủy triều máy đo dòng chảy hội
thảo khoa học sinh viên thực tập tàu nghiên cứu cảng trung tâm dữ liệu cộng đồng làng chài bãi cát rạn san hô mẫu nước phòng
thí nghiệm kết quả công bố tạp chí hợp tác đào tạo lớp học kỹ sư thiết bị mới vận hành mùa mưa bão
""".split()  # noqa: SIM905


def feed(number: int, newest: int) -> bytes:
    """An RSS feed of ENTRIES entries, the newest with the number `newest`."""
    items = "".join(_entry(number, n) for n in range(newest, newest - ENTRIES, -1))
    head = f"<title>Trạm quan trắc {number}</title><link>http://tram{number}.example/</link>"
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def _entry(number: int, n: int) -> str:
    day = format_datetime(NOW + timedelta(hours=n - ENTRIES))
    lot = random.Random(1000 * number + n)
    text = ". ".join(" ".join(lot.choices(WORDS, k=18)).capitalize() for _ in range(19)) + "."
    return (
        f"<item><title>Nhật ký khảo sát số {n} của trạm {number}</title><link>http://tram{number}.example/bai/{n}</link>"
        f"<guid isPermaLink='false'>{number}-{n}</guid><pubDate>{day}</pubDate><description>{text}</description></item>"
    )


# ---------------------------------------------------------------- the server


def serve(feeds: int, line: Connection) -> None:
    asyncio.run(_serve(feeds, line))


async def _serve(feeds: int, line: Connection) -> None:
    """Answers `/N` with feed N, 304 to its ETag; a number on `line` is the new cycle, answered when it is in place."""
    served: dict[int, tuple[str, bytes]] = {}

    def turn(cycle: int) -> None:
        for n in range(feeds):
            if cycle == 0 or n % CHANGED == cycle % CHANGED:
                body = feed(n, ENTRIES - (-cycle // CHANGED))
                served[n] = (f'"{hashlib.sha256(body).hexdigest()[:16]}"', body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                number = re.match(r"GET /(\d+) ", request)
                if number is None:
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                else:
                    etag, body = served[int(number[1])]
                    writer.write(_not_modified(etag) if etag in request else _whole(etag, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    turn(0)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    line.send(server.sockets[0].getsockname()[1])
    while (cycle := await asyncio.to_thread(line.recv)) >= 0:
        turn(cycle)
        line.send(cycle)
    server.close()


def _not_modified(etag: str) -> bytes:
    return f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode()


def _whole(etag: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# ---------------------------------------------------------------- ours and theirs


def ours(feeds: int, port: int, folder: Path) -> dict[str, Callable[[int], int]]:
    """Cycles of the product over `feeds` sources; each returns how many articles it found new."""
    hosts = {f"tram{n}.example": f"127.0.0.1:{port}" for n in range(feeds)}
    clock = FixedClock(NOW)
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "base_url": "https://news.example",
            "sender": {"address": "tin@news.example", "name": "Tin", "organisation": "Tin", "postal_address": "1"},
            "fetch": {"resolve": hosts},
        }
    )
    app = main.build(settings, clock=clock)
    with app.db.begin() as conn:
        for n in range(feeds):
            sources.add(conn, sources.new(f"tram-{n}", SourceKind.FEED, f"http://tram{n}.example/{n}"), now=NOW)

    def read(number: int) -> int:
        now = NOW + timedelta(hours=2 * number)
        with app.db.read() as conn:
            due = sources.due(conn, now=now)
        polls = [poll.poll(app.fetcher, one, now=now, knows=knows_of(app, one)) for one in due]
        assert len(polls) == feeds
        return sum(len(polled.found) for polled in polls)

    def stage(number: int) -> int:
        clock.at = NOW + timedelta(hours=2 * number)
        return collect.read_due(app, clock.at)

    def stories(number: int) -> int:
        collect.compare_waiting(app, clock.at)
        return len(range(number % CHANGED, feeds, CHANGED))

    return {"read": read, "stage": stage, "stories": stories}


def peer(feeds: int, port: int) -> Callable[[int], int]:
    """A cycle of feedparser; it returns how many entries were new since the last one."""
    import feedparser

    etags: dict[int, str | None] = {}
    seen: set[str] = set()

    def cycle(_: int) -> int:
        before = len(seen)
        for n in range(feeds):
            found = feedparser.parse(f"http://127.0.0.1:{port}/{n}", etag=etags.get(n))
            etags[n] = found.get("etag", etags.get(n))
            seen.update(entry.id for entry in found.entries)
        return len(seen) - before

    return cycle


def timed(work: Callable[[int], int], number: int, *, expected: int | None = None) -> tuple[float, float]:
    """CPU seconds of this process and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = work(number)
    assert expected is None or found == expected, (found, expected)
    return time.process_time() - cpu, time.perf_counter() - wall


def main_(feeds: int, rounds: int) -> None:
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    line, far = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(feeds, far), daemon=True)
    server.start()
    port = line.recv()
    print(f"{feeds} feeds, 1 in {CHANGED} changed, {rounds} rounds, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        cycles = {**ours(feeds, port, Path(name)), "peer": peer(feeds, port)}
        results: dict[str, list[tuple[float, float]]] = {who: [] for who in cycles}
        for who in ("stage", "stories", "peer"):
            cycles[who](0)
        for number in range(1, rounds + 1):
            line.send(number)
            line.recv()
            for who in ("peer", "read", "stage", "stories") if number % 2 else ("read", "stage", "stories", "peer"):
                results[who].append(timed(cycles[who], number, expected=len(range(number % CHANGED, feeds, CHANGED))))
    line.send(-1)
    server.join(5)
    _tell(results, feeds)


def _tell(results: dict[str, list[tuple[float, float]]], feeds: int) -> None:
    print("| who | feeds per CPU second | feeds per second |\n|---|---|---|")
    for who, spent in results.items():
        cpu, wall = (statistics.median(feeds / each[at] for each in spent) for at in (0, 1))
        print(f"| {who} | {cpu:,.0f} | {wall:,.0f} |")
    for who in ("read", "stage"):
        ratios = [theirs[0] / own[0] for own, theirs in zip(results[who], results["peer"], strict=True)]
        print(
            f"{who} ÷ peer: {statistics.median(ratios):.2f} (rounds {json.dumps([round(each, 2) for each in ratios])})"
        )


if __name__ == "__main__":
    main_(int(sys.argv[1]) if len(sys.argv) > 1 else 500, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
