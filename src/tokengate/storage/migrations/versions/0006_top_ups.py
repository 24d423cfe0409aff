"""What operators' top-ups were asked for with an idempotency key: each pays once."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "top_up_requests",
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", "idempotency_key", name="pk_top_up_requests"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name="fk_top_up_requests_wallet_id"),
    )
