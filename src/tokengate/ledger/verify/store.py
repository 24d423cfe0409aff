"""What is stored twice, added up on one side and subtracted on the other: what remains is a difference."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import calls, code_batches, codes, jobs, journal, leases, retention, usage_daily, wallets

_ROWS_AT_ONCE = 500


async def calls_since(read: AsyncConnection) -> int:
    """Return the first day whose calls are kept, 0 when all are. To be asked before anything else."""
    if read.dialect.name == "postgresql":
        # A partition that is dropped vanishes from older snapshots, too: it must stay until this one ends.
        await read.execute(text("LOCK TABLE calls IN ACCESS SHARE MODE"))
    query = select(retention.c.first_day).where(retention.c.kind == calls.name)
    return (await read.execute(query)).scalar() or 0


async def balance_differences(read: AsyncConnection) -> AsyncIterator[tuple[str, int]]:
    """Yield each wallet's account whose journal entries do not add up to its balance."""
    sides = union_all(
        select(journal.c.credit.label("account"), journal.c.amount_nano.label("nano")),
        select(journal.c.debit, -journal.c.amount_nano),
        select(literal("wallet:") + wallets.c.id, -wallets.c.balance_nano),
    ).subquery()
    query = select(sides.c.account, func.sum(sides.c.nano)).where(sides.c.account.like("wallet:%"))
    async for account, nano in _stream(read, query.group_by(sides.c.account).having(func.sum(sides.c.nano) != 0)):
        yield account, int(nano)


async def lease_differences(read: AsyncConnection) -> AsyncIterator[tuple[str, int]]:
    """Yield each wallet whose leases do not add up to what it has leased out."""
    sides = union_all(
        select(leases.c.wallet_id, leases.c.leased_nano.label("nano")),
        select(wallets.c.id, -wallets.c.leased_nano),
    ).subquery()
    query = select(sides.c.wallet_id, func.sum(sides.c.nano)).group_by(sides.c.wallet_id)
    async for wallet_id, nano in _stream(read, query.having(func.sum(sides.c.nano) != 0)):
        yield wallet_id, int(nano)


async def held_differences(read: AsyncConnection) -> AsyncIterator[tuple[str, int]]:
    """Yield each wallet whose live jobs do not add up to what is held of it."""
    sides = union_all(
        select(jobs.c.wallet_id, jobs.c.held_nano.label("nano")).where(jobs.c.ended_ms.is_(None)),
        select(wallets.c.id, -wallets.c.held_nano),
    ).subquery()
    query = select(sides.c.wallet_id, func.sum(sides.c.nano)).group_by(sides.c.wallet_id)
    async for wallet_id, nano in _stream(read, query.having(func.sum(sides.c.nano) != 0)):
        yield wallet_id, int(nano)


async def code_differences(read: AsyncConnection) -> AsyncIterator[tuple[str, str, str, int]]:
    """Yield each journal entry whose amount, batch and wallet are not those of the code it redeemed, either way."""
    redeemed = select(
        codes.c.entry_id,
        (literal("codes:") + codes.c.batch_id).label("account"),
        codes.c.wallet_id,
        code_batches.c.amount_nano.label("nano"),
    ).join(code_batches, code_batches.c.id == codes.c.batch_id)
    entered = select(journal.c.id, journal.c.debit, journal.c.wallet_id, -journal.c.amount_nano)
    sides = union_all(
        redeemed.where(codes.c.redeemed_ms.is_not(None)), entered.where(journal.c.kind == "redeem")
    ).subquery()
    keys = (sides.c.entry_id, sides.c.account, sides.c.wallet_id)
    query = select(*keys, func.sum(sides.c.nano)).group_by(*keys).having(func.sum(sides.c.nano) != 0)
    async for entry_id, account, wallet_id, nano in _stream(read, query):
        yield entry_id, account, wallet_id, int(nano)


async def call_differences(read: AsyncConnection, kind: str, calls_since: int) -> AsyncIterator[tuple[str, str, int]]:
    """Yield each call whose cost (or overrun) is not what its journal entries of this kind say, either way."""
    column = calls.c.cost_nano if kind == "settle" else calls.c.overrun_nano
    sides = union_all(
        select(calls.c.day, calls.c.id, calls.c.wallet_id, column.label("nano")).where(calls.c.day >= calls_since),
        select(journal.c.day, journal.c.call_id, journal.c.wallet_id, -journal.c.amount_nano).where(
            journal.c.kind == kind, journal.c.day >= calls_since
        ),
    ).subquery()
    query = select(sides.c.id, sides.c.wallet_id, func.sum(sides.c.nano))
    query = query.group_by(sides.c.day, sides.c.id, sides.c.wallet_id).having(func.sum(sides.c.nano) != 0)
    async for call_id, wallet_id, nano in _stream(read, query):
        yield call_id, wallet_id, int(nano)


async def rollup_differences(read: AsyncConnection, calls_since: int) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """Yield each key of the daily sums whose usage records do not add up to them, either way."""
    names = ("calls", "input_tokens", "output_tokens", "cached_tokens", "cost_nano", "overrun_nano")
    keys = [column.name for column in usage_daily.primary_key.columns]
    ones: list[ColumnElement[int]] = [literal(1).label("calls")]
    sides = union_all(
        select(*(calls.c[name] for name in keys), *ones, *(calls.c[name] for name in names[1:])).where(
            calls.c.day >= calls_since
        ),
        select(*(usage_daily.c[name] for name in keys), *(-usage_daily.c[name] for name in names)).where(
            usage_daily.c.day >= calls_since
        ),
    ).subquery()
    sums = [func.sum(sides.c[name]) for name in names]
    different = sums[0] != 0
    for total in sums[1:]:
        different |= total != 0
    query = select(*(sides.c[name] for name in keys), *sums).group_by(*(sides.c[name] for name in keys))
    async for row in _stream(read, query.having(different)):
        totals = zip(names, row[len(keys) :], strict=True)
        yield " ".join(map(str, row[: len(keys)])), {name: int(total) for name, total in totals if total}


async def bills(read: AsyncConnection, calls_since: int) -> AsyncIterator[tuple[str, int, str]]:
    """Yield each call with what it cost in all, overrun included, and its bill line."""
    query = select(calls.c.id, calls.c.cost_nano + calls.c.overrun_nano, calls.c.bill)
    async for call_id, cost_nano, bill in _stream(read, query.where(calls.c.day >= calls_since)):
        yield call_id, cost_nano, bill


async def counts(read: AsyncConnection) -> dict[str, int]:
    """Return how many rows each table of the books has."""
    found: dict[str, int] = {}
    for table in (wallets, journal, calls):
        found[table.name] = (await read.execute(select(func.count()).select_from(table))).scalar_one()
    return found


async def _stream(read: AsyncConnection, query: Select[*tuple[Any, ...]]) -> AsyncIterator[tuple[Any, ...]]:
    rows = await read.stream(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    async for row in rows:
        yield row
