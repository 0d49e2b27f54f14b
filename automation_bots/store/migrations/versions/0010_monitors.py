"""Monitors: what they look at, what they told, and what they saw."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.add_column("jobs", sa.Column("monitor", _NUMBER))
    op.create_table(
        "monitors",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("ended", _TIME),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_monitors"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_monitors_ended", "monitors", ["ended"])
    op.create_table(
        "monitor_targets",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("monitor", _NUMBER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_monitor_targets"),
        sa.ForeignKeyConstraint(["monitor"], ["monitors.number"], name="fk_monitor_targets_monitor"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_monitor_targets_monitor", "monitor_targets", ["monitor"])
    op.create_table(
        "monitor_events",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("monitor", _NUMBER, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_monitor_events"),
        sa.ForeignKeyConstraint(["monitor"], ["monitors.number"], name="fk_monitor_events_monitor"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_monitor_events_monitor_id", "monitor_events", ["monitor", "id"])
    op.create_table(
        "monitor_history",
        sa.Column("target", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("level", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("target", "level", "at", name="pk_monitor_history"),
        sqlite_with_rowid=False,
    )
