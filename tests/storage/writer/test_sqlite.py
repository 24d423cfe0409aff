import asyncio
import errno
import os
import shutil
import sqlite3
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
    monkeypatch.setattr(committer, "_STEP_BYTES", 4096)
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


async def test_a_checkpoint_that_fails_changes_nothing_for_the_commit_and_is_tried_again(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def broken(self: committer.SqliteCommitter) -> None:
        tries.append(1)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(committer, "_ROWS_PER_CHECKPOINT", 10)
    monkeypatch.setattr(committer, "_ROWS_UNTIL_RETRY", 4)
    monkeypatch.setattr(committer.SqliteCommitter, "_checkpoint", broken)

    for number in range(20):
        await writer.commit([change(f"kind {number}")])

    assert len(tries) == 2  # after eleven rows, and after five more
    assert "tried again: database or disk is full" in caplog.text
    assert {f"kind {number}" for number in range(20)} <= kinds(database)


async def test_the_log_is_made_longer_ahead_of_the_commits(database: Database, writer: Writer) -> None:
    log = Path(f"{database.path}-wal")
    await writer.commit([change("first")])
    await writer.commit(())
    lengthened_bytes = log.stat().st_size

    for number in range(20):
        await writer.commit([change(f"kind {number}")])

    assert log.stat().st_size == lengthened_bytes


async def test_zeros_behind_the_log_are_nothing_to_who_recovers_it(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    await writer.commit([change("a")])
    await writer.commit([change("b")])

    (tmp_path / "crashed").mkdir()
    for name in ("tokengate.db", "tokengate.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / "crashed" / name)
    crashed = sqlite3.connect(tmp_path / "crashed" / "tokengate.db")

    assert {"a", "b"} <= {row[0] for row in crashed.execute("SELECT kind FROM changes")}
    assert crashed.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    crashed.execute("INSERT INTO changes (kind, version) VALUES ('c', 1)")
    crashed.commit()
    crashed.close()


async def test_a_log_that_cannot_be_made_longer_is_left_as_it_is(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    await writer.commit([change("a")])
    await writer.commit([change("b")])

    assert "could not be made longer" in caplog.text
    assert {"a", "b"} <= kinds(database)
