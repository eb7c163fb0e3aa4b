"""One request of a person: who it is, in which language they read, and how they are answered.

A page is declared as `show(path, handler)` or `act(path, handler)`; a handler takes a Visit and returns a Response. Only
`act` is reached by POST, so a handler that writes cannot be reached by following a link.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message

from newsletter.app import App
from newsletter.errors import BadInput
from newsletter.limits import client_of
from newsletter.locale import Labels, labels
from newsletter.store.staff import Staff
from newsletter.web import uploads
from newsletter.web.language import asked_for, preferred
from newsletter.web.rendering import Pages
from newsletter.web.uploads import Uploaded

LONGEST_FORM = 64 * 1024  # octets; our usual form has a few short fields
MOST_FIELDS = 100


def nobody_waits() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What every request is served from."""

    app: App
    pages: Pages
    wake: Callable[[], None]  # a letter was asked for: let it leave now
    wake_imports: Callable[[], None] = nobody_waits  # a file of people was sent: look at it now
    importing: threading.Lock = field(default_factory=threading.Lock)  # one file of people at a time

    def visit(self, request: Request, form: Mapping[str, str] | None = None) -> "Visit":
        chosen = asked_for(request.query_params.get("lang"))
        language = chosen or preferred(request.headers.get("accept-language", ""), self.app.settings.language)
        return Visit(site=self, request=request, form=form or {}, language=language, language_chosen=chosen is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    site: Site
    request: Request
    form: Mapping[str, str] = field(repr=False)
    language: str
    language_chosen: bool  # by ?lang=: stronger than what we know of the reader
    member: Staff | None = None  # None outside the staff pages
    uploaded: Uploaded | None = None  # of a form with a file; it is gone after the answer unless it was moved

    @property
    def app(self) -> App:
        return self.site.app

    @property
    def words(self) -> Labels:
        return labels(self.language)

    @property
    def now(self) -> datetime:
        return self.app.clock.now()

    @property
    def client(self) -> str:
        """The visitor's IP address, "" when unknown."""
        return client_of_request(self.request, self.app.settings.web.proxies)

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def asked(self, name: str, default: str = "") -> str:
        """A value of the query."""
        return self.request.query_params.get(name, default)

    def speaking(self, language: str | None) -> "Visit":
        """The same in the reader's own language, unless they chose another one for this page."""
        known = None if self.language_chosen else asked_for(language)
        return replace(self, language=known) if known else self

    def by(self, member: Staff) -> "Visit":
        return replace(self.speaking(member.language), member=member)

    def page(
        self, template: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
    ) -> Response:
        """Render a page. `values` are what its template names; everything is escaped."""
        return HTMLResponse(self.site.pages.render(template, self, values), status, headers)

    def go(self, path: str) -> Response:
        """After a POST: a GET shows the outcome, so that a reload does not post again."""
        return RedirectResponse(self.site.pages.path(path), 303)


Handler = Callable[[Visit], Response]
Admits = Callable[[Visit], Response | None]  # what stands against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    path: str
    handler: Handler
    method: str
    longest: int = LONGEST_FORM  # octets of a posted form
    least: float = 0  # seconds from the whole form to the answer
    admits: Admits | None = None  # of a form with a file: asked before it is read, whether it is


def show(path: str, handler: Handler) -> Page:
    """Reached by GET and HEAD; must not change anything."""
    return Page(path=path, handler=handler, method="GET")


def act(path: str, handler: Handler, *, longest: int = LONGEST_FORM, least: float = 0) -> Page:
    """Reached by POST only. `least`: the answer takes this many seconds, so that its time tells nothing."""
    return Page(path=path, handler=handler, method="POST", longest=longest, least=least)


def take(path: str, handler: Handler, *, admits: Admits) -> Page:
    """A form with a file, reached by POST only. Nothing of it is read before `admits` answers None."""
    return Page(path=path, handler=handler, method="POST", admits=admits)


def route(site: Site, page: Page) -> Route:
    async def upload(request: Request) -> Response:
        if (
            page.admits is not None
            and (refused := await run_in_threadpool(page.admits, site.visit(request))) is not None
        ):
            return refused
        folder = await run_in_threadpool(uploads.folder, site.app.settings.data_dir)
        try:
            sent = await uploads.read_form(request, folder)
            return await run_in_threadpool(
                _answer, replace(site.visit(request, sent.fields), uploaded=sent), page.handler
            )
        finally:
            await run_in_threadpool(uploads.remove, folder)

    async def endpoint(request: Request) -> Response:
        form = await read_form(request, page.longest) if page.method == "POST" else {}
        if form is None:
            return problem(site.visit(request), 413)
        ready = anyio.current_time() + page.least
        answer = await run_in_threadpool(_answer, site.visit(request, form), page.handler)
        await anyio.sleep_until(ready)  # holds no thread
        return answer

    return Route(page.path, upload if page.admits is not None else endpoint, methods=[page.method])


def _answer(visit: Visit, handler: Handler) -> Response:
    try:
        return handler(visit)
    except BadInput:  # an id in the path that names nothing
        return problem(visit, 404)


def client_of_request(request: HTTPConnection, proxies: tuple[str, ...]) -> str:
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    return client_of(request.client.host if request.client else "", forwarded, frozenset(proxies))


def problem(visit: Visit, status: int) -> Response:
    """One page for everything that is not there, too big, or broken; it never repeats what was asked for."""
    return visit.page("problem.html", status=status, code=status)


async def read_form(request: Request, longest: int = LONGEST_FORM) -> dict[str, str] | None:
    """The fields of a posted form, the last of each name; None when it is larger than `longest`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            return None

    async def again() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        form = await Request(request.scope, again).form(max_files=0, max_fields=MOST_FIELDS)
    except (HTTPException, MultiPartException):  # not a form: then it has no fields
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}
