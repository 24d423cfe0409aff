"""Redemption codes, alerts and the outbox; indexes for lists of calls, sums and journal entries of one org."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NOT_SETTLED = sa.text("kind <> 'settle'")
_TOLD = sa.text("client_request_id IS NOT NULL")


def upgrade() -> None:
    _create_codes()
    _create_alerts()
    op.create_index("ix_usage_daily_org_id_day", "usage_daily", ["org_id", "day"])
    op.create_index("ix_calls_org", "calls", ["org_id", "id", "model", "status", "outcome", "cost_nano", "latency_ms"])
    op.create_index(
        "ix_calls_client_request_id",
        "calls",
        ["org_id", "client_request_id"],
        sqlite_where=_TOLD,
        postgresql_where=_TOLD,
        postgresql_ops={"client_request_id": "varchar_pattern_ops"},
    )
    op.create_index(
        "ix_journal_not_settled",
        "journal",
        ["wallet_id", "id"],
        sqlite_where=_NOT_SETTLED,
        postgresql_where=_NOT_SETTLED,
    )


def _create_codes() -> None:
    op.create_table(
        "code_batches",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger()),
        sa.Column("revoked_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_code_batches"),
        sa.CheckConstraint("amount_nano > 0", name="ck_code_batches_amount_positive"),
    )
    op.create_table(
        "codes",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("batch_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("redeemed_ms", sa.BigInteger()),
        sa.Column("redeemed_by", sa.String(64)),
        sa.Column("org_id", sa.String(64)),
        sa.Column("wallet_id", sa.String(64)),
        sa.Column("entry_id", sa.String(64)),
        sa.PrimaryKeyConstraint("digest", name="pk_codes"),
        sa.ForeignKeyConstraint(["batch_id"], ["code_batches.id"], name="fk_codes_batch_id"),
        sa.UniqueConstraint("entry_id", name="uq_codes_entry_id"),
        sa.CheckConstraint("(redeemed_ms IS NULL) = (entry_id IS NULL)", name="ck_codes_redeemed_by_an_entry"),
    )
    op.create_index("ix_codes_batch_id_position", "codes", ["batch_id", "position"], unique=True)


def _create_alerts() -> None:
    op.create_table(
        "wallet_alerts",
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("threshold_nano", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("armed", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", name="pk_wallet_alerts"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name="fk_wallet_alerts_wallet_id"),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_wallet_alerts_org_id"),
        sa.CheckConstraint("threshold_nano >= 0", name="ck_wallet_alerts_threshold_not_negative"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_state_due_ms", "outbox", ["state", "due_ms"])
    op.create_index("ix_outbox_subject_id", "outbox", ["subject", "id"])
