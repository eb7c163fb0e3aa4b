"""What all senders of a database know together of their pace: who holds which tokens, what was counted, which receiver
was slowed down or stopped, and how far each sending has come."""

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

# One row per quota and process. Their sum is never more than the quota.
pace_shares = sa.Table(
    "pace_shares",
    metadata,
    sa.Column("bucket", sa.String(120), primary_key=True),  # all/second, gmail/minute, h-…/slowed
    sa.Column("worker", sa.String(64), primary_key=True),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("wants", sa.Integer, nullable=False),  # what it could use in one span
    sa.Column("beat", sa.Integer, nullable=False),  # grows while it lives; others watch it by their own clocks
    sa.Column("holds", sa.Float, nullable=False),  # seconds after the beat for which the tokens count as its own
    sa.Column("beat_at", UtcDateTime, nullable=False),
)

# Messages in slices of time: for quotas of hours and days, for the plan of a new domain, for the share that was blocked.
pace_counts = sa.Table(
    "pace_counts",
    metadata,
    sa.Column("series", sa.String(300), primary_key=True),  # gmail/hour, plan/vien.example, blocked/gmail
    sa.Column("slice_at", UtcDateTime, primary_key=True),  # when the slice begins
    sa.Column("count", sa.Integer, nullable=False),
)

# A mail group that was slowed down because it asked for it, or stopped because it blocked.
pace_groups = sa.Table(
    "pace_groups",
    metadata,
    sa.Column("mail_group", sa.String(32), primary_key=True),
    sa.Column("rate", sa.Float),  # messages a second right after it was slowed; NULL: never slowed
    sa.Column("ceiling", sa.Float),  # the rate at which it refused
    sa.Column("slowed_at", UtcDateTime),
    sa.Column("reply", sa.Text),  # its words, addresses masked
    sa.Column("stopped_at", UtcDateTime),
    sa.Column("stopped_until", UtcDateTime),  # NULL: not stopped
    sa.Column("resumed_at", UtcDateTime),  # what was blocked before does not count again
)

# How far a sending has come, written by whoever sends, so that nobody who looks on counts a million rows.
mailing_progress = sa.Table(
    "mailing_progress",
    metadata,
    sa.Column("mailing_id", Id, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("frozen", sa.Integer, nullable=False),
    sa.Column("sent", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("skipped", sa.Integer, nullable=False),
    sa.Column("unknown", sa.Integer, nullable=False),
    sa.Column("rate", sa.Float, nullable=False),  # messages a second, lately
)
