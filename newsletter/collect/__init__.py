"""The collect stage: sources due → articles `new`, their identities, and the health of each source.

Sources are read in a bounded pool of threads; rows are written by the caller's thread, one short transaction a source.
Must never let one bad source hold up the others, flood an issue from a backlog, or send a corrected article again.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime

from newsletter.app import App
from newsletter.collect import poll
from newsletter.collect.choose import Known, New, choose, needs_page
from newsletter.collect.poll import Polled, candidates, complete
from newsletter.collect.stories import compare_waiting
from newsletter.errors import SourceError
from newsletter.log import get_logger
from newsletter.model import ArticleState, RawItem, Source
from newsletter.store import Connection, articles, letters, sources

log = get_logger("collect")

WORKERS = 8
TOLD_AFTER = 3  # failures in a row: a single one is the weather of the net

_Jobs = dict["Future[Polled]", tuple[Source, bool]]  # the source, and whether its pages have been read


def run(app: App, now: datetime) -> int:
    """Read every source that is due, then see which articles tell one story. Returns how many became candidates."""
    offered = _read_due(app, now)
    compare_waiting(app, now)
    return offered


def _read_due(app: App, now: datetime) -> int:
    with app.db.read() as conn:
        due = sources.due(conn, now=now)
    if not due:
        return 0
    offered = done = 0
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(due)), thread_name_prefix="collect") as pool:
        jobs: _Jobs = {pool.submit(poll.poll, app.fetcher, source, now=now): (source, False) for source in due}
        while jobs and not app.stopping.is_set():
            for job in wait(jobs, timeout=1, return_when=FIRST_COMPLETED).done:
                source, completed = jobs.pop(job)
                if app.stopping.is_set():  # its pages may be half read: the next run reads it again
                    break
                polled = _result(app, source, job, now)
                if (
                    polled is not None
                    and not completed
                    and (further := _with_pages(app, pool, source, polled, now=now))
                ):
                    jobs[further] = (source, True)
                    continue
                offered += _settled(app, source, polled, now) if polled is not None else 0
                done += 1
                app.watch("collect", source.name, done, len(due))
        pool.shutdown(cancel_futures=True)
    return offered


def take(app: App, source: Source, items: Sequence[RawItem], now: datetime) -> int:
    """Write articles given by name (pasted, a file, the demo) under a source that is not polled; returns how many."""
    offered = _settled(app, source, Polled(found=candidates(source, items)), now)
    compare_waiting(app, now)
    return offered


def _result(app: App, source: Source, job: "Future[Polled]", now: datetime) -> Polled | None:
    """What the thread read, or None with the failure written down."""
    try:
        return job.result()
    except SourceError as error:
        reason, retry_after = str(error), error.retry_after
        log.warning("source_failed", source=source.slug, reason=reason)
    except Exception as error:  # a fault of ours in one source must not cost the others their turn
        reason, retry_after = f"could not be read: {type(error).__name__}", None
        log.exception("source_broke", source=source.slug)
    with app.db.begin() as conn:
        sources.failed(conn, source, reason, now=now, retry_after=retry_after)
        if source.failures + 1 == TOLD_AFTER:
            variables = {
                "topic": "source_failing",
                "name": source.name,
                "lines": [reason],
                "url": app.url("/staff/sources"),
            }
            letters.tell_staff(conn, f"failing:{source.id}:{now:%Y-%m-%d}", variables, now=now)
    app.watch("collect", f"{source.name}: {reason}")
    return None


def _with_pages(
    app: App, pool: ThreadPoolExecutor, source: Source, polled: Polled, *, now: datetime
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
    return pool.submit(complete, app.fetcher, polled, chosen, app.stopping, offered=offered)


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
