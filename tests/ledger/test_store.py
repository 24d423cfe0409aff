import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from tests.ledger.bank import ORG, Bank
from tests.support import FakeClock
from tokengate.core.errors import NotFound
from tokengate.core.money import MAX_NANO
from tokengate.ledger import store
from tokengate.ledger.store import CannotTakeOut
from tokengate.storage.changes import Changes
from tokengate.storage.tables import journal, orgs


async def correct(bank: Bank, wallet: str, nano: int, *, tries: int = 3, pause_ms: int = 0) -> store.Wallet:
    return await store.correct(
        bank.database, ORG, wallet, nano, "a reason", int(bank.clock.now_s() * 1000), tries=tries, pause_ms=pause_ms
    )


async def test_top_up_is_an_entry_from_cash(bank: Bank) -> None:
    wallet = await bank.wallet(100)

    async with bank.database.read() as read:
        (entry,) = await store.list_journal(read, ORG, wallet)
    assert (entry.kind, entry.debit, entry.credit) == ("top_up", "house:cash", f"wallet:{wallet}")
    assert (entry.amount_nano, entry.note) == (100, "test")
    assert (await bank.row(wallet)).balance_nano == 100


@pytest.mark.parametrize("nano", [0, -1])
async def test_top_up_must_be_positive(bank: Bank, nano: int) -> None:
    wallet = await bank.wallet()

    with pytest.raises(ValueError, match="positive"):
        await bank.top_up(wallet, nano)


async def test_wallet_takes_no_more_than_a_64_bit_column_holds(bank: Bank) -> None:
    wallet = await bank.wallet(MAX_NANO)

    with pytest.raises(ValueError, match="cannot be kept"):
        await bank.top_up(wallet, 1)

    assert (await bank.row(wallet)).balance_nano == MAX_NANO
    assert await bank.differences() == []


async def test_wallet_of_another_org_is_not_found(bank: Bank) -> None:
    wallet = await bank.wallet(100)

    async with bank.database.tx() as tx:
        with pytest.raises(NotFound):
            await store.get_wallet(tx, "org_other", wallet)
        with pytest.raises(NotFound):
            await store.top_up(tx, "org_other", wallet, 1, "", 0)
        with pytest.raises(NotFound):
            await store.list_journal(tx, "org_other", wallet)
        assert await store.list_wallets(tx, "org_other") == []
    with pytest.raises(NotFound):
        await store.correct(bank.database, "org_other", wallet, -1, "", 0)


async def test_wallets_are_listed_in_pages(bank: Bank, clock: FakeClock) -> None:
    made: list[str] = []
    for _ in range(5):
        made.append(await bank.wallet())
        clock.advance(1)

    async with bank.database.read() as read:
        first = await store.list_wallets(read, ORG, limit=3)
        rest = await store.list_wallets(read, ORG, after=first[-1].id)
    assert [wallet.id for wallet in (*first, *rest)] == made


async def test_journal_is_listed_in_pages_the_newest_first(bank: Bank, clock: FakeClock) -> None:
    wallet = await bank.wallet()
    for nano in range(1, 6):
        clock.advance(1)
        await bank.top_up(wallet, nano)

    async with bank.database.read() as read:
        first = await store.list_journal(read, ORG, wallet, limit=3)
        rest = await store.list_journal(read, ORG, wallet, before=first[-1].id)
    assert [entry.amount_nano for entry in (*first, *rest)] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("statement", ["UPDATE journal SET amount_nano = 1", "DELETE FROM journal"])
async def test_journal_entries_are_immutable(bank: Bank, statement: str) -> None:
    await bank.wallet(100)

    with pytest.raises(DBAPIError, match="immutable"):
        async with bank.database.tx() as tx:
            await tx.execute(text(statement))

    async with bank.database.read() as read:
        assert (await read.execute(select(func.sum(journal.c.amount_nano)))).scalar() == 100


@pytest.mark.parametrize(("nano", "left"), [(5, 105), (-40, 60), (-100, 0)])
async def test_correction_is_an_entry_of_its_own(bank: Bank, nano: int, left: int) -> None:
    wallet = await bank.wallet(100)

    assert (await correct(bank, wallet, nano)).balance_nano == left

    async with bank.database.read() as read:
        entries = await store.list_journal(read, ORG, wallet)
    assert sorted((entry.kind, entry.amount_nano) for entry in entries) == [("correct", abs(nano)), ("top_up", 100)]
    assert await bank.differences() == []


