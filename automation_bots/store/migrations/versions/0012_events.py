"""What happened elsewhere, and the lives of alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INDEXES = {
    "events": (("at",), ("device", "number"), ("alert", "number")),
    "alerts": (("ended",), ("device", "number"), ("untold",), ("fold",), ("last",)),
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "events",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("alert", _NUMBER),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "event_findings",
        sa.Column("event", _NUMBER, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("event", "by", name="pk_event_findings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_marks",
        sa.Column("follower", sa.Text, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("follower", name="pk_event_marks"),
    )
    op.create_table(
        "alerts",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("started", sa.String(27), nullable=False),
        sa.Column("ended", sa.String(27)),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("last", sa.String(27), nullable=False),
        sa.Column("fold", _NUMBER, nullable=False),
        sa.Column("untold", sa.Boolean, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alerts"),
        sqlite_autoincrement=True,
    )
    for table, indexes in _INDEXES.items():
        for columns in indexes:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    life = ["source", "fingerprint", "started"]
    op.create_index("ix_alerts_source_fingerprint_started", "alerts", life, unique=True)
