"""Who reads: told in any order, forgotten with the person."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from newsletter.store import Database
from subscribers import (
    Engagement,
    PersonId,
    SuppressionKey,
    UnknownList,
    count_segment,
    erase,
    export_person,
    record_engagement,
    record_sending,
)

Join = Callable[[str], PersonId]
DAY = timedelta(days=1)


def test_the_order_of_telling_changes_nothing(people_db: Database, join: Join, now: datetime) -> None:
    told = [
        (Engagement.OPENED, now - 9 * DAY, now - 10 * DAY),
        (Engagement.CLICKED, now - 2 * DAY, now - 3 * DAY),
        (Engagement.OPENED, now - DAY, now - 10 * DAY),
    ]
    held = []
    people = [join(f"p{number}@vien.example") for number in range(6)]
    with people_db.begin() as conn:
        for who, order in zip(people, permutations(told), strict=True):
            for what, at, sent_at in order:
                assert record_engagement(conn, "news", who, what, at=at, sent_at=sent_at)
            held.append(export_person(conn, who)["engagement"])
    assert all(one == held[0] for one in held)
    (row,) = held[0]
    assert row == {
        "list": "news",
        "last_opened_at": "2026-11-21T08:00:00.000000Z",
        "last_clicked_at": "2026-11-20T08:00:00.000000Z",
        "opens": 2,
        "clicks": 1,
    }


def test_the_last_issues_are_those_sent_last(people_db: Database, join: Join, now: datetime) -> None:
    old, new, clicks, never = (join(f"{name}@vien.example") for name in ("old", "new", "clicks", "never"))
    with people_db.begin() as conn:

        def count(query: str) -> int:
            return count_segment(conn, "news", query, now=now, time_zone="UTC")

        assert count("opened in last 3 issues") == 0, "nothing was ever sent"
        for week in range(4):
            record_sending(conn, "news", at=now - 7 * week * DAY)
            record_sending(conn, "news", at=now - 7 * week * DAY)  # twice is once
        # An old issue opened today is still an old issue.
        record_engagement(conn, "news", old, Engagement.OPENED, at=now, sent_at=now - 21 * DAY)
        record_engagement(conn, "news", new, Engagement.OPENED, at=now - DAY, sent_at=now - 7 * DAY)
        record_engagement(conn, "news", clicks, Engagement.CLICKED, at=now, sent_at=now)
        assert [count(f"opened in last {n} issues") for n in (1, 2, 3, 4, 99)] == [1, 2, 2, 3, 3]
        assert count("clicked in last 99 issues") == 1
        assert count("never opened") == 1, "a click says that it was opened"
        assert count("never clicked and ever opened") == 2
        assert count("opened within 1 days and not clicked since 2026-11-22") == 2
        assert count("opens = 1") == 2
        assert count("clicks >= 1") == 1
    assert never


def test_nothing_is_kept_of_who_is_erased_or_unknown(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    who = join("an@vien.example")
    with people_db.begin() as conn:
        assert record_engagement(conn, "news", who, Engagement.OPENED, at=now, sent_at=now)
        erase(conn, who, now=now, key=key)
        assert export_person(conn, who)["engagement"] == []
        assert not record_engagement(conn, "news", who, Engagement.OPENED, at=now, sent_at=now)
        assert not record_engagement(conn, "news", PersonId("nobody"), Engagement.OPENED, at=now, sent_at=now)
        assert export_person(conn, who)["engagement"] == []
        with pytest.raises(UnknownList):
            record_engagement(conn, "none", who, Engagement.OPENED, at=now, sent_at=now)
