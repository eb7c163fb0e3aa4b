"""`newsletter pace`: what is limited, slowed and stopped, and letting a receiver go on."""

from datetime import UTC, datetime, timedelta

from newsletter.cli.opening import rate
from newsletter.settings import load
from newsletter.store import Database, pace
from newsletter.store.pace import Group


def test_limits_and_stopped_receivers_are_shown_and_one_goes_on(home):
    home("migrate")
    now = datetime.now(UTC)
    db = Database(load(home.config, environ={}).database)
    with db.begin() as conn:
        stopped = Group(mail_group="yahoo", stopped_at=now, stopped_until=now + timedelta(hours=6), reply="554 no")
        pace.save_group(conn, stopped)
    db.close()
    assert [(held["group"], held["stopped"]) for held in home("pace", "show", "--json").json["held"]] == [
        ("yahoo", True)
    ]
    assert "yahoo: stopped until" in home("pace", "show").out
    assert home("pace", "resume", "yahoo").code == 0
    assert home("pace", "resume", "yahoo").code == 4
    assert "yahoo" not in home("pace", "show").out


def test_a_speed_is_told_in_the_unit_that_fits():
    assert [rate(speed) for speed in (None, 0.0, 0.05, 2.5, 1234.0)] == ["", "", "3.0/min", "2.5/s", "1,234/s"]
