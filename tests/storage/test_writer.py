import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import func, select, text

from tests.support import url_of
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import idempotency, journal, leases, open_calls, orgs, tellers, usage_daily, wallets
from tokengate.storage.writer import MAX_BEHIND, Add, CommitFailed, Delete, Insert, Row, RowMissing, Writer
from tokengate.storage.writer.apply import apply

DAY = 20261118


def entry(number: int, amount_nano: int = 5) -> Insert:
    return Insert(
        journal,
        (DAY, f"jnl_{number:06}", "settle", "wal_a", "wallet:wal_a", "house:revenue", amount_nano, None, "", 0),
    )


def usage(key: str, calls: int, cost_nano: int) -> Add:
    return Add(usage_daily, (DAY, key, "m", "org", "prj", "wal_a"), (calls, 0, 10, 20, 0, cost_nano, 0))


async def balances(database: Database) -> dict[str, tuple[int, int]]:
    async with database.read() as read:
        rows = await read.execute(select(wallets.c.id, wallets.c.balance_nano, wallets.c.leased_nano))
        return {wallet: (balance, leased) for wallet, balance, leased in rows}


async def entries(database: Database) -> list[str]:
    async with database.read() as read:
        return list((await read.execute(select(journal.c.id).order_by(journal.c.id))).scalars())


@pytest.fixture
async def wallet(database: Database) -> None:
    async with database.tx() as tx:
        await tx.execute(orgs.insert().values(id="org", name="org", created_ms=0))
        for wallet_id in ("wal_a", "wal_b"):
            row = {"id": wallet_id, "org_id": "org", "name": "", "created_ms": 0}
            await tx.execute(wallets.insert().values(balance_nano=1000, leased_nano=1000, **row))
        await tx.execute(tellers.insert().values(id="tel", started_ms=0, heartbeat_ms=0))
        await tx.execute(leases.insert().values(teller_id="tel", wallet_id="wal_a", leased_nano=1000))


@pytest.fixture
async def writer(database: Database, wallet: None) -> AsyncGenerator[Writer, None]:
    writer = Writer(database)
    await writer.start()
    yield writer
    await writer.close()


async def test_committed_rows_are_seen_by_another_connection(database: Database, writer: Writer) -> None:
    await writer.commit([entry(1), Add(wallets, ("wal_a",), (-5, -5)), Add(leases, ("tel", "wal_a"), (-5,))])

    other = await open_database(url_of(database), migrate=False)
    try:
        assert await entries(other) == ["jnl_000001"]
        assert await balances(other) == {"wal_a": (995, 995), "wal_b": (1000, 1000)}
    finally:
        await other.close()


async def test_many_submissions_share_a_few_commits(database: Database, wallet: None) -> None:
    commits: list[int] = []
    writer = Writer(database, on_commit=lambda rows, _: commits.append(rows))
    await writer.start()

    rows: list[list[Row]] = [[entry(number), Add(wallets, ("wal_a",), (-5, -5))] for number in range(150)]
    await asyncio.gather(*[writer.commit(submission) for submission in rows])
    await writer.close()

    assert sum(commits) == 300
    assert len(commits) < 50
    assert await balances(database) == {"wal_a": (250, 250), "wal_b": (1000, 1000)}
    assert len(await entries(database)) == 150


async def test_same_keys_in_a_group_are_summed_and_missing_usage_is_created(database: Database, writer: Writer) -> None:
    await asyncio.gather(*[writer.commit([usage(f"key_{number % 3}", 1, number)]) for number in range(9)])
    await writer.commit([usage("key_0", 1, 100)])

    async with database.read() as read:
        columns = (usage_daily.c.key_id, usage_daily.c.calls, usage_daily.c.output_tokens, usage_daily.c.cost_nano)
        rows = (await read.execute(select(*columns).order_by(usage_daily.c.key_id))).all()
    assert rows == [("key_0", 4, 80, 109), ("key_1", 3, 60, 12), ("key_2", 3, 60, 15)]


@pytest.mark.parametrize(
    "bad",
    [
        [entry(2), entry(2)],
        [entry(2, amount_nano=0)],
        [entry(2), Add(wallets, ("wal_a",), (-1001, 0))],
        [entry(2), Add(wallets, ("nobody",), (-5, -5))],
        [entry(2), Add(leases, ("tel", "wal_b"), (-5,))],
        [entry(2, amount_nano=2**63)],
        [Insert(journal, (DAY, "too few"))],
        [Insert(leases, ("nobody", "wal_a", 0))],
    ],
    ids=["same key", "check", "overdrawn", "no wallet", "no lease", "too large", "columns", "foreign key"],
)
async def test_submission_that_breaks_a_constraint_fails_alone(
    database: Database, writer: Writer, bad: list[Row]
) -> None:
    before = writer.commit([entry(1), Add(wallets, ("wal_a",), (-5, -5))])
    refused = writer.commit(bad)
    after = writer.commit([entry(3), Add(wallets, ("wal_b",), (-7, -7))])

    with pytest.raises(CommitFailed):
        await refused
    await asyncio.gather(before, after)
    assert await entries(database) == ["jnl_000001", "jnl_000003"]
    assert await balances(database) == {"wal_a": (995, 995), "wal_b": (993, 993)}


async def test_submission_refused_without_company_leaves_the_writer_working(database: Database, writer: Writer) -> None:
    with pytest.raises(CommitFailed):
        await writer.commit([entry(1), Add(wallets, ("nobody",), (-5, -5))])

    await writer.commit([entry(1)])

    assert await entries(database) == ["jnl_000001"]


