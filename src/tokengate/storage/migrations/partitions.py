"""Monthly partitions of the tables that grow with traffic, on PostgreSQL; SQLite has none.

A default partition takes whatever no month covers, so an insert never fails for want of a partition.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

PARTITIONED = ("journal", "calls", "usage_daily")


async def ensure_partitions(tx: AsyncConnection, first_day: int, last_day: int) -> None:
    """Create the default partition and one for each month from `first_day` to `last_day` (such as 20261121).

    Rows of such a month that the default partition has meanwhile taken move into the new one.
    """
    if tx.dialect.name != "postgresql":
        return
    rows = await tx.execute(
        text(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = ANY (ARRAY['journal', 'calls', 'usage_daily']::regclass[])"
        )
    )
    existing = set(rows.scalars())
    for table in PARTITIONED:
        missing = [
            (first, after) for first, after in _months(first_day, last_day) if _name(table, first) not in existing
        ]
        if f"{table}_default" in existing:
            if not missing:
                continue
            await _add_beside_default(tx, table, missing)
        else:
            await _add(tx, table, missing)
            await tx.execute(text(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT"))


async def _add(tx: AsyncConnection, table: str, months: list[tuple[int, int]]) -> None:
    for first, after in months:
        await tx.execute(
            text(f"CREATE TABLE {_name(table, first)} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({after})")
        )


async def _add_beside_default(tx: AsyncConnection, table: str, months: list[tuple[int, int]]) -> None:
    covers = " OR ".join(f"day >= {first} AND day < {after}" for first, after in months)
    if not (await tx.execute(text(f"SELECT EXISTS (SELECT 1 FROM {table}_default WHERE {covers})"))).scalar():
        await _add(tx, table, months)
        return
    # A partition cannot be created over rows of the default one: put a new default in its place and insert again.
    await tx.execute(text(f"ALTER TABLE {table} DETACH PARTITION {table}_default"))
    await tx.execute(text(f"ALTER TABLE {table}_default RENAME TO {table}_taken"))
    await _add(tx, table, months)
    await tx.execute(text(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT"))
    await tx.execute(text(f"INSERT INTO {table} SELECT * FROM {table}_taken"))
    await tx.execute(text(f"DROP TABLE {table}_taken"))


def _name(table: str, first_day: int) -> str:
    return f"{table}_{first_day // 100}"


def _months(first_day: int, last_day: int) -> Iterator[tuple[int, int]]:
    year, month = divmod(first_day // 100, 100)
    while year * 100 + month <= last_day // 100:
        first = year * 10_000 + month * 100 + 1
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        yield first, year * 10_000 + month * 100 + 1
