"""What rules do about events, and who is on call."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rule_events",
        sa.Column("event", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_rule_events"),
    )
    op.create_index("ix_rule_events_at", "rule_events", ["at"])
    _actions()
    op.create_table(
        "rule_states",
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("paused", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("rule", name="pk_rule_states"),
    )
    op.create_table(
        "oncall_shifts",
        sa.Column("number", _NUMBER, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("rota", "person", "by")),
        sa.Column("begin", _TIME, nullable=False),
        sa.Column("end", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_oncall_shifts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_oncall_shifts_end", "oncall_shifts", ["end"])


def _actions() -> None:
    op.create_table(
        "rule_actions",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("event", _NUMBER, nullable=False),
        sa.Column("alert", _NUMBER),
        *(sa.Column(name, sa.String(16), nullable=False) for name in ("what", "state")),
        *(sa.Column(name, _TIME, nullable=False) for name in ("due", "at")),
        sa.Column("job", _NUMBER),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("text", "message", "body")),
        sa.PrimaryKeyConstraint("number", name="pk_rule_actions"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_rule_actions_job"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rule_actions_state_due", "rule_actions", ["state", "due"])
    op.create_index("ix_rule_actions_rule_number", "rule_actions", ["rule", "number"])
    op.create_index("ix_rule_actions_event", "rule_actions", ["event"])
