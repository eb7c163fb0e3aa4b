"""what a source said of an article last, and what waits for a person's word"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.add_column(sa.Column("entry_hash", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("entry_before", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("doubt", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("decided", sa.Text(), nullable=True))
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.alter_column("doubt", server_default=None)  # only the rows that were there needed a value


def downgrade() -> None:
    with op.batch_alter_table("articles", schema=None) as batch_op:
        for name in ("entry_hash", "entry_before", "doubt", "decided"):
            batch_op.drop_column(name)
