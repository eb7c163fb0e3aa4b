"""What an answer means for a source: when it is looked at next, when its address moves, when it is given up. Pure.

Must never draw a random number: the same source after the same failures waits as long, in a test as in a replay.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s

from newsletter.model import Source, SourceState

POLL_EVERY = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=24)
SPREAD = 0.1  # of a pause: by so much it may be shorter, so that sources that failed together do not come back together
SIGHTINGS = 3  # of the same permanent redirect, one look after another, until the stored address follows it
GONE_TWICE = 2  # answers 410: the first may be a mistake of the site
PATIENCE = timedelta(days=14)  # of failures in a row …
LEAST_TRIES = 10  # … and so many of them: a machine that was off for a month has not tried for a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The columns a failure leaves."""

    state: SourceState
    reason: str
    failures: int
    failing_since: datetime
    gone: int
    next_check_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer leaves for the next look. `etag`, `last_modified`: of `validators_url`. `moved`: where its permanent
    redirects led. `every`: until the next look. `signature` and `reading`: of a listing, of a feed (see Source)."""

    etag: str | None = None
    last_modified: str | None = None
    validators_url: str | None = None
    body_hash: str | None = None
    signature: str | None = None
    reading: str | None = None
    moved: str | None = None
    every: timedelta = POLL_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The columns a look at a source leaves of where it stands."""

    url: str
    moved_to: str | None = None
    moved_seen: int = 0


def after_failure(
    source: Source, reason: str, *, now: datetime, status: int | None = None, retry_after: float | None = None
) -> Health:
    """Failing, looked at again after `pause`; or paused until a person resumes it, because it is gone (410 twice,
    RFC 9110 15.5.11) or has not been readable for two weeks. `status`: of HTTP, if one was answered."""
    failures = source.failures + 1
    since = source.failing_since or now
    gone = source.gone + 1 if status == 410 else 0
    state = SourceState.PAUSED
    if gone >= GONE_TWICE:
        reason = f"paused, because it said twice that it is gone for good: {reason}"
    elif now - since >= PATIENCE and failures >= LEAST_TRIES:
        reason = f"paused, because it could not be read for {PATIENCE.days} days: {reason}"
    else:
        state = SourceState.FAILING
    return Health(
        state=state,
        reason=reason,
        failures=failures,
        failing_since=since,
        gone=gone,
        next_check_at=now + pause(source, retry_after),
    )


def pause(source: Source, retry_after: float | None) -> timedelta:
    """From an hour, doubling up to a day, a little less by lot; `retry_after` (seconds, the source's own wish) makes it
    longer, up to the same day."""
    doubled: timedelta = min(POLL_EVERY * 2 ** min(source.failures, 10), LONGEST_PAUSE)
    lot = int.from_bytes(blake2s(f"{source.id}:{source.failures}".encode(), digest_size=4).digest(), "big") / 2**32
    own = max(POLL_EVERY, doubled * (1 - SPREAD * lot))
    return max(own, timedelta(seconds=min(max(retry_after or 0.0, 0.0), LONGEST_PAUSE.total_seconds())))


def address(source: Source, moved: str | None) -> Address:
    """`moved`: where only permanent redirects (301, 308) led to an answer that could be read; None when none did."""
    if moved is None or moved == source.url:
        return Address(url=source.url)
    seen = source.moved_seen + 1 if moved == source.moved_to else 1
    if seen >= SIGHTINGS:
        return Address(url=moved)
    return Address(url=source.url, moved_to=moved, moved_seen=seen)


def next_look(fresh_for: float, ttl: timedelta) -> timedelta:
    """Until the next look at a source that answered: an hour, or longer when its answer (seconds, RFC 9111) or its feed
    (`ttl` of RSS 2.0) says so, up to a day."""
    return min(max(POLL_EVERY, timedelta(seconds=min(fresh_for, 1e9)), ttl), LONGEST_PAUSE)
