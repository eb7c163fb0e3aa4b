"""What other programs may do here (tokens, answers given) and what they are told (webhooks, and the changes to tell of).

No row holds an address: people are named by their ids, and what a program is told is worded only when it is sent.
"""

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),  # for people; revoked ones keep theirs
    sa.Column("secret_hash", sa.String(64), nullable=False),  # keyed; the secret itself was shown once
    sa.Column("scopes", sa.JSON, nullable=False),  # list of model.Scope
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("last_used_at", UtcDateTime),  # to the minute
)

# What was answered to a request with an Idempotency-Key: asked again within 24 hours, it is answered alike.
api_answers = sa.Table(
    "api_answers",
    metadata,
    sa.Column("token_id", Id, sa.ForeignKey("api_tokens.id"), primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),  # keyed hash of what the caller chose
    sa.Column("fingerprint", sa.String(64), nullable=False),  # keyed hash of method, path, query and body
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("turn", Id, nullable=False),  # whose turn it is to answer; changes when a dead one is taken over
    sa.Column("status", sa.Integer),  # NULL: under way
    sa.Column("headers", sa.JSON),
    sa.Column("body", sa.Text),
    sa.Index("ix_api_answers_began_at", "began_at"),  # forgetting
)

# Each change of an issue's state, written in its transaction, until it is told.
issue_changes = sa.Table(
    "issue_changes",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.String(80), nullable=False),  # whsec_ and base64, Standard Webhooks
    sa.Column("events", sa.JSON, nullable=False),  # list of types, or ["*"]
    sa.Column("addresses", sa.Boolean, nullable=False),  # whether it is told addresses in the clear
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("failing_since", UtcDateTime),  # NULL: the last call went well
    sa.Column("disabled_at", UtcDateTime),
    sa.Column("reason", sa.Text),  # why it was disabled
)

webhook_events = sa.Table(
    "webhook_events",
    metadata,
    sa.Column("id", Id, primary_key=True),  # the cause's own: told twice, it is the same event
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("subject_id", Id, nullable=False),  # a person or an issue
    sa.Column("list_slug", sa.String(80)),
    sa.Index("ix_webhook_events_at", "at"),  # forgetting
)

webhook_calls = sa.Table(
    "webhook_calls",
    metadata,
    sa.Column("webhook_id", Id, sa.ForeignKey("webhooks.id"), primary_key=True),
    sa.Column("event_id", Id, sa.ForeignKey("webhook_events.id"), primary_key=True),
    sa.Column("state", sa.String(9), nullable=False),  # waiting, delivered, failed
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("next_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.Integer),  # of the last answer; NULL: none came
    sa.Column("reason", sa.Text),  # why the last try failed
    sa.Index("ix_webhook_calls_event_id", "event_id"),
    # for the notify stage: the calls that are due
    sa.Index(
        "ix_webhook_calls_due",
        "next_at",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    ),
)
