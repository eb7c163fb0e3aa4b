"""until when a subscription is paused; newsletters that are not public"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("paused_until", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_subscriptions_paused_until",
        "subscriptions",
        ["paused_until"],
        sqlite_where=sa.text("paused_until IS NOT NULL"),
        postgresql_where=sa.text("paused_until IS NOT NULL"),
    )
    op.add_column("newsletters", sa.Column("public", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("newsletters", "public")
    op.drop_index("ix_subscriptions_paused_until", table_name="subscriptions")
    op.drop_column("subscriptions", "paused_until")
