"""declared attributes, tags, saved segments, and who opened and clicked"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from newsletter.store.engine import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("tags", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True))
    op.add_column("newsletters", sa.Column("segment", sa.String(length=80), nullable=True))
    op.create_table(
        "attributes",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("label_vi", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("slug"),
    )
    op.create_table(
        "segments",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("slug"),
    )
    op.create_table(
        "sendings",
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"]),
        sa.PrimaryKeyConstraint("list_id", "at"),
    )
    op.create_table(
        "engagements",
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("last_opened_at", UtcDateTime(), nullable=True),
        sa.Column("last_clicked_at", UtcDateTime(), nullable=True),
        sa.Column("opened_sending", UtcDateTime(), nullable=True),
        sa.Column("clicked_sending", UtcDateTime(), nullable=True),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.PrimaryKeyConstraint("list_id", "person_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_engagements_person", "engagements", ["person_id"])


def downgrade() -> None:
    op.drop_table("engagements")
    op.drop_table("sendings")
    op.drop_table("segments")
    op.drop_table("attributes")
    op.drop_column("newsletters", "segment")
    op.drop_column("people", "tags")
