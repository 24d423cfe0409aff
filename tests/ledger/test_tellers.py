"""Several tellers, each with a writer and a database of its own, share the wallets of one PostgreSQL database."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import select

from tests.ledger.bank import ORG, Bank
from tests.support import FakeClock, url_of
from tokengate.core.errors import InsufficientBalance
from tokengate.core.ids import new_id
from tokengate.ledger import store
from tokengate.ledger.rules import State
from tokengate.ledger.sweep import DEAD_AFTER_LOOKS
from tokengate.ledger.teller import Hold, Teller
from tokengate.storage.changes import Changes
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import leases, tellers

Two = tuple[Bank, Bank]


class Branch(Bank):
    """One of several banks over the same books; `listens` answers what others ask back."""

    async def serve(self) -> None:
        self.changes = Changes(self.database)
        self.changes.watch("wallets", self.teller.refresh)
        await self.changes.start()

    async def shut(self) -> None:
        await self.changes.close()
        await self.close()
        await self.database.close()


@pytest.fixture
async def two(postgresql_database: Database, clock: FakeClock) -> AsyncGenerator[Two, None]:
    branches: list[Branch] = []
    for _ in range(2):
        branch = Branch(await open_database(url_of(postgresql_database), migrate=False), clock)
        branch.teller = Teller(branch.database, branch.writer, clock, new_id=new_id, pause_ms=5)
        await branch.start()
        await branch.stop_beating()
        await branch.serve()
        branches.append(branch)
    first, second = branches
    yield first, second
    for branch in branches:
        await branch.shut()


async def leased(bank: Bank, wallet: str) -> int:
    query = select(leases.c.leased_nano).where(leases.c.teller_id == bank.teller.id, leases.c.wallet_id == wallet)
    async with bank.database.read() as read:
        return (await read.execute(query)).scalar() or 0


async def test_first_teller_leaves_something_to_the_other(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(1_000)

    await first.teller.hold(wallet, 10)
    await second.teller.hold(wallet, 10)

    assert await leased(first, wallet) == await leased(second, wallet) == 50
    assert first.teller.try_hold(wallet, 40) is not None


async def test_near_zero_each_hold_takes_what_it_needs(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(20)

    for bank in (first, second):
        await bank.teller.hold(wallet, 9)

    assert sorted([await leased(first, wallet), await leased(second, wallet)]) == [9, 10]


async def test_hold_asks_back_what_another_teller_has_not_spent(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    first.teller.release(await first.teller.hold(wallet, 50))
    assert await leased(first, wallet) == 50

    hold = await second.teller.hold(wallet, 100)

    assert hold.nano == 100
    assert (await leased(first, wallet), await leased(second, wallet)) == (0, 100)
    await second.pay(hold, 100)
    row = await second.row(wallet)
    assert (row.balance_nano, row.leased_nano, row.recall_nano) == (0, 0, 0)


async def test_hold_waits_for_what_another_teller_releases(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    held = await first.teller.hold(wallet, 100)
    waiting = asyncio.create_task(second.teller.hold(wallet, 60))
    async with asyncio.timeout(60):
        while (await first.row(wallet)).recall_nano == 0:
            await asyncio.sleep(0)

    await first.pay(held, 10)

    assert (await waiting).nano == 60


async def test_hold_that_waited_in_vain_is_refused_and_names_what_is_there(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    await first.teller.hold(wallet, 70)

    with pytest.raises(InsufficientBalance) as refused:
        await second.teller.hold(wallet, 40)

    assert (refused.value.needed_nano, refused.value.available_nano) == (40, 30)
    await second.teller.hold(wallet, 30)


async def test_hold_beyond_the_whole_wallet_does_not_wait(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    await first.teller.hold(wallet, 50)

    with pytest.raises(InsufficientBalance):
        await second.teller.hold(wallet, 101)

    assert (await first.row(wallet)).recall_nano == 0


async def test_what_is_too_little_for_either_teller_is_enough_for_one(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(10)
    for bank in two:
        bank.teller.release(await bank.teller.hold(wallet, 5))
    assert (await leased(first, wallet), await leased(second, wallet)) == (5, 5)

    results = await asyncio.gather(*[bank.teller.hold(wallet, 10) for bank in two], return_exceptions=True)

    assert sum(isinstance(result, Hold) for result in results) == 1
    assert sum(isinstance(result, InsufficientBalance) for result in results) == 1


async def test_parallel_holds_of_both_never_oversubscribe_a_wallet_and_use_all_of_it(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(105)

    holds = [bank.teller.hold(wallet, 10) for bank in two for _ in range(50)]
    results = await asyncio.gather(*holds, return_exceptions=True)

    assert sum(isinstance(result, Hold) for result in results) == 10
    assert sum(isinstance(result, InsufficientBalance) for result in results) == 90
    assert (await second.row(wallet)).leased_nano <= 105


async def test_hold_grows_by_what_others_have_not_spent(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    await first.teller.hold(wallet, 30)
    hold = await second.teller.hold(wallet, 20)

    assert await second.teller.grow(hold, 60) == 60
    assert await second.teller.grow(hold, 90) == 70  # the rest is held


async def test_reach_is_what_the_whole_wallet_could_pay(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(1_000)

    await first.teller.hold(wallet, 10)
    await second.teller.hold(wallet, 10)

    assert first.teller.free_nano(wallet) == 40
    assert first.teller.reach_nano(wallet) == 990
    assert second.teller.reach_nano(wallet) == 990  # what the other holds it cannot know


async def test_lease_of_everything_is_shared_when_another_teller_comes(
    postgresql_database: Database, clock: FakeClock
) -> None:
    alone = await Bank.open(await open_database(url_of(postgresql_database), migrate=False), clock)
    wallet = await alone.wallet(1_000)
    await alone.teller.hold(wallet, 10)
    assert await leased(alone, wallet) == 1_000
    other = await Bank.open(await open_database(url_of(postgresql_database), migrate=False), clock)

    await alone.teller.beat()

    assert await leased(alone, wallet) == 10 + 10 + 40  # held, as much again, and four holds ahead
    for bank in (alone, other):
        await bank.close()
        await bank.database.close()


async def test_lease_that_is_used_up_is_filled_between_calls(two: Two) -> None:
    first, _ = two
    wallet = await first.wallet(10_000)
    for _ in range(5):
        await first.pay(await first.teller.hold(wallet, 10), 10)

    await first.teller.beat()

    assert first.teller.free_nano(wallet) == 4 * 10 + 2 * 50
    assert first.teller.try_hold(wallet, 130) is not None


async def test_lease_of_an_idle_teller_returns_after_a_while(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(1_000)
    await first.pay(await first.teller.hold(wallet, 10), 10)

    for _ in range(12):
        await second.teller.beat()
        await first.teller.beat()
    assert await leased(first, wallet) > 0
    await first.teller.beat()

    assert await leased(first, wallet) == 0
    assert (await first.row(wallet)).leased_nano == 0


async def test_balance_follows_what_others_spend_and_top_up(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(1_000)
    await first.teller.hold(wallet, 10)
    await second.pay(await second.teller.hold(wallet, 100), 100)
    assert first.teller.balance_nano(wallet) == 1_000

    await first.teller.beat()
    assert first.teller.balance_nano(wallet) == 900

    await second.top_up(wallet, 50)
    async with asyncio.timeout(60):
        while first.teller.balance_nano(wallet) != 950:
            await asyncio.sleep(0)


async def test_correction_takes_out_what_neither_holds(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    for bank in two:
        await bank.teller.hold(wallet, 10)

    after = await store.correct(second.database, ORG, wallet, -80, "", 0, pause_ms=20)

    assert (after.balance_nano, after.recall_nano) == (20, 0)
    with pytest.raises(store.CannotTakeOut, match="calls in flight hold"):
        await store.correct(second.database, ORG, wallet, -1, "", 0, tries=3, pause_ms=20)


async def test_dead_teller_is_swept_by_the_other_and_its_holds_die(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    hold = await first.teller.hold(wallet, 50)
    await second.teller.hold(wallet, 10)
    dead = first.teller.id

    for _ in range(DEAD_AFTER_LOOKS):
        await second.teller.beat()
    assert await leased(first, wallet) >= 50
    await second.teller.beat()

    assert await leased(first, wallet) == 0
    async with second.database.read() as read:
        assert (await read.execute(select(tellers.c.id))).scalars().all() == [second.teller.id]
    await first.teller.beat()
    assert first.teller.id != dead
    assert hold.state is State.EXPIRED
    assert (await first.pay(hold, 30)).overrun_nano == 30
    await first.pay(await first.teller.hold(wallet, 90), 90)
    assert await first.differences() == []


async def test_teller_whose_heart_beats_is_never_swept(two: Two) -> None:
    first, second = two
    wallet = await first.wallet(100)
    await first.teller.hold(wallet, 50)

    for _ in range(3 * DEAD_AFTER_LOOKS):
        await first.teller.beat()
        await second.teller.beat()

    assert await leased(first, wallet) >= 50


async def test_dead_teller_is_told_of_once(two: Two, clock: FakeClock) -> None:
    first, second = two
    told: list[str] = []

    async def tell() -> None:
        told.append("dead")

    third = Teller(second.database, second.writer, clock, new_id=new_id, on_dead=tell)
    await third.open()
    dying = first.teller.id
    for _ in range(DEAD_AFTER_LOOKS + 2):
        await third.beat()
        await second.teller.beat()

    assert told in ([], ["dead"])  # whoever was first
    async with second.database.read() as read:
        assert dying not in (await read.execute(select(tellers.c.id))).scalars().all()
    await third.close()
