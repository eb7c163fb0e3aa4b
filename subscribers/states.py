"""The states a person and a subscription can be in, and the reasons for which nothing is sent. Data only."""

from enum import StrEnum


class PersonState(StrEnum):
    ACTIVE = "active"
    BOUNCED = "bounced"  # the address does not exist any more
    COMPLAINED = "complained"  # reported our mail as spam
    ERASED = "erased"  # asked to be forgotten: only the id is left


class SubscriptionState(StrEnum):
    PENDING = "pending"  # asked for; the confirmation letter is not answered
    ACTIVE = "active"
    PAUSED = "paused"  # receives nothing until resumed; has not left
    UNSUBSCRIBED = "unsubscribed"  # left; only their own hand brings them back


class SuppressionReason(StrEnum):
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"  # lifted when the person confirms a new sign-up of their own
    STAFF = "staff"


class NotMailableReason(StrEnum):
    LEFT = "left"
    PENDING = "pending"
    PAUSED = "paused"
    SUPPRESSED = "suppressed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"
    NOT_SUBSCRIBED = "not subscribed"
    UNKNOWN_PERSON = "unknown person"
