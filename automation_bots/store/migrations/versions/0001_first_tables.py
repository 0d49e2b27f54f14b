"""The first tables. Written out, not taken from schema.py, which moves on."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables, and the head of an empty audit chain."""
    _jobs()
    _results()
    _seen()
    _audit()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("risk", sa.String(16), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("retry_of", _NUMBER),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("started", _TIME),
        sa.Column("ended", _TIME),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state_number", "jobs", ["state", "number"])
    op.create_index("ix_jobs_person_number", "jobs", ["person", "number"])
    op.create_index("ix_jobs_told_state_number", "jobs", ["told", "state", "number"])


def _results() -> None:
    op.create_table(
        "outcomes",
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.number", name="fk_outcomes_job"), nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("exit_code", sa.BigInteger),
        sa.PrimaryKeyConstraint("job", "device", name="pk_outcomes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outputs",
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.number", name="fk_outputs_job"), nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("packed", sa.Boolean, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job", "device", name="pk_outputs"),
    )
    op.create_table(
        "holds",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.number", name="fk_holds_job"), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("device", "job", name="pk_holds"),
    )
    op.create_index("ix_holds_job", "holds", ["job"])


def _seen() -> None:
    op.create_table(
        "seen",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("network", "message", name="pk_seen"),
    )
    op.create_index("ix_seen_at", "seen", ["at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("devices", sa.Integer, nullable=False),
        sa.Column("job", _NUMBER),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("prev", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    for column in ("kind", "person", "job"):
        op.create_index(f"ix_audit_{column}_seq", "audit", [column, "seq"])
    op.create_table(
        "audit_devices",
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("seq", _NUMBER, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("device", "seq", name="pk_audit_devices"),
        sqlite_with_rowid=False,
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
