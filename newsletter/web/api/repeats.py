"""Idempotency-Key: the same request again is answered as the first time and does nothing (IETF draft, section 2).

Kept 24 hours, per token, in the database. Answers that say nothing was done (401, 403, 429, 5xx) are not kept: the caller
may try again with the same key.
"""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from newsletter.app import App
from newsletter.store import answers
from newsletter.store.answers import Kept
from newsletter.web.api.problems import Problem

HEADER = "idempotency-key"
LONGEST = 255
_KEPT_HEADERS = ("content-type", "location")


def key_of(request: Request) -> str | None:
    """The key a caller chose; None without one. Raises Problem for one that cannot be used."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = given[0].strip()
    if len(key) > 1 and key[0] == key[-1] == '"':  # as the draft writes it: a structured string (RFC 8941)
        key = key[1:-1]
    if len(given) > 1 or not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise Problem(400, f"Idempotency-Key is one text of 1 to {LONGEST} printable ASCII characters")
    return key


async def once(
    app: App, token_id: str, key: str, request: Request, body: bytes, act: Callable[[], Awaitable[Response]]
) -> Response:
    """Do it, or answer as when it was done. Raises Problem when the key stands for something else or is under way."""
    hashed = _hash(app, key.encode())
    kept = await run_in_threadpool(_begin, app, token_id, hashed, _fingerprint(app, request, body))
    if kept.turn is None:
        return _again(kept)
    try:
        answer = await act()
    except BaseException:
        await run_in_threadpool(_give_up, app, token_id, hashed, kept.turn)
        raise
    await run_in_threadpool(_end, app, token_id, hashed, kept.turn, answer)
    return answer


def _begin(app: App, token_id: str, key: str, fingerprint: str) -> Kept:
    with app.db.begin() as conn:
        kept = answers.begin(conn, token_id, key, fingerprint=fingerprint, now=app.clock.now())
    if kept.fingerprint != fingerprint:
        raise Problem(422, "this Idempotency-Key was used for another request")
    if kept.turn is None and kept.status is None:
        raise Problem(
            409, "the first request with this Idempotency-Key is still under way", headers={"Retry-After": "2"}
        )
    return kept


def _give_up(app: App, token_id: str, key: str, turn: str) -> None:
    with app.db.begin() as conn:
        answers.give_up(conn, token_id, key, turn=turn)


def _end(app: App, token_id: str, key: str, turn: str, answer: Response) -> None:
    if answer.status_code in (401, 403, 429) or answer.status_code >= 500:
        _give_up(app, token_id, key, turn)
        return
    headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    body = bytes(answer.body).decode()
    with app.db.begin() as conn:
        answers.keep(conn, token_id, key, turn=turn, status=answer.status_code, headers=headers, body=body)


def _again(kept: Kept) -> Response:
    assert kept.status is not None
    return Response(kept.body, kept.status, {**(kept.headers or {}), "Idempotency-Replayed": "true"})


def _fingerprint(app: App, request: Request, body: bytes) -> str:
    asked = f"{request.method}\n{request.url.path}\n{request.url.query}\n".encode()
    return _hash(app, asked + body)


def _hash(app: App, text: bytes) -> str:
    """Keyed, because bodies hold addresses, and callers put them into keys too."""
    return hashlib.blake2s(text, key=app.suppression_key[:32], person=b"apirepet").hexdigest()
