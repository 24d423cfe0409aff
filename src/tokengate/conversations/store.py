"""The table of stored responses. Content is sealed before it comes here."""

from msgspec import Struct
from sqlalchemy import Integer, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import stored_responses


class StoredRow(Struct, frozen=True):
    """One stored response, still sealed."""

    id: str
    previous_id: str | None
    created_ms: int
    content: bytes


class Link(Struct, frozen=True):
    """One response of a chain, without its content."""

    id: str
    previous_id: str | None
    size_bytes: int


async def find_response(
    read: AsyncConnection, org_id: str, project_id: str, response_id: str, since_ms: int
) -> StoredRow | None:
    """Return a response that was stored at `since_ms` or later."""
    rows = await find_responses(read, org_id, project_id, [response_id], since_ms)
    return rows[0] if rows else None


async def find_responses(
    read: AsyncConnection, org_id: str, project_id: str, response_ids: list[str], since_ms: int
) -> list[StoredRow]:
    """Return which of some responses were stored at `since_ms` or later, in no order."""
    columns = stored_responses.c
    query = select(columns.id, columns.previous_id, columns.created_ms, columns.content).where(
        columns.id.in_(response_ids),
        columns.org_id == org_id,
        columns.project_id == project_id,
        columns.created_ms >= since_ms,
    )
    return [StoredRow(*row) for row in await read.execute(query)]


async def size_of(read: AsyncConnection, org_id: str, project_id: str, response_ids: list[str], since_ms: int) -> int:
    """Return the bytes of what is stored, at `since_ms` or later, of some responses."""
    columns = stored_responses.c
    query = select(func.coalesce(func.sum(columns.size_bytes), 0)).where(
        columns.id.in_(response_ids),
        columns.org_id == org_id,
        columns.project_id == project_id,
        columns.created_ms >= since_ms,
    )
    return int((await read.execute(query)).scalar_one())


async def chain_of(
    read: AsyncConnection, org_id: str, project_id: str, response_id: str, since_ms: int, limit: int
) -> list[Link]:
    """Return a response and those before it, the newest first, at most `limit`: also when they form a circle."""
    columns = stored_responses.c
    mine = (columns.org_id == org_id) & (columns.project_id == project_id) & (columns.created_ms >= since_ms)
    first = select(columns.id, columns.previous_id, columns.size_bytes, literal(1, Integer).label("depth"))
    chain = first.where(columns.id == response_id, mine).cte("chain", recursive=True)
    chain = chain.union_all(
        select(columns.id, columns.previous_id, columns.size_bytes, chain.c.depth + 1)
        .join(chain, columns.id == chain.c.previous_id)
        .where(mine, chain.c.depth < limit)
    )
    query = select(chain.c.id, chain.c.previous_id, chain.c.size_bytes).order_by(chain.c.depth)
    return [Link(*row) for row in await read.execute(query)]


async def delete_response(tx: AsyncConnection, org_id: str, project_id: str, response_id: str) -> bool:
    """Delete a response, and say whether there was one. Those after it lose what was before them."""
    columns = stored_responses.c
    mine = (columns.id == response_id) & (columns.org_id == org_id) & (columns.project_id == project_id)
    return bool((await tx.execute(delete(stored_responses).where(mine))).rowcount)


async def delete_responses_before(tx: AsyncConnection, before_ms: int, limit: int) -> int:
    """Delete at most `limit` responses stored before `before_ms`, of every org, and return how many there were."""
    columns = stored_responses.c
    oldest = select(columns.id).where(columns.created_ms < before_ms).order_by(columns.created_ms).limit(limit)
    return (await tx.execute(delete(stored_responses).where(columns.id.in_(oldest)))).rowcount
