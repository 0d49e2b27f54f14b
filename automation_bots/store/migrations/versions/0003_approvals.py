"""Approvals: what waits for people or for its time, and who voted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "approvals",
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.number", name="fk_approvals_job"), nullable=False),
        sa.Column("due", _TIME),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_approvals"),
    )
    op.create_index("ix_approvals_due", "approvals", ["due"])
    op.create_table(
        "votes",
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.number", name="fk_votes_job"), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job", "person", name="pk_votes"),
    )
