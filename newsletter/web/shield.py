"""What stands before every request and answer: headers, the origin check, the path prefix, and faults of our own.

Pure ASGI: nothing here reads a body or touches a row.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.limits import Limits, Rule, client_of, network_of
from newsletter.log import get_logger

log = get_logger("web")

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# A rendering shown in a browser: no scripts, no forms, an origin of its own; links may open a tab.
_RENDERING = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; form-action 'none'; base-uri 'none'; "
    "frame-ancestors {framed_by}; sandbox allow-popups allow-popups-to-escape-sandbox"
)
ONE_CLICK = "/u/"  # RFC 8058: a mail provider posts here, from anywhere; the token in the path is the authority
API = "/api/"  # a token in a header is the authority there, which no other site can make a browser send; no cookie is read
# Asked by strangers: a form on any site may post here (it gets our own form to press), and too many from one network wait.
SIGN_UP = "/subscribe/"
STRANGERS = (SIGN_UP, "/your-data")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def rendering_policy(*, framed_by: str, pictures: bool = True) -> str:
    """The Content-Security-Policy of a mail shown as a document. `framed_by`: "'self'" or "'none'"."""
    return _RENDERING.format(images="'self' https: data:" if pictures else "'none'", framed_by=framed_by)


def framing_policy() -> str:
    """That of a page which shows such a document in a frame."""
    return f"{POLICY}; frame-src 'self'; connect-src 'self'"


def asking_policy() -> str:
    """That of a page whose script asks us again while somebody types."""
    return f"{POLICY}; connect-src 'self'"


def referrer_policy(base_url: str) -> str:
    """`no-referrer`, but on plain http `same-origin`.

    Under no-referrer a browser posts forms with `Origin: null` (Fetch, "append a request Origin header"), and over plain
    http it sends no Sec-Fetch-Site either (trustworthy origins only): nothing would be left to tell our forms by.
    """
    return "no-referrer" if base_url.startswith("https://") else "same-origin"


class Headers:
    """Puts the security headers on every answer that does not bring its own."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self.app = app
        self.defaults = (
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", referrer_policy(base_url)),
            ("Cache-Control", "no-store"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("X-Robots-Tag", "noindex"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.defaults:
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class Prefix:
    """Serves under the path of the base URL, whether or not the proxy in front leaves it in place."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.prefix and scope["path"].startswith(f"{self.prefix}/"):
            scope = {**scope, "path": scope["path"].removeprefix(self.prefix)}
        await self.app(scope, receive, send)


class OwnOrigin:
    """Refuses what another site makes a browser post to us."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self.app = app
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}".lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._allowed(scope):
            log.warning("foreign_post_refused")
            await PlainTextResponse("This form was sent from another site.\n", 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        headers = RequestHeaders(scope=scope)
        return (
            scope["method"] in SAFE_METHODS
            or scope["path"].startswith((SIGN_UP, API))
            or is_one_click(scope["path"])
            or is_own(
                headers.getlist("sec-fetch-site"), headers.getlist("origin"), headers.get("host", ""), self.origin
            )
        )


def is_one_click(path: str) -> bool:
    """The link of List-Unsubscribe itself; what stands below it is for buttons of our pages (pure)."""
    return path.startswith(ONE_CLICK) and "/" not in path.removeprefix(ONE_CLICK)


def is_own(fetch_site: Iterable[str], origins: Iterable[str], host: str, own_origin: str) -> bool:
    """Whether a request comes from a page of ours, or from no page at all (pure).

    Every browser since 2020 sends Origin with a POST, so a request with neither header comes from a program, which no
    other site can steer; it still needs its cookie or token.
    """
    sites, senders = list(fetch_site), [origin.lower() for origin in origins]
    if sites:
        return all(site in ("same-origin", "none") for site in sites)
    ours = (own_origin, f"http://{host.lower()}", f"https://{host.lower()}")
    return all(sender in ours for sender in senders)


class Flood:
    """Turns away who asks for strangers' pages too fast, before a thread, a page or a row is spent on it."""

    RULE = Rule(name="flood", most=300, within=timedelta(minutes=1))  # a class in one room may sign up in one minute

    def __init__(self, app: ASGIApp, *, limits: Limits, proxies: tuple[str, ...], now: Callable[[], datetime]) -> None:
        self.app, self.limits, self.proxies, self.now = app, limits, frozenset(proxies), now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(STRANGERS) and not self._may(scope):
            answer = PlainTextResponse("Too many requests from here. Please try again in a minute.\n", 429)
            answer.headers["Retry-After"] = "60"
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        forwarded = ",".join(RequestHeaders(scope=scope).getlist("x-forwarded-for"))
        peer = scope["client"][0] if scope.get("client") else ""
        return self.limits.take(self.RULE, network_of(client_of(peer, forwarded, self.proxies)), now=self.now())


class Faults:
    """A fault of ours becomes one page and one log entry. The path is left out of it: it may hold a reader's token."""

    def __init__(self, app: ASGIApp, page: Callable[[Scope], Response]) -> None:
        self.app, self.page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:  # whoever asked has gone: nobody to answer, nothing of ours broke
            return
        except Exception:
            log.exception("request_broke", method=scope.get("method"), area=scope.get("path", "/").split("/")[1])
            if started:
                raise
            await self.page(scope)(scope, receive, send)
