"""pace: tokens, counts, groups slowed or stopped, progress; since when a delivery is refused"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pace_shares",
        sa.Column("bucket", sa.String(120), nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("wants", sa.Integer(), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Float(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "worker", name="pk_pace_shares"),
    )
    op.create_table(
        "pace_counts",
        sa.Column("series", sa.String(300), nullable=False),
        sa.Column("slice_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "slice_at", name="pk_pace_counts"),
    )
    op.create_table(
        "pace_groups",
        sa.Column("mail_group", sa.String(32), nullable=False),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("ceiling", sa.Float(), nullable=True),
        sa.Column("slowed_at", UtcDateTime(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_until", UtcDateTime(), nullable=True),
        sa.Column("resumed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("mail_group", name="pk_pace_groups"),
    )
    op.create_table(
        "mailing_progress",
        sa.Column("mailing_id", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("frozen", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("mailing_id", name="pk_mailing_progress"),
    )
    op.add_column("deliveries", sa.Column("refused_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "refused_at")
    for name in ("mailing_progress", "pace_groups", "pace_counts", "pace_shares"):
        op.drop_table(name)
