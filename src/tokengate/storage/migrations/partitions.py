"""Monthly partitions of the tables that grow with traffic, on PostgreSQL; SQLite has none.

A default partition takes whatever no month covers, so an insert never fails for want of a partition.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

PARTITIONED = ("journal", "calls", "usage_daily")

_DROP_WAIT_MS = 500  # inserts wait for as long
_LOCK_NOT_AVAILABLE = "55P03"


async def ensure_partitions(tx: AsyncConnection, first_day: int, last_day: int) -> None:
    """Create the default partition and one for each month from `first_day` to `last_day` (such as 20261121).

    Rows of such a month that the default partition has meanwhile taken move into the new one.
    """
    if tx.dialect.name != "postgresql":
        return
    existing = await _existing(tx)
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


async def drop_months(tx: AsyncConnection, table: str, before_day: int) -> list[str]:
    """Drop the partitions whose whole month lies before `before_day`, and return their names.

    What somebody reads just now stays for another time, since every insert would wait for that reader.
    """
    dropped: list[str] = []
    if tx.dialect.name != "postgresql":
        return dropped
    await tx.execute(text(f"SET LOCAL lock_timeout = {_DROP_WAIT_MS}"))
    for name in sorted(await _existing(tx)):
        of_table, _, month = name.rpartition("_")
        if of_table != table or not month.isdecimal():
            continue
        first_day = int(month) * 100 + 1
        ((_, after),) = _months(first_day, first_day)
        if after > before_day:
            break
        try:
            async with tx.begin_nested():
                await tx.execute(text(f"DROP TABLE {name}"))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            break
        dropped.append(name)
    return dropped


async def _existing(tx: AsyncConnection) -> set[str]:
    rows = await tx.execute(
        text(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = ANY (ARRAY['journal', 'calls', 'usage_daily']::regclass[])"
        )
    )
    return set(rows.scalars())


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
