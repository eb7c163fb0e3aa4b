"""The door of every operation: who asks, whether they may, how often, how much they may send; then what they asked for.

What an operation needs is written where it is declared, stands in the OpenAPI document and is what is checked: an
operation without a scope cannot be declared. A route is checked after it was found, so no spelling of a path leads around.
Cookies are never read; nothing is taken from the query but what an operation names.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.app import App
from newsletter.limits import Rule, network_of
from newsletter.model import Scope as Permission
from newsletter.store import tokens
from newsletter.store.tokens import Token
from newsletter.web.api import problems, repeats, uploads
from newsletter.web.api.problems import Problem
from newsletter.web.visit import Site, client_of_request

LONGEST_BODY = 256 << 10  # octets
EVEN = 0.15  # seconds, as on the pages: the time of an answer tells nobody who is known

PER_NETWORK = Rule(name="api-network", most=600, within=timedelta(minutes=1))
PER_TOKEN = Rule(name="api-token", most=600, within=timedelta(minutes=1))

_SCHEME = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of a program that may make it."""

    site: Site
    token: Token
    client: str  # IP address, "" when unknown

    @property
    def app(self) -> App:
        return self.site.app

    def may(self, permission: Permission) -> bool:
        return permission in self.token.scopes


def _asked(request: Request) -> Asked:
    asked: Asked = request.scope["asked"]
    return asked


By = Annotated[Asked, Depends(_asked)]  # what handlers name to know who asks


