import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tokengate.storage.engine import Database, connect_sqlite, open_database
from tokengate.storage.tables import changes
from tokengate.storage.writer import CommitUnknown, Insert, Writer
from tokengate.storage.writer import sqlite as committer
from tokengate.storage.writer.file_sync import FileSync


def change(kind: str) -> Insert:
    return Insert(changes, (kind, 1))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    database = await open_database(f"sqlite:///{tmp_path / 'tokengate.db'}")
    yield database
    await database.close()


@pytest.fixture
async def writer(database: Database) -> AsyncGenerator[Writer]:
    writer = Writer(database)
    await writer.start()
    yield writer
    await writer.close()


def kinds(database: Database) -> set[str]:
    other = connect_sqlite(database.path)
    try:
        return {row[0] for row in other.execute("SELECT kind FROM changes")}
    finally:
        other.close()


async def test_a_commit_that_meets_another_transaction_waits_beside_the_event_loop(
    database: Database, writer: Writer
) -> None:
    async with database.tx() as tx:
        committed = writer.commit([change("a")])
        # The transaction can only end because the event loop goes on.
        await tx.execute(changes.insert().values(kind="b", version=1))
        assert not committed.done()

    await committed
    assert {"a", "b"} <= kinds(database)


async def test_a_commit_whose_sync_fails_is_unknown(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: FileSync) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileSync, "sync", broken)
    with pytest.raises(CommitUnknown, match="could not be synced"):
        await writer.commit([change("a")])

    monkeypatch.undo()
    await writer.commit([change("b")])
    assert {"a", "b"} <= kinds(database)


async def test_the_log_is_folded_into_the_database_and_begins_anew(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "_ROWS_PER_CHECKPOINT", 10)
    log = Path(f"{database.path}-wal")
    before_bytes = log.stat().st_size

    for number in range(200):
        await writer.commit([change(f"kind {number}")])

    assert log.stat().st_size - before_bytes < 60 * 4096  # without it 200 commits of two pages each
    assert len(kinds(database)) >= 200


async def test_commits_from_many_tasks_keep_their_rows(database: Database, writer: Writer) -> None:
    async def transactions() -> None:
        for number in range(20):
            async with database.tx() as tx:
                await tx.execute(changes.insert().values(kind=f"tx {number}", version=1))

    async with asyncio.TaskGroup() as group:
        group.create_task(transactions())
        for number in range(200):
            group.create_task(_commit(writer, f"row {number}"))

    assert {f"tx {number}" for number in range(20)} | {f"row {number}" for number in range(200)} <= kinds(database)


async def _commit(writer: Writer, kind: str) -> None:
    await writer.commit([change(kind)])
