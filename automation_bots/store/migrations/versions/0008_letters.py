"""Answers that wait for the chat network, kept over the end of the program."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "letters",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_letters"),
        sqlite_autoincrement=True,
    )
