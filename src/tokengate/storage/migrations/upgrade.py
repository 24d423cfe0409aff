"""Brings a database to the newest revision inside the caller's transaction, and keeps PostgreSQL's partitions ahead.

Alembic is imported only when there is something to do, so that short commands start fast.
"""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.migrations.partitions import ensure_partitions

_FOLDER = Path(__file__).parent
_LOCK_KEY = 0x746F6B656E68  # one process migrates at a time on PostgreSQL; on SQLite the transaction sees to it
_MONTHS_AHEAD = 2


class SchemaTooNew(RuntimeError):
    """A later version of the product has written this database."""


async def upgrade(tx: AsyncConnection, *, now_s: float) -> None:
    """Run the missing revisions. Raises SchemaTooNew."""
    if tx.dialect.name == "postgresql":
        await tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    revisions = sorted(path.stem.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))
    current = await tx.run_sync(_current_revision)
    if current is not None and current not in revisions:
        raise SchemaTooNew(f"the database has schema {current}; this version knows {revisions[-1]} at most: upgrade it")
    if current != revisions[-1]:
        await tx.run_sync(_run_alembic)
    today = datetime.fromtimestamp(now_s, UTC)
    months = today.year * 12 + today.month - 1 + _MONTHS_AHEAD
    await ensure_partitions(
        tx, today.year * 10_000 + today.month * 100 + 1, months // 12 * 10_000 + (months % 12 + 1) * 100 + 1
    )


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
