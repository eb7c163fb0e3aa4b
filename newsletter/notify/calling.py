"""One call of a webhook: signed, posted through the guarded client, and judged. One webhook's calls are made in one thread.

Signed as Standard Webhooks 1.0 says (webhook-id, webhook-timestamp, webhook-signature `v1,…`). 2xx is taken; 410 is a wish
to hear no more; all else is tried again: eight tries within 32 hours, as its operational advice has it. A webhook that
has failed for five days is disabled, and staff get one letter.
"""

import base64
import hashlib
import hmac
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from newsletter.app import App
from newsletter.errors import NewsletterError
from newsletter.http import shown
from newsletter.log import get_logger
from newsletter.model import new_id
from newsletter.notify import wording
from newsletter.notify.telling import TEST
from newsletter.store import Connection, letters, webhooks
from newsletter.store.webhooks import Call, Event, Webhook

log = get_logger("notify")

TIMEOUT = 15.0  # seconds for one call, as the specification advises
CLAIMED = timedelta(minutes=2)  # nobody else makes a call that was begun
AT_ONCE = 200  # calls read together
LONGEST_TURN = 60.0  # seconds of one webhook in a round
THREADS = 4
PAUSES = (
    timedelta(seconds=10),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
LONGEST_WISH = timedelta(hours=24)  # that a Retry-After is believed
PATIENCE = timedelta(days=5)
GONE = 410


def make_calls(app: App, now: datetime) -> int:
    """Every call that is due, several webhooks at a time. Returns how many went well."""
    with app.db.read() as conn:
        waiting = [
            one for one in webhooks.listed(conn, active_only=True) if webhooks.due(conn, one.id, now=now, limit=1)
        ]
    if not waiting:
        return 0
    with ThreadPoolExecutor(min(THREADS, len(waiting)), thread_name_prefix="webhook") as threads:
        return sum(threads.map(lambda one: _serve(app, one, now), waiting))


def _serve(app: App, webhook: Webhook, now: datetime) -> int:
    """One webhook's due calls, oldest first; the first that fails ends its turn, so that a dead one costs little."""
    until, done = time.monotonic() + LONGEST_TURN, 0
    while time.monotonic() < until:
        with app.db.read() as conn:
            due = webhooks.due(conn, webhook.id, now=now, limit=AT_ONCE)
        for call in due:
            if app.stopping.is_set() or not _make(app, webhook, call):
                return done
            done += 1
        if len(due) < AT_ONCE:
            break
    return done


def _make(app: App, webhook: Webhook, call: Call) -> bool:
    now = app.clock.now()
    with app.db.begin() as conn:
        if not webhooks.claim(conn, call, until=now + CLAIMED, now=now):
            return True  # another process has it
        body = wording.body_of(conn, call.event, addresses=webhook.addresses)
    status, reason, wish = _post(app, webhook, call.event, body, now)
    with app.db.begin() as conn:
        if not reason and status is not None:
            webhooks.delivered(conn, call, status=status, now=app.clock.now())
            return True
        _failed(app, conn, webhook, call, status=status, reason=reason, wish=wish)
    log.warning("webhook_not_taken", webhook=webhook.id, event_type=call.event.type, reason=reason)
    return False


def _post(
    app: App, webhook: Webhook, event: Event, body: bytes, now: datetime
) -> tuple[int | None, str, timedelta | None]:
    """(status, why it was not taken or "", how long the webhook wants to be left alone)."""
    headers = {"Content-Type": "application/json", **signature(webhook.secret, event.id, body, at=now)}
    try:
        answer = app.fetcher.post(webhook.url, body, headers=headers, timeout=TIMEOUT)
    except NewsletterError as error:
        return None, error.what, None
    if 200 <= answer.status < 300:
        return answer.status, "", None
    wish = timedelta(seconds=answer.retry_after) if answer.retry_after else None
    return answer.status, f"answered {answer.status}", wish


def signature(secret: str, message_id: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The three headers (pure). The secret is `whsec_` and base64; what is signed is ID.SECONDS.BODY."""
    seconds = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


def again_at(tries: int, *, now: datetime, wish: timedelta | None = None) -> datetime | None:
    """When a call that failed for the `tries`-th time is made again (pure); None: it is given up."""
    if tries > len(PAUSES):
        return None
    return now + max(PAUSES[tries - 1], min(wish or timedelta(), LONGEST_WISH))


def _failed(
    app: App, conn: Connection, webhook: Webhook, call: Call, *, status: int | None, reason: str, wish: timedelta | None
) -> None:
    now = app.clock.now()
    again = None if status == GONE else again_at(call.tries + 1, now=now, wish=wish)
    since = webhooks.refused(conn, call, status=status, reason=reason, again_at=again, now=now)
    if status == GONE:
        _disable(app, conn, webhook, "it answered 410: it wants to hear no more", now)
    elif now - since >= PATIENCE:
        _disable(app, conn, webhook, f"it failed for {PATIENCE.days} days, last: {reason}", now)


def _disable(app: App, conn: Connection, webhook: Webhook, reason: str, now: datetime) -> None:
    if not webhooks.disable(conn, webhook.id, reason=reason, now=now):
        return
    log.error("webhook_disabled", webhook=webhook.id, reason=reason)
    variables = {
        "topic": "webhook_disabled",
        "name": shown(webhook.url),
        "lines": [reason, f"newsletter webhook enable {webhook.id}"],
        "url": app.url("/staff/"),
    }
    letters.tell_staff(conn, f"webhook:{webhook.id}:{now.isoformat()}", variables, now=now)


def test(app: App, webhook: Webhook) -> tuple[int | None, str]:
    """Call a webhook now with an event that means nothing. (status, why it was not taken or "")."""
    now = app.clock.now()
    event = Event(id=new_id(), type=TEST, at=now, subject_id="")
    with app.db.read() as conn:
        body = wording.body_of(conn, event, addresses=False)
    status, reason, _ = _post(app, webhook, event, body, now)
    return status, reason
