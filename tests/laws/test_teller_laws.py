"""The money guarantees with several tellers over one wallet: real tellers and writers on a real PostgreSQL database,
against a model that only adds and subtracts. What the wallet can pay, any teller can spend, whoever has leased it.

Steps follow from a seed and not from hypothesis: how parallel transactions meet is not repeated with them.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select

from tests.ledger.bank import ORG, Bank
from tests.support import FakeClock, PostgresqlServer
from tokengate.core.errors import InsufficientBalance
from tokengate.core.ids import new_id
from tokengate.ledger import store
from tokengate.ledger.rules import State
from tokengate.ledger.store import CannotTakeOut
from tokengate.ledger.sweep import DEAD_AFTER_LOOKS
from tokengate.ledger.teller import Hold, Teller
from tokengate.storage.engine import open_database
from tokengate.storage.tables import leases

T = TypeVar("T")
TELLERS = 3
PAUSE_MS = 15
STEPS = 20


class Tellers:
    """`balance` is the model: what the wallet must have, by the events so far; `open` are the holds of each teller."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = url
        self.chance = chance
        self.clock = FakeClock()
        self.banks: list[Bank] = []
        self.open: list[list[Hold]] = []
        self.balance = chance.randint(0, 2_000)

    async def start(self) -> None:
        for _ in range(TELLERS):
            self.banks.append(await self.open_bank())
            self.open.append([])
        self.wallet = await self.banks[0].wallet(self.balance)

    async def open_bank(self) -> Bank:
        database = await open_database(self.url, migrate=False)
        bank = Bank(database, self.clock)
        bank.teller = Teller(database, bank.writer, self.clock, new_id=new_id, pause_ms=PAUSE_MS)
        await bank.start()
        await bank.stop_beating()
        return bank

    async def close(self) -> None:
        for bank in self.banks:
            await bank.close()
            await bank.database.close()

    async def step(self) -> None:
        chance, at = self.chance, self.chance.randrange(TELLERS)
        match chance.randrange(16):
            case 0:
                await self.top_up(chance.randint(1, 1_000))
            case 1 | 2 | 3 | 4:
                await self.hold(at, chance.randint(0, 103))
            case 5 | 6 | 7:
                await self.hold_in_parallel_and_release(chance.randint(1, 400), chance.randint(1, 4))
            case 8 | 9 | 10:
                await self.call(at, chance.randint(1, 300), chance.randint(0, 500))
            case 11 | 12:
                await self.end(chance.randint(0, 100), settle=chance.random() < 0.5)
            case 13:
                await self.correct(chance.randint(-100, 30))
            case 14:
                await self.time_passes(chance.randint(1, 14))
            case _ if chance.random() < 0.5:
                await self.die(at, swept=chance.random() < 0.5)
            case _:
                await self.taken_for_dead(at)
        await self.the_wallet_has_what_the_events_say()
        await self.no_teller_holds_more_than_it_leased()

    async def spend_the_rest(self) -> None:
        """Whatever no call holds can be spent by one teller, in one call."""
        free, last = self.free, self.banks[-1]
        hold = await self.answered(last.teller.hold(self.wallet, free))
        await last.pay(hold, free)
        self.balance -= free
        row = await last.row(self.wallet)
        assert (row.balance_nano, row.free_nano) == (self.balance, 0)

    async def answered(self, todo: Coroutine[Any, Any, T]) -> T:
        """Do it while every teller looks at what others ask back."""
        async with self.answering():
            return await todo

    @contextlib.asynccontextmanager
    async def answering(self) -> AsyncGenerator[None]:
        async def answer(teller: Teller) -> None:
            while True:
                await teller.refresh()
                await asyncio.sleep(0.002)

        tasks = [asyncio.create_task(answer(bank.teller)) for bank in self.banks]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def free(self) -> int:
        return self.balance - sum(hold.nano for holds in self.open for hold in holds)

    async def top_up(self, nano: int) -> None:
        await self.banks[0].top_up(self.wallet, nano)
        self.balance += nano

    async def hold(self, at: int, percent: int) -> None:
        free = self.free
        nano = free * percent // 100
        try:
            hold = await self.answered(self.banks[at].teller.hold(self.wallet, nano))
        except InsufficientBalance as refused:
            assert nano > free >= refused.available_nano
            return
        assert nano <= free
        self.open[at].append(hold)

    async def hold_in_parallel_and_release(self, nano: int, each: int) -> None:
        free, count = self.free, each * TELLERS

        async def all_at_once() -> list[tuple[Bank, Hold]]:
            asked = [bank.teller.hold(self.wallet, nano) for bank in self.banks for _ in range(each)]
            results = await asyncio.gather(*asked, return_exceptions=True)
            by = [bank for bank in self.banks for _ in range(each)]
            return [(bank, one) for bank, one in zip(by, results, strict=True) if isinstance(one, Hold)]

        got = await self.answered(all_at_once())

        assert len(got) == min(count, free // nano)
        for bank, hold in got:
            bank.teller.release(hold)

    async def call(self, at: int, nano: int, cost: int) -> None:
        """One call from hold to settlement; a cost above the hold takes what the whole wallet has."""
        free = self.free
        if nano > free:
            return
        bank = self.banks[at]

        async def one_call() -> int:
            hold = await bank.teller.hold(self.wallet, nano)
            await bank.teller.grow(hold, cost)
            settled = await bank.pay(hold, cost)
            assert settled.settled_nano + settled.overrun_nano == cost
            return settled.settled_nano

        paid = await self.answered(one_call())

        assert paid == min(cost, free)
        self.balance -= paid

    async def end(self, percent: int, *, settle: bool) -> None:
        open_holds = [(at, hold) for at, holds in enumerate(self.open) for hold in holds]
        if not open_holds:
            return
        at, hold = self.chance.choice(open_holds)
        self.open[at].remove(hold)
        if not settle:
            self.banks[at].teller.release(hold)
            return
        cost = hold.nano * percent // 100
        assert (await self.banks[at].pay(hold, cost)).settled_nano == cost
        self.balance -= cost

    async def correct(self, percent: int) -> None:
        nano = self.free * percent // 100
        if nano:
            asked = store.correct(self.banks[0].database, ORG, self.wallet, nano, "", 0, tries=50, pause_ms=20)
            with contextlib.suppress(CannotTakeOut) if nano < -self.free else contextlib.nullcontext():
                await self.answered(asked)
                self.balance += nano

    async def time_passes(self, beats: int) -> None:
        for _ in range(beats):
            for bank in self.banks:
                await bank.teller.beat()

    async def die(self, at: int, *, swept: bool) -> None:
        """A process is killed and another begins, before or after the others have missed its heartbeat."""
        dead = self.banks[at]
        await dead.crash_away()
        self.open[at].clear()
        if swept:
            for _ in range(DEAD_AFTER_LOOKS + 1):
                for bank in self.banks:
                    if bank is not dead:
                        await bank.teller.beat()
        self.banks[at] = await self.open_bank()
        if not swept:
            await dead.bury(self.banks[at])

    async def taken_for_dead(self, at: int) -> None:
        """The others have missed its heartbeat, but it lives: what it holds is nobody's any more."""
        bank = self.banks[at]
        await bank.bury()
        await bank.teller.beat()
        assert all(hold.state is State.EXPIRED for hold in self.open[at])
        self.open[at].clear()

    async def the_wallet_has_what_the_events_say(self) -> None:
        row = await self.banks[0].row(self.wallet)
        assert row.balance_nano == self.balance
        assert 0 <= row.leased_nano <= row.balance_nano

    async def no_teller_holds_more_than_it_leased(self) -> None:
        async def leased() -> dict[str, int]:
            async with self.banks[0].database.read() as read:
                query = select(leases.c.teller_id, func.sum(leases.c.leased_nano)).group_by(leases.c.teller_id)
                return {teller_id: int(nano) for teller_id, nano in await read.execute(query)}

        for bank in self.banks:
            await bank.teller.refresh(self.wallet)  # a request may still be under way
        by_teller = await leased()
        for bank, holds in zip(self.banks, self.open, strict=True):
            held = sum(hold.nano for hold in holds)
            assert held + bank.teller.free_nano(self.wallet) == by_teller.get(bank.teller.id, 0)
            assert bank.teller.free_nano(self.wallet) >= 0


@pytest.mark.parametrize("seed", range(2))
async def test_several_tellers_never_overdraw_a_wallet_and_can_spend_all_of_it(
    postgresql_server: PostgresqlServer, seed: int
) -> None:
    url = await postgresql_server.create()
    machine = Tellers(url, random.Random(seed))
    try:
        await machine.start()
        for _ in range(STEPS):
            await machine.step()
        await machine.spend_the_rest()
        assert await machine.banks[0].differences() == []
    finally:
        await machine.close()
        await postgresql_server.give_back(url)
