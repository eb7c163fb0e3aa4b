"""The web: staff pages behind a login, what readers' links open, and /health. Server-rendered; works without JavaScript.

A GET never changes anything (mail scanners follow links); every POST is checked for its origin, except a mail provider's
one-click unsubscribe, which its token alone authorises (RFC 8058), and the API's, which reads no cookie. Handlers are
plain functions run in a thread pool.
"""

from collections.abc import Callable
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.app import App
from newsletter.web import api, assets, hooks, public, shield, staff
from newsletter.web.rendering import Pages
from newsletter.web.visit import Site, problem, route


def make(
    app: App,
    *,
    wake: Callable[[], None] = lambda: None,
    wake_imports: Callable[[], None] = lambda: None,
    importing: "Lock | None" = None,  # in Python 3.11 it is a function, which knows no |
) -> ASGIApp:
    """The ASGI application. `wake` is called after a request that asked for a letter or a test, so that it leaves at once;
    `wake_imports` after one that sent a file of people, which whoever holds `importing` reads (imports.run_waiting).
    """
    shipped = assets.load()
    pages = Pages(app.settings.base_url, shipped)
    site = Site(app=app, wake=wake, pages=pages, wake_imports=wake_imports, importing=importing or Lock())
    others = [assets.route(shipped), hooks.route(app), Mount("/api", api.make(site))]
    routes = [*others, *(route(site, one) for one in (*public.ROUTES, *staff.ROUTES))]

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        await _problem(site, Request(scope), 404)(scope, receive, send)

    router = Router(routes, redirect_slashes=False, default=not_found)
    guarded = shield.OwnOrigin(router, app.settings.base_url)
    caught = shield.Faults(guarded, lambda scope: _problem(site, Request(scope), 500))
    slowed = shield.Flood(caught, limits=app.limits, proxies=app.settings.web.proxies, now=app.clock.now)
    return shield.Headers(shield.Prefix(slowed, site.pages.prefix), app.settings.base_url)


def _problem(site: Site, request: Request, status: int) -> Response:
    return problem(site.visit(request), status)
