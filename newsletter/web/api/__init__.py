"""/api: what other programs may look at and do, as JSON; described at /api/openapi.json and /api/docs.

FastAPI's routing, validation and description; what stands before every operation is ours (`door`). Handlers are plain
functions run in threads. Must never read a cookie, log or repeat an address, or let a GET change anything but when a token
was last used.
"""

import threading

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from newsletter.web.api import deciding, document, importing, lists, people, problems, publishing, reading, segments
from newsletter.web.api.door import Gate
from newsletter.web.visit import Site

ROOMS = (
    people.room,
    lists.room,
    segments.room,
    importing.room,
    reading.back,
    publishing.room,
    deciding.room,
    reading.material,
)


# Pydantic silences warnings of its own while it reads signatures, which is no business of two threads at once (the
# `warnings` module's filters are the process's): where two services start side by side, one of them broke.
_ONE_AT_A_TIME = threading.Lock()


def make(site: Site) -> ASGIApp:
    """The ASGI application to be mounted at /api."""
    with _ONE_AT_A_TIME:
        return _made(site)


def _made(site: Site) -> ASGIApp:
    api = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={HTTPException: _refused},
    )
    api.state.site = site
    for room in ROOMS:
        api.include_router(room)
    document.add(api, site)
    return Gate(api, site)


async def _refused(_request: Request, error: Exception) -> Response:
    """A path there is not, or not in this way; every other fault is answered at the door."""
    return problems.answer_to(error)
