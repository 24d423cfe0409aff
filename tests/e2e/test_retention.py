"""A running gateway drops the calls whose time has run out, and its books stay right."""

import asyncio
import time
from pathlib import Path

from tests.hosted import hosted
from tests.usage.records import call, keep
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.core.ids import new_id
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database, open_database
from tokengate.usage.store import list_calls, totals

DAY_S = 86_400


async def kept_ids(database: Database) -> set[str]:
    async with database.read() as read:
        return {record.id for record in (await list_calls(read, DEFAULT_ORG)).calls}


async def test_old_calls_are_dropped_and_not_missed(tmp_path: Path):
    ids = [new_id("req", time.time() - days * DAY_S) for days in (0, 1, 3, 40)]
    database = await open_database(f"sqlite:///{tmp_path}/tokengate.db")
    await keep(database, [call(id=id, cost_nano=0) for id in ids])
    await database.close()

    async with hosted(tmp_path, "[server]\nkeep_calls_days = 1\n") as gateway:
        database = gateway.platform.database
        async with asyncio.timeout(60):
            while await kept_ids(database) != set(ids[:2]):
                await asyncio.sleep(0.005)

        async with database.read() as read:
            assert len(await totals(read, DEFAULT_ORG, "day")) == 4
        assert (await verify(database)).differences == []
