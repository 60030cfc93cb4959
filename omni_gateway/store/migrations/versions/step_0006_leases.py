"""Leases of tasks that one process of a deployment runs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(300), primary_key=True),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("leases")
