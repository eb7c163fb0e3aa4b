"""The recorder beside a database that fails: a dropped connection is replaced unnoticed, a locked one asked once a round."""

import sqlite3
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from newsletter.deliver.recorder import Recorder
from newsletter.model import DeliveryState
from newsletter.store import deliveries
from newsletter.store.deliveries import Result
from tests.conftest import NOW
from tests.deliver.conftest import addresses

LEASE = timedelta(minutes=15)


def claimed(app, mailing_id) -> list[Any]:
    with app.db.begin() as conn:
        claims = deliveries.claim(conn, mailing_id, worker="me", now=NOW, lease=LEASE)
    return [
        SimpleNamespace(mailing_id=mailing_id, list_slug="tin", person_id=one.person_id, epoch=one.epoch)
        for one in claims
    ]


def test_a_connection_that_the_server_dropped_refuses_no_intent(make_app, frozen_mailing, database_url):
    if not database_url.startswith("postgresql"):
        return  # SQLite has no server
    app = make_app()
    first, second = claimed(app, frozen_mailing(app, addresses(2)))
    with Recorder(app, "me") as recorder:
        assert recorder.permit([first]) == {first.person_id}
        admin = sa.create_engine(database_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as conn:
            conn.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        admin.dispose()
        assert recorder.permit([second]) == {second.person_id}


def test_results_that_a_locked_database_does_not_take_are_asked_about_once_a_round(
    make_app, frozen_mailing, monkeypatch
):
    app = make_app()
    mailing_id = frozen_mailing(app, addresses(8))
    held = claimed(app, mailing_id)
    asked = []

    def locked(*args, **kwargs):
        asked.append(1)
        raise sa.exc.OperationalError("UPDATE", {}, _locked(), hide_parameters=True)

    recorder = Recorder(app, "me", tick=lambda _seconds: None)
    with recorder:
        recorder.permit(held)
        monkeypatch.setattr(deliveries, "settle", locked)
        rows = [Result(person_id=one.person_id, epoch=one.epoch, state=DeliveryState.SENT) for one in held]
        recorder.skip(mailing_id, rows)
    assert recorder.lost == 8
    assert len(asked) <= 2 * 11, "the group and ten rounds, not ten for each of eight"


def _locked() -> Exception:
    return sqlite3.OperationalError("database is locked")
