"""Send moments: crontab's own meaning, in any zone, each local wall-clock time once."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import BadInput
from newsletter.schedule import moments, next_moments, trigger

START = datetime(2026, 11, 22, tzinfo=UTC)  # a Sunday


def occurrences(cron: str, zone: str, after: datetime = START, count: int = 3) -> list[str]:
    return [text for text, _ in islice(moments(cron, zone, after=after), count)]


@pytest.mark.parametrize(
    ("weekday", "name"),
    [("0", "Sun"), ("1", "Mon"), ("2", "Tue"), ("3", "Wed"), ("4", "Thu"), ("5", "Fri"), ("6", "Sat"), ("7", "Sun")],
)
def test_weekday_numbers_mean_what_crontab_means(weekday, name):
    for moment in next_moments(f"0 8 * * {weekday}", "Asia/Ho_Chi_Minh", after=START):
        assert (moment.strftime("%a"), moment.hour, moment.minute) == (name, 8, 0)


def test_every_monday_at_eight_in_hanoi_is_one_in_the_morning_utc():
    assert [moment for _, moment in islice(moments("0 8 * * 1", "Asia/Ho_Chi_Minh", after=START), 2)] == [
        datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 30, 1, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 7 * * 1-5", ["2026-11-23T07:30", "2026-11-24T07:30", "2026-11-25T07:30"]),
        ("0 8 * * mon,fri", ["2026-11-23T08:00", "2026-11-27T08:00", "2026-11-30T08:00"]),
        ("0 8 * * 5-7", ["2026-11-22T08:00", "2026-11-27T08:00", "2026-11-28T08:00"]),
        ("0 9 1 * *", ["2026-12-01T09:00", "2027-01-01T09:00", "2027-02-01T09:00"]),
        ("0 9 1 jan,jul *", ["2027-01-01T09:00", "2027-07-01T09:00", "2028-01-01T09:00"]),
        ("*/30 8-9 * * *", ["2026-11-22T08:00", "2026-11-22T08:30", "2026-11-22T09:00"]),
        ("0 8 29 2 *", ["2028-02-29T08:00", "2032-02-29T08:00", "2036-02-29T08:00"]),
        ("0 8 1 * 1", ["2026-11-23T08:00", "2026-11-30T08:00", "2026-12-01T08:00"]),  # POSIX: either day field
    ],
)
def test_lists_ranges_steps_and_names(cron, expected):
    assert occurrences(cron, "Asia/Ho_Chi_Minh") == expected


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 8 * *", "five fields"),
        ("61 8 * * *", "cannot read the minute '61'"),
        ("0 24 * * *", "cannot read the hour '24'"),
        ("0 8 0 * *", "cannot read the day of month '0'"),
        ("0 8 * 13 *", "cannot read the month '13'"),
        ("0 8 * * 8", "cannot read the day of week '8'"),
        ("0 8 * * 5-1", "cannot read the day of week '5-1'"),
        ("0 8 * * */0", r"cannot read the day of week '\*/0'"),
        ("0 8 * * thứ", "cannot read"),
        ("@daily", "five fields"),
        ("", "five fields"),
    ],
)
def test_what_is_no_crontab_line_is_refused_in_one_line(cron, words):
    with pytest.raises(BadInput, match=words) as error:
        trigger(cron, "Asia/Ho_Chi_Minh")
    assert "\n" not in str(error.value)


def test_a_date_that_never_comes_is_refused():
    with pytest.raises(BadInput, match="never fires"):
        next_moments("0 0 31 2 *", "Asia/Ho_Chi_Minh", after=START)


@pytest.mark.parametrize("zone", ["Asia/Hanoi", "", "../etc/passwd", "UTC+7"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(BadInput, match="no such time zone"):
        next_moments("0 8 * * 1", zone, after=START)


@pytest.mark.parametrize(
    ("zone", "spring", "autumn"),
    [
        ("Europe/Berlin", datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 10, 30, 12, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 13, 18, tzinfo=UTC), datetime(2027, 11, 6, 18, tzinfo=UTC)),
    ],
)
def test_each_dst_day_fires_once(zone, spring, autumn):
    """02:30 does not exist on the spring day and comes twice on the autumn day."""
    for cron in ("30 2 * * *", "30 1 * * *"):
        for start in (spring, autumn):
            found = list(islice(moments(cron, zone, after=start), 3))
            days = [text[:10] for text, _ in found]
            assert len(set(days)) == 3, (cron, found)
            gaps = [later - earlier for (_, earlier), (_, later) in pairwise(found)]
            assert all(timedelta(hours=22) < gap < timedelta(hours=26) for gap in gaps)


def test_starting_between_the_two_autumn_instants_gives_the_same_occurrence_name():
    """A restart in the repeated hour proposes the same occurrence again; the unique key then refuses it."""
    between = datetime(2027, 10, 31, 0, 45, tzinfo=UTC)  # after the first 02:30 in Berlin, before the second
    assert occurrences("30 2 * * *", "Europe/Berlin", between, 1) == ["2027-10-31T02:30"]


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    weekday=st.integers(0, 7),
    zone=st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 (hypothesis wants naive bounds)
)
def test_any_weekly_schedule_fires_on_its_day_and_never_twice(minute, hour, weekday, zone, start):
    found = list(islice(moments(f"{minute} {hour} * * {weekday}", zone, after=start.replace(tzinfo=UTC)), 4))
    assert len({text for text, _ in found}) == 4
    for _, moment in found:
        assert moment.astimezone(ZoneInfo(zone)).isoweekday() % 7 == weekday % 7
