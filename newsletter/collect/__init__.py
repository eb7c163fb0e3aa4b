"""The collect stage: sources due → articles `new`, their identities, and the health of each source.

Sources are read in a bounded pool of threads, those of one host one after another; rows are written by the caller's
thread, one short transaction a source.
Must never let one bad source hold up the others, flood an issue from a backlog, or send a corrected article again.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.app import App
from newsletter.collect import poll
from newsletter.collect.choose import Known, New, choose, needs_page
from newsletter.collect.poll import Polled, candidates, complete
from newsletter.errors import SourceError
from newsletter.log import get_logger
from newsletter.model import ArticleState, RawItem, Source
from newsletter.store import Connection, articles, letters, sources

log = get_logger("collect")

WORKERS = 20  # connections in all; each host has one
PATIENCE = 90.0  # seconds after which a run begins no further source or page: an issue may be waiting to go out
TOLD_AFTER = 3  # failures in a row: a single one is the weather of the net


@dataclass(frozen=True, slots=True)
class _Reading:
    source: Source
    others: deque[Source]  # of the same host, which wait for it
    completed: bool = False  # its pages have been read, too


_Jobs = dict["Future[Polled]", _Reading]


def run(app: App, now: datetime) -> int:
    """Read every source that is due. Returns how many articles became candidates."""
    with app.db.read() as conn:
        due = sources.due(conn, now=now)
    if not due:
        return 0
    offered = done = 0
    until = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(due)), thread_name_prefix="collect") as pool:
        jobs: _Jobs = {}
        for queue in _by_host(due):
            _begin(app, pool, jobs, queue, now=now)
        while jobs and not app.stopping.is_set():
            for job in wait(jobs, timeout=0.2, return_when=FIRST_COMPLETED).done:
                reading = jobs.pop(job)
                if app.stopping.is_set():  # its pages may be half read: the next run reads it again
                    break
                source, polled = reading.source, _result(app, reading.source, job, now)
                if (
                    polled is not None
                    and not reading.completed
                    and (further := _with_pages(app, pool, source, polled, now=now, until=until))
                ):
                    jobs[further] = _Reading(source, reading.others, completed=True)
                    continue
                offered += _settled(app, source, polled, now) if polled is not None else 0
                done += 1
                app.watch("collect", source.name, done, len(due))
                if time.monotonic() < until:
                    _begin(app, pool, jobs, reading.others, now=now)
        pool.shutdown(cancel_futures=True)
    if done < len(due) and not app.stopping.is_set():  # they stay due
        log.info("sources_left", sources=len(due) - done)
        app.watch("collect", f"{len(due) - done} source(s) are read with the next run")
    return offered


def _by_host(due: Iterable[Source]) -> list[deque[Source]]:
    """The sources of one host in one queue: then a slow host holds one thread, however many sources it has."""
    queues: dict[str, deque[Source]] = {}
    for source in due:
        try:
            host = urlsplit(source.url).hostname
        except ValueError:
            host = None
        queues.setdefault(host or f"/{source.slug}", deque()).append(source)
    return list(queues.values())


def _begin(app: App, pool: ThreadPoolExecutor, jobs: _Jobs, queue: deque[Source], *, now: datetime) -> None:
    if queue:
        source = queue.popleft()
        jobs[pool.submit(poll.poll, app.fetcher, source, now=now)] = _Reading(source, queue)


def take(app: App, source: Source, items: Sequence[RawItem], now: datetime) -> int:
    """Write articles given by name (pasted, a file, the demo) under a source that is not polled; returns how many."""
    return _settled(app, source, Polled(found=candidates(source, items)), now)


def _result(app: App, source: Source, job: "Future[Polled]", now: datetime) -> Polled | None:
    """What the thread read, or None with the failure written down."""
    status = retry_after = None
    try:
        return job.result()
    except SourceError as error:
        reason, status, retry_after = str(error), error.status, error.retry_after
        log.warning("source_failed", source=source.slug, reason=reason)
    except Exception as error:  # a fault of ours in one source must not cost the others their turn
        reason = f"could not be read: {type(error).__name__}"
        log.exception("source_broke", source=source.slug)
    with app.db.begin() as conn:
        after = sources.failed(conn, source, reason, now=now, status=status, retry_after=retry_after)
        if after is not None:
            reason = after.reason or reason
            _tell(app, conn, after, now)
    app.watch("collect", f"{source.name}: {reason}")
    return None


def _tell(app: App, conn: Connection, source: Source, now: datetime) -> None:
    """One letter to staff when a source keeps failing, and one when it is given up."""
    if not source.given_up and source.failures != TOLD_AFTER:
        return
    topic = "source_paused" if source.given_up else "source_failing"
    variables = {"topic": topic, "name": source.name, "lines": [source.reason], "url": app.url("/staff/sources")}
    letters.tell_staff(conn, f"{topic}:{source.id}:{source.failing_since:%Y-%m-%dT%H:%M:%S}", variables, now=now)


def _with_pages(
    app: App, pool: ThreadPoolExecutor, source: Source, polled: Polled, *, now: datetime, until: float
) -> "Future[Polled] | None":
    """A job that reads the pages of new entries known only by a link or an excerpt; None when there are none."""
    if polled.unchanged:
        return None
    with app.db.read() as conn:
        decisions = _decided(conn, source, polled, now)
    wanted = {decision.keys for decision in decisions if isinstance(decision, New) and needs_page(source, decision)}
    chosen = [candidate for candidate in polled.found if candidate.keys in wanted]
    if not chosen:
        return None
    offered = frozenset(d.keys[0] for d in decisions if isinstance(d, New) and d.state is not ArticleState.SKIPPED)
    return pool.submit(complete, app.fetcher, polled, chosen, app.stopping, offered=offered, until=until)


def _decided(conn: Connection, source: Source, polled: Polled, now: datetime) -> list[New | Known]:
    keys = [key for candidate in polled.found for key in candidate.keys]
    return choose(source, polled.found, articles.known(conn, source.id, keys), now=now, offered=polled.offered)


def _settled(app: App, source: Source, polled: Polled, now: datetime) -> int:
    """Write what the source showed; returns how many articles became candidates."""
    with app.db.begin() as conn:
        # first, because it locks the source's row: of two workers the second then sees what the first has written
        sources.checked(
            conn,
            source,
            now=now,
            validators=polled.validators,
            body_hash=polled.body_hash,
            signature=polled.signature,
            moved=polled.moved,
            every=polled.every,
        )
        decisions = _decided(conn, source, polled, now)
        for decision in decisions:
            if isinstance(decision, New):
                _add(conn, source, decision, now)
            else:
                _compare(conn, source, decision, now)
    for problem in polled.problems:
        log.warning("part_left_out", source=source.slug, reason=str(problem))
        app.watch("collect", str(problem))
    if polled.left:
        log.info("pages_left", source=source.slug, pages=polled.left)
        app.watch("collect", f"{source.name}: {polled.left} page(s) are read with the next look")
    if polled.truncated:
        log.warning("source_truncated", source=source.slug, entries=len(polled.found))
    offered = sum(isinstance(d, New) and d.state is ArticleState.NEW for d in decisions)
    log.info("source_read", source=source.slug, shown=len(polled.found), offered=offered, unchanged=polled.unchanged)
    return offered


def _add(conn: Connection, source: Source, new: New, now: datetime) -> None:
    articles.add(
        conn,
        source,
        new.item,
        keys=new.keys,
        now=now,
        language=new.language,
        state=new.state,
        reason=new.reason,
        named=new.named,
    )


def _compare(conn: Connection, source: Source, known: Known, now: datetime) -> None:
    if known.fresh_keys:
        articles.remember(conn, source.id, known.article_id, known.fresh_keys, now=now)
    if known.compare and articles.corrected(conn, known.article_id, known.item, now=now, language=known.language):
        log.info("article_corrected", source=source.slug, article=known.article_id)
