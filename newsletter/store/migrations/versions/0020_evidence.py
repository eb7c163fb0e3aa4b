"""proof that a message arrived, told before its sender's own reply is recorded"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("evidence", sa.String(40), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "evidence")
