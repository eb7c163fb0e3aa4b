"""sections and limits of newsletters, staff weights, what staff say about the items of an issue, what a decision rests on"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Only what SQLite adds in place: tables that others point at need not be made anew.
_ADDED = (
    ("newsletters", "max_per_source", sa.Integer()),
    ("newsletters", "sections", sa.JSON()),
    ("issue_articles", "basis", sa.JSON()),
)
_WEIGHED = ("sources", "articles")


def upgrade() -> None:
    for table, name, kind in _ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    for table in _WEIGHED:
        op.add_column(table, sa.Column("weight", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "issue_edits",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("issue_id", sa.String(length=16), nullable=False),
        sa.Column("article_id", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("doubts", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_edits")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_edits_issue_id")),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_issue_edits_article_id")),
    )
    op.create_index("ix_issue_edits_issue_id", "issue_edits", ["issue_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_issue_edits_issue_id", "issue_edits")
    op.drop_table("issue_edits")
    for table in _WEIGHED:
        op.drop_column(table, "weight")
    for table, name, _kind in _ADDED:
        op.drop_column(table, name)
