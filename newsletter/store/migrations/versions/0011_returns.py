"""what came back, read and matched; when mailboxes were last asked; indexes to find deliveries and events by"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

WAITING = sa.text("settled_at IS NULL")
GIVEN = sa.text("provider_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("mailing_id", sa.String(length=16), nullable=True),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=100), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_returns_dedupe_key")),
    )
    op.create_index("ix_returns_waiting", "returns", ["received_at"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_table(
        "polls",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_polls")),
    )
    op.create_table(
        "originals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_originals_person", "originals", ["person_id"])
    op.create_index("ix_originals_at", "originals", ["at"])
    op.create_index(
        "ix_deliveries_provider_id", "deliveries", ["provider_id"], sqlite_where=GIVEN, postgresql_where=GIVEN
    )
    op.create_index("ix_events_person_id", "events", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_events_person_id", "events")
    op.drop_index("ix_deliveries_provider_id", "deliveries")
    op.drop_table("originals")
    op.drop_table("polls")
    op.drop_table("returns")
