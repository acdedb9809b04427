"""Count the money that was spent by key. It was counted by tenant.

What a tenant had spent counts for each of its keys that was used, because nothing says which of them spent it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.rename_table("spent", "spent_by_tenant")
    op.create_table(
        "spent",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=False),
        # The table of tenants has the name that PostgreSQL would give to this constraint.
        sa.PrimaryKeyConstraint("tenant", "name", "period", name="spent_by_key"),
    )
    # A key without a name has no usage.
    op.execute(
        "INSERT INTO spent SELECT tenant, name, period, money FROM spent_by_tenant JOIN "
        "(SELECT tenant, name FROM usage UNION SELECT tenant, '' FROM spent_by_tenant) AS keys USING (tenant)"
    )
    op.drop_table("spent_by_tenant")
