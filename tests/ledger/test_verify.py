import pytest
from sqlalchemy import text

from tests.ledger.bank import Bank
from tokengate.core.clock import day_of
from tokengate.ledger.verify import verify
from tokengate.usage.store import keep_calls_from


@pytest.fixture
async def used(bank: Bank) -> Bank:
    """Two paid calls, one of them with an overrun, in a wallet that is still leased."""
    wallet = await bank.wallet(100)
    await bank.pay(await bank.teller.hold(wallet, 50), 30)
    await bank.pay(await bank.teller.hold(wallet, 50), 90)
    await bank.top_up(wallet, 5)
    await bank.teller.refresh()
    return bank


async def test_books_of_a_used_ledger_are_right(used: Bank) -> None:
    report = await verify(used.database)

    assert report.differences == []
    assert report.counted == {"wallets": 1, "journal": 5, "calls": 2}


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE wallets SET balance_nano = balance_nano + 1", "the journal and the balance differ by ¥-0.000000001"),
        ("UPDATE leases SET leased_nano = leased_nano - 1", "its leases and its leased sum differ by ¥-0.000000001"),
        ("DELETE FROM calls WHERE overrun_nano = 0", "the usage record and the journal's settle entries differ"),
        ("UPDATE calls SET overrun_nano = overrun_nano + 1 WHERE overrun_nano > 0", "the journal's overrun entries"),
        ("UPDATE usage_daily SET output_tokens = output_tokens + 7", "the daily sums differ by {'output_tokens': -7}"),
        ("DELETE FROM usage_daily", "the daily sums differ by {'calls': 2"),
        (
            "UPDATE calls SET bill = '{}' WHERE cost_nano = 30",
            "cost ¥0.00000003, but its bill's total is ¥0",
        ),
        ("UPDATE calls SET bill = 'nonsense' WHERE cost_nano = 30", "its bill's total is unreadable"),
    ],
)
async def test_difference_is_found_and_named(used: Bank, tampering: str, told: str) -> None:
    async with used.database.tx() as tx:
        await tx.execute(text(tampering))

    report = await verify(used.database)

    assert any(told in difference for difference in report.differences), report.differences


async def test_journal_entry_without_its_call_is_found(used: Bank) -> None:
    async with used.database.tx() as tx:
        await tx.execute(
            text(
                "INSERT INTO journal (day, id, kind, wallet_id, debit, credit, amount_nano, call_id, created_ms) "
                "SELECT day, 'jnl_again', 'settle', wallet_id, debit, credit, amount_nano, 'req_none', created_ms "
                "FROM journal WHERE kind = 'settle' LIMIT 1"
            )
        )

    differences = (await verify(used.database)).differences

    assert any("call req_none" in difference for difference in differences)
    assert any("the journal and the balance differ" in difference for difference in differences)


async def test_calls_of_days_that_are_no_longer_kept_are_not_missed(used: Bank) -> None:
    today = day_of(used.clock.now_s())
    async with used.database.tx() as tx:
        await tx.execute(text("DELETE FROM calls"))
        await keep_calls_from(tx, today + 1)
        await keep_calls_from(tx, today)  # noted days are never put back

    report = await verify(used.database)

    assert report.differences == []
    assert report.calls_since == today + 1


async def test_calls_of_the_first_day_that_is_kept_are_missed(used: Bank) -> None:
    async with used.database.tx() as tx:
        await tx.execute(text("DELETE FROM calls"))
        await keep_calls_from(tx, day_of(used.clock.now_s()))

    report = await verify(used.database)

    assert any("the usage record and the journal's settle entries differ" in told for told in report.differences)
