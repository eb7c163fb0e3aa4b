"""Does a request come from the provider? Comparisons take the same time whatever differs; a proof that lacks is a no."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta

from newsletter.mail.webhooks.event import Credentials, Refused, Request

WINDOW = timedelta(minutes=5)  # how far a signed time may lie from now; Svix's own tolerance


def check_basic(request: Request, credentials: Credentials) -> None:
    """The user and password that stand in the webhook's URL at the provider (RFC 7617). Raises Refused."""
    given = (request.header("authorization") or "").strip()
    scheme, _, encoded = given.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        pair = b""
    # Every pair is compared, so that the time does not tell which one was nearly right.
    matching = [hmac.compare_digest(pair, known.encode()) for known in credentials.basic]
    if not pair or not any(matching):
        raise Refused("the user or password of this webhook is wrong or missing")


def check_hmac(given: str | None, expected: bytes) -> None:
    """A hexadecimal HMAC. Raises Refused."""
    if not given or not hmac.compare_digest(given.strip().lower().encode("utf-8", "replace"), expected.hex().encode()):
        raise Refused("the signature of this webhook is wrong or missing")


def sha256_of(key: str, message: bytes) -> bytes:
    return hmac.new(key.encode(), message, hashlib.sha256).digest()


def check_time(stamp: str, now: datetime | None) -> None:
    """A signed Unix time near `now`: an old request is a replay. No check without `now` (a recording). Raises Refused."""
    if now is None:
        return
    try:
        signed = float(stamp)
    except ValueError:
        raise Refused("the time of this webhook is no number") from None
    if not abs(now.timestamp() - signed) <= WINDOW.total_seconds():
        raise Refused("the time of this webhook is too far from now", hint="is the clock of this machine right?")