async def test_correction_takes_no_more_than_there_is(bank: Bank) -> None:
    wallet = await bank.wallet(100)

    with pytest.raises(CannotTakeOut, match=r"the wallet has ¥0\.0000001$"):
        await correct(bank, wallet, -101)

    row = await bank.row(wallet)
    assert (row.balance_nano, row.recall_nano) == (100, 0)


async def test_correction_asks_a_living_teller_to_give_back(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 20)
    changes = Changes(bank.database)
    changes.watch("wallets", bank.teller.refresh)
    await changes.start()

    after = await correct(bank, wallet, -80, tries=100, pause_ms=100)

    await changes.close()
    assert (after.balance_nano, after.recall_nano) == (20, 0)
    assert bank.teller.free_nano(wallet) == 0
    await bank.pay(hold, 20)
    assert (await bank.row(wallet)).balance_nano == 0
    assert await bank.differences() == []


async def test_correction_waits_for_a_call_to_release_its_hold(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    hold = await bank.teller.hold(wallet, 50)
    changes = Changes(bank.database)
    changes.watch("wallets", bank.teller.refresh)
    await changes.start()
    waiting = asyncio.create_task(correct(bank, wallet, -80, tries=100, pause_ms=20))
    async with asyncio.timeout(60):
        while (await bank.row(wallet)).free_nano != 50:
            await asyncio.sleep(0.01)
    assert not waiting.done()

    bank.teller.release(hold)

    assert (await waiting).balance_nano == 20
    await changes.close()


async def test_correction_gives_up_when_calls_keep_holding_and_the_wallet_works_on(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await bank.teller.hold(wallet, 50)

    with pytest.raises(CannotTakeOut, match="calls in flight hold"):
        await correct(bank, wallet, -80)

    assert (await bank.row(wallet)).recall_nano == 0
    assert bank.teller.try_hold(wallet, 50) is not None


async def test_nothing_is_leased_that_is_asked_back(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    async with bank.database.tx() as tx:
        await tx.execute(store.wallets.update().values(recall_nano=70))

    await bank.teller.hold(wallet, 30)

    assert await bank.leased() == {wallet: 30}


async def test_correction_takes_back_the_leases_of_a_dead_process_at_once(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await bank.teller.hold(wallet, 20)
    await bank.database.close()  # frees the serve lock, as the end of the process would

    assert (await correct(bank, wallet, -100, tries=1)).balance_nano == 0


async def test_journal_is_filtered_by_kind_and_time_and_paged(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    bank.clock.advance(60)
    noon_ms = int(bank.clock.now_s() * 1000)
    await bank.teller.refresh(wallet)
    for cost in (1, 2):
        await bank.pay(await bank.teller.hold(wallet, cost), cost)
    bank.clock.advance(60)
    await bank.top_up(wallet, 5)
    await correct(bank, wallet, 3)

    async def amounts(**asked: Any) -> list[int]:
        async with bank.database.read() as read:
            return [entry.amount_nano for entry in await store.list_journal(read, ORG, wallet, **asked)]

    assert await amounts() == [3, 5, 2, 1, 100]
    assert await amounts(kinds=["settle"]) == [2, 1]
    assert await amounts(kinds=["top_up", "correct"]) == [3, 5, 100]
    assert await amounts(from_ms=noon_ms, to_ms=noon_ms + 1) == [2, 1]
    assert await amounts(to_ms=noon_ms) == [100]
    async with bank.database.read() as read:
        page = await store.list_journal(read, ORG, wallet, kinds=["top_up"], limit=1)
    assert await amounts(kinds=["top_up"], before=page[-1].id) == [100]


async def test_operator_finds_wallets_of_every_org_by_id_name_or_org(bank: Bank) -> None:
    async with bank.database.tx() as tx:
        await tx.execute(orgs.insert().values(id="org_acme", name="Acme Limited", created_ms=0))
        theirs = await store.open_wallet(tx, "org_acme", "R&D 100%", 1)
    mine = await bank.wallet()

    async with bank.database.read() as read:
        for wanted, found in (("", [theirs, mine]), ("org_acme", [theirs]), (mine, [mine]), ("r&d 100%", [theirs])):
            assert [one.wallet.id for one in await store.find_wallets(read, wanted)] == found
        (named,) = await store.find_wallets(read, "acme")
        assert (named.wallet.id, named.org_name) == (theirs, "Acme Limited")
        for nothing in ("wal%", "_", "acme_"):
            assert await store.find_wallets(read, nothing) == []
        assert [one.wallet.id for one in await store.find_wallets(read, "", after=theirs)] == [mine]
        assert await store.org_of_wallet(read, theirs) == "org_acme"
        with pytest.raises(NotFound):
            await store.org_of_wallet(read, "wal_none")
