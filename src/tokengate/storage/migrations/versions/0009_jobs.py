"""Jobs, and what they hold of a wallet."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_LIVE = sa.text("ended_ms IS NULL")
_KEYED = sa.text("idempotency_key IS NOT NULL")
_KEPT = sa.text("files_until_ms IS NOT NULL")


def upgrade() -> None:
    _hold_in_wallets()
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("endpoint", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("model_id", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("upstream", sa.String(100), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("task", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(100), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("held_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("price_version", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("callback_url", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client_request_id", sa.String(200)),
        sa.Column("attempts", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger()),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("deadline_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("files_until_ms", sa.BigInteger()),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.CheckConstraint("held_nano >= 0", name="ck_jobs_held_not_negative"),
        sa.CheckConstraint("cost_nano >= 0", name="ck_jobs_cost_not_negative"),
        sa.CheckConstraint("ended_ms IS NULL OR held_nano = 0", name="ck_jobs_ended_holds_nothing"),
    )
    op.create_index("ix_jobs_project_id_id", "jobs", ["project_id", "id"])
    op.create_index("ix_jobs_due_ms", "jobs", ["due_ms"], sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_index(
        "ix_jobs_key_id_idempotency_key",
        "jobs",
        ["key_id", "idempotency_key"],
        unique=True,
        sqlite_where=_KEYED,
        postgresql_where=_KEYED,
    )
    op.create_index("ix_jobs_files_until_ms", "jobs", ["files_until_ms"], sqlite_where=_KEPT, postgresql_where=_KEPT)


def _hold_in_wallets() -> None:
    """SQLite adds no constraint to a table that exists, but takes one with a column."""
    there = "balance_nano + credit_nano - leased_nano - held_nano >= 0"
    op.execute(
        "ALTER TABLE wallets ADD COLUMN held_nano BIGINT DEFAULT '0' NOT NULL"
        f" CONSTRAINT ck_wallets_held_is_there CHECK ({there})"
        " CONSTRAINT ck_wallets_held_not_negative CHECK (held_nano >= 0)"
    )
