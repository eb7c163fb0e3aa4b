"""One occurrence makes one issue, however many ask at once; nobody gets it twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from newsletter import pipeline
from newsletter.model import IssueState
from newsletter.store import issues, receipts
from tests.conftest import NOW
from tests.deliver.conftest import smtp
from tests.fakes.site import Site
from tests.fakes.smtpd import Sink
from tests.tour.conftest import feed

READERS = [f"doc.gia{n}@doc.example" for n in range(12)]


def test_twenty_runs_at_one_due_moment_make_one_issue_and_one_mail_each(make_app, publish):
    with Site({"/feed": ("application/rss+xml", feed())}) as site, Sink() as sink:
        changes = {"transport": smtp(sink.port), "fetch": {"resolve": {"tin.vien.example": site.at}}}
        apps = [make_app(**changes) for _ in range(20)]
        publish(apps[0], readers=READERS)
        together = threading.Barrier(20)

        def run(app):
            together.wait()
            return pipeline.run_once(app)

        with ThreadPoolExecutor(20) as pool:
            reports = list(pool.map(run, apps))
        # A run that found the ledger busy with another's work has left rows for the next one.
        pipeline.run_once(apps[0])
        assert [r.error for report in reports for r in report if r.error] == []
        with apps[0].db.read() as conn:
            [issue] = issues.listed(conn)
            counts = receipts.count(conn, issue.mailing_id)
        assert issue.state is IssueState.SENT
        assert (counts.sent, counts.open, counts.balanced) == (len(READERS), 0, True)
        assert sink.counts() == dict.fromkeys(READERS, 1)


def test_a_restart_in_the_repeated_hour_of_autumn_opens_nothing_new(make_app, publish, clock):
    from datetime import UTC, datetime

    import sqlalchemy as sa

    app = make_app()
    publish(app, readers=READERS[:1])
    with app.db.begin() as conn:
        conn.execute(sa.text("UPDATE newsletters SET cron = '30 2 * * *', timezone = 'Europe/Berlin', "
                             "scheduled_from = :start"), {"start": "2027-10-29T12:00:00.000000Z"})  # fmt: skip
    from newsletter import schedule

    opened = []
    for moment in (
        datetime(2027, 10, 30, 0, 31, tzinfo=UTC),  # 02:31 summer time on Saturday
        datetime(2027, 10, 31, 0, 31, tzinfo=UTC),  # 02:31, the first of the two
        datetime(2027, 10, 31, 1, 31, tzinfo=UTC),  # 02:31 again, an hour later
        datetime(2027, 11, 1, 1, 31, tzinfo=UTC),
    ):
        clock.at = moment
        opened.append(schedule.open_due(app, moment))
    assert opened == [1, 1, 0, 1]


@pytest.mark.parametrize("days", [3, 60])
def test_a_long_silence_sends_one_issue_and_shows_what_was_missed(make_app, publish, clock, days):
    app = make_app()
    publish(app, readers=READERS[:1], cron="0 8 * * *")
    clock.at = NOW + timedelta(days=days, minutes=5)
    from newsletter import schedule

    schedule.open_due(app, clock.now())
    with app.db.read() as conn:
        found = issues.listed(conn, limit=100)
    assert [issue.state for issue in found[:1]] == [IssueState.DRAFT]
    assert all(issue.state is IssueState.SKIPPED and issue.reason.startswith("missed") for issue in found[1:])
    assert len(found) == min(days + 1, schedule.MISSED_SHOWN)
