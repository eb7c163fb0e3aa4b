"""pictures made for mail, which mailing shows which, where they were fetched from, and how a newsletter wants them"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("newsletters", sa.Column("images", sa.String(length=8), nullable=True))
    op.create_table(
        "images",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_images")),
    )
    op.create_index("ix_images_used_at", "images", ["used_at"])
    op.create_table(
        "mailing_images",
        sa.Column("mailing_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_mailing_images_mailing_id")),
        sa.ForeignKeyConstraint(["name"], ["images.name"], name=op.f("fk_mailing_images_name")),
        sa.PrimaryKeyConstraint("mailing_id", "name", name=op.f("pk_mailing_images")),
    )
    op.create_index("ix_mailing_images_name", "mailing_images", ["name"])
    op.create_table(
        "image_fetches",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("fetched_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["images.name"], name=op.f("fk_image_fetches_name")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_image_fetches")),
    )
    op.create_index("ix_image_fetches_name", "image_fetches", ["name"])
    op.create_index("ix_image_fetches_fetched_at", "image_fetches", ["fetched_at"])


def downgrade() -> None:
    op.drop_table("image_fetches")
    op.drop_table("mailing_images")
    op.drop_table("images")
    op.drop_column("newsletters", "images")
