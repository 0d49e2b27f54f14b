"""Who trusted which host key of a device, and who took that back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "host_keys",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("trusted_by", sa.Text, nullable=False),
        sa.Column("trusted_at", _TIME, nullable=False),
        sa.Column("revoked_by", sa.Text),
        sa.Column("revoked_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_host_keys"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_host_keys_address_port", "host_keys", ["address", "port"])
