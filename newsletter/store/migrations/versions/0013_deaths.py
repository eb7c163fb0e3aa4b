"""how many senders died with a delivery in their hands"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("deaths", sa.SmallInteger(), nullable=False, server_default="0"))
    op.create_index(
        "ix_deliveries_suspect",
        "deliveries",
        ["mailing_id", "deaths"],
        sqlite_where=sa.text("deaths > 0"),
        postgresql_where=sa.text("deaths > 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_suspect", table_name="deliveries")
    op.drop_column("deliveries", "deaths")
