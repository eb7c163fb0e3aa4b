"""Reading answers, for all adapters. Pure.

What a status means is the same everywhere (RFC 9110 section 15, RFC 6585), so an adapter only says where its provider differs.
"""

import time
from typing import Any

from newsletter.app import Fate, Outcome
from newsletter.deliver.providers.contract import Answers, Refusal, Trouble
from newsletter.http import Posted
from newsletter.mail.replies import mask_addresses

# 408, 502 and 504 may come after the request was taken; 503 comes before (RFC 9110 section 15.6.4).
_OF_STATUS = {
    429: Trouble.THROTTLED,
    503: Trouble.THROTTLED,
    400: Trouble.CONTENT,
    413: Trouble.CONTENT,
    422: Trouble.CONTENT,
    401: Trouble.DOWN,
    402: Trouble.DOWN,
    403: Trouble.DOWN,
    404: Trouble.DOWN,
    405: Trouble.DOWN,
}
_RESETS = ("ratelimit-reset", "x-sib-ratelimit-reset", "x-ratelimit-reset")
_A_DATE = 1_000_000_000  # a larger number counts seconds since 1970, not from now
A_DAY_IS_OVER = 3_600.0  # seconds between two questions once a day's quota is used up


def refusal(posted: Posted, words: str = "", *, trouble: Trouble | None = None) -> Refusal:
    """What an answer says that is not given message by message. A success that cannot be read may have been carried out."""
    if trouble is None:
        trouble = _OF_STATUS.get(posted.status)
    if trouble is None:
        trouble = Trouble.DOWN if 300 <= posted.status < 400 else Trouble.LOST
    said = mask_addresses(" ".join(f"HTTP {posted.status} {words}".split()))[:400]
    return Refusal(trouble=trouble, words=said, after=wait_of(posted) if trouble is Trouble.THROTTLED else None)


def wait_of(posted: Posted) -> float | None:
    """Seconds to wait: Retry-After, else the reset of a rate limit (seconds, or a moment since 1970)."""
    if posted.retry_after is not None:
        return posted.retry_after
    for name in _RESETS:
        try:
            value = float(posted.headers[name])
        except (KeyError, ValueError):
            continue
        return max(0.0, value - time.time() if value > _A_DATE else value)
    return None


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path ("errors.0.message"); None when nothing does. An empty path is the value itself."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def text(value: Any, *paths: str) -> str:
    """The words at these paths, those that are words."""
    found = (at(value, path) for path in paths)
    return " ".join(str(word) for word in found if isinstance(word, str | int) and not isinstance(word, bool))


def masked(words: str) -> str:
    return mask_addresses(" ".join(words.split()))[:400]


def taken(posted: Posted, provider_id: str, count: int = 1) -> Answers | Refusal:
    """A success in which the provider names what it took. Without a name it may be anybody's page: LOST."""
    if not provider_id:
        return unreadable(posted)
    return [accepted(provider_id)] * count


def unreadable(posted: Posted) -> Refusal:
    """A success that does not say what was taken: any of it may have been."""
    return refusal(posted, "an answer that is not documented", trouble=Trouble.LOST)


def accepted(provider_id: str, words: str = "") -> Outcome:
    return Outcome(fate=Fate.ACCEPTED, reply=masked(words), provider_id=provider_id or None)
