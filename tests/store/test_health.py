"""When a source is looked at next, when its address moves, and when it is given up: the decisions alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.model import Source, SourceId, SourceKind, SourceState
from newsletter.store import sources
from newsletter.store.health import LEAST_TRIES, address, after_failure, next_look, pause
from tests.conftest import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = replace(sources.new("tin", SourceKind.FEED, "http://vien.example/feed"), id=SourceId("0123456789abcdef"))


def failed(times: int) -> Source:
    return replace(SOURCE, failures=times)


def test_pauses_double_up_to_a_day_and_are_shortened_a_little_by_lot() -> None:
    pauses = [pause(failed(n), None) for n in range(12)]
    whole = [HOUR * hours for hours in (1, 2, 4, 8, 16, 24, 24, 24, 24, 24, 24, 24)]
    assert pauses[0] == HOUR  # never more often than hourly
    assert all(full * 0.9 <= found <= full for found, full in zip(pauses, whole, strict=True))
    assert len(set(pauses)) == len(pauses)


def test_the_lot_is_the_same_each_time_and_another_for_each_source() -> None:
    others = [pause(replace(failed(5), id=SourceId(f"{n:016}")), None) for n in range(20)]
    assert others == [pause(replace(failed(5), id=SourceId(f"{n:016}")), None) for n in range(20)]
    assert len(set(others)) == 20


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        (None, HOUR, HOUR),
        (0, HOUR, HOUR),
        (60, HOUR, HOUR),  # never more often than hourly
        (3 * 3600, 3 * HOUR, 3 * HOUR),
        (365 * 86400, DAY, DAY),
        (1e12, DAY, DAY),
        (-5, HOUR, HOUR),
    ],
)
def test_the_sources_own_wish_lengthens_the_pause_within_a_day(
    wish: float | None, least: timedelta, most: timedelta
) -> None:
    assert least <= pause(SOURCE, wish) <= most
    assert pause(failed(9), wish) >= DAY * 0.9


def test_gone_twice_in_a_row_is_given_up_and_once_is_not() -> None:
    first = after_failure(SOURCE, "answered 410 Gone", now=NOW, status=410)
    assert (first.state, first.reason, first.gone) == (SourceState.FAILING, "answered 410 Gone", 1)
    known = replace(SOURCE, gone=1, failures=1, failing_since=NOW)
    second = after_failure(known, "answered 410 Gone", now=NOW + HOUR, status=410)
    assert second.state is SourceState.PAUSED
    assert second.reason == "paused, because it said twice that it is gone for good: answered 410 Gone"
    assert second.failing_since == NOW
    between = after_failure(known, "answered 503", now=NOW + HOUR, status=503)
    assert (between.state, between.gone) == (SourceState.FAILING, 0)


def test_two_weeks_of_failures_are_given_up_if_it_was_tried_often_enough() -> None:
    weeks = replace(SOURCE, failures=LEAST_TRIES - 1, failing_since=NOW - timedelta(days=14))
    found = after_failure(weeks, "answered 404 Not Found", now=NOW, status=404)
    assert found.state is SourceState.PAUSED
    assert found.reason == "paused, because it could not be read for 14 days: answered 404 Not Found"
    almost = replace(weeks, failing_since=NOW - timedelta(days=14) + HOUR)
    assert after_failure(almost, "x", now=NOW).state is SourceState.FAILING
    switched_off = replace(weeks, failures=3)  # the machine was off for a month, and its network comes up late
    assert after_failure(switched_off, "x", now=NOW).state is SourceState.FAILING


def test_an_address_moves_after_three_equal_sightings_in_a_row() -> None:
    here, there, elsewhere = SOURCE.url, "http://moi.vien.example/feed", "http://cho.example/feed"

    def walk(*seen: str | None) -> list[tuple[str, int]]:
        source, steps = SOURCE, []
        for moved in seen:
            found = address(source, moved)
            source = replace(source, url=found.url, moved_to=found.moved_to, moved_seen=found.moved_seen)
            steps.append((found.url, found.moved_seen))
        return steps

    assert walk(there, there, there, None) == [(here, 1), (here, 2), (there, 0), (there, 0)]
    assert walk(there, there, None, there) == [(here, 1), (here, 2), (here, 0), (here, 1)]
    assert walk(there, elsewhere, there, elsewhere, there) == [(here, 1)] * 5  # now here, now there


@pytest.mark.parametrize(
    ("fresh_for", "ttl", "until"),
    [
        (0, 0, HOUR),
        (60, 5, HOUR),
        (7200, 0, 2 * HOUR),
        (0, 180, 3 * HOUR),
        (7200, 180, 3 * HOUR),
        (31_536_000, 0, DAY),
        (1e12, 999_999, DAY),
    ],
)
def test_the_next_look_is_later_when_the_answer_says_so_and_never_sooner(
    fresh_for: float, ttl: int, until: timedelta
) -> None:
    assert next_look(fresh_for, timedelta(minutes=ttl)) == until
