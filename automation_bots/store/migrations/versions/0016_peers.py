"""What other bots asked here, and what was asked of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "peer_requests",
        sa.Column("bot", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("delivery", sa.Text, nullable=False),
        sa.Column("job", _NUMBER),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("bot", "nonce", name="pk_peer_requests"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_peer_requests_job"),
    )
    op.create_index("ix_peer_requests_job", "peer_requests", ["job"])
    op.create_index("ix_peer_requests_ended", "peer_requests", ["ended"])
    op.create_table(
        "peer_calls",
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("bot", sa.Text, nullable=False),
        sa.Column("job", _NUMBER, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("remote", _NUMBER),
        sa.PrimaryKeyConstraint("nonce", name="pk_peer_calls"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_peer_calls_job"),
    )
    op.create_index("ix_peer_calls_job", "peer_calls", ["job"])
