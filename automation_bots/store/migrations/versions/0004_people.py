"""What the bot keeps about people: links, one-time codes, enrolments and proofs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = depends_on = None

_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "links",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("network", "id", name="pk_links"),
    )
    op.create_table(
        "invitations",
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_invitations"),
    )
    op.create_table(
        "enrolments",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", _TIME),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_enrolments"),
    )
    op.create_table(
        "proofs",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("network", "id", name="pk_proofs"),
    )
