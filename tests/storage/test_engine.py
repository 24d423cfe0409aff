import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, func, inspect, select, text

from tests.support import FakeClock, url_of
from tokengate.core.settings import ServerSettings, Settings
from tokengate.storage.engine import (
    BadDatabaseUrl,
    Database,
    DatabaseInUse,
    connect_sqlite,
    database_url,
    open_database,
)
from tokengate.storage.migrations.partitions import ensure_partitions
from tokengate.storage.migrations.upgrade import SchemaTooNew
from tokengate.storage.tables import changes, metadata, open_calls
from tokengate.storage.writer import Insert, Writer

MODES = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_database_is_a_file_in_the_data_folder_unless_another_is_named(tmp_path: Path) -> None:
    assert database_url(Settings(ServerSettings(data=tmp_path))) == f"sqlite:///{tmp_path}/tokengate.db"
    assert database_url(Settings(ServerSettings(data=tmp_path, database="postgresql://x/y"))) == "postgresql://x/y"


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
async def test_database_that_cannot_keep_a_ledger_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        await open_database(url)


async def test_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in metadata.tables

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        return list(compare_metadata(context, metadata))

    def checks(connection: Connection) -> set[str | None]:
        made = inspect(connection)
        return {check["name"] for table in metadata.tables for check in made.get_check_constraints(table)}

    async with database.read() as read:
        assert await read.run_sync(differences) == []
        assert await read.run_sync(checks) == {
            f"ck_{table.name}_{str(constraint.name).removeprefix(f'ck_{table.name}_')}"
            for table in metadata.sorted_tables
            for constraint in table.constraints
            if isinstance(constraint, CheckConstraint)
        }


async def test_opening_again_changes_nothing(database: Database) -> None:
    async with database.tx() as tx:
        await tx.execute(changes.insert().values(kind="keys", version=7))

    again = await open_database(url_of(database))

    async with again.read() as read:
        assert (await read.execute(select(changes.c.version))).scalars().all() == [7]
    await again.close()


async def test_processes_that_open_a_new_database_together_migrate_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'tokengate.db'}"

    opened = await asyncio.gather(*[open_database(url) for _ in range(4)])

    for database in opened:
        async with database.read() as read:
            assert (await read.execute(select(func.count()).select_from(changes))).scalar() == 0
        await database.close()


async def test_database_of_a_later_version_is_refused(sqlite_database: Database) -> None:
    async with sqlite_database.tx() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNew, match="9999"):
        await open_database(url_of(sqlite_database))


async def test_every_sqlite_connection_is_durable_and_checks_foreign_keys(sqlite_database: Database) -> None:
    plain = connect_sqlite(sqlite_database.path)
    for pragma, value in MODES.items():
        async with sqlite_database.read() as read:
            assert (await read.execute(text(f"PRAGMA {pragma}"))).scalar() == value
        assert plain.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    plain.close()


