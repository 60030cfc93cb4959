"""Who asked for what, and how it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table; what lists are filtered by has an index."""
    op.create_table(
        "audit",
        sa.Column("id", sa.String(28), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("caller_id", sa.String(200), nullable=False),
        sa.Column("auth", sa.String(20), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("route", sa.String(300), nullable=False),
        sa.Column("path", sa.String(500), nullable=False),
        sa.Column("resource", sa.String(300), nullable=False),
        sa.Column("object_id", sa.String(300), nullable=False),
        sa.Column("cluster", sa.String(300), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("code", sa.String(100), nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("replayed", sa.Boolean, nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("remote", sa.String(100), nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("changed", sa.JSON, nullable=False),
        sa.Column("documents", sa.JSON, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    for name in ("caller_id", "who", "object_id", "request_id"):
        op.create_index(f"audit_{name}", "audit", [name, "id"], if_not_exists=True)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("audit")
