"""The words for what a returned message says. Data only."""

from dataclasses import dataclass, field
from enum import StrEnum


class BounceKind(StrEnum):
    HARD = "hard"  # no such user or host: mail will never arrive there
    SOFT = "soft"  # full, suspended, late, network: may be different tomorrow
    BLOCK = "block"  # reputation, authentication, policy, content: about us, never about the subscriber
    COMPLAINT = "complaint"  # the reader pressed "spam"
    FEEDBACK_OTHER = "feedback-other"  # opt-out, authentication failure and other reports that are no complaint
    AUTOREPLY = "autoreply"  # away from the desk: counts for nothing
    DELIVERED = "delivered"


class Reason(StrEnum):
    """Why, finer than the kind. The names are those that bounce readers of the field share (sisimai's)."""

    USER_UNKNOWN = "userunknown"
    HOST_UNKNOWN = "hostunknown"
    HAS_MOVED = "hasmoved"
    NOT_ACCEPT = "notaccept"  # the host takes no mail at all (RFC 7504)
    MAILBOX_FULL = "mailboxfull"
    TOO_BIG = "mesgtoobig"
    SUSPENDED = "suspend"
    FILTERED = "filtered"  # refused after DATA, or by the reader's own filter
    EXPIRED = "expired"
    NETWORK = "networkerror"
    SYSTEM = "systemerror"
    MAILER = "mailererror"  # the program behind an address failed
    ON_HOLD = "onhold"  # nothing is said that could be understood
    AUTHENTICATION = "authfailure"
    REPUTATION = "badreputation"
    BLOCKED = "blocked"
    CONTENT = "contenterror"
    TLS = "failedstarttls"
    RELAYING = "norelaying"
    FORM = "notcompliantrfc"
    POLICY = "policyviolation"
    REJECTED = "rejected"  # the sender is refused
    REVERSE_DNS = "requireptr"
    SECURITY = "securityerror"
    SPAM = "spamdetected"
    SPEED = "speeding"
    SYNTAX = "syntaxerror"
    CONNECTIONS = "toomanyconn"
    VIRUS = "virusdetected"
    FEEDBACK = "feedback"
    VACATION = "vacation"
    DELIVERED = "delivered"


_HARD = {Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.HAS_MOVED, Reason.NOT_ACCEPT}
_SOFT = {
    Reason.MAILBOX_FULL,
    Reason.TOO_BIG,
    Reason.SUSPENDED,
    Reason.FILTERED,
    Reason.EXPIRED,
    Reason.NETWORK,
    Reason.SYSTEM,
    Reason.MAILER,
    Reason.ON_HOLD,
}


def kind_of(reason: Reason) -> BounceKind:
    """The kind of a refusal with this reason; what is neither about the mailbox nor its host is a block."""
    if reason in _HARD:
        return BounceKind.HARD
    return BounceKind.SOFT if reason in _SOFT else BounceKind.BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What one returned message says of one recipient.

    `address`: as the report spells it, lower-case domain; None when it names nobody. `original`: the address before
    forwarding, when the report knows it. `status`: an enhanced code (RFC 3463) or "". `said`: the words that decided,
    one line, unmasked. `token`: a trace token that stands in the message, not verified.
    """

    address: str | None = field(repr=False)
    kind: BounceKind
    reason: Reason
    status: str = ""
    said: str = field(default="", repr=False)
    original: str | None = field(default=None, repr=False)
    token: str | None = None
