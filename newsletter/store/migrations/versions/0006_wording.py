"""who wrote a summary and what it cost, its history, topics of articles, intros by staff"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Only columns that may be NULL: SQLite adds them in place, and tables that others point at need not be made anew.
_ADDED = (
    ("note", sa.Text()),
    ("made_by", sa.Text()),
    ("model", sa.Text()),
    ("model_tries", sa.Integer()),
    ("model_seconds", sa.Float()),
    ("tokens_in", sa.Integer()),
    ("tokens_out", sa.Integer()),
)


def upgrade() -> None:
    for name, kind in _ADDED:
        op.add_column("summaries", sa.Column(name, kind, nullable=True))
    op.add_column("articles", sa.Column("topics", sa.JSON(), nullable=True))
    op.add_column("issues", sa.Column("intros", sa.JSON(), nullable=True))
    op.create_table(
        "summary_versions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("article_id", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("sentences", sa.JSON(), nullable=False),
        sa.Column("guard_ok", sa.Boolean(), nullable=False),
        sa.Column("guard_reasons", sa.JSON(), nullable=False),
        *(sa.Column(name, kind, nullable=True) for name, kind in _ADDED),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary_versions")),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_summary_versions_article_id")),
    )
    op.create_index("ix_summary_versions_article_id", "summary_versions", ["article_id", "id"])


def downgrade() -> None:
    op.drop_table("summary_versions")
    op.drop_column("issues", "intros")
    op.drop_column("articles", "topics")
    for name, _ in _ADDED:
        op.drop_column("summaries", name)
