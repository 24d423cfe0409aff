"""Takes back what dead tellers had leased. Their holds died with them, so what they had not spent returns whole.

A teller is dead when its heartbeat stood still at several looks in a row. Only looks count, no clocks: those of two
machines differ, and while the database was away nobody could beat.
"""

import logging

from tokengate.ledger import store
from tokengate.storage.engine import Database

DEAD_AFTER_LOOKS = 3  # one per beat

_log = logging.getLogger(__name__)


async def begin_serving(database: Database) -> None:
    """Enter the processes that serve this database, the first of them after taking back what dead ones had leased;
    again does nothing. Raises DatabaseInUse."""
    async with database.if_unserved() as unserved:
        if unserved:
            async with database.tx() as tx:
                dead = await store.heartbeats(tx)
                for teller_id in dead:
                    await store.return_leases(tx, teller_id)
            if dead:
                _log.warning("took back the leases of %d tellers that had died", len(dead))
    await database.lock_for_serving()


class Sweeper:
    """Watches the other tellers of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._still: dict[str, tuple[int, int]] = {}  # by teller: its heartbeat, and how often that was seen again

    @property
    def others(self) -> int:
        """How many other tellers there were at the last look."""
        return len(self._still)

    async def look(self, mine: str) -> list[str]:
        """Return the tellers that have died, once their leases are back."""
        async with self._database.read() as read:
            heartbeats = await store.heartbeats(read)
        heartbeats.pop(mine, None)
        before, self._still = self._still, {}
        dead: list[str] = []
        for teller_id, heartbeat_ms in heartbeats.items():
            seen_ms, looks = before.get(teller_id, (heartbeat_ms, -1))
            looks = looks + 1 if seen_ms == heartbeat_ms else 0
            if looks >= DEAD_AFTER_LOOKS and await self._take_back(teller_id, heartbeat_ms):
                dead.append(teller_id)
            else:
                self._still[teller_id] = (heartbeat_ms, looks)
        if dead:
            _log.warning("took back the leases of %d tellers that had died", len(dead))
        return dead

    async def _take_back(self, teller_id: str, heartbeat_ms: int) -> bool:
        async with self._database.tx() as tx:
            return await store.return_leases(tx, teller_id, heartbeat_ms)
