"""POST /hooks/{provider}: what mail providers tell. No page, no cookie, no origin: the provider's proof is the authority.

200 means kept (or told before): the provider need not repeat it. 401 is not proved, 404 is no provider or none that is
set up, 413 is too large; a fault of ours is 500, and the provider comes again.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.app import App
from newsletter.log import get_logger
from newsletter.mail import webhooks
from newsletter.mail.webhooks import Credentials, Provider, Refused
from newsletter.track import hooks

log = get_logger("hooks")

LONGEST = 4 << 20  # octets; SendGrid, the largest, sends up to 768 kB


def route(app: App) -> Route:
    asking = hooks.Amazon(app.fetcher)

    async def endpoint(request: Request) -> Response:
        provider = webhooks.provider(request.path_params["provider"])
        if provider is None or not _is_set_up(app, provider):
            return JSONResponse({"error": "there is no such webhook"}, 404)
        body = await _read(request)
        if body is None:
            return JSONResponse({"error": "too large"}, 413)
        asked = webhooks.Request(
            headers=dict(request.headers), content_type=request.headers.get("content-type", ""), body=body
        )
        return await run_in_threadpool(_answer, app, provider, asked, asking)

    return Route("/hooks/{provider}", endpoint, methods=["POST"])


def _is_set_up(app: App, provider: Provider) -> bool:
    return hooks.credentials_of(getattr(app.settings.webhooks, provider.slug)) != Credentials()


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            return None
    return bytes(body)


def _answer(app: App, provider: Provider, asked: webhooks.Request, asking: hooks.Amazon) -> Response:
    try:
        fresh = hooks.receive_webhook(app, provider, asked, asking=asking)
    except Refused as error:
        log.warning("webhook_refused", provider=provider.slug, reason=str(error))
        # Amazon SNS sends its password only after it was asked for one.
        return JSONResponse({"error": error.what}, 401, {"WWW-Authenticate": 'Basic realm="webhook"'})
    return JSONResponse({"new": fresh})
