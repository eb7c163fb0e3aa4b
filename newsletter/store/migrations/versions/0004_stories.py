"""which articles tell the same story, and how common each term is"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "story_articles",
        sa.Column("article_id", sa.String(16), nullable=False),
        sa.Column("story_id", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("like_id", sa.String(16), nullable=True),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("moment", UtcDateTime(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("runs", sa.LargeBinary(), nullable=True),
        sa.Column("figures", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_story_articles_article_id")),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_story_articles")),
    )
    op.create_index("ix_story_articles_story_id", "story_articles", ["story_id"])
    op.create_index("ix_story_articles_language_moment", "story_articles", ["language", "moment"])
    op.create_table(
        "stories_apart",
        sa.Column("article_id", sa.String(16), nullable=False),
        sa.Column("other_id", sa.String(16), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_stories_apart_article_id")),
        sa.ForeignKeyConstraint(["other_id"], ["articles.id"], name=op.f("fk_stories_apart_other_id")),
        sa.PrimaryKeyConstraint("article_id", "other_id", name=op.f("pk_stories_apart")),
    )
    op.create_table(
        "story_terms",
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("term", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("language", "term", name=op.f("pk_story_terms")),
    )
    op.create_table(
        "story_languages",
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("pruned_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("language", name=op.f("pk_story_languages")),
    )


def downgrade() -> None:
    for table in ("story_languages", "story_terms", "stories_apart", "story_articles"):
        op.drop_table(table)
