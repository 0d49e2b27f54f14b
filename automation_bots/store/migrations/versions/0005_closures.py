"""Freezes and locks by people, and the reviews of emergencies."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "closures",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("until", _TIME),
        sa.PrimaryKeyConstraint("kind", "device", "person", name="pk_closures"),
    )
    op.create_table(
        "reviews",
        sa.Column("job", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("written", _TIME),
        sa.PrimaryKeyConstraint("job", name="pk_reviews"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_reviews_job"),
    )
