"""What jobs hold: it leaves the lease, stays in the wallet through a crash, and is settled or released once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.bank import Bank
from tokengate.core.errors import InsufficientBalance
from tokengate.core.ids import new_id
from tokengate.ledger import rules
from tokengate.ledger.holds import store as holds
from tokengate.ledger.holds.store import Settled
from tokengate.ledger.rules import Lease, State
from tokengate.storage.writer.apply import apply


async def hold_for_job(bank: Bank, wallet: str, nano: int) -> None:
    hold = await bank.teller.hold(wallet, nano)
    async with bank.database.tx() as tx:
        await holds.take_over(tx, bank.teller.id, wallet, nano)
    bank.teller.hand_over(hold)
    assert hold.state is State.HANDED_OVER


async def settle(bank: Bank, wallet: str, held_nano: int, cost_nano: int) -> Settled:
    now_ms = int(bank.clock.now_s() * 1000)
    async with bank.database.tx() as tx:
        settled = await holds.settle(
            tx, wallet, held_nano, cost_nano, call_id=new_id("job", bank.clock.now_s()), now_ms=now_ms
        )
        await apply(tx, settled.rows)
    await bank.teller.refresh(wallet)
    return settled


async def test_job_holds_what_no_call_can_take(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)

    with pytest.raises(InsufficientBalance) as refused:
        await bank.teller.hold(wallet, 41)

    assert refused.value.available_nano == 40
    row = await bank.row(wallet)
    assert (row.balance_nano, row.leased_nano, row.held_nano, row.free_nano) == (100, 40, 60, 0)
    assert bank.teller.balance_nano(wallet, after_holds=True) == 40


async def test_hold_of_a_job_outlives_its_process(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)

    await bank.crash()

    assert (await bank.row(wallet)).held_nano == 60
    with pytest.raises(InsufficientBalance):
        await bank.teller.hold(wallet, 41)
    assert bank.teller.balance_nano(wallet, after_holds=True) == 40


async def test_settled_job_pays_its_cost_and_frees_the_rest(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)

    settled = await settle(bank, wallet, 60, 25)

    assert (settled.settled_nano, settled.overrun_nano) == (25, 0)
    row = await bank.row(wallet)
    assert (row.balance_nano, row.held_nano) == (75, 0)
    assert (await bank.teller.hold(wallet, 75)).nano == 75


async def test_job_above_its_hold_takes_what_is_free_and_the_house_bears_the_rest(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)
    await bank.teller.close()  # gives its lease back: the wallet has 40 free

    async with bank.database.tx() as tx:
        settled = await holds.settle(tx, wallet, 60, 130, call_id=new_id("job", bank.clock.now_s()), now_ms=1)
        await apply(tx, settled.rows)

    assert (settled.settled_nano, settled.overrun_nano) == (100, 30)
    row = await bank.row(wallet)
    assert (row.balance_nano, row.held_nano, row.leased_nano) == (0, 0, 0)
    await bank.teller.open()


async def test_released_hold_is_free_again(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)

    async with bank.database.tx() as tx:
        await holds.release(tx, wallet, 60)
    await bank.teller.refresh(wallet)

    assert (await bank.teller.hold(wallet, 100)).nano == 100
    assert await bank.differences() == []


async def test_same_job_cannot_be_entered_twice(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)
    job_id = new_id("job", bank.clock.now_s())

    async def once() -> None:
        async with bank.database.tx() as tx:
            settled = await holds.settle(tx, wallet, 30, 10, call_id=job_id, now_ms=1)
            await apply(tx, settled.rows)

    await once()
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        await once()

    assert (await bank.row(wallet)).balance_nano == 90


async def test_no_hold_goes_below_zero(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)

    with pytest.raises(Exception, match="held_not_negative"):
        async with bank.database.tx() as tx:
            await holds.release(tx, wallet, 61)


async def test_held_sum_without_a_job_is_a_difference(bank: Bank) -> None:
    wallet = await bank.wallet(100)
    await hold_for_job(bank, wallet, 60)

    assert await bank.differences() == [f"wallet {wallet}: its jobs and its held sum differ by ¥-0.00000006"]


@given(leased=st.integers(0, 1000), first=st.integers(0, 1000), second=st.integers(0, 1000))
def test_what_is_handed_over_leaves_the_lease(leased: int, first: int, second: int) -> None:
    lease = Lease("wal")
    lease.lend(leased)
    hold = rules.take(lease, first, 0)
    if hold is None:
        return
    other = rules.take(lease, second, 0)

    rules.hand_over(hold)

    assert lease.leased_nano == leased - first
    assert lease.held_nano == (0 if other is None else second)
    assert lease.job_held_nano == first
    with pytest.raises(AssertionError):
        rules.release(hold)
