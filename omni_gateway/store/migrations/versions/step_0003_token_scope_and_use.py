"""The scope of a token, and the time of its last use."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; an older token may touch every cluster, and nobody knows when it was used."""
    present = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("tokens")}
    for column in (sa.Column("clusters", sa.JSON), sa.Column("last_used", sa.DateTime(timezone=True))):
        if column.name not in present:
            op.add_column("tokens", column)


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("tokens") as table:
        table.drop_column("last_used")
        table.drop_column("clusters")
