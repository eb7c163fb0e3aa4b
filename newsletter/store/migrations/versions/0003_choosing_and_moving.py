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
    # The defaults stay: to take one away SQLite would have to drop the table, which its articles' foreign keys forbid.
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("include", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("exclude", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("topics", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("full_text", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("failing_since", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("gone", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("moved_to", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("reading", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("moved_seen", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("sources", schema=None) as batch_op:
        for name in _NEW:
            batch_op.drop_column(name)
