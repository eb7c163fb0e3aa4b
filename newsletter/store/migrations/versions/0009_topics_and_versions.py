"""topics a subscription chose, segments of renderings, versions of issues"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("topics", sa.JSON(), nullable=True))
    op.add_column("renderings", sa.Column("segments", sa.JSON(), nullable=True))
    op.create_table(
        "issue_versions",
        sa.Column("issue_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("composed_at", UtcDateTime(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_versions_issue_id_issues")),
        sa.PrimaryKeyConstraint("issue_id", "version", name=op.f("pk_issue_versions")),
    )


def downgrade() -> None:
    op.drop_table("issue_versions")
    op.drop_column("renderings", "segments")
    op.drop_column("subscriptions", "topics")