def opened(number: int) -> Insert:
    return Insert(open_calls, (f"req_{number}", "tel", "key", "wal_a", "m", "u", 5, 0))


def stored(body: bytes) -> Insert:
    return Insert(idempotency, ("key", "again", b"d" * 32, 200, body, 0))


async def test_delete_removes_what_an_earlier_submission_of_the_group_inserts(
    database: Database, writer: Writer
) -> None:
    await asyncio.gather(
        writer.commit([opened(1)]), writer.commit([opened(2)]), writer.commit([Delete(open_calls, ("req_1",))])
    )

    async with database.read() as read:
        assert (await read.execute(select(open_calls.c.id))).scalars().all() == ["req_2"]


async def test_delete_before_insert_replaces_a_row(database: Database, writer: Writer) -> None:
    await writer.commit([stored(b"old")])

    await writer.commit([Delete(idempotency, ("key", "again")), stored(b"new\x00\xff")])

    async with database.read() as read:
        assert (await read.execute(select(idempotency.c.reply))).scalars().all() == [b"new\x00\xff"]


async def test_close_commits_what_was_handed_over(database: Database, wallet: None) -> None:
    writer = Writer(database)
    await writer.start()
    futures = [writer.commit([entry(number)]) for number in range(40)]
    writer.later([opened(1)])

    await writer.close()

    assert all(future.done() and future.exception() is None for future in futures)
    assert len(await entries(database)) == 40
    async with database.read() as read:
        assert (await read.execute(select(func.count()).select_from(open_calls))).scalar() == 1
    with pytest.raises(RuntimeError):
        writer.commit([entry(99)])


async def test_empty_submission_waits_for_everything_before_it(database: Database, writer: Writer) -> None:
    first = writer.commit([entry(1)])

    await writer.commit([])

    assert first.done()
    assert await entries(database) == ["jnl_000001"]


async def test_write_behind_rides_along_with_the_next_commit(database: Database, wallet: None) -> None:
    commits: list[int] = []
    writer = Writer(database, on_commit=lambda rows, _: commits.append(rows))
    await writer.start()

    writer.later([opened(1)])
    await writer.commit([entry(1)])

    assert commits == [2]
    await writer.close()


async def test_write_behind_needs_no_commit_of_others(database: Database, wallet: None) -> None:
    written = asyncio.Event()
    writer = Writer(database, on_commit=lambda rows, _: written.set())
    await writer.start()

    writer.later([opened(1)])

    await asyncio.wait_for(written.wait(), 5)
    await writer.close()


async def test_write_behind_queue_is_bounded_and_what_is_dropped_is_counted(database: Database, wallet: None) -> None:
    writer = Writer(database)
    await writer.start()

    for number in range(MAX_BEHIND + 3):
        writer.later([opened(number)])

    assert writer.dropped == 3
    await writer.close()
    async with database.read() as read:
        assert (await read.execute(select(func.count()).select_from(open_calls))).scalar() == MAX_BEHIND


async def test_refused_write_behind_does_not_hurt_a_commit(database: Database, writer: Writer) -> None:
    writer.later([Insert(leases, ("nobody", "wal_a", 0))])

    await writer.commit([entry(1)])

    assert writer.dropped == 1
    assert await entries(database) == ["jnl_000001"]


async def test_caller_who_gave_up_waiting_does_not_disturb_the_others(database: Database, writer: Writer) -> None:
    given_up, kept = writer.commit([entry(1)]), writer.commit([entry(2)])
    given_up.cancel()

    await kept
    await writer.commit([])

    assert await entries(database) == ["jnl_000001", "jnl_000002"]


END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def test_writer_survives_a_broken_connection_without_writing_twice(database: Database, writer: Writer) -> None:
    if database.dialect == "sqlite":
        return  # a file does not go away

    await writer.commit([entry(1)])
    futures: list[asyncio.Future[None]] = []
    for number in range(2, 30):
        futures.append(writer.commit([entry(number), Add(wallets, ("wal_a",), (-5, -5))]))
        if number % 10 == 0:
            async with database.tx() as tx:
                await tx.execute(text(END_OTHERS))
        await asyncio.sleep(0)

    await asyncio.gather(*futures)

    assert len(await entries(database)) == 29
    assert (await balances(database))["wal_a"] == (1000 - 28 * 5, 1000 - 28 * 5)


async def test_rows_applied_in_a_transaction_are_those_that_the_writer_would_write(
    database: Database, wallet: None
) -> None:
    async with database.tx() as tx:
        await apply(tx, [entry(1), entry(2), usage("key", 1, 5), usage("key", 2, 7)])
        await apply(tx, [Add(wallets, ("wal_a",), (-5, -5)), Delete(idempotency, ("key", "none"))])

    assert await entries(database) == ["jnl_000001", "jnl_000002"]
    assert (await balances(database))["wal_a"] == (995, 995)
    async with database.read() as read:
        sums = (await read.execute(select(usage_daily.c.calls, usage_daily.c.cost_nano))).one()
    assert tuple(sums) == (3, 12)


async def test_applied_addition_to_a_row_that_is_not_there_is_refused(database: Database, wallet: None) -> None:
    with pytest.raises(RowMissing):
        async with database.tx() as tx:
            await apply(tx, [entry(1), Add(wallets, ("wal_none",), (1, 0))])

    assert await entries(database) == []
