"""A ledger in use, as small as it can be: an org, its wallets, a writer, a teller and settled calls."""

import asyncio

from sqlalchemy import select

from tests.support import FakeClock
from tokengate.core.clock import now_ms
from tokengate.core.ids import day_of_id, new_id
from tokengate.ledger import store
from tokengate.ledger.teller import Hold, Settlement, Teller
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database
from tokengate.storage.tables import calls, leases, orgs, usage_daily
from tokengate.storage.writer import Add, Insert, Row, Writer

ORG = "org_default"


class Bank:
    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.writer = Writer(database)
        self.teller = Teller(database, self.writer, clock, new_id=new_id)

    @classmethod
    async def open(cls, database: Database, clock: FakeClock) -> "Bank":
        bank = cls(database, clock)
        await bank.start()
        return bank

    async def start(self) -> None:
        async with self.database.tx() as tx:
            if (await tx.execute(select(orgs.c.id))).first() is None:
                await tx.execute(orgs.insert().values(id=ORG, name="Default", created_ms=0))
        await self.writer.start()
        await self._open_teller()

    async def _open_teller(self) -> None:
        await self.teller.open()
        self._beating = f"teller {self.teller.id}"

    async def close(self) -> None:
        await self.teller.close()
        await self.writer.close()

    async def crash(self) -> None:
        """Lose everything in memory, as a killed process does, and start again beside what is left."""
        await self._lose_everything()
        self.teller = Teller(self.database, self.writer, self.clock, new_id=new_id)
        await self._open_teller()

    async def crash_away(self) -> None:
        """Lose everything in memory, as a killed process does, for good."""
        await self._lose_everything()
        await self.writer.close()

    async def stop_beating(self) -> None:
        """Leave it to the test when the teller's heart beats."""
        end = [task for task in asyncio.all_tasks() if task.get_name() == self._beating]
        for task in end:
            task.cancel()
        await asyncio.gather(*end, return_exceptions=True)

    async def _lose_everything(self) -> None:
        await self.stop_beating()
        await self.database.close()  # frees the serve lock, as the end of the process would

    async def bury(self, by: "Bank | None" = None) -> None:
        """Take this teller for dead, as another one does that has not heard of it for too long."""
        async with (by or self).database.tx() as tx:
            assert await store.return_leases(tx, self.teller.id)

    async def wallet(self, nano: int = 0) -> str:
        async with self.database.tx() as tx:
            wallet_id = await store.open_wallet(tx, ORG, "w", now_ms(self.clock))
        if nano:
            await self.top_up(wallet_id, nano)
        return wallet_id

    async def top_up(self, wallet_id: str, nano: int) -> None:
        async with self.database.tx() as tx:
            await store.top_up(tx, ORG, wallet_id, nano, "test", now_ms(self.clock))

    async def row(self, wallet_id: str) -> store.Wallet:
        async with self.database.read() as read:
            return await store.get_wallet(read, ORG, wallet_id)

    async def leased(self) -> dict[str, int]:
        async with self.database.read() as read:
            rows = await read.execute(select(leases.c.wallet_id, leases.c.leased_nano))
            return {wallet_id: nano for wallet_id, nano in rows}

    def settle(self, hold: Hold, cost_nano: int) -> tuple[Settlement, list[Row]]:
        """Settle a call; return what it came to, and all rows of the call as billing hands them over."""
        call_id = new_id("req", self.clock.now_s())
        settled = self.teller.settle(hold, cost_nano, call_id=call_id, now_ms=now_ms(self.clock))
        day = day_of_id(call_id)
        costs = (settled.settled_nano, settled.overrun_nano)
        bill = f'{{"total_nano":{cost_nano}}}'
        record = (day, call_id, ORG, "prj", "key", hold.wallet_id, "/chat/completions", "m", "u", False, 200, "ok", "")
        usage = (now_ms(self.clock), 1, None, 10, 20, 0, "vendor")
        sums = Add(usage_daily, (day, "key", "m", ORG, "prj", hold.wallet_id), (1, 0, 10, 20, 0, *costs))
        return settled, [*settled.rows, Insert(calls, (*record, *usage, *costs, bill, "[]", None)), sums]

    async def pay(self, hold: Hold, cost_nano: int) -> Settlement:
        """Settle a call and wait until it is durable."""
        settled, rows = self.settle(hold, cost_nano)
        await self.writer.commit(rows)
        return settled

    async def differences(self) -> list[str]:
        return (await verify(self.database)).differences
