"""/health: for a monitor. Says whether the database answers and has this version's schema; nothing about its content."""

from starlette.responses import JSONResponse, Response

from newsletter import __version__
from newsletter.log import get_logger
from newsletter.store import schema_state
from newsletter.web.visit import Visit

log = get_logger("web")


def health(visit: Visit) -> Response:
    """200 when all is well, else 503. `schema`: empty, older, current, newer or unknown."""
    try:
        schema, database = schema_state(visit.app.db), "ok"
    except Exception as error:  # whatever a driver raises: the answer is the same
        log.error("database_unreachable", reason=type(error).__name__)
        schema, database = "unknown", "unreachable"
    well = database == "ok" and schema == "current"
    body = {"status": "ok" if well else "failing", "database": database, "schema": schema, "version": __version__}
    return JSONResponse(body, 200 if well else 503)
