"""The sources and how they are."""

from starlette.responses import Response

from newsletter.model import SourceState
from newsletter.store import sources as rows
from newsletter.web.visit import Visit

_ORDER = (SourceState.FAILING, SourceState.ACTIVE, SourceState.PAUSED)


def sources(visit: Visit) -> Response:
    """Failing ones first."""
    with visit.app.db.read() as conn:
        listed = sorted(rows.listed(conn), key=lambda source: (_ORDER.index(source.state), source.name))
    return visit.page("staff/sources.html", sources=listed)
