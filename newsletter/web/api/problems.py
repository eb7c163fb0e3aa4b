"""What the API answers when it cannot do what it was asked: application/problem+json (RFC 9457), one clear line.

No answer and no log line repeats what was sent: it may hold an address.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

import subscribers
from newsletter.errors import BadInput, NewsletterError, NotAllowed, TransportDown
from newsletter.log import get_logger

log = get_logger("api")

MEDIA_TYPE = "application/problem+json"
_WORD = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Problem(Exception):
    """An answer other than the one asked for. `detail`: one line for the person who writes the calling program."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more


def answer(problem: Problem) -> Response:
    title = HTTPStatus(problem.status).phrase
    body = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail, **problem.more}
    return JSONResponse(body, problem.status, dict(problem.headers), media_type=MEDIA_TYPE)


def answer_to(error: Exception) -> Response:
    """The answer for whatever was raised; a fault of ours is logged and tells nothing."""
    known = _known(error)
    if known is None:
        log.error("request_broke", exc_info=error)
        known = Problem(500, "something broke here; it is in our log")
    return answer(known)


def _known(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return unprocessable(_fields(error.errors()))
    if isinstance(error, HTTPException):
        return Problem(error.status_code, _PLAIN.get(error.status_code, "this cannot be done"), headers=error.headers)
    if isinstance(error, subscribers.SubscribersError) and isinstance(error, LookupError):
        return Problem(404, error.what)  # no such list, person, segment
    if isinstance(error, subscribers.SubscribersError | NewsletterError):
        return _refusal(error)
    return None


def _refusal(error: subscribers.SubscribersError | NewsletterError) -> Problem:
    if isinstance(error, subscribers.InvalidAddress):
        return unprocessable([{"field": "email", "reason": error.reason}])
    if isinstance(error, subscribers.InvalidValue | subscribers.ImportProblem | BadInput):
        return unprocessable([{"field": error.where or "body", "reason": error.what}])
    if isinstance(error, NotAllowed):
        return Problem(409, error.what)
    if isinstance(error, TransportDown):
        return Problem(503, "mail cannot leave now; nothing is lost", headers={"Retry-After": "60"})
    return Problem(409, error.what)


def unprocessable(errors: Sequence[Mapping[str, str]]) -> Problem:
    """`errors`: field and reason of each."""
    first = f"{errors[0]['field']}: {errors[0]['reason']}" if errors else "the request cannot be understood"
    return Problem(422, first, errors=list(errors))


def _fields(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's errors without the values they are about."""
    return [{"field": _place(error["loc"]), "reason": _reason(error)} for error in found[:20]]


def _place(loc: Sequence[int | str]) -> str:
    """`("body", "consent", "wording")` is `consent.wording`. A name that was made up is shown only if it is a word."""
    inner = loc[1:] if len(loc) > 1 and not isinstance(loc[1], int) else loc[:1]
    return ".".join(str(part) if _WORD.fullmatch(str(part)) else "…" for part in inner)


def _reason(error: Mapping[str, Any]) -> str:
    """A sentence of pydantic's; of the kinds that may quote what was sent, one of ours."""
    kind = str(error["type"])
    if kind == "json_invalid":
        return "this is no JSON"
    if kind == "value_error":
        return str(error["ctx"]["error"])  # our validators' own words
    return str(error["msg"])


_PLAIN = {
    400: "this is no JSON",
    404: "there is nothing here",
    405: "this can be looked at or changed in another way only; see Allow",
    413: "this is too large",
}
