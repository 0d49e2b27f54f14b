"""The next time of a schedule, until it is known whether approvers are to be asked about it beforehand."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = depends_on = None


def upgrade() -> None:
    """Add the column; a schedule that is there is asked about ahead from its next time but one."""
    op.add_column("schedules", sa.Column("asks", sa.String(27)))
    op.create_index("ix_schedules_asks", "schedules", ["asks"])
