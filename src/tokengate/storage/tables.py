"""Every table, once, for SQLite and PostgreSQL.

Amounts are 64-bit integers of 10^-9 yuan (`_nano`). Times are milliseconds since the epoch, UTC (`_ms`). A `day` is an
integer such as 20261121; tables that grow with traffic begin their key with it and are range-partitioned by
it on PostgreSQL (the migrations do that). What SQL can assert about money is a constraint here.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _nano(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


orgs = Table(
    "orgs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), ForeignKey("orgs.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("stores_responses", Boolean, nullable=False, server_default=text("true")),
)

# A wallet's money: `balance` is what its org owns, `leased` the part lent to tellers and not yet spent, `held` the part
# that jobs hold. `recall` is how much another process asks the tellers to give back (see ledger/).
wallets = Table(
    "wallets",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), ForeignKey("orgs.id"), nullable=False),
    Column("name", Text, nullable=False),
    _nano("balance_nano"),
    _nano("leased_nano"),
    _nano("credit_nano"),
    _nano("recall_nano"),
    Column("created_ms", BigInteger, nullable=False),
    _nano("held_nano"),
    CheckConstraint("balance_nano + credit_nano - leased_nano >= 0", name="never_overdrawn"),
    CheckConstraint("balance_nano + credit_nano - leased_nano - held_nano >= 0", name="held_is_there"),
    CheckConstraint("held_nano >= 0", name="held_not_negative"),
    CheckConstraint("leased_nano >= 0", name="leased_not_negative"),
    CheckConstraint("credit_nano >= 0", name="credit_not_negative"),
)

# People. `email` is lower case; `password_hash` is empty for who signs in through a provider only.
users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False, server_default=""),
    Column("operator", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
    Column("last_sign_in_ms", BigInteger),
)

members = Table(
    "members",
    metadata,
    Column("org_id", String(64), ForeignKey("orgs.id"), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id"), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_members_user_id", "user_id"),
)

# Who a sign-in provider says that somebody is.
identities = Table(
    "identities",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Index("ix_sessions_user_id", "user_id"),
)

# An open invitation; it is deleted when it is accepted or withdrawn. `operator`: who accepts runs the platform.
invitations = Table(
    "invitations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), ForeignKey("orgs.id"), nullable=False),
    Column("email", String(320), nullable=False),  # empty: whoever has the link
    Column("role", String(16), nullable=False),
    Column("operator", Boolean, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("invited_by", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("ix_invitations_org_id", "org_id"),
)

# Failed sign-ins of an account or an address, kept so that a restart does not forgive them.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("scope", String(340), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
)

admin_tokens = Table(
    "admin_tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("last4", String(4), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("last_used_ms", BigInteger),
)

# What an operator set in the console; what is not here comes from the configuration. `value` is JSON.
platform_settings = Table(
    "platform_settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# AI applications that operators published at run time; `definition` is JSON.
apps = Table(
    "apps",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("definition", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
)

# Who changed what. `before` and `after` are JSON of what changed, without secrets; `org_id` is null for what
# concerns the whole platform.
audit = Table(
    "audit",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64)),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor_kind", String(16), nullable=False),  # user | admin_token | command | system
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", String(64), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Index("ix_audit_org_id_id", "org_id", "id"),
)

# `models` and `ips` are JSON lists, empty for no restriction; `kind` is api or session.
keys = Table(
    "keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), ForeignKey("orgs.id"), nullable=False),
    Column("project_id", String(64), ForeignKey("projects.id"), nullable=False),
    Column("wallet_id", String(64), ForeignKey("wallets.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
    Column("expires_ms", BigInteger),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", BigInteger),
    Column("concurrency", Integer),
    Column("spend_per_day_nano", BigInteger),
    Column("kind", String(16), nullable=False, server_default="api"),
    Column("models", Text, nullable=False, server_default=""),
    Column("ips", Text, nullable=False, server_default=""),
    Column("budget_nano", BigInteger),
    Column("budget_period", String(8)),
    Column("created_by", String(64)),
    Index("ix_keys_org_id_id", "org_id", "id"),
)

tellers = Table(
    "tellers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("started_ms", BigInteger, nullable=False),
    Column("heartbeat_ms", BigInteger, nullable=False),
)

# What one teller may still spend from one wallet. The sum over a wallet's leases equals wallets.leased_nano.
leases = Table(
    "leases",
    metadata,
    Column("teller_id", String(64), ForeignKey("tellers.id"), primary_key=True),
    Column("wallet_id", String(64), ForeignKey("wallets.id"), primary_key=True),
    _nano("leased_nano"),
    CheckConstraint("leased_nano >= 0", name="leased_not_negative"),
)

# The journal: one immutable row is one transaction of two entries, `amount_nano` out of the account
# `debit` and into the account `credit`, so every transaction sums to zero by construction. Accounts are
# `wallet:ID`, `codes:BATCH_ID`, `house:cash`, `house:revenue`, `house:overrun`, `house:correction`.
journal = Table(
    "journal",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),  # top_up | redeem | settle | overrun | correct
    Column("wallet_id", String(64), nullable=False),
    Column("debit", String(80), nullable=False),
    Column("credit", String(80), nullable=False),
    Column("amount_nano", BigInteger, nullable=False),
    Column("call_id", String(64)),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("amount_nano > 0", name="amount_positive"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    Index("ix_journal_wallet_id_id", "wallet_id", "id"),
    # What is not spent is found among a hundred thousand settlements; those do not enter this index.
    Index(
        "ix_journal_not_settled",
        "wallet_id",
        "id",
        sqlite_where=text("kind <> 'settle'"),
        postgresql_where=text("kind <> 'settle'"),
    ),
    sqlite_with_rowid=False,
)

# Top-ups that came with an idempotency key, in the transaction that paid them; the same key pays no second time.
top_up_requests = Table(
    "top_up_requests",
    metadata,
    Column("wallet_id", String(64), ForeignKey("wallets.id"), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),
    Column("amount_nano", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

# Redemption codes are made in batches, all for the same amount. The codes themselves are not stored.
code_batches = Table(
    "code_batches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("amount_nano", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    CheckConstraint("amount_nano > 0", name="amount_positive"),
)

# A code is redeemed once, by the journal entry that it names.
codes = Table(
    "codes",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("batch_id", String(64), ForeignKey("code_batches.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("last4", String(4), nullable=False),
    Column("redeemed_ms", BigInteger),
    Column("redeemed_by", String(64)),
    Column("org_id", String(64)),
    Column("wallet_id", String(64)),
    Column("entry_id", String(64), unique=True),
    CheckConstraint("(redeemed_ms IS NULL) = (entry_id IS NULL)", name="redeemed_by_an_entry"),
    Index("ix_codes_batch_id_position", "batch_id", "position", unique=True),
)

# Who is told when a wallet runs low. `armed` until it was told; a top-up arms it again.
wallet_alerts = Table(
    "wallet_alerts",
    metadata,
    Column("wallet_id", String(64), ForeignKey("wallets.id"), primary_key=True),
    Column("org_id", String(64), ForeignKey("orgs.id"), nullable=False),
    Column("threshold_nano", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("armed", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    CheckConstraint("threshold_nano >= 0", name="threshold_not_negative"),
)

# What is to be told to the world outside; see storage/outbox.py.
outbox = Table(
    "outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), nullable=False),
    Column("subject", String(64), nullable=False),  # the wallet, or the job, that it is about
    Column("kind", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(8), nullable=False),  # waiting | sent | dead
    Column("tries", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("answer", Text, nullable=False),  # what became of the last try
    Index("ix_outbox_state_due_ms", "state", "due_ms"),
    Index("ix_outbox_subject_id", "subject", "id"),
)

# The usage record of one call, with its bill line: `bill` is JSON (price version, bucket x price = amount per
# line, total, usage source, the vendor's raw usage object). `attempts` is JSON (backend, outcome, ms per attempt).
# It keeps SQLite's rowid: a row above 1 kB would take an overflow page of its own without it.
calls = Table(
    "calls",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wallet_id", String(64), nullable=False),
    Column("endpoint", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("upstream", String(100), nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("status", Integer, nullable=False),
    # ok | error | client_gone | upstream_cut | length | stopped | cancelled | crashed
    Column("outcome", String(24), nullable=False),
    Column("error", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("latency_ms", Integer, nullable=False),
    Column("first_token_ms", Integer),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("usage_source", String(12), nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("overrun_nano", BigInteger, nullable=False),
    Column("bill", Text, nullable=False),
    Column("attempts", Text, nullable=False),
    Column("client_request_id", String(200)),
    CheckConstraint("cost_nano >= 0", name="cost_not_negative"),
    Index("ix_calls_key_id_id", "key_id", "id"),
    # An org's calls by time; lists filter, count and sort by what follows the id without reading the calls.
    Index("ix_calls_org", "org_id", "id", "model", "status", "outcome", "cost_nano", "latency_ms"),
    Index(
        "ix_calls_client_request_id",
        "org_id",
        "client_request_id",
        sqlite_where=text("client_request_id IS NOT NULL"),
        postgresql_where=text("client_request_id IS NOT NULL"),
        postgresql_ops={"client_request_id": "varchar_pattern_ops"},
    ),
)

# Calls that have run for a while, written behind, so that an operator sees what a crash cost.
open_calls = Table(
    "open_calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("teller_id", String(64), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wallet_id", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("upstream", String(100), nullable=False),
    Column("held_nano", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
)

# Sums over `calls`, kept for ever; written by addition in the same commit as the calls they sum.
usage_daily = Table(
    "usage_daily",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("key_id", String(64), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("org_id", String(64), primary_key=True),
    Column("project_id", String(64), primary_key=True),
    Column("wallet_id", String(64), primary_key=True),
    _nano("calls"),
    _nano("errors"),
    _nano("input_tokens"),
    _nano("output_tokens"),
    _nano("cached_tokens"),
    _nano("cost_nano"),
    _nano("overrun_nano"),
    Index("ix_usage_daily_org_id_day", "org_id", "day"),
    sqlite_with_rowid=False,
)

price_versions = Table(
    "price_versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("model_id", String(200), nullable=False),
    Column("effective_ms", BigInteger, nullable=False),
    Column("price", Text, nullable=False),  # JSON: the rates in force, in nano per million units
    Column("source", Text, nullable=False),
    Column("currency_rate", Text, nullable=False, server_default=""),
    Index("ix_price_versions_model_id_effective_ms", "model_id", "effective_ms"),
)

# Replies that are kept. Where several processes share the database, calls that run have a row, too: `status` 0, in
# `reply` the id of the teller that runs it (see idempotency/).
idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),
    Column("body_digest", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("reply", LargeBinary, nullable=False),  # headers and body, sealed
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_idempotency_created_ms", "created_ms"),
)

# Responses that their callers let us keep, each with its own part of a conversation; `previous_id` is the one before
# it. `content` is sealed. It keeps SQLite's rowid, as `calls` does.
stored_responses = Table(
    "stored_responses",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("previous_id", String(64)),
    Column("created_ms", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_stored_responses_created_ms", "created_ms"),
)

# Responses in the background that have not ended; the commit that ends one stores it and drops its row. `owner` is the
# teller whose process runs it, `wish` what is asked of that process: cancel or delete. `content` is sealed.
background_responses = Table(
    "background_responses",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # queued | in_progress
    Column("wish", String(16), nullable=False),
    Column("streams", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("due_ms", BigInteger, nullable=False),  # when nobody runs it
    Column("created_ms", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# The events of such responses whose callers asked for a stream, some at once, sealed. Rows may overlap: what is in
# doubt is written again. They live as long as the response. It keeps SQLite's rowid, as `calls` does.
response_events = Table(
    "response_events",
    metadata,
    Column("response_id", String(64), primary_key=True),
    Column("last_number", Integer, primary_key=True),  # of the last event of the row
    Column("created_ms", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_response_events_created_ms", "created_ms"),
)

# What takes a vendor long. `state` is what callers see, `step` what is to be done next (see tasks/): submit, sending,
# look, fetch, done. `owner` is the teller whose process is at it now. `task` and `outcome` are sealed, `files` is JSON.
# Whoever ends a job does so where `ended_ms` is null, in the transaction that moves its money.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("org_id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wallet_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("endpoint", String(64), nullable=False),
    Column("model", String(200), nullable=False),  # as the caller called it
    Column("model_id", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("percent", Integer, nullable=False),
    Column("upstream", String(100), nullable=False),
    Column("vendor_id", Text, nullable=False),
    Column("task", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("files", Text, nullable=False),
    Column("error_code", String(100), nullable=False),
    Column("error", Text, nullable=False),
    _nano("held_nano"),
    _nano("cost_nano"),
    Column("price_version", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("callback_url", Text, nullable=False),
    Column("idempotency_key", String(255)),
    Column("digest", LargeBinary(32), nullable=False),
    Column("client_request_id", String(200)),
    Column("attempts", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("deadline_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("files_until_ms", BigInteger),
    Column("owner", String(64), nullable=False),
    CheckConstraint("held_nano >= 0", name="held_not_negative"),
    CheckConstraint("cost_nano >= 0", name="cost_not_negative"),
    CheckConstraint("ended_ms IS NULL OR held_nano = 0", name="ended_holds_nothing"),
    Index("ix_jobs_project_id_id", "project_id", "id"),
    Index(
        "ix_jobs_due_ms",
        "due_ms",
        sqlite_where=text("ended_ms IS NULL"),
        postgresql_where=text("ended_ms IS NULL"),
    ),
    Index(
        "ix_jobs_key_id_idempotency_key",
        "key_id",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key IS NOT NULL"),
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index(
        "ix_jobs_files_until_ms",
        "files_until_ms",
        sqlite_where=text("files_until_ms IS NOT NULL"),
        postgresql_where=text("files_until_ms IS NOT NULL"),
    ),
)

# The first day whose calls are kept (`kind` is "calls"): earlier ones were dropped on purpose. It only grows.
retention = Table(
    "retention",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("first_day", Integer, nullable=False),
)

# One row per kind of thing that another process may change (keys, wallets, prices); the version only grows.
changes = Table(
    "changes",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
