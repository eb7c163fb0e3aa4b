"""F1 before anything is sent: killed while an issue is opened or its audience frozen, the next start makes one of each."""

import signal
from datetime import timedelta

import pytest

from newsletter.model import IssueState
from newsletter.store import issues
from tests.conftest import NOW
from tests.fakes.site import Site
from tests.proof import points, sender
from tests.proof.invariant import hold_invariant
from tests.proof.peers import peer
from tests.tour.conftest import STORIES, feed, publish

__all__ = ["publish"]

READERS = [f"doc.gia{n}@doc.example" for n in range(6)]


@pytest.mark.parametrize("point", points.PLANNING)
@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.proof)])
def test_sigkill_while_an_issue_is_planned(make_app, publish, clock, told, point, kills):
    with Site({}) as site, peer("pipelined", lambda heard: None) as sink:
        fetch = {"resolve": {"tin.vien.example": site.at}}
        app = make_app(dkim={}, transport=sink.settings["transport"], fetch=fetch)
        publish(app, readers=READERS)
        before: dict[str, int] = {}
        for week in range(kills):
            clock.at = NOW + timedelta(weeks=week, minutes=1)
            site.pages["/feed"] = ("application/rss+xml", news(week))
            assert sender.run(app, point=point, whole=True) == -signal.SIGKILL
            assert sender.run(app, whole=True) == 0
            with app.db.read() as conn:
                found = issues.listed(conn, limit=100)
            assert len(found) == week + 1, "one issue for one occurrence"
            assert found[0].state is IssueState.SENT
            taken = sink.counts()
            hold_invariant(app, found[0].mailing_id, {who: taken[who] - before.get(who, 0) for who in taken})
            before = dict(taken)
        told("F1", f"{kills} kills: one issue and one mail each, every time")


def news(week: int) -> bytes:
    """The same three stories of another week: other titles, other links."""
    stories = tuple((f"{title} (tuần {week})", f"{text} Đây là tuần thứ {week}.") for title, text in STORIES)
    made = feed(stories, newest=NOW + timedelta(weeks=week))
    return made.replace(b"tin.vien.example/", b"tin.vien.example/%d-" % week).replace(b">tin-", b">tin-%d-" % week)