class Room(APIRouter):
    """A group of operations."""

    def __init__(self, tag: str) -> None:
        super().__init__(tags=[tag], route_class=Guarded, redirect_slashes=False)

    def does(
        self,
        method: str,
        path: str,
        *scopes: Permission | tuple[Permission, ...],
        summary: str,
        status: int = 200,
        kept: bool = True,
        upload: bool = False,
        problems: tuple[int, ...] = (),
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare an operation; one of the scopes is enough, of a tuple all are needed. `kept`: a POST heeds
        Idempotency-Key, its answer is stored, so it may hold no address. `upload`: the body is a file. `problems`:
        statuses beside those every operation may have."""
        needed = [scope if isinstance(scope, tuple) else (scope,) for scope in scopes]
        assert needed, "an operation without a scope would be open to everybody"
        assert all(needed), "so would one that needs none of them"
        extra: dict[str, Any] = {"security": [{_SCHEME: [one.value for one in together]} for together in needed]}
        extra["x-problems"] = list(problems)
        if method == "POST" and kept:
            extra["x-idempotent"] = True
        if upload:
            content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
            extra["requestBody"] = {"required": True, "content": content}
        return self.api_route(path, methods=[method], summary=summary, status_code=status, openapi_extra=extra)


class Guarded(APIRoute):
    """A route behind the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        act, extra = super().get_route_handler(), self.openapi_extra or {}
        wanted = [alternative[_SCHEME] for alternative in extra["security"]]

        async def guarded(request: Request) -> Response:
            began = anyio.current_time()
            try:
                asked = await run_in_threadpool(_admit, request, wanted)
                request.scope["asked"] = asked
                if "requestBody" in extra:
                    answer = await _act_on_file(asked, request, act)
                else:
                    again, body = await _with_body(request)
                    answer = await _act(asked, again, body, act, idempotent=extra.get("x-idempotent", False))
            except ClientDisconnect:
                raise
            except Exception as error:
                answer = problems.answer_to(error)
            if request.method == "POST":
                await anyio.sleep_until(began + EVEN)  # holds no thread
            return answer

        return guarded


async def _act(
    asked: Asked,
    request: Request,
    body: bytes,
    act: Callable[[Request], Awaitable[Response]],
    *,
    idempotent: bool,
) -> Response:
    async def answered() -> Response:
        try:
            return await act(request)
        except Exception as error:
            return problems.answer_to(error)

    key = repeats.key_of(request) if idempotent else None
    if key is None:
        return await answered()
    return await repeats.once(asked.app, asked.token.id, key, request, body, answered)


async def _act_on_file(asked: Asked, request: Request, act: Callable[[Request], Awaitable[Response]]) -> Response:
    """The body into a file of ours for as long as the operation lasts."""
    _check_letters(request, b"")
    folder = await run_in_threadpool(uploads.folder, asked.app.settings.data_dir)
    try:
        request.scope["upload"] = await uploads.store(request, folder)
        return await act(Request(request.scope, _nothing_more))
    finally:
        await run_in_threadpool(uploads.remove, folder)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _uploaded(request: Request) -> Path:
    path: Path = request.scope["upload"]
    return path


Upload = Annotated[Path, Depends(_uploaded)]  # what handlers name to get the file that was sent


def _admit(request: Request, wanted: list[list[str]]) -> Asked:
    """Who asks, if they may; in a thread, because it looks into the database. Raises Problem."""
    site: Site = request.app.state.site
    now, app = site.app.clock.now(), site.app
    shown = _bearer(request)
    with app.db.read() as conn:
        token = tokens.find(conn, shown, key=app.suppression_key, now=now) if shown else None
    if token is None:
        fault = ', error="invalid_token"' if shown else ""
        raise Problem(
            401,
            "this token is not known, revoked or too old" if shown else "a token is needed: Authorization: Bearer …",
            headers={"WWW-Authenticate": f'Bearer realm="api"{fault}'},
        )
    if not app.limits.take(PER_TOKEN, token.id, now=now):
        raise too_many("this token has asked too often", PER_TOKEN)
    if not any(token.scopes.issuperset(scopes) for scopes in wanted):
        names = " or ".join(" ".join(scopes) for scopes in wanted)
        challenge = f'Bearer realm="api", error="insufficient_scope", scope="{" ".join(wanted[0])}"'
        raise Problem(403, f"this token lacks the scope {names}", headers={"WWW-Authenticate": challenge})
    if tokens.is_stale(token, now):
        with app.db.begin() as conn:
            tokens.used(conn, token.id, now=now)
    return Asked(site=site, token=token, client=client_of_request(request, app.settings.web.proxies))


def _bearer(request: Request) -> str:
    """The token shown (RFC 6750 section 2.1); "" for none. Two are none."""
    shown = request.headers.getlist("authorization")
    scheme, _, value = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    return value.strip()[:200] if scheme.lower() == _SCHEME else ""


def too_many(detail: str, rule: Rule) -> Problem:
    return Problem(429, detail, headers={"Retry-After": str(int(rule.within.total_seconds()))})


async def _with_body(request: Request) -> tuple[Request, bytes]:
    """The same request with its whole body at hand. Raises Problem when that is too large or no JSON is meant."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise Problem(413, f"a body has at most {LONGEST_BODY >> 10} kB", headers={"Connection": "close"})
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "a body is JSON: say Content-Type: application/json")
    _check_letters(request, body)

    async def again() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, again), bytes(body)


def _check_letters(request: Request, body: bytes | bytearray) -> None:
    """Databases take no zero character: it stands for nothing in any language. Raises Problem."""
    if "\0" in request.url.path or any("\0" in str(part) for part in request.scope["path_params"].values()):
        raise Problem(404, "there is nothing here")
    if "%00" in request.url.query or b"\\u0000" in body:
        raise Problem(422, "no field may hold a zero character")


class Gate:
    """Before any route: too many requests from one network are turned away without a thread or a row."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._may(scope):
            await problems.answer(too_many("too many requests from here", PER_NETWORK))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        app = self.site.app
        client = client_of_request(Request(scope), app.settings.web.proxies)
        return app.limits.take(PER_NETWORK, network_of(client), now=app.clock.now())


def scopes_of(operation: Mapping[str, Any]) -> list[str]:
    """The scopes of an operation of the OpenAPI document, one of which is enough; "a b" means both."""
    return [" ".join(one[_SCHEME]) for one in operation.get("security", ())]
