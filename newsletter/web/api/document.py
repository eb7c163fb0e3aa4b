"""The OpenAPI document, and the same as a page a person can read: made of what the door checks, so that they cannot differ."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from newsletter import __version__
from newsletter.model.access import MEANS
from newsletter.web.api import problems
from newsletter.web.api.door import scopes_of
from newsletter.web.visit import Site

ALWAYS = (401, 403, 422, 429)
_SAYS = {
    400: "The Idempotency-Key cannot be used.",
    401: "No token, or one that is unknown, revoked or too old.",
    403: "The token lacks the scope.",
    404: "There is no such thing.",
    409: "The present state does not allow it; or the first request with this Idempotency-Key is under way.",
    413: "The body is too large.",
    415: "The body is said to be something other than JSON.",
    422: "The request cannot be understood: `errors` says which field and why. Or the Idempotency-Key was used otherwise.",
    429: "Too many requests; Retry-After says when.",
    503: "The server is stopping, or mail cannot leave now. Try again.",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Unprocessable Content"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {"type": "string", "examples": ["consent: Field required"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": "the same request with the same key is done once and answered alike for 24 hours",
}
ABOUT = (
    "Errors are application/problem+json with one clear line. Lists come by the page: give `next_cursor` back as `cursor`. "
    "A token is made with `newsletter api-token add`."
)


def describe(api: FastAPI, base_url: str) -> dict[str, Any]:
    """The document (OpenAPI 3.1), complete with scopes, problems and Idempotency-Key."""
    document = api.openapi()
    document["info"] = {"title": "Newsletter", "version": __version__, "description": ABOUT}
    document["servers"] = [{"url": f"{base_url}/api"}]
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    scopes = "; ".join(f"`{scope}` {means}" for scope, means in MEANS.items())
    parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "description": f"Scopes: {scopes}."}}
    for _, _, operation in operations(document):
        _complete(operation)
    return document


def _complete(operation: dict[str, Any]) -> None:
    answers = {code: answer for code, answer in operation["responses"].items() if code != "422"}
    statuses = {*ALWAYS, *operation.pop("x-problems", ())}
    if operation.pop("x-idempotent", False):
        operation["parameters"] = [*operation.get("parameters", ()), _KEY]
        statuses |= {400, 409}
    if "requestBody" in operation:
        statuses |= {413, 415} if "application/json" in operation["requestBody"]["content"] else {413}
    for status in sorted(statuses):
        schema = {"$ref": "#/components/schemas/Problem"}
        answers[str(status)] = {"description": _SAYS[status], "content": {problems.MEDIA_TYPE: {"schema": schema}}}
    operation["responses"] = answers


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(METHOD, path, operation) of each."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def add(api: FastAPI, site: Site) -> None:
    """The two places it is shown at; anybody may look, as at any page."""
    document = describe(api, site.app.settings.base_url)
    groups: dict[str, list[dict[str, Any]]] = {}
    for method, path, operation in operations(document):
        groups.setdefault(operation["tags"][0], []).append(_line(document, method, path, operation))

    async def as_json(request: Request) -> Response:
        return JSONResponse(document)

    def as_page(request: Request) -> Response:
        visit = site.visit(request)
        html = site.pages.render("api.html", visit, {"groups": groups, "scopes": MEANS, "about": ABOUT})
        return HTMLResponse(html)

    api.add_route("/openapi.json", as_json, methods=["GET"], include_in_schema=False)
    api.add_route("/docs", as_page, methods=["GET"], include_in_schema=False)


def _line(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": method,
        "path": f"/api{path}",
        "summary": operation["summary"],
        "more": operation.get("description", ""),
        "scopes": scopes_of(operation),
        "parameters": [(one["name"], one["in"], one.get("description", "")) for one in operation.get("parameters", ())],
        "fields": _fields(document, operation),
    }


def _fields(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, description) of the body's fields; what must be given is marked."""
    content = operation.get("requestBody", {}).get("content", {})
    found = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = document["components"]["schemas"].get(found.rpartition("/")[2], {})
    needed = schema.get("required", ())
    return [
        (name, "; ".join(filter(None, ("needed" if name in needed else "", field.get("description", "")))))
        for name, field in schema.get("properties", {}).items()
    ]
