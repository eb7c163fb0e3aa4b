"""what a source said of an article last, and what waits for a person's word"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: to take it away SQLite would drop the table, which the foreign keys of identities forbid.
    op.add_column("articles", sa.Column("entry_hash", sa.String(64), nullable=True))
    op.add_column("articles", sa.Column("entry_before", sa.String(64), nullable=True))
    op.add_column("articles", sa.Column("doubt", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("articles", sa.Column("decided", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("entry_hash", "entry_before", "doubt", "decided"):
        op.drop_column("articles", name)
