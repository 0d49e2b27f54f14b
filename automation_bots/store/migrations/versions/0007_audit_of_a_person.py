"""What a person did of one kind is found without walking all that the person ever did."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_audit_person_kind_seq", "audit", ["person", "kind", "seq"])
