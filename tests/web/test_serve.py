"""The one-machine service as a whole: it starts, does what is due, sends a letter when one is asked for, and ends cleanly."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter import serve as service
from newsletter.app import Session
from newsletter.errors import ConfigError, TransportDown
from newsletter.main import build
from newsletter.model import IssueState
from newsletter.serve import Backoff, Loop, Rounds, serve
from newsletter.settings import Settings
from newsletter.store import Database, issues


def eventually(what: Callable[[], object], *, seconds: float = 30) -> object:
    """The first true answer; fails when none comes."""
    until = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
    return answer


def _get(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    finally:
        connection.close()


ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from newsletter.log import configure
from newsletter.main import build
from newsletter.serve import serve
from newsletter.settings import Settings
configure()
app = build(Settings(data_dir=Path(sys.argv[1])))
serve(app, host="127.0.0.1", port=0, on_ready=lambda url: print("READY", url, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_with_exit_code_0(tmp_path: Path, number: signal.Signals) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environ,
    )
    try:
        assert process.stdout is not None
        url = next(line.split()[1] for line in process.stdout if line.startswith("READY "))
        assert _get(f"{url}/health") == 200
        process.send_signal(number)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def serving(world, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Starts the service for the world's app; its URL. The tick comes once only, so that what else happens has another cause."""
    monkeypatch.setattr(service, "TICK", timedelta(hours=1))
    urls: list[str] = []
    thread = threading.Thread(
        target=serve, args=(world.app,), kwargs={"host": "127.0.0.1", "port": 0, "on_ready": urls.append}, daemon=True
    )

    def start() -> str:
        thread.start()
        return str(eventually(lambda: urls and urls[0]))

    yield start
    world.app.stopping.set()
    if thread.ident is not None:
        thread.join(30)
        assert not thread.is_alive()


def test_a_running_service_opens_composes_and_sends_what_is_due(world, serving) -> None:
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE newsletters SET approval = 'auto'")
    issue = world.compose()
    world.approve()
    world.clock.at = issue.send_at
    serving()
    eventually(lambda: world.issue().state is IssueState.SENT)
    assert len(world.mails()) == 3


def test_goodbyes_leave_at_once_and_not_with_the_next_tick(world, serving) -> None:
    world.send()
    links = {name: world.link(world.mail_to(name), "u") for name in ("ngoc@", "minh@")}
    world.url = serving()
    for name, link in links.items():  # the second one surely comes after the only tick of this test
        assert world.fetch(link, form={}).status == 200
        eventually(lambda name=name: len([mail for mail in world.mails() if name in mail["To"]]) == 2)


def test_a_port_that_is_taken_is_one_clear_line(world) -> None:
    port = urlsplit(world.url).port
    assert port is not None
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: cannot listen"):
        serve(world.app, host="127.0.0.1", port=port)


class Down:
    """A transport whose peer is away."""

    name, connections, batch = "down", 1, 1

    def __init__(self) -> None:
        self.asked = 0

    def open(self) -> Session:
        self.asked += 1
        raise TransportDown("connection refused", where="smtp.example:587")


def test_while_mail_cannot_leave_it_is_tried_with_growing_pauses_and_nothing_is_lost(
    world, sqlite_url, tmp_path
) -> None:
    world.compose()
    world.approve()
    world.release()
    down = Down()
    app = build(
        Settings(data_dir=world.app.settings.data_dir, database_url=sqlite_url, sender=world.app.settings.sender),
        clock=world.clock,
        transport=down,
    )
    try:
        rounds = Rounds(app)
        for _ in range(5):
            rounds._send()
        assert down.asked == 1  # the pause holds the other four back
    finally:
        app.fetcher.close()
        app.db.close()
    world.deliver()
    readers = [mail for mail in world.mails() if mail["To"].addresses[0].addr_spec in world.people]
    assert len(readers) == 3, "beside them staff are told once"


def test_the_pause_doubles_from_15_seconds_to_10_minutes_and_ends_with_a_success() -> None:
    now = [100.0]
    backoff = Backoff(clock=lambda: now[0])
    assert backoff.over
    pauses = []
    for _ in range(8):
        pauses.append(int(backoff.lengthen().total_seconds()))
        assert not backoff.over
        now[0] += pauses[-1]
        assert backoff.over
    assert pauses == [15, 30, 60, 120, 240, 480, 600, 600]
    backoff.clear()
    assert backoff.over
    assert backoff.lengthen() == timedelta(seconds=15)


def test_being_woken_at_work_means_once_more_afterwards_and_a_fault_ends_nothing() -> None:
    stopping, began, go_on = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)
    runs: list[int] = []

    def work() -> None:
        runs.append(len(runs))
        began.release()
        go_on.acquire()
        if len(runs) == 1:
            raise RuntimeError("a fault of ours")

    loop = Loop("test", work, stopping)
    loop.start()
    loop.wake()
    assert began.acquire(timeout=10)
    for _ in range(3):
        loop.wake()
    go_on.release()
    assert began.acquire(timeout=10)  # once more, and not three times
    stopping.set()
    loop.wake()
    go_on.release()
    assert loop.join(10)
    assert runs == [0, 1]


def test_two_services_on_one_database_send_nothing_twice(world, sqlite_url, serving) -> None:
    world.compose()
    world.approve()
    world.clock.at = world.issue().send_at
    other = build(
        Settings(data_dir=world.app.settings.data_dir, database_url=sqlite_url, sender=world.app.settings.sender,
                 base_url=world.app.settings.base_url),
        clock=world.clock,
    )  # fmt: skip
    thread = threading.Thread(target=serve, args=(other,), kwargs={"host": "127.0.0.1", "port": 0}, daemon=True)
    thread.start()
    serving()
    eventually(lambda: _state(other.db) is IssueState.SENT)
    other.stopping.set()
    thread.join(30)
    other.fetcher.close()
    other.db.close()
    assert len(world.mails()) == 3
    with world.app.db.read() as conn:
        assert conn.exec_driver_sql("SELECT max(tries) FROM deliveries").scalar() == 1


def _state(db: Database) -> IssueState:
    with db.read() as conn:
        return issues.listed(conn, limit=1)[0].state


class Stuck:
    """A transport whose peer takes a connection and then says nothing."""

    name, connections, batch = "stuck", 1, 1

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()

    def open(self) -> Session:
        self.began.set()
        self.go_on.wait(60)
        raise TransportDown("gone", where="smtp.example:587")


def test_a_peer_that_says_nothing_does_not_hold_up_the_end(world, sqlite_url, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LAST_WAIT", 0.2)
    world.compose()
    world.approve()
    world.clock.at = world.issue().send_at
    stuck = Stuck()
    settings = Settings(
        data_dir=world.app.settings.data_dir, database_url=sqlite_url, sender=world.app.settings.sender,
        base_url=world.app.settings.base_url,
    )  # fmt: skip
    app = build(settings, clock=world.clock, transport=stuck)
    rounds = Rounds(app)
    rounds.start()
    assert stuck.began.wait(30)
    app.stopping.set()
    rounds.stop()  # comes back, and the rows say that nothing was sent
    assert not rounds.send.join(0)
    with app.db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM deliveries WHERE state = 'sent'").scalar() == 0
    stuck.go_on.set()
    assert rounds.send.join(30)
    app.fetcher.close()
    app.db.close()
