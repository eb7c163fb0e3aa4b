"""which articles of a source are wanted; moves and failures of its address; what it showed last"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEW = ("include", "exclude", "topics", "full_text", "failing_since", "gone", "moved_to", "moved_seen", "reading")


def upgrade() -> None:
    # One column at a time and with defaults that stay: anything else makes SQLite drop the table and fill a new one,
    # which the foreign keys of its articles forbid.
    op.add_column("sources", sa.Column("include", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("sources", sa.Column("exclude", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("sources", sa.Column("topics", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("sources", sa.Column("full_text", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("sources", sa.Column("failing_since", UtcDateTime(), nullable=True))
    op.add_column("sources", sa.Column("gone", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sources", sa.Column("moved_to", sa.Text(), nullable=True))
    op.add_column("sources", sa.Column("reading", sa.Text(), nullable=True))
    op.add_column("sources", sa.Column("moved_seen", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for name in _NEW:
        op.drop_column("sources", name)
