"""Rows written in a transaction of somebody's own, with which they stand or fall; the writer does it in groups."""

from collections.abc import Iterable

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.writer.rows import ADDITIVE, Add, Delete, Insert, Row, RowMissing, primary_key


async def apply(tx: AsyncConnection, rows: Iterable[Row]) -> None:
    """Write the rows, in their order. Raises RowMissing, or what the database says."""
    for row in rows:
        match row:
            case Insert(table, values):
                await tx.execute(insert(table).values(dict(zip(table.columns.keys(), values, strict=True))))
            case Add():
                await _add(tx, row)
            case Delete(table, key):
                names = primary_key(table)
                await tx.execute(delete(table).where(*(table.c[n] == v for n, v in zip(names, key, strict=True))))


async def _add(tx: AsyncConnection, row: Add) -> None:
    table, key = row.table, dict(zip(primary_key(row.table), row.key, strict=True))
    additive = ADDITIVE[table]
    amounts = dict(zip(additive.columns, row.amounts, strict=True))
    sums = {name: table.c[name] + amount for name, amount in amounts.items()}
    if additive.creates:
        kind = postgresql if tx.dialect.name == "postgresql" else sqlite
        upsert = kind.insert(table).values(**key, **amounts)
        await tx.execute(upsert.on_conflict_do_update(index_elements=list(key), set_=sums))
        return
    changed = await tx.execute(update(table).where(*(table.c[n] == v for n, v in key.items())).values(sums))
    if changed.rowcount != 1:
        raise RowMissing(f"{table.name}: {key} does not exist")
