"""From what a peer answered to what the ledger says. Pure."""

from datetime import datetime, timedelta

from newsletter.app import Fate, Outcome, Outgoing
from newsletter.model import DeliveryState
from newsletter.store.deliveries import Result
from newsletter.store.recovering import EXPIRES_AFTER

# Greylisting wants a few minutes (RFC 6647), a full mailbox hours; 48 hours after the first refusal it is given up.
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 480))


def result(outgoing: Outgoing, outcome: Outcome, *, now: datetime) -> Result | None:
    """The ledger entry for an outcome. None for REFUSED: the recorder has written that row already."""
    if outcome.fate is Fate.REFUSED:
        return None
    state, reason, next_at = _judge(outgoing, outcome, now)
    return Result(
        person_id=outgoing.person_id,
        epoch=outgoing.epoch,
        state=state,
        reply=_clean(outcome.reply)[:500] or None,
        reply_kind=outcome.kind if outcome.fate is Fate.REJECTED else None,
        provider_id=_clean(outcome.provider_id or "")[:200] or None,
        reason=reason,
        next_at=next_at,
    )


def _judge(outgoing: Outgoing, outcome: Outcome, now: datetime) -> tuple[DeliveryState, str | None, datetime | None]:
    if outcome.fate is Fate.ACCEPTED:
        return DeliveryState.SENT, None, None
    if outcome.fate is Fate.REJECTED:
        return DeliveryState.FAILED, "refused for good", None
    if outcome.fate is Fate.UNKNOWN:
        return DeliveryState.UNKNOWN, outcome.reply or "the line broke before the reply", None
    if outcome.down:
        return DeliveryState.PENDING, None, now
    next_at = now + retry_pause(outgoing.tries, outcome.retry_after)
    if next_at > (outgoing.refused_at or now) + EXPIRES_AFTER:
        return DeliveryState.FAILED, "expired: still refused after 48 hours", None
    return DeliveryState.DEFERRED, "refused for now", next_at


def retry_pause(tries: int, asked: timedelta | None) -> timedelta:
    """How long to wait after the `tries`-th attempt; at least as long as the peer asked."""
    own = RETRY_AFTER[min(max(tries, 1), len(RETRY_AFTER)) - 1]
    return max(own, asked) if asked else own


def _clean(text: str) -> str:
    """Without control characters and lone surrogates: Postgres refuses them, and one would hold up its whole group."""
    return text if text.isprintable() else "".join(c for c in text if c.isprintable())
