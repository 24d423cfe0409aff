"""Batches of redemption codes in the database. They belong to the platform; what a code pays for belongs to an org."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.core.errors import NotFound
from tokengate.ledger.codes.text import NewCode
from tokengate.storage.tables import code_batches, codes

MAX_PAGE = 1_000


class Batch(Struct, frozen=True):
    """A batch and how many of its codes have been redeemed."""

    id: str
    amount_nano: int  # of each code
    size: int
    note: str
    created_by: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None
    redeemed: int

    def state(self, now_ms: int) -> str:
        """Return open, expired, revoked, or redeemed when no code is left."""
        if self.redeemed == self.size:
            return "redeemed"
        if self.revoked_ms is not None:
            return "revoked"
        return "expired" if self.expires_ms is not None and now_ms >= self.expires_ms else "open"


class Code(Struct, frozen=True):
    """What may be seen again of a code."""

    position: int
    last4: str
    redeemed_ms: int | None
    redeemed_by: str | None
    org_id: str | None
    wallet_id: str | None
    entry_id: str | None


class FoundCode(Struct, frozen=True):
    """A code that somebody has, and what decides whether it may be redeemed."""

    batch_id: str
    amount_nano: int
    expires_ms: int | None
    revoked_ms: int | None
    last4: str


async def add_batch(tx: AsyncConnection, batch: Batch, made: Sequence[NewCode]) -> None:
    """Store a new batch with its codes."""
    assert batch.size == len(made) and not batch.redeemed
    await tx.execute(
        insert(code_batches).values(
            id=batch.id,
            amount_nano=batch.amount_nano,
            size=batch.size,
            note=batch.note,
            created_by=batch.created_by,
            created_ms=batch.created_ms,
            expires_ms=batch.expires_ms,
        )
    )
    rows = [
        {"digest": code.digest, "batch_id": batch.id, "position": position, "last4": code.last4}
        for position, code in enumerate(made, 1)
    ]
    await tx.execute(insert(codes), rows)


async def get_batch(read: AsyncConnection, batch_id: str) -> Batch:
    """Return one batch. Raises NotFound."""
    row = (await read.execute(_batches(code_batches.c.id == batch_id))).first()
    if row is None:
        raise NotFound(f"There is no batch {batch_id}.")
    return Batch(*row)


async def list_batches(read: AsyncConnection, *, before: str | None = None, limit: int = 100) -> list[Batch]:
    """Return batches, the newest first; `before` is the last id of the page before."""
    query = _batches(*(() if before is None else (code_batches.c.id < before,)))
    rows = await read.execute(query.order_by(code_batches.c.id.desc()).limit(min(limit, MAX_PAGE)))
    return [Batch(*row) for row in rows]


async def list_codes(read: AsyncConnection, batch_id: str, *, after: int = 0, limit: int = 100) -> list[Code]:
    """Return a batch's codes in their order; `after` is the last position of the page before."""
    query = select(*_CODE).where(codes.c.batch_id == batch_id, codes.c.position > after)
    return [Code(*row) for row in await read.execute(query.order_by(codes.c.position).limit(min(limit, MAX_PAGE)))]


async def revoke_batch(tx: AsyncConnection, batch_id: str, now_ms: int) -> None:
    """Refuse a batch's codes from now on; a revoked one keeps the time when it was first revoked."""
    mine = (code_batches.c.id == batch_id, code_batches.c.revoked_ms.is_(None))
    await tx.execute(update(code_batches).where(*mine).values(revoked_ms=now_ms))


async def find_code(tx: AsyncConnection, digest: bytes) -> FoundCode | None:
    """Return a code, and keep its batch from being revoked until this transaction ends."""
    query = (
        select(
            codes.c.batch_id,
            code_batches.c.amount_nano,
            code_batches.c.expires_ms,
            code_batches.c.revoked_ms,
            codes.c.last4,
        )
        .join(code_batches, code_batches.c.id == codes.c.batch_id)
        .where(codes.c.digest == digest)
        .with_for_update(read=True, of=code_batches)
    )
    row = (await tx.execute(query)).first()
    return None if row is None else FoundCode(*row)


async def mark_redeemed(
    tx: AsyncConnection, org_id: str, wallet_id: str, digest: bytes, entry_id: str, redeemed_by: str, now_ms: int
) -> bool:
    """Note what redeemed a code; False when something else has before. Of any number at once, one gets True."""
    unredeemed = (codes.c.digest == digest, codes.c.redeemed_ms.is_(None))
    values = {
        "redeemed_ms": now_ms,
        "redeemed_by": redeemed_by,
        "org_id": org_id,
        "wallet_id": wallet_id,
        "entry_id": entry_id,
    }
    return (await tx.execute(update(codes).where(*unredeemed).values(values))).rowcount == 1


_CODE = (
    codes.c.position,
    codes.c.last4,
    codes.c.redeemed_ms,
    codes.c.redeemed_by,
    codes.c.org_id,
    codes.c.wallet_id,
    codes.c.entry_id,
)


def _batches(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    redeemed = (
        select(func.count())
        .where(codes.c.batch_id == code_batches.c.id, codes.c.redeemed_ms.is_not(None))
        .scalar_subquery()
    )
    return select(
        code_batches.c.id,
        code_batches.c.amount_nano,
        code_batches.c.size,
        code_batches.c.note,
        code_batches.c.created_by,
        code_batches.c.created_ms,
        code_batches.c.expires_ms,
        code_batches.c.revoked_ms,
        redeemed,
    ).where(*conditions)
