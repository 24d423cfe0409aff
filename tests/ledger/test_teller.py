import asyncio

import pytest

from tests.ledger.bank import Bank
from tests.support import FakeClock, url_of
from tokengate.core.errors import InsufficientBalance, NotFound, Unavailable
from tokengate.core.ids import new_id
from tokengate.ledger.rules import State
from tokengate.ledger.teller import HOLD_LIFETIME_MS, RECALL_LIFETIME_MS, Hold
from tokengate.storage.engine import Database, DatabaseInUse, open_database
from tokengate.storage.tables import tellers, wallets
from tokengate.storage.writer import CommitFailed


async def test_first_hold_leases_everything_and_later_ones_need_no_database(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    assert bank.teller.try_hold(wallet, 10) is None

    await bank.teller.hold(wallet, 10)

    assert bank.teller.try_hold(wallet, 90) is not None
    assert await bank.leased() == {wallet: 100}
    assert bank.teller.free_nano(wallet) == 0


async def test_hold_above_the_balance_names_what_is_needed_and_available(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await bank.teller.hold(wallet, 70)

    with pytest.raises(InsufficientBalance) as refused:
        await bank.teller.hold(wallet, 31)

    assert (refused.value.needed_nano, refused.value.available_nano) == (31, 30)


async def test_hold_on_an_unknown_wallet_is_refused(bank: Bank) -> None:
    with pytest.raises(NotFound):
        await bank.teller.hold("wal_none", 0)


async def test_free_call_needs_no_money(bank: Bank) -> None:
    wallet = await bank.wallet()

    hold = await bank.teller.hold(wallet, 0)

    assert (await bank.pay(hold, 0)).rows == []
    assert await bank.differences() == []


async def test_settled_call_moves_its_cost_from_the_wallet_to_revenue(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 50)

    settled = await bank.pay(hold, 30)

    assert (settled.settled_nano, settled.overrun_nano) == (30, 0)
    row = await bank.row(wallet)
    assert (row.balance_nano, row.leased_nano) == (70, 70)
    assert bank.teller.balance_nano(wallet) == 70
    assert bank.teller.free_nano(wallet) == 70
    assert await bank.differences() == []


async def test_balance_after_holds_leaves_out_what_is_held(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await bank.teller.hold(wallet, 40)

    assert bank.teller.balance_nano(wallet) == 100
    assert bank.teller.balance_nano(wallet, after_holds=True) == 60


async def test_overrun_is_borne_by_the_house(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 80)

    settled = await bank.pay(hold, 130)

    assert (settled.settled_nano, settled.overrun_nano) == (100, 30)
    assert (await bank.row(wallet)).balance_nano == 0
    assert await bank.differences() == []


async def test_call_cannot_be_entered_twice(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    call_id = new_id("req", bank.clock.now_s())
    holds = [await bank.teller.hold(wallet, 10) for _ in range(2)]
    first, second = (bank.teller.settle(hold, 5, call_id=call_id, now_ms=1) for hold in holds)

    await bank.writer.commit(first.rows)
    with pytest.raises(CommitFailed):
        await bank.writer.commit(second.rows)

    assert (await bank.row(wallet)).balance_nano == 95


async def test_parallel_holds_never_oversubscribe_a_wallet(bank: Bank) -> None:
    wallet = await bank.wallet(100)

    results = await asyncio.gather(*[bank.teller.hold(wallet, 10) for _ in range(200)], return_exceptions=True)

    assert sum(isinstance(result, Hold) for result in results) == 10
    assert sum(isinstance(result, InsufficientBalance) for result in results) == 190


async def test_parallel_holds_share_a_lease_request(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = await bank.wallet(1000)
    reads = 0
    read = bank.database.read

    def counted():  # the database has no other way to tell how often it was asked
        nonlocal reads
        reads += 1
        return read()

    monkeypatch.setattr(bank.database, "read", counted)

    await asyncio.gather(*[bank.teller.hold(wallet, 1) for _ in range(100)])

    assert reads == 1


async def test_top_up_is_visible_to_the_next_hold(bank: Bank) -> None:
    wallet = await bank.wallet()
    with pytest.raises(InsufficientBalance):
        await bank.teller.hold(wallet, 5)

    await bank.top_up(wallet, 5)

    await bank.teller.hold(wallet, 5)


async def test_refresh_picks_up_a_top_up(bank: Bank) -> None:
    wallet = await bank.wallet(10)
    await bank.teller.hold(wallet, 5)
    await bank.top_up(wallet, 7)

    await bank.teller.refresh()

    assert bank.teller.free_nano(wallet) == 12
    assert bank.teller.balance_nano(wallet) == 17


async def test_refresh_meets_a_new_wallet(bank: Bank) -> None:
    wallet = await bank.wallet(10)
    assert bank.teller.balance_nano(wallet) == 0

    await bank.teller.refresh(wallet)

    assert bank.teller.balance_nano(wallet) == 10


async def test_balance_known_to_the_teller_counts_what_is_not_yet_committed(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 50)
    _, rows = bank.settle(hold, 30)
    await bank.top_up(wallet, 5)

    await bank.teller.refresh()
    before = bank.teller.balance_nano(wallet)
    await bank.writer.commit(rows)
    await bank.teller.refresh()

    assert (before, bank.teller.balance_nano(wallet)) == (75, 75)
    assert bank.teller.free_nano(wallet) == 75


async def test_hold_grows_with_the_wallet(bank: Bank) -> None:
    wallet = await bank.wallet(10)
    hold = await bank.teller.hold(wallet, 10)
    await bank.top_up(wallet, 7)

    assert await bank.teller.grow(hold, 15) == 15
    assert await bank.teller.grow(hold, 40) == 17
    assert await bank.teller.grow(hold, 1) == 17


async def test_caller_who_gives_up_does_not_lose_the_lease(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    waiting = asyncio.create_task(bank.teller.hold(wallet, 10))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    await bank.teller.hold(wallet, 100)
    assert await bank.leased() == {wallet: 100}


async def test_credit_line_may_be_spent(bank: Bank) -> None:
    wallet = await bank.wallet(10)
    async with bank.database.tx() as tx:
        await tx.execute(wallets.update().values(credit_nano=20))

    await bank.pay(await bank.teller.hold(wallet, 30), 25)

    assert (await bank.row(wallet)).balance_nano == -15
    assert await bank.differences() == []


async def test_close_returns_every_lease_after_what_was_settled(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 50)
    await bank.teller.hold(wallet, 20)
    _, rows = bank.settle(hold, 30)
    paid = bank.writer.commit(rows)

    await bank.teller.close()

    assert paid.done()
    row = await bank.row(wallet)
    assert (row.balance_nano, row.leased_nano) == (70, 0)
    await bank.teller.open()


async def test_crash_returns_the_unspent_lease_whole_and_keeps_what_was_settled(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await bank.pay(await bank.teller.hold(wallet, 50), 30)
    await bank.teller.hold(wallet, 40)

    await bank.crash()

    row = await bank.row(wallet)
    assert (row.balance_nano, row.leased_nano) == (70, 0)
    await bank.teller.hold(wallet, 70)
    assert await bank.differences() == []


async def test_second_serving_process_is_refused_on_sqlite(sqlite_database: Database, clock: FakeClock) -> None:
    bank = await Bank.open(sqlite_database, clock)
    other = Bank(await open_database(url_of(sqlite_database), migrate=False), clock)

    with pytest.raises(DatabaseInUse, match="another process serves"):
        await other.teller.open()

    await other.database.close()
    await bank.close()


async def test_settlements_of_a_teller_that_was_taken_for_dead_are_refused(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 50)
    await bank.bury()

    _, rows = bank.settle(hold, 30)
    with pytest.raises(CommitFailed):
        await bank.writer.commit(rows)

    row = await bank.row(wallet)
    assert (row.balance_nano, row.leased_nano) == (100, 0)


@pytest.mark.parametrize("by", ["beat", "hold"])
async def test_teller_that_was_taken_for_dead_begins_anew(bank: Bank, by: str) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 50)
    before = bank.teller.id
    await bank.bury()

    if by == "beat":
        await bank.teller.beat()
    else:
        await bank.teller.hold(wallet, 60)

    assert bank.teller.id != before
    assert hold.state is State.EXPIRED
    assert (await bank.pay(hold, 30)).overrun_nano == 30
    await bank.pay(await bank.teller.hold(wallet, 40), 40)
    assert (await bank.row(wallet)).balance_nano == 60
    assert await bank.differences() == []


async def test_forgotten_hold_expires(bank: Bank, clock: FakeClock) -> None:
    wallet = await bank.wallet(100)
    old = await bank.teller.hold(wallet, 50)
    clock.advance(HOLD_LIFETIME_MS / 1000 - 1)
    await bank.teller.beat()
    young = await bank.teller.hold(wallet, 20)
    assert old.state is State.HELD

    clock.advance(2)
    await bank.teller.beat()

    assert (old.state, young.state) == (State.EXPIRED, State.HELD)
    assert bank.teller.free_nano(wallet) == 80


async def test_forgotten_recall_is_dropped(bank: Bank, clock: FakeClock) -> None:
    wallet = await bank.wallet(100)
    async with bank.database.tx() as tx:
        await tx.execute(wallets.update().values(recall_nano=100))
    await bank.teller.beat()
    with pytest.raises(InsufficientBalance):
        await bank.teller.hold(wallet, 1)

    clock.advance(RECALL_LIFETIME_MS / 1000 + 1)
    await bank.teller.beat()

    await bank.teller.hold(wallet, 100)


async def test_opening_forgets_dead_tellers(bank: Bank, database: Database) -> None:
    await bank.crash()

    async with database.read() as read:
        assert list((await read.execute(tellers.select().with_only_columns(tellers.c.id))).scalars()) == [
            bank.teller.id
        ]


async def test_a_hold_while_the_database_is_away_is_a_503_and_the_next_one_works(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet_id = await bank.wallet(100)

    def away() -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    with monkeypatch.context() as broken:
        broken.setattr(bank.database, "read", away)
        with pytest.raises(Unavailable, match="does not answer") as refused:
            await bank.teller.hold(wallet_id, 10)

    assert (refused.value.status, refused.value.code) == (503, "ledger_unavailable")
    assert (await bank.teller.hold(wallet_id, 10)).nano == 10
