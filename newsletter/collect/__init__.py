"""The collect stage: sources due → articles `new`, their identities and stories, and the health of each source.

`gather` reads the sources in a bounded pool of threads; `settle` writes, in the caller's thread, one short transaction a
source. Must never let one bad source hold up the others, flood an issue from a backlog, or send a corrected article again.
"""

from collections.abc import Sequence
from datetime import datetime

from newsletter.app import App
from newsletter.collect.gather import Gathering
from newsletter.collect.poll import Polled, candidates
from newsletter.collect.settle import failed, not_written, settled, unchanged
from newsletter.collect.stories.compare import compare_waiting
from newsletter.log import get_logger
from newsletter.model import RawItem, Source
from newsletter.store import DatabaseUnavailable, sources

log = get_logger("collect")

_TOGETHER = 100  # sources that showed nothing new, written in one transaction


def run(app: App, now: datetime) -> int:
    """Read every source that is due, then see which articles tell one story. Returns how many became candidates."""
    offered = read_due(app, now)
    compare_waiting(app, now)
    return offered


def take(app: App, source: Source, items: Sequence[RawItem], now: datetime) -> int:
    """Write articles given by name (pasted, a file, the demo) under a source that is not polled; returns how many."""
    offered = settled(app, source, Polled(found=candidates(source, items)), now)
    compare_waiting(app, now)
    return offered


def read_due(app: App, now: datetime) -> int:
    """Read every source that is due and write what it showed. Returns how many articles became candidates."""
    with app.db.read() as conn:
        due = sources.due(conn, now=now)
    if not due:
        return 0
    offered = done = 0
    same: list[tuple[Source, Polled]] = []
    for source, result in Gathering(app, due, now=now).results():
        if isinstance(result, Polled) and result.unchanged:
            same.append((source, result))
            if len(same) == _TOGETHER:
                unchanged(app, same, now)
                same = []
        else:
            offered += _write(app, source, result, now)
        done += 1
        app.watch("collect", source.name, done, len(due))
    unchanged(app, same, now)
    if done < len(due) and not app.stopping.is_set():  # they stay due
        log.info("sources_left", sources=len(due) - done)
        app.watch("collect", f"{len(due) - done} source(s) are read with the next run")
    return offered


def _write(app: App, source: Source, result: Polled | Exception, now: datetime) -> int:
    try:
        if isinstance(result, Polled):
            return settled(app, source, result, now)
        if isinstance(result, DatabaseUnavailable):
            raise result
        failed(app, source, result, now)
    except DatabaseUnavailable as error:
        not_written(app, source, error)
    return 0
