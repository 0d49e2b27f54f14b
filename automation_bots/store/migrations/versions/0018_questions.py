"""Questions: what people typed before they found the right command, and answers that were written for them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "learnt",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_learnt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_learnt_text_operation", "learnt", ["text", "operation"], unique=True)
    op.create_table(
        "faq",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_faq"),
        sqlite_autoincrement=True,
    )
