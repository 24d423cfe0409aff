"""The table of replies kept for their idempotency keys. An API key belongs to one org, so its id is the tenancy."""

from msgspec import Struct
from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import idempotency


class KeptRow(Struct, frozen=True):
    """One kept reply, still sealed."""

    body_digest: bytes
    status: int
    reply: bytes
    created_ms: int


async def find_reply(read: AsyncConnection, key_id: str, idempotency_key: str) -> KeptRow | None:
    """Return the reply kept for an idempotency key, however old."""
    query = select(
        idempotency.c.body_digest,
        idempotency.c.status,
        idempotency.c.reply,
        idempotency.c.created_ms,
    ).where(idempotency.c.key_id == key_id, idempotency.c.idempotency_key == idempotency_key)
    row = (await read.execute(query)).first()
    return None if row is None else KeptRow(*row)


async def delete_reply(tx: AsyncConnection, key_id: str, idempotency_key: str, before_ms: int) -> None:
    """Delete the reply of an idempotency key if it was made before `before_ms`."""
    await tx.execute(
        delete(idempotency).where(
            idempotency.c.key_id == key_id,
            idempotency.c.idempotency_key == idempotency_key,
            idempotency.c.created_ms < before_ms,
        )
    )


async def delete_replies_before(tx: AsyncConnection, before_ms: int, limit: int) -> int:
    """Delete at most `limit` replies made before `before_ms`, of every key, and return how many there were."""
    key = (idempotency.c.key_id, idempotency.c.idempotency_key)
    oldest = select(*key).where(idempotency.c.created_ms < before_ms).order_by(idempotency.c.created_ms).limit(limit)
    return (await tx.execute(delete(idempotency).where(tuple_(*key).in_(oldest)))).rowcount
