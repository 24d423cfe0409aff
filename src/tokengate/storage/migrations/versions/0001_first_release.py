"""All tables of the first release.

On PostgreSQL the tables that grow with traffic are range-partitioned by day. Journal entries are immutable: a trigger
refuses what would change or remove one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_accounts()
    _create_ledger()
    _create_usage()
    _create_the_rest()
    _make_journal_immutable()


def _create_accounts() -> None:
    op.create_table(
        "orgs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orgs"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_projects_org_id"),
    )
    op.create_table(
        "wallets",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("balance_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("leased_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("credit_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("recall_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wallets"),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_wallets_org_id"),
        sa.CheckConstraint("balance_nano + credit_nano - leased_nano >= 0", name="ck_wallets_never_overdrawn"),
        sa.CheckConstraint("credit_nano >= 0", name="ck_wallets_credit_not_negative"),
        sa.CheckConstraint("leased_nano >= 0", name="ck_wallets_leased_not_negative"),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger()),
        sa.Column("expires_ms", sa.BigInteger()),
        sa.Column("requests_per_minute", sa.Integer()),
        sa.Column("tokens_per_minute", sa.BigInteger()),
        sa.Column("concurrency", sa.Integer()),
        sa.Column("spend_per_day_nano", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_keys_org_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_keys_project_id"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name="fk_keys_wallet_id"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
    )


def _create_ledger() -> None:
    op.create_table(
        "tellers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tellers"),
    )
    op.create_table(
        "leases",
        sa.Column("teller_id", sa.String(64), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("leased_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("teller_id", "wallet_id", name="pk_leases"),
        sa.ForeignKeyConstraint(["teller_id"], ["tellers.id"], name="fk_leases_teller_id"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name="fk_leases_wallet_id"),
        sa.CheckConstraint("leased_nano >= 0", name="ck_leases_leased_not_negative"),
    )
    op.create_table(
        "journal",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("debit", sa.String(80), nullable=False),
        sa.Column("credit", sa.String(80), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.String(64)),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "id", name="pk_journal"),
        sa.CheckConstraint("amount_nano > 0", name="ck_journal_amount_positive"),
        sa.CheckConstraint("debit <> credit", name="ck_journal_two_accounts"),
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index("ix_journal_wallet_id_id", "journal", ["wallet_id", "id"])


def _create_usage() -> None:
    op.create_table(
        "calls",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("endpoint", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("upstream", sa.String(100), nullable=False),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("first_token_ms", sa.Integer()),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("usage_source", sa.String(12), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("overrun_nano", sa.BigInteger(), nullable=False),
        sa.Column("bill", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Text(), nullable=False),
        sa.Column("client_request_id", sa.String(200)),
        sa.PrimaryKeyConstraint("day", "id", name="pk_calls"),
        sa.CheckConstraint("cost_nano >= 0", name="ck_calls_cost_not_negative"),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index("ix_calls_key_id_id", "calls", ["key_id", "id"])
    op.create_table(
        "open_calls",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("teller_id", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("upstream", sa.String(100), nullable=False),
        sa.Column("held_nano", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_open_calls"),
    )
    op.create_table(
        "usage_daily",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("org_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("wallet_id", sa.String(64), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("errors", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("overrun_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("day", "key_id", "model", "org_id", "project_id", "wallet_id", name="pk_usage_daily"),
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (day)",
    )


def _create_the_rest() -> None:
    op.create_table(
        "price_versions",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("model_id", sa.String(200), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("currency_rate", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_price_versions"),
    )
    op.create_index("ix_price_versions_model_id_effective_ms", "price_versions", ["model_id", "effective_ms"])
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_ms", "idempotency", ["created_ms"])
    op.create_table(
        "changes",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_changes"),
    )


def _make_journal_immutable() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION journal_is_immutable() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'journal entries are immutable'; END $$"
        )
        op.execute(
            "CREATE TRIGGER journal_is_immutable BEFORE UPDATE OR DELETE ON journal "
            "FOR EACH ROW EXECUTE FUNCTION journal_is_immutable()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER journal_is_immutable_{change.lower()} BEFORE {change} ON journal "
            "BEGIN SELECT RAISE(ABORT, 'journal entries are immutable'); END"
        )
