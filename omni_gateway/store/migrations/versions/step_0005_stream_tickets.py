"""Tickets by which browsers open streams."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table and its index."""
    op.create_table(
        "stream_tickets",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        if_not_exists=True,
    )
    op.create_index("stream_tickets_caller", "stream_tickets", ["caller"], if_not_exists=True)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("stream_tickets")
