"""Takes back what dead tellers had leased. Their holds died with them, so what they had not spent returns whole."""

from tokengate.ledger import store
from tokengate.storage.engine import Database

DEAD_AFTER_MS = 15_000  # without a heartbeat, where several processes share a database


async def sweep(database: Database, *, mine: str, now_ms: int, alone: bool) -> list[str]:
    """Return the ids of the tellers that were dead. The only serving process (`alone`) knows that all others are."""
    async with database.tx() as tx:
        dead = await store.dead_tellers(tx, but=mine, silent_since_ms=None if alone else now_ms - DEAD_AFTER_MS)
        await store.return_leases(tx, dead)
    return dead
