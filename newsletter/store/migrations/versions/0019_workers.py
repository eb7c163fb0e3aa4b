"""a sender's lease is the sender's, not each row's; what is due is known by `next_at` alone; no index names the state"""

import sqlalchemy as sa
from alembic import op

from newsletter.store.engine import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_DUE, _HELD = "state IN ('pending', 'deferred')", "state IN ('claimed', 'intent')"


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
    op.execute(
        "INSERT INTO workers (name, lease_until) SELECT worker, max(lease_until) FROM deliveries"
        " WHERE state IN ('claimed', 'intent') AND worker IS NOT NULL AND lease_until IS NOT NULL GROUP BY worker"
    )
    for name in ("ix_deliveries_held", "ix_deliveries_due"):
        op.drop_index(name, table_name="deliveries")
    op.drop_column("deliveries", "lease_until")
    # A column that may be NULL, made anew: SQLite would have to write the whole table twice to change the old one.
    op.add_column("deliveries", sa.Column("due_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE deliveries SET due_at = next_at WHERE state IN ('pending', 'deferred')")
    op.drop_column("deliveries", "next_at")
    op.alter_column("deliveries", "due_at", new_column_name="next_at")
    _index("ix_deliveries_due", ["mailing_id", "next_at"], "next_at IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE deliveries SET (fillfactor = 50)")


def downgrade() -> None:
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.execute("UPDATE deliveries SET next_at = changed_at WHERE next_at IS NULL")
    op.add_column("deliveries", sa.Column("lease_until", UtcDateTime(), nullable=True))
    op.execute(
        "UPDATE deliveries SET lease_until = (SELECT lease_until FROM workers WHERE name = deliveries.worker)"
        " WHERE state IN ('claimed', 'intent')"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE deliveries RESET (fillfactor)")
        op.alter_column("deliveries", "next_at", nullable=False)
    else:
        op.add_column("deliveries", sa.Column("due_at", UtcDateTime(), nullable=False, server_default=""))
        op.execute("UPDATE deliveries SET due_at = next_at")
        op.drop_column("deliveries", "next_at")
        op.alter_column("deliveries", "due_at", new_column_name="next_at")
    _index("ix_deliveries_due", ["mailing_id", "next_at"], _DUE)
    _index("ix_deliveries_held", ["worker"], _HELD)
    op.drop_table("workers")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
