"""Mailings, their renderings, the ledger of deliveries, letters, and the events that came back."""

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

mailings = sa.Table(
    "mailings",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),  # issue, letter, test
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("issue_id", Id, sa.ForeignKey("issues.id")),
    sa.Column("list_slug", sa.String(80)),  # NULL: a letter that belongs to no list
    sa.Column("sender_name", sa.Text, nullable=False),
    sa.Column("unknown_policy", sa.String(8), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("nonce", sa.String(32), nullable=False),  # marks the per-reader values of the renderings
    sa.Column("frozen", sa.Integer, nullable=False, default=0),  # how many deliveries were made, once
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),  # also the Date header of every message and retry
    sa.Column("finished_at", UtcDateTime),
    sa.Index("ix_mailings_state", "state"),  # deliver: what is being sent
    sa.Index("ix_mailings_issue_id", "issue_id"),
)

renderings = sa.Table(
    "renderings",
    metadata,
    sa.Column("mailing_id", Id, sa.ForeignKey("mailings.id"), primary_key=True),
    sa.Column("language", sa.String(16), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),  # 0 is the default language
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("preheader", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("segments", sa.JSON(none_as_null=True)),  # NULL: everybody gets all of it; else the topics of its items
)

# The ledger. One row per person of a mailing; every transition is a function of store/deliveries.py.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("mailing_id", Id, primary_key=True),
    sa.Column("person_id", Id, primary_key=True),  # of `subscribers`; no key crosses over
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("language", sa.String(16)),
    sa.Column("mail_group", sa.String(32)),  # a big receiver's name or a keyed hash of the domain: for pacing
    sa.Column("epoch", sa.Integer, nullable=False, default=0),  # grows at each claim; fences off a sender that lost it
    sa.Column("worker", sa.String(64)),  # who holds it: of `workers`
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("deaths", sa.SmallInteger, nullable=False, server_default="0"),  # senders that died holding it, unsent
    sa.Column("next_at", UtcDateTime),  # when it may be claimed; NULL unless pending or deferred
    sa.Column("frozen_at", UtcDateTime, nullable=False),
    sa.Column("refused_at", UtcDateTime),  # when it was first refused for now: 48 hours later it is given up
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("reply", sa.Text),  # the server's words, addresses masked
    sa.Column("reply_kind", sa.String(8)),  # hard, soft, block: what a refusal says about the address
    sa.Column("provider_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("evidence", sa.String(40)),  # what proved, before any reply, that the message in flight arrived
    # claiming: what is due in this mailing. No index may name the state, the sender or the time of a change: an intent and
    # a result then touch the row alone (SQLite), in its own page and without index entries (Postgres: heap-only tuples).
    sa.Index(
        "ix_deliveries_due",
        "mailing_id",
        "next_at",
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    ),
    # sending last, and alone: what senders died holding; few rows ever are
    sa.Index(
        "ix_deliveries_suspect",
        "mailing_id",
        "deaths",
        sqlite_where=sa.text("deaths > 0"),
        postgresql_where=sa.text("deaths > 0"),
    ),
    # webhooks: which delivery a provider means
    sa.Index(
        "ix_deliveries_provider_id",
        "provider_id",
        sqlite_where=sa.text("provider_id IS NOT NULL"),
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 50},  # room for a row's next version beside it
)

# Senders at work. A row they hold is theirs until they are gone; a claim writes the name here in the same transaction.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("lease_until", UtcDateTime, nullable=False),
)

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("mailing_id", Id, primary_key=True),  # made with the letter; its renderings follow
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("list_slug", sa.String(80)),
    sa.Column("variables", sa.JSON, nullable=False),
    sa.Column("dedupe_key", sa.String(200), nullable=False, unique=True),  # one cause, one letter
    sa.Column("state", sa.String(12), nullable=False),  # asked, rendered, failed
    sa.Column("reason", sa.Text),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Index("ix_letters_state", "state"),  # compose: letters asked for
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("mailing_id", Id, nullable=False),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("dedupe_key", sa.String(200), nullable=False, unique=True),  # the same thing told twice counts once
    sa.Index("ix_events_mailing_id_type", "mailing_id", "type"),  # per-issue numbers
    sa.Index("ix_events_person_id", "person_id"),  # scoring: what came back of one person
)

# What came back, read and matched, until the track stage has acted on it. No address and no message is kept here.
returns = sa.Table(
    "returns",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source", sa.String(12), nullable=False),  # pipe, imap, smtp, lmtp, or a provider's slug
    sa.Column("kind", sa.String(16), nullable=False),  # hard, soft, block, complaint, delivered, left, unread, …
    sa.Column("reason", sa.String(20), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("said", sa.Text, nullable=False),  # the words that decided, addresses masked
    sa.Column("proven", sa.Boolean, nullable=False),  # a token of ours, or a provider's word: only this may act at once
    sa.Column("mailing_id", Id),  # NULL: it matches no mailing
    sa.Column("person_id", Id),  # NULL: nobody we know
    sa.Column("at", UtcDateTime, nullable=False),  # when it happened, as far as it says
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("dedupe_key", sa.String(100), nullable=False, unique=True),  # the same thing told twice is one row
    sa.Column("settled_at", UtcDateTime),
    # track: what waits
    sa.Index(
        "ix_returns_waiting",
        "received_at",
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    ),
)

# When something was last asked elsewhere, so that many processes together keep its pace.
polls = sa.Table(
    "polls",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("next_at", UtcDateTime, nullable=False),
)
