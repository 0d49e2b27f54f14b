"""Work on devices between two looks at them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "watched_changes",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("ended", sa.String(27)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("looks", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_watched_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_watched_changes_ended", "watched_changes", ["ended"])
