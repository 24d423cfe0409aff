"""Price versions in the database: immutable rows, the newest of a model in force."""

from msgspec import Struct
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import price_versions


class StoredPrice(Struct, frozen=True):
    """One row: `price` is what `write_price` wrote."""

    version: int
    model_id: str
    effective_ms: int
    price: str
    source: str
    currency_rate: str


_COLUMNS = (
    price_versions.c.id,
    price_versions.c.model_id,
    price_versions.c.effective_ms,
    price_versions.c.price,
    price_versions.c.source,
    price_versions.c.currency_rate,
)


async def latest_prices(tx: AsyncConnection) -> dict[str, StoredPrice]:
    """Return the newest version of every model that ever had a price."""
    newest = select(func.max(price_versions.c.id)).group_by(price_versions.c.model_id)
    rows = await tx.execute(select(*_COLUMNS).where(price_versions.c.id.in_(newest)))
    return {row.model_id: StoredPrice(*row) for row in rows}


async def stored_price(tx: AsyncConnection, version: int) -> StoredPrice | None:
    """Return one version; None when there is no such version."""
    row = (await tx.execute(select(*_COLUMNS).where(price_versions.c.id == version))).first()
    return None if row is None else StoredPrice(*row)


async def versions_of(tx: AsyncConnection, model_id: str) -> list[StoredPrice]:
    """Return every version of a model's price, the newest first."""
    query = select(*_COLUMNS).where(price_versions.c.model_id == model_id).order_by(price_versions.c.id.desc())
    return [StoredPrice(*row) for row in await tx.execute(query)]


async def add_price(
    tx: AsyncConnection, *, model_id: str, effective_ms: int, price: str, source: str, currency_rate: str
) -> int:
    """Store a new version and return its number."""
    added = await tx.execute(
        insert(price_versions)
        .values(model_id=model_id, effective_ms=effective_ms, price=price, source=source, currency_rate=currency_rate)
        .returning(price_versions.c.id)
    )
    return added.scalar_one()
