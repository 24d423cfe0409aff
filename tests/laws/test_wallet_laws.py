"""Any schedule of parallel calls, top-ups and corrections leaves a wallet with exactly what the events say: the real
teller and writer on a real SQLite file, every step of every call free to meet every other's.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ledger.bank import ORG, Bank
from tests.support import FakeClock, SqliteFiles
from tokengate.core.errors import InsufficientBalance
from tokengate.ledger import store
from tokengate.ledger.store import CannotTakeOut
from tokengate.storage.engine import open_database

PAUSES = st.integers(0, 12)  # turns of the event loop


@dataclass(frozen=True)
class Call:
    wallet: int
    hold: int
    cost: int  # above the hold, too
    grows_to: int
    pauses: tuple[int, int, int]


@dataclass(frozen=True)
class Move:
    """A top-up, or a correction when it is negative."""

    wallet: int
    nano: int
    pause: int


WALLET = st.integers(0, 1)
CALLS = st.builds(Call, WALLET, st.integers(0, 300), st.integers(0, 500), st.integers(0, 400), st.tuples(*[PAUSES] * 3))
MOVES = st.builds(Move, WALLET, st.integers(-600, 600).filter(bool), PAUSES)
SCHEDULE = st.lists(st.one_of(CALLS, CALLS, CALLS, MOVES), min_size=1, max_size=60)


class Storm:
    """One schedule on one bank. `balance` is the model."""

    def __init__(self, bank: Bank, wallets: list[str], balance: list[int]) -> None:
        self.bank = bank
        self.wallets = wallets
        self.balance = balance
        self.house = 0

    async def run(self, schedule: list[Call | Move]) -> None:
        answering = asyncio.create_task(self._answer_recalls())
        try:
            await asyncio.gather(*(self._call(one) if isinstance(one, Call) else self._move(one) for one in schedule))
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        for wallet in self.wallets:  # a request for more may still be under way
            await self.bank.teller.refresh(wallet)

    async def _call(self, call: Call) -> None:
        first, second, third = call.pauses
        await _turns(first)
        try:
            hold = await self.bank.teller.hold(self.wallets[call.wallet], call.hold)
        except InsufficientBalance as refused:
            assert refused.available_nano < call.hold
            return
        await _turns(second)
        if call.grows_to > call.hold:
            await self.bank.teller.grow(hold, call.grows_to)
        await _turns(third)
        if not call.cost:
            self.bank.teller.release(hold)
            return
        settled = await self.bank.pay(hold, call.cost)
        assert settled.settled_nano + settled.overrun_nano == call.cost
        assert settled.settled_nano >= min(call.hold, call.cost)
        self.balance[call.wallet] -= settled.settled_nano
        self.house += settled.overrun_nano

    async def _move(self, move: Move) -> None:
        await _turns(move.pause)
        wallet = self.wallets[move.wallet]
        if move.nano > 0:
            await self.bank.top_up(wallet, move.nano)
            self.balance[move.wallet] += move.nano
            return
        try:
            await store.correct(self.bank.database, ORG, wallet, move.nano, "", 0, tries=3, pause_ms=1)
        except CannotTakeOut:
            return
        self.balance[move.wallet] += move.nano

    async def _answer_recalls(self) -> None:
        while True:
            await self.bank.teller.refresh()
            await asyncio.sleep(0)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def live_through(files: SqliteFiles, folder: Path, opening: tuple[int, int], schedule: list[Call | Move]) -> None:
    database = await open_database(await files.create(folder), migrate=False)
    bank = await Bank.open(database, FakeClock())
    try:
        wallets = [await bank.wallet(nano) for nano in opening]
        storm = Storm(bank, wallets, list(opening))

        await storm.run(schedule)

        assert await bank.differences() == []
        for wallet, nano in zip(wallets, storm.balance, strict=True):
            row = await bank.row(wallet)
            assert row.balance_nano == nano
            assert row.free_nano >= 0
            assert bank.teller.free_nano(wallet) == row.leased_nano <= nano  # nothing is held any more
        await bank.crash()
        assert await bank.leased() == {}
        assert await bank.differences() == []
        for wallet, nano in zip(wallets, storm.balance, strict=True):
            assert (await bank.row(wallet)).free_nano == nano
    finally:
        await bank.close()
        await database.close()


LAST_YUAN: list[Call | Move] = [Call(0, 10, 10, 10, (0, 0, 0))] * 20 + [Move(0, -50, 1), Move(0, 7, 2)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(opening=st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), schedule=SCHEDULE)
@example(opening=(100, 0), schedule=LAST_YUAN)
def test_any_schedule_leaves_each_wallet_with_what_the_events_say(
    sqlite_files: SqliteFiles, tmp_path: Path, opening: tuple[int, int], schedule: list[Call | Move]
) -> None:
    asyncio.run(live_through(sqlite_files, tmp_path, opening, schedule))
