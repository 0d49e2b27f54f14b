"""Commands that run at times, and the times of them that were taken."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "schedules",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("due", _TIME),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_schedules"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_schedules_due", "schedules", ["due"])
    op.create_index("ix_schedules_state_person", "schedules", ["state", "person"])
    op.create_table(
        "occurrences",
        sa.Column("schedule", _NUMBER, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("taken", _TIME, nullable=False),
        sa.Column("job", _NUMBER),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("schedule", "at", name="pk_occurrences"),
        sa.ForeignKeyConstraint(["schedule"], ["schedules.number"], name="fk_occurrences_schedule"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_occurrences_job"),
    )
    for column in ("result", "told", "job"):
        op.create_index(f"ix_occurrences_{column}", "occurrences", [column])
