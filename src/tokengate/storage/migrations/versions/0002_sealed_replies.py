"""Kept replies are sealed, headers and body in one value.

Replies that were kept readable are dropped: they would not open, and the calls they answered are billed already.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM idempotency")
    op.drop_column("idempotency", "headers")
    op.alter_column("idempotency", "body", new_column_name="reply")
