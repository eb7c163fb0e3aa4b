"""What a provider tells of opening and clicking is known to segments, once for each issue."""

from datetime import timedelta

import subscribers
from newsletter.model import PersonId
from newsletter.store import returns
from tests.conftest import NOW


def tell(world, kind: str, *, person: int = 0, key: str, proven: bool = True, hours: int = 1) -> None:
    one = returns.Return(
        source="postmark", kind=kind, at=NOW + timedelta(hours=hours), dedupe_key=key, proven=proven,
        mailing_id=world.mailing, person_id=PersonId(world.people[person]),
    )  # fmt: skip
    with world.app.db.begin() as conn:
        returns.add(conn, one, now=NOW + timedelta(hours=hours))


def test_opening_and_clicking_reach_segments_once(sent):
    world = sent()
    tell(world, "opened", key="a")
    tell(world, "opened", key="b", hours=2)  # the same issue again
    tell(world, "clicked", person=1, key="c")
    tell(world, "opened", person=2, key="d", proven=False)  # anybody may have said so
    world.track(NOW + timedelta(hours=3))

    def count(query: str) -> int:
        with world.app.db.read() as conn:
            now = NOW + timedelta(hours=3)
            return subscribers.count_segment(conn, "tin", query, now=now, time_zone="Asia/Ho_Chi_Minh")

    assert count("ever opened") == 2
    assert count("opens = 1") == 1
    assert count("ever clicked and clicks = 1") == 1
    assert count("never opened") == 1
