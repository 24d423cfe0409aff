"""Deletes what is over; the audit log keeps that it was there."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import invitations, keys, sessions

KEY_KEPT_MS = 7 * 86_400_000  # lists of calls still show the name of a session key for as long


async def drop_expired(tx: AsyncConnection, now_ms: int) -> int:
    """Delete, of every org, sessions, invitations and session keys whose time is over; return how many."""
    over = (
        delete(sessions).where(sessions.c.expires_ms <= now_ms),
        delete(invitations).where(invitations.c.expires_ms <= now_ms),
        delete(keys).where(keys.c.kind == "session", keys.c.expires_ms <= now_ms - KEY_KEPT_MS),
    )
    return sum([(await tx.execute(statement)).rowcount for statement in over])
