"""Staff: people of `subscribers` who may log in. Their addresses stay there."""

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("person_id", Id, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.Text),  # NULL until the one-time link was used
    sa.Column("session_epoch", sa.Integer, nullable=False, default=0),  # a new password ends all other sessions
    sa.Column("active", sa.Boolean, nullable=False, default=True),
    sa.Column("sees_addresses", sa.Boolean, nullable=False, server_default=sa.false()),  # else they are masked
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# One-time links to set a password. Only a hash of the secret is kept.
staff_links = sa.Table(
    "staff_links",
    metadata,
    sa.Column("secret_hash", sa.String(64), primary_key=True),
    sa.Column("staff_id", Id, sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

# Wrong passwords in a row, by a hash of what was typed as the address: slows guessing down.
login_failures = sa.Table(
    "login_failures",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
)
