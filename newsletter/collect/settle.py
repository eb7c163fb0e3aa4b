"""What the thread of the collect stage writes: one short transaction a source, and one for all that had nothing new.

Must never write half of what a source showed, nor lose the reason why one could not be read.
"""

from collections.abc import Sequence
from datetime import datetime

from newsletter.app import App
from newsletter.collect.identity.choose import Known, New, choose
from newsletter.collect.identity.keys import mistrusted
from newsletter.collect.poll import Polled
from newsletter.errors import SourceError
from newsletter.log import get_logger, one_line
from newsletter.model import ArticleId, ArticleState, Source
from newsletter.store import Connection, DatabaseUnavailable, articles, letters, sources

log = get_logger("collect")

TOLD_AFTER = 3  # failures in a row: a single one is the weather of the net


def decided(conn: Connection, source: Source, polled: Polled, now: datetime) -> list[New | Known]:
    known = articles.recalled(conn, source.id, [key for candidate in polled.found for key in candidate.asked()])
    before = articles.number_of(conn, source.id)
    return choose(source, polled.found, known, now=now, before=before, shown=polled.shown, offered=polled.offered)


def settled(app: App, source: Source, polled: Polled, now: datetime) -> int:
    """Write what the source showed; returns how many articles became candidates."""
    with app.db.begin() as conn:
        # first, because it locks the source's row: of two workers the second then sees what the first has written
        sources.checked(conn, [(source, polled.answer)], now=now)
        decisions = decided(conn, source, polled, now)
        for decision in decisions:
            article_id = (
                _add(conn, source, decision, now)
                if isinstance(decision, New)
                else _compare(conn, source, decision, now)
            )
            articles.remember(conn, source.id, article_id, [mistrusted(key) for key in decision.mistrust], now=now)
        _tell_of_doubt(app, conn, source, decisions, now)
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


def unchanged(app: App, same: Sequence[tuple[Source, Polled]], now: datetime) -> None:
    """Sources that showed nothing new, in one transaction: most of a cycle, and a disk's flush for each is its slowest part."""
    if not same:
        return
    try:
        with app.db.begin() as conn:
            sources.checked(conn, [(source, polled.answer) for source, polled in same], now=now)
    except DatabaseUnavailable as error:
        for source, _ in same:
            not_written(app, source, error)
        return
    for source, _ in same:
        log.info("source_read", source=source.slug, shown=0, offered=0, unchanged=True)


def failed(app: App, source: Source, error: Exception, now: datetime) -> None:
    """Write down why the source could not be read, and tell staff when it is time."""
    status = retry_after = None
    if isinstance(error, SourceError):
        reason, status, retry_after = str(error), error.status, error.retry_after
        log.warning("source_failed", source=source.slug, reason=reason)
    else:  # a fault of ours in one source must not cost the others their turn
        reason = f"could not be read: {type(error).__name__}"
        log.error("source_broke", source=source.slug, exc_info=error)
    with app.db.begin() as conn:
        after = sources.failed(conn, source, reason, now=now, status=status, retry_after=retry_after)
        if after is not None:
            reason = after.reason or reason
            _tell(app, conn, after, now)
    app.watch("collect", f"{source.name}: {reason}")


def not_written(app: App, source: Source, error: DatabaseUnavailable) -> None:
    """The disk is full, the connection lost: the source stays due, and nothing of it is half written."""
    reason = f"{source.name}: what was read could not be written, the next run reads it again: {one_line(error)}"
    log.error("source_not_written", source=source.slug, reason=reason)
    app.watch("collect", reason)


def _tell(app: App, conn: Connection, source: Source, now: datetime) -> None:
    """One letter to staff when a source keeps failing, and one when it is given up."""
    if not source.given_up and source.failures != TOLD_AFTER:
        return
    topic = "source_paused" if source.given_up else "source_failing"
    variables = {"topic": topic, "name": source.name, "lines": [source.reason], "url": app.url("/staff/sources")}
    letters.tell_staff(conn, f"{topic}:{source.id}:{source.failing_since:%Y-%m-%dT%H:%M:%S}", variables, now=now)


def _add(conn: Connection, source: Source, new: New, now: datetime) -> ArticleId:
    return articles.add(
        conn,
        source,
        new.item,
        keys=new.aliases,
        now=now,
        language=new.language,
        state=new.state,
        reason=new.reason,
        named=new.named,
        words=new.words or None,
        doubt=new.doubt,
    )


def _compare(conn: Connection, source: Source, known: Known, now: datetime) -> ArticleId:
    seen = known.article
    if known.fresh_keys:
        articles.remember(conn, source.id, seen.id, known.fresh_keys, now=now)
    if (known.changed or seen.unread) and articles.corrected(
        conn, seen.id, known.item, now=now, language=known.language, excerpt=known.excerpt
    ):
        log.info("article_corrected", source=source.slug, article=seen.id)
    articles.heard(conn, seen, words=known.words, url=known.item.url)
    return seen.id


def _tell_of_doubt(app: App, conn: Connection, source: Source, decisions: Sequence[New | Known], now: datetime) -> None:
    """One letter to each of the staff for all that this reading left to a person."""
    doubtful = [decision for decision in decisions if isinstance(decision, New) and decision.doubt]
    if not doubtful:
        return
    variables = {
        "topic": "articles_doubtful",
        "name": source.name,
        "count": len(doubtful),
        "lines": [*dict.fromkeys(one.reason or "" for one in doubtful)][:1] + [one.item.title for one in doubtful],
        "url": app.url("/staff/articles?state=held"),
    }
    letters.tell_staff(conn, f"doubt:{source.id}:{now:%Y-%m-%dT%H:%M:%S}", variables, now=now)
    log.warning("articles_doubtful", source=source.slug, articles=len(doubtful), reason=doubtful[0].reason)
