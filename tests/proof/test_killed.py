"""Killed anywhere, nobody is mailed twice and nobody silently lost: a few kills in `make test`, all in `make proof`."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.settings import Settings
from newsletter.store import receipts
from tests.deliver.conftest import addresses, smtp
from tests.fakes.relay import CHUNKED, PIPELINED, Heard, Relay
from tests.fakes.smtpd import Behaviour, Sink

CONNECTIONS = 5


def config(folder: Path, settings: Settings, port: int) -> Path:
    path = folder / "newsletter.toml"
    path.write_text(
        f'data_dir = "{settings.data_dir}"\ndatabase_url = "{settings.database_url}"\n'
        f'base_url = "{settings.base_url}"\n'
        f'[sender]\naddress = "{settings.sender.address}"\n'
        f'[transport]\nkind = "smtp"\n[transport.smtp]\nhost = "localhost"\nport = {port}\n'
        f'security = "none"\nconnections = {CONNECTIONS}\n'
    )
    return path


def start(path: Path) -> subprocess.Popen[bytes]:
    sender = Path(__file__).parent / "sender.py"
    return subprocess.Popen([sys.executable, str(sender), str(path)], env={**os.environ, "PYTHONPATH": str(Path.cwd())})


def wait_for_more(sink: Sink | Relay, process: subprocess.Popen[bytes]) -> bool:
    """Until the process has sent something; False when it ended by itself."""
    before = sum(sink.counts().values())
    while sum(sink.counts().values()) == before:
        if process.poll() is not None:
            return False
        time.sleep(0.005)
    return True


def slow(heard: Heard) -> None:
    if heard.verb == "content":
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("peer", "window"),
    [
        pytest.param(lambda: Sink(Behaviour(delay=0.01)), 1, id="lock-step"),
        pytest.param(lambda: Relay(PIPELINED, slow), 2, id="pipelined"),
        pytest.param(lambda: Relay(CHUNKED, slow), 8, id="chunked"),
    ],
)
@pytest.mark.parametrize(
    ("people", "kills"),
    [pytest.param(300, 3, id="small"), pytest.param(2000, 20, id="full", marks=pytest.mark.proof)],
)
def test_sigkill_at_random_moments_doubles_nobody_and_loses_nobody(
    make_app, frozen_mailing, tmp_path, clock, people, kills, peer, window
):
    clock.at = datetime.now(UTC)  # the processes that are killed have the real clock
    chance = random.Random(20261122)
    with peer() as sink:
        app = make_app(transport=smtp(sink.port, connections=CONNECTIONS), sender={"address": "bantin@vien.example"})
        mailing_id = frozen_mailing(app, addresses(people))
        path = config(tmp_path, app.settings, sink.port)
        done = 0
        while done < kills:
            process = start(path)
            if not wait_for_more(sink, process):
                pytest.fail(f"the sending ended after {done} of {kills} kills: take more people")
            time.sleep(chance.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
            with app.db.read() as conn:
                in_flight = receipts.count(conn, mailing_id).intent
            assert in_flight <= CONNECTIONS * window
        assert start(path).wait(timeout=300) == 0
        with app.db.read() as conn:
            final = receipts.count(conn, mailing_id)
            states = dict(conn.execute(sa.text("SELECT person_id, state FROM deliveries")).fetchall())
            people_by_address = {
                f"{local}@{domain}": person
                for person, local, domain in conn.execute(
                    sa.text("SELECT id, address_local, address_domain FROM people")
                )
            }
    taken = sink.counts()
    doubles = {rcpt: count for rcpt, count in taken.items() if count > 1}
    lost = [a for a, person in people_by_address.items() if a not in taken and states[person] == "sent"]
    print(f"{kills} kills, {people} people: {final.sent} sent, {final.unknown} unknown, "
          f"{sum(1 for a, p in people_by_address.items() if states[p] == 'unknown' and a in taken)} of them had arrived, "
          f"{len(doubles)} doubled, {len(lost)} lost")  # fmt: skip
    assert doubles == {}
    assert lost == []
    assert final.open == 0
    assert final.frozen == people == final.sent + final.failed + final.skipped + final.unknown
    assert final.failed == final.skipped == 0
    assert final.unknown <= CONNECTIONS * window * kills
