"""What drivers say about a whole job, its files, and a way to find the same question asked before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables and the index."""
    op.create_table(
        "conclusions",
        sa.Column("job", _NUMBER, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("block", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_conclusions"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_conclusions_job"),
    )
    op.create_table(
        "files",
        sa.Column("job", _NUMBER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job", "name", name="pk_files"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_files_job"),
    )
    op.create_index("ix_jobs_operation_number", "jobs", ["operation", "number"])
