"""Careful access to what providers send: nothing of it is trusted to have the documented shape. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.mail.webhooks.event import Refused

MOST_EVENTS = 10_000


def parsed(body: bytes) -> Any:
    """The JSON of a body. Raises Refused."""
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"this webhook is no JSON: {type(error).__name__}") from None


def one_object(body: bytes) -> Mapping[str, Any]:
    return obj(parsed(body), strict=True)


def objects(body: bytes) -> list[Mapping[str, Any]]:
    """A list of objects, or a single one as a list. Raises Refused."""
    found = parsed(body)
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_EVENTS:
        raise Refused(f"this webhook holds {len(listed)} events")
    return [obj(one, strict=True) for one in listed]


def obj(value: Any, *, strict: bool = False) -> Mapping[str, Any]:
    """The object itself; anything else is empty, or refused when `strict`."""
    if isinstance(value, dict):
        return value
    if strict:
        raise Refused("this webhook holds something that is no event")
    return {}


def text(source: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that is there and not null, as text."""
    for name in names:
        value = source.get(name)
        if value is not None and not isinstance(value, (dict, list)):
            return str(value)
    return None


def json_object(value: Any) -> Mapping[str, Any]:
    """An object that travels as JSON text in a field of its own; damaged ones are empty."""
    if not isinstance(value, str):
        return {}
    try:
        return obj(json.loads(value))
    except (ValueError, RecursionError):
        return {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def from_epoch(value: Any, *, per_second: int = 1) -> datetime | None:
    """A Unix time in seconds (or thousandths) as an aware datetime; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return datetime.fromtimestamp(float(value) / per_second, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_iso(value: Any) -> datetime | None:
    """An ISO 8601 time with its own offset; Postmark writes seven digits of a second, of which six are kept."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
