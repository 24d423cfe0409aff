"""The table of replies kept for their idempotency keys. An API key belongs to one org, so its id is the tenancy."""

from msgspec import Struct
from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import idempotency, tellers

_CLAIMED = 0  # in place of a status, in the row of a claim


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


async def claim(
    tx: AsyncConnection, key_id: str, name: str, body_digest: bytes, teller_id: str, now_ms: int
) -> bytes | None:
    """Claim a call for a teller, in place of dead tellers and of itself; return None, or the digest of the body that
    a living one has claimed it with. For PostgreSQL: nobody shares another database."""
    row = postgresql.insert(idempotency).values(
        key_id=key_id,
        idempotency_key=name,
        body_digest=body_digest,
        status=_CLAIMED,
        reply=teller_id.encode(),
        created_ms=now_ms,
    )
    theirs = idempotency.c.reply
    living = select(func.convert_to(tellers.c.id, "UTF8"))
    same = row.on_conflict_do_update(
        index_elements=[idempotency.c.key_id, idempotency.c.idempotency_key],
        set_={name: row.excluded[name] for name in ("body_digest", "reply", "created_ms")},
        where=or_(theirs == row.excluded.reply, theirs.not_in(living)),
    )
    while (await tx.execute(same)).rowcount != 1:
        other = await find_reply(tx, key_id, name)
        if other is not None:  # else it was given up just now
            return other.body_digest
    return None


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