async def test_transaction_is_rolled_back_when_its_block_raises(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.tx() as tx:
            await tx.execute(changes.insert().values(kind="keys", version=1))
            raise ZeroDivisionError

    async with database.read() as read:
        assert (await read.execute(select(func.count()).select_from(changes))).scalar() == 0


async def test_read_sees_one_moment(database: Database) -> None:
    count = select(func.count()).select_from(changes)
    async with database.read() as read:
        before = (await read.execute(count)).scalar()
        async with database.tx() as tx:
            await tx.execute(changes.insert().values(kind="keys", version=1))

        assert (await read.execute(count)).scalar() == before == 0


async def test_parallel_transactions_wait_for_each_other(database: Database) -> None:
    async with database.tx() as tx:
        await tx.execute(changes.insert().values(kind="keys", version=0))

    async def add_one() -> None:
        async with database.tx() as tx:
            await tx.execute(changes.update().values(version=changes.c.version + 1))

    await asyncio.gather(*[add_one() for _ in range(30)])

    async with database.read() as read:
        assert (await read.execute(select(changes.c.version))).scalar() == 30


async def test_transaction_beside_a_writer_that_never_rests_gets_its_turn(sqlite_database: Database) -> None:
    writer = Writer(sqlite_database)
    await writer.start()
    commits = 0

    async def write() -> None:
        nonlocal commits
        while True:
            await writer.commit([Insert(open_calls, (f"{commits}", "t", "k", "w", "m", "u", 1, 1))])
            commits += 1

    writing = asyncio.create_task(write())
    before = commits
    for number in range(20):
        async with sqlite_database.tx() as tx:
            await tx.execute(changes.insert().values(kind=f"kind {number}", version=1))
    between = commits - before

    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await writer.close()
    assert between < 20 * 20


async def test_serve_lock_is_held_by_one_process_until_it_closes(sqlite_database: Database) -> None:
    other = await open_database(url_of(sqlite_database), migrate=False)
    await sqlite_database.lock_for_serving()
    await sqlite_database.lock_for_serving()

    with pytest.raises(DatabaseInUse):
        await other.lock_for_serving()
    async with other.if_unserved() as unserved:
        assert not unserved
    async with sqlite_database.if_unserved() as unserved:
        assert not unserved

    await sqlite_database.close()
    async with other.if_unserved() as unserved:
        assert unserved
    await other.lock_for_serving()
    await other.close()


async def test_serve_lock_is_shared_on_postgresql_and_kept_from_whoever_needs_it_alone(
    postgresql_database: Database,
) -> None:
    first, second = [await open_database(url_of(postgresql_database), migrate=False) for _ in range(2)]
    await first.lock_for_serving()
    await second.lock_for_serving()

    for left in (first, second):
        async with postgresql_database.if_unserved() as unserved:
            assert not unserved
        await left.close()
    async with postgresql_database.if_unserved() as unserved:
        assert unserved
        with pytest.raises(DatabaseInUse, match="a command"):
            await first.lock_for_serving()
    await first.lock_for_serving()
    await first.close()


async def test_serve_lock_that_was_lost_with_its_connection_is_taken_again(postgresql_database: Database) -> None:
    other = await open_database(url_of(postgresql_database), migrate=False)
    await other.lock_for_serving()
    async with postgresql_database.tx() as tx:
        await tx.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {_HERE}"))
    async with asyncio.timeout(60):
        while not await served_again(other, postgresql_database):
            pass
    await other.close()


async def served_again(serving: Database, beside: Database) -> bool:
    await serving.lock_for_serving()
    async with beside.if_unserved() as unserved:
        return not unserved


async def test_partitions_cover_this_month_and_the_next_two(database: Database, clock: FakeClock) -> None:
    if database.dialect == "sqlite":
        return  # has no partitions

    again = await open_database(url_of(database), clock=clock)

    async with again.read() as read:
        names = set((await read.execute(_PARTITIONS)).scalars())
    await again.close()
    at = datetime.fromtimestamp(clock.now_s(), UTC)
    assert (at.year, at.month) == (2026, 11)
    for table in ("journal", "calls", "usage_daily"):
        assert {f"{table}_202611", f"{table}_202612", f"{table}_202701", f"{table}_default"} <= names


async def test_rows_that_came_before_their_partition_move_into_it(database: Database) -> None:
    if database.dialect == "sqlite":
        return  # has no partitions

    columns = "day, key_id, model, org_id, project_id, wallet_id"
    async with database.tx() as tx:
        for number in (20310131, 20310201, 20310228, 20310301):
            await tx.execute(text(f"INSERT INTO usage_daily ({columns}) VALUES ({number}, 'k', 'm', 'o', 'p', 'w')"))

        await ensure_partitions(tx, 20310215, 20310215)
        await ensure_partitions(tx, 20310215, 20310215)

        rows = await tx.execute(text("SELECT day, tableoid::regclass::text FROM usage_daily ORDER BY day"))
        places = {day: place for day, place in rows}
        await tx.rollback()
    assert places == {
        20310131: "usage_daily_default",
        20310201: "usage_daily_203102",
        20310228: "usage_daily_203102",
        20310301: "usage_daily_default",
    }


def test_sqlite_is_new_enough_for_the_statements_used() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35)


_HERE = "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
_PARTITIONS = text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
